// SPDX-License-Identifier: Apache-2.0
#include "approvals.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "disturbance_file.hpp"
#include "rules.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

// The layer's fields by our names: the configured mapping first, then the aliases.
class Fields {
  public:
    Fields(const RunContext& c, const io::VectorLayer& layer)
        : m_dictionary(engine::Dictionary::load(engine::config_file("dictionaries/approvals.yaml"))) {
        m_mapped = c.settings.map("approvals.fields");
        std::vector<std::string> known;
        for (const auto& [name, aliases] : m_dictionary.sections["fields"]) known.push_back(name);
        for (const auto& [ours, theirs] : m_mapped) {
            if (std::find(known.begin(), known.end(), ours) == known.end()) {
                const auto near = nearest_of(ours, known);
                throw Error(ErrorCode::usage,
                            fmt::format("{}: approvals.fields has no '{}'.",
                                        c.settings.origin("approvals.fields"), ours),
                            near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                                         : fmt::format("Did you mean '{}'?", near));
            }
            if (std::find(layer.fields.begin(), layer.fields.end(), theirs) == layer.fields.end())
                throw Error(ErrorCode::usage,
                            fmt::format("{}: the layer of approvals has no field '{}'.",
                                        c.settings.origin("approvals.fields"), theirs),
                            fmt::format("It has: {}.", fmt::join(layer.fields, ", ")));
        }
    }
    [[nodiscard]] io::Value value(const io::VectorFeature& f, const std::string& ours) const {
        if (const auto it = m_mapped.find(ours); it != m_mapped.end()) return field_value(f, {it->second});
        return field_value(f, m_dictionary.values("fields", ours));
    }
    [[nodiscard]] std::string text(const io::VectorFeature& f, const std::string& ours) const {
        return io::to_text(value(f, ours));
    }
    [[nodiscard]] bool schematic(const io::VectorFeature& f) const {
        return m_dictionary.lists("schematic", "", text(f, "vector_type"));
    }
    [[nodiscard]] bool under_construction(const std::string& status) const {
        return m_dictionary.lists("status", "under_construction", status);
    }
    /// Whether the name of a part (组成部分) says that it is a yard of this kind.
    [[nodiscard]] bool yard(const std::string& part, const char* kind) const {
        const auto& words = m_dictionary.values("yards", kind);
        return std::any_of(words.begin(), words.end(),
                           [&](const std::string& w) { return part.find(w) != std::string::npos; });
    }
    /// The project of a row: its number, else name and owner, else empty.
    [[nodiscard]] std::string key(const io::VectorFeature& f) const {
        const auto number = text(f, "project"), title = text(f, "name"), owner = text(f, "owner");
        if (!number.empty()) return number;
        return title.empty() ? "" : title + (owner.empty() ? "" : " / " + owner);
    }

  private:
    engine::Dictionary m_dictionary;
    std::map<std::string, std::string> m_mapped;
};

