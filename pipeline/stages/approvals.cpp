// SPDX-License-Identifier: Apache-2.0
#include "approvals.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "approval_fields.hpp"
#include "industries.hpp"
#include "layer_files.hpp"
#include "words.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

constexpr double hectare = 1e4;
// A declared area so many times that of the polygons was written in m², not in hm²: 10 000 times where the
// two agree, and no range is drawn a thousand times too small.
constexpr double unit_mistaken = 1000;

// The rows of one project.
struct Parts {
    Project project;
    std::vector<io::Geometry> exact, schematic, spoil, borrow, yards_schematic;
    std::set<std::string> names;
    std::map<std::string, std::int64_t> row_of;                       ///< field → the row whose word stands
    std::map<Date, std::int64_t> approved;                            ///< day → its first row
    std::map<std::optional<Date>, std::vector<io::Geometry>> by_day;  ///< exact ranges
    double drawn_area = 0;                                            ///< m², of the exact range
};

// Parts that were approved later are kept apart with their day; what names no day goes with the first.
void settle_days(RunContext& c, const std::string& file, Project& p, Parts& parts) {
    if (parts.approved.size() < 2) return;
    std::string days;
    for (const auto& [day, row] : parts.approved)
        days += fmt::format("{}{} (row {})", days.empty() ? "" : ", ", day.iso(), row);
    for (auto& [day, shapes] : parts.by_day)
        p.dated.push_back({day.value_or(*p.approved), io::union_of(shapes)});
    const engine::Problem note{
        "screen", fmt::format("{}:{}", file, parts.approved.rbegin()->second), "approval_dates",
        fmt::format(
            "Parts of project {} were approved on different days: {}. Works are compared with the day "
            "of the part they lie in, with the earlier one where they lie in several.",
            p.key, days),
        "Correct the dates where the whole project was approved on one day."};
    c.log.write(engine::LogLevel::warn, note.what, "screen", note.unit);
    c.notes.push_back(note);
}

// DAREA where it is stated and believable, else the area of the ranges.
void settle_area(RunContext& c, Project& p, double drawn) {
    if (p.declared_area <= 0) {
        p.declared_area = drawn;
    } else if (drawn > 0 && p.declared_area > unit_mistaken * drawn) {
        p.declared_area /= hectare;
        const engine::Problem note{
            "screen", p.key, "area_unit",
            fmt::format("The declared area of {} would be {:.0f} times that of its range in hectares; it was "
                        "read as square metres.",
                        p.key, p.declared_area * hectare / drawn),
            "Write the area of ranges in hectares (hm²)."};
        c.log.write(engine::LogLevel::warn, note.what, "screen", note.unit);
        c.notes.push_back(note);
    }
}

}  // namespace

void declare_approvals(OptionTable& t) {
    t.add({.key = "approvals.path",
           .type = OptionType::path,
           .help = "Layer of approved responsibility ranges (防治责任范围), any OGR vector; 'none' says that "
                   "there is no layer, and nothing is then called unapproved",
           .long_name = "approvals"});
    t.add(
        {.key = "approvals.layer", .help = "Layer name; default: the first", .long_name = "approvals-layer"});
    t.add({.key = "approvals.encoding",
           .help = "Encoding of a shapefile's texts, UTF-8 or GBK; default: its .cpg, checked against the "
                   "bytes",
           .long_name = "approvals-encoding"});
    t.add({.key = "approvals.fields",
           .type = OptionType::map,
           .help = "Field names where they are none of the known aliases, e.g. {date: PFRQ}; ours: project, "
                   "name, owner, type, authority, date, area, part, part_area, vector_type, credit, status, "
                   "accepted",
           .long_name = "approvals-fields"});
}

