// SPDX-License-Identifier: Apache-2.0
#include "approvals.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "disturbance_file.hpp"
#include <shuibao/core/error.hpp>
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
        const auto type = text(f, "vector_type");
        const auto& words = m_dictionary.values("schematic", "");
        return std::find(words.begin(), words.end(), type) != words.end();
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
                   "name, owner, type, authority, date, area, part, part_area, vector_type, credit",
           .long_name = "approvals-fields"});
}

std::vector<Project> read_approvals(RunContext& c, const std::string& crs) {
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
        std::vector<io::Geometry> exact, schematic;
        std::set<std::string> names;
    };
    std::map<std::string, Parts> projects;
    std::size_t nameless = 0;
    for (const auto& f : layer.features) {
        const auto number = fields.text(f, "project"), title = fields.text(f, "name"),
                   owner = fields.text(f, "owner");
        const std::string key = !number.empty() ? number
                                : title.empty() ? fmt::format("row {}", f.row)
                                                : title + (owner.empty() ? "" : " / " + owner);
        if (number.empty() && title.empty()) ++nameless;
        auto& parts = projects[key];
        auto& p = parts.project;
        p.key = key;
        const auto take = [](std::string& into, std::string value) {
            if (into.empty()) into = std::move(value);
        };
        take(p.name, title);
        take(p.owner, owner);
        take(p.type, fields.text(f, "type"));
        take(p.authority, fields.text(f, "authority"));
        take(p.credit, fields.text(f, "credit"));
        if (const auto part = fields.text(f, "part"); !part.empty()) parts.names.insert(part);
        if (const auto v = fields.value(f, "date"); !io::to_text(v).empty()) {
            if (const auto date = io::to_date(v)) {
                p.approved = p.approved ? std::min(*p.approved, *date) : *date;
            } else {
                c.problems.add({"screen", fmt::format("{}:{}", name, f.row), "bad_date",
                                fmt::format("The approval date '{}' is no date; the time of work is not "
                                            "judged for this part.",
                                            io::to_text(v)),
                                "Write it as 2024-03-01."});
            }
        }
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
        (fields.schematic(f) ? parts.schematic : parts.exact).push_back(f.shape);
    }
    if (nameless == layer.features.size())
        throw Error(ErrorCode::usage,
                    fmt::format("No field of {} names the projects; it has: {}.", path,
                                fmt::join(layer.fields, ", ")),
                    "Map them, e.g. `approvals.fields: {project: XMBH, name: XMMC}`.");
    std::vector<Project> list;
    const io::Transformation to_geographic(crs, "EPSG:4490");
    for (auto& [key, parts] : projects) {
        auto& p = parts.project;
        p.exact = io::union_of(parts.exact);
        p.schematic = io::union_of(parts.schematic);
        p.parts.assign(parts.names.begin(), parts.names.end());
        settle_area(c, p, io::geodesic_area(p.exact, to_geographic));
        list.push_back(std::move(p));
    }
    return list;
}

}  // namespace shuibao::pipeline