constexpr double hectare = 1e4;
// A declared area so many times that of the polygons was written in m², not in hm²: 10 000 times where the
// two agree, and no range is drawn a thousand times too small.
constexpr double unit_mistaken = 1000;

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
    for (const auto& n : layer.notes) {
        const engine::Problem p{"screen", fmt::format("{}:{}", name, n.row), n.code, n.text,
                                "Ask for a corrected layer."};
        if (n.code == "repaired" || n.code == "encoding") {
            c.notes.push_back(p);
            c.log.write(engine::LogLevel::warn, n.text, "screen", p.unit);
        } else
            c.problems.add(p);
    }
    if (layer.features.empty())
        throw Error(ErrorCode::input, fmt::format("The layer of approvals {} holds no range.", path),
                    "Give the right layer; write `approvals.path: none` only if there truly is none.");
    const Fields fields(c, layer);

    struct Parts {
        Project project;
        std::vector<io::Geometry> exact, schematic, spoil, borrow, yards_schematic;
        std::set<std::string> names;
    };
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
        const auto take = [](std::string& into, std::string value) {
            if (into.empty()) into = std::move(value);
        };
        take(p.name, fields.text(f, "name"));
        take(p.owner, fields.text(f, "owner"));
        take(p.status, fields.text(f, "status"));
        take(p.type, fields.text(f, "type"));
        take(p.authority, fields.text(f, "authority"));
        take(p.credit, fields.text(f, "credit"));
        const auto part = fields.text(f, "part");
        if (!part.empty()) parts.names.insert(part);
        const auto date = [&](const char* field, const char* what) -> std::optional<Date> {
            const auto v = fields.value(f, field);
            if (io::to_text(v).empty()) return std::nullopt;
            const auto day = io::to_date(v);
            if (!day)
                c.problems.add({"screen", fmt::format("{}:{}", name, f.row), "bad_date",
                                fmt::format("The {} date '{}' is no date; the time of work is not "
                                            "judged for this part.",
                                            what, io::to_text(v)),
                                "Write it as 2024-03-01."});
            return day;
        };
        if (const auto day = date("date", "approval"))
            p.approved = p.approved ? std::min(*p.approved, *day) : *day;
        if (const auto day = date("accepted", "acceptance"))
            p.accepted = p.accepted ? std::max(*p.accepted, *day) : *day;
        if (const auto v = fields.value(f, "area"); !io::to_text(v).empty()) {
            if (const auto area = io::to_number(v)) {
                p.declared_area = std::max(p.declared_area, *area * hectare);
            } else {
                c.problems.add({"screen", fmt::format("{}:{}", name, f.row), "bad_area",
                                fmt::format("The area of the range '{}' is no number; the area of the "
                                            "polygons stands for it.",
                                            io::to_text(v)),
                                "Write it in hectares, e.g. 12.5."});
            }
        }
        const bool schematic = fields.schematic(f), spoil = fields.yard(part, "spoil"),
                   borrow = fields.yard(part, "borrow");
        (schematic ? parts.schematic : parts.exact).push_back(f.shape);
        if (schematic && (spoil || borrow)) parts.yards_schematic.push_back(f.shape);
        if (!schematic && spoil) parts.spoil.push_back(f.shape);
        if (!schematic && borrow) parts.borrow.push_back(f.shape);
    }
    if (nameless == layer.features.size())
        throw Error(ErrorCode::usage,
                    fmt::format("No field of {} names the projects; it has: {}.", path,
                                fmt::join(layer.fields, ", ")),
                    "Map them, e.g. `approvals.fields: {project: XMBH, name: XMMC}`.");
    Approvals list;
    const io::Transformation to_geographic(crs, "EPSG:4490");
    for (auto& [key, parts] : projects) {
        auto& p = parts.project;
        p.exact = io::union_of(parts.exact);
        p.schematic = io::union_of(parts.schematic);
        p.spoil = io::union_of(parts.spoil);
        p.borrow = io::union_of(parts.borrow);
        p.yards_schematic = io::union_of(parts.yards_schematic);
        p.under_construction = fields.under_construction(p.status);
        p.parts.assign(parts.names.begin(), parts.names.end());
        settle_area(c, p, io::geodesic_area(p.exact, to_geographic));
        list.projects.push_back(std::move(p));
    }
    std::set<std::string> undrawn;
    for (const auto& f : layer.shapeless)
        if (const auto key = fields.key(f); !key.empty() && !projects.contains(key)) undrawn.insert(key);
    list.without_range = undrawn.size();
    return list;
}

namespace {

bool given(const RunContext& c) {
    return c.settings.has("approvals.path") && c.settings.text("approvals.path") != "none";
}

}  // namespace

std::vector<DrawnRange> drawn_ranges(const RunContext& c, const std::string& crs) {
    std::vector<DrawnRange> list;
    if (!given(c)) return list;
    auto layer =
        io::read_layer(c.settings.path("approvals.path"),
                       {c.settings.text("approvals.layer"), c.settings.text("approvals.encoding"), crs});
    const Fields fields(c, layer);
    for (auto& f : layer.features) {
        const auto text = [&](const char* name) { return fields.text(f, name); };
        list.push_back({fields.key(f),
                        text("name"),
                        text("owner"),
                        text("type"),
                        text("authority"),
                        text("part"),
                        io::to_date(fields.value(f, "date")),
                        fields.schematic(f),
                        {}});
        list.back().shape = std::move(f.shape);
    }
    return list;
}

std::map<std::string, std::string> drawn_range_hashes(const RunContext& c) {
    if (!given(c)) return {};
    auto map = c.settings.canonical("approvals.");
    map["approvals"] = hash_vector(c.settings.path("approvals.path"));
    map["dictionary approvals"] =
        engine::hash_file(engine::config_file("dictionaries/approvals.yaml").string());
    return map;
}

}  // namespace shuibao::pipeline