Approvals read_approvals(RunContext& c, const std::string& crs) {
    const std::string path = c.settings.path("approvals.path");
    const auto layer = io::read_layer(
        path, {c.settings.text("approvals.layer"), c.settings.text("approvals.encoding"), crs});
    const auto name = std::filesystem::path(path).filename().string();
    for (const auto& n : layer.notes) tell_row(c, "screen", path, n, "Ask for a corrected layer.");
    if (layer.features.empty())
        throw Error(ErrorCode::input, fmt::format("The layer of approvals {} holds no range.", path),
                    "Give the right layer; write `approvals.path: none` only if there truly is none.");
    const ApprovalFields fields(c, layer);
    const auto industries = Industries::load();
    const auto problem = [&](std::int64_t row, const char* code, std::string what, const char* hint) {
        c.problems.add({"screen", fmt::format("{}:{}", name, row), code, std::move(what), hint});
    };
    UnknownWords unknown, ordinary;  // what is judged with more care for it, and what is not
    std::map<std::string, Parts> projects;
    std::size_t nameless = 0;
    for (const auto& f : layer.features) {
        std::string key = fields.key(f);
        if (key.empty()) {
            key = fmt::format("row {}", f.row);
            ++nameless;
        }
        auto& parts = projects[key];
        auto& p = parts.project;
        p.key = key;
        const auto take = [&](std::string& into, const char* field, std::string value) {
            if (into.empty()) {
                into = std::move(value);
                parts.row_of[field] = f.row;
            } else if (!value.empty() && value != into) {
                problem(
                    f.row, "conflict",
                    fmt::format("The rows of project {} disagree on its {}: '{}' in row {}, '{}' in row {}; "
                                "the first stands.",
                                key, field, into, parts.row_of[field], value, f.row),
                    "Ask which is right, or give what are two projects two numbers.");
            }
        };
        take(p.name, "name", fields.text(f, "name"));
        take(p.owner, "owner", fields.text(f, "owner"));
        take(p.authority, "authority", fields.text(f, "authority"));
        take(p.credit, "credit", fields.text(f, "credit"));
        const auto status = fields.text(f, "status"), type = fields.text(f, "type");
        if (!fields.status_known(status))
            ordinary.add("the state of construction", "the project is not taken to be under construction",
                         status, f.row);
        take(p.status, "status", status);
        const auto known_type = industries.name_of(type);
        if (!type.empty() && known_type.empty())
            ordinary.add("the project type", "nothing special to its industry is expected of the project",
                         type, f.row);
        take(p.type, "type", known_type.empty() ? type : known_type);
        const auto part = fields.text(f, "part");
        if (!part.empty()) parts.names.insert(part);
        const auto date = [&](const char* field, const char* what) -> std::optional<Date> {
            const auto v = fields.value(f, field);
            if (io::to_text(v).empty()) return std::nullopt;
            const auto day = io::to_date(v);
            if (!day)
                problem(
                    f.row, "bad_date",
                    fmt::format("The {} date '{}' is no date; the time of work is not judged for this part.",
                                what, io::to_text(v)),
                    "Write it as 2024-03-01.");
            return day;
        };
        const auto approved = date("date", "approval");
        if (approved) {
            p.approved = p.approved ? std::min(*p.approved, *approved) : *approved;
            parts.approved.try_emplace(*approved, f.row);
        }
        if (const auto day = date("accepted", "acceptance"))
            p.accepted = p.accepted ? std::max(*p.accepted, *day) : *day;
        if (const auto v = fields.value(f, "area"); !trimmed(io::to_text(v)).empty()) {
            const auto area = io::to_number(v);
            if (!area || *area < 0) {
                problem(
                    f.row, "bad_area",
                    fmt::format("The area of the range '{}' is {}; the area of the polygons stands for it.",
                                io::to_text(v), area ? "negative" : "no number"),
                    "Write it in hectares, e.g. 12.5.");
            } else if (*area > 0) {
                if (p.declared_area > 0 && p.declared_area != *area * hectare)
                    problem(f.row, "conflict",
                            fmt::format(
                                "The rows of project {} disagree on its area: {} hm² in row {}, {} hm² in "
                                "row {}; the larger stands, so that less counts as exceeded.",
                                key, p.declared_area / hectare, parts.row_of["area"], *area, f.row),
                            "DAREA is that of the whole project; write that of a part as PAREA.");
                if (*area * hectare > p.declared_area) {
                    p.declared_area = *area * hectare;
                    parts.row_of["area"] = f.row;
                }
            }
        }
        const auto drawn = fields.schematic(f);
        if (!drawn)
            unknown.add("the kind of range", "the range is taken as schematic: it links, and proves nothing",
                        fields.text(f, "vector_type"), f.row);
        const bool schematic = drawn.value_or(true), spoil = fields.yard(part, "spoil"),
                   borrow = fields.yard(part, "borrow");
        (schematic ? parts.schematic : parts.exact).push_back(f.shape);
        if (!schematic) parts.by_day[approved].push_back(f.shape);
        if (schematic && (spoil || borrow)) parts.yards_schematic.push_back(f.shape);
        if (!schematic && spoil) parts.spoil.push_back(f.shape);
        if (!schematic && borrow) parts.borrow.push_back(f.shape);
    }
    if (nameless == layer.features.size())
        throw Error(ErrorCode::usage,
                    fmt::format("No field of {} names the projects; it has: {}.", path,
                                fmt::join(layer.fields, ", ")),
                    "Map them, e.g. `approvals.fields: {project: XMBH, name: XMMC}`.");
    for (const auto& f : layer.features)
        if (fields.key(f).empty())
            problem(f.row, "nameless",
                    fmt::format("The row names no project; it is taken as one of its own, 'row {}'.", f.row),
                    "Ask whose range it is.");
    for (const auto& n : ordinary.notes()) {
        c.notes.push_back({"screen", fmt::format("{}:{}", name, n.row), n.code, n.text,
                           "Correct it, or add the word to the dictionary of approvals or industries."});
        c.log.write(engine::LogLevel::warn, n.text, "screen", c.notes.back().unit);
    }
    for (const auto& n : unknown.notes())
        problem(n.row, n.code.c_str(), n.text, "Correct it, or add the word to the dictionary of approvals.");
    Approvals list;
    std::vector<Parts*> found;
    for (auto& [key, parts] : projects) found.push_back(&parts);
    c.executor.parallel_for(found.size(), [&](std::size_t i) {
        auto& parts = *found[i];
        auto& p = parts.project;
        p.exact = io::union_of(parts.exact);
        p.schematic = io::union_of(parts.schematic);
        p.spoil = io::union_of(parts.spoil);
        p.borrow = io::union_of(parts.borrow);
        p.yards_schematic = io::union_of(parts.yards_schematic);
        parts.drawn_area = io::geodesic_area(p.exact, io::Transformation(crs, "EPSG:4490"));
    });
    for (auto* parts : found) {
        auto& p = parts->project;
        p.under_construction = fields.under_construction(p.status);
        p.parts.assign(parts->names.begin(), parts->names.end());
        settle_days(c, name, p, *parts);
        settle_area(c, p, parts->drawn_area);
        list.projects.push_back(std::move(p));
    }
    std::set<std::string> undrawn;
    for (const auto& f : layer.shapeless)
        if (const auto key = fields.key(f); !key.empty() && !projects.contains(key)) undrawn.insert(key);
    list.without_range = undrawn.size();
    return list;
}

bool ranges_given(const RunContext& c) {
    return c.settings.has("approvals.path") && c.settings.text("approvals.path") != "none";
}

std::vector<DrawnRange> drawn_ranges(const RunContext& c, const std::string& crs) {
    std::vector<DrawnRange> list;
    if (!ranges_given(c)) return list;
    auto layer =
        io::read_layer(c.settings.path("approvals.path"),
                       {c.settings.text("approvals.layer"), c.settings.text("approvals.encoding"), crs});
    const ApprovalFields fields(c, layer);
    for (auto& f : layer.features) {
        const auto text = [&](const char* name) { return fields.text(f, name); };
        list.push_back({fields.key(f),
                        text("name"),
                        text("owner"),
                        text("type"),
                        text("authority"),
                        text("part"),
                        io::to_date(fields.value(f, "date")),
                        fields.schematic(f).value_or(true),
                        {}});
        list.back().shape = std::move(f.shape);
    }
    return list;
}

std::map<std::string, std::string> drawn_range_hashes(const RunContext& c) {
    if (!ranges_given(c)) return {};
    auto map = c.settings.canonical("approvals.");
    map.erase("option approvals.path");  // the content counts, not where it lies
    map["approvals"] = hash_vector(c.settings.path("approvals.path"));
    map["dictionary approvals"] =
        engine::hash_file(engine::config_file("dictionaries/approvals.yaml").string());
    return map;
}

}  // namespace shuibao::pipeline
