// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numbers>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "approvals.hpp"
#include "disturbance_file.hpp"
#include "rules.hpp"
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Facts;
using algorithms::Verdict;
using io::Geometry;

// One disturbance, or one piece of it, with what the overlay says.
struct Case {
    std::string id;
    const Disturbance* source = nullptr;
    Geometry shape;
    Facts facts;
    double depth = 0;
    std::optional<std::size_t> project;
    std::vector<std::size_t> others;  // further projects it overlaps, by falling overlap
    algorithms::Judgement judgement;
};

Geometry box(const Bounds& b, double margin) {
    const double x0 = b.min_x - margin, x1 = b.max_x + margin, y0 = b.min_y - margin, y1 = b.max_y + margin;
    return Geometry(MultiPolygon{Polygon{{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}}, {}}});
}

// Overlays disturbances with ranges, all in one metric CRS.
class Overlay {
  public:
    Overlay(const std::vector<Project>& projects, const engine::RuleSet& rules, bool ranges_known)
        : m_projects(projects), m_rules(rules), m_ranges_known(ranges_known) {
        for (const auto& p : projects) {
            m_exact.push_back(p.exact.bounds());
            m_schematic.push_back(p.schematic.bounds());
        }
    }

    // Usually one case; several where projects share the disturbance.
    [[nodiscard]] std::vector<Case> operator()(const Disturbance& d, const std::string& id,
                                               const io::Transformation& to_geographic,
                                               const Geometry& shape) const {
        const auto overlaps = overlapped(shape);
        std::vector<std::size_t> holders;  // of more than a fifth each
        for (const auto& [area, project] : overlaps)
            if (area > m_rules.number("split_share") * shape.area()) holders.push_back(project);
        std::vector<Case> cases;
        if (holders.size() < 2) {
            cases.push_back(measure(d, id, shape, to_geographic));
            return cases;
        }
        const auto pieces = split(shape, holders);
        for (const auto& piece : pieces)  // one only where the same ground was approved twice
            cases.push_back(measure(d, pieces.size() == 1 ? id : fmt::format("{}-{}", id, cases.size() + 1),
                                    piece, to_geographic));
        return cases;
    }

  private:
    static bool near(const Bounds& a, const Bounds& b, double margin) {
        return !a.empty() && !b.empty() && a.min_x - margin <= b.max_x && b.min_x <= a.max_x + margin &&
               a.min_y - margin <= b.max_y && b.min_y <= a.max_y + margin;
    }

    // Planar overlap and index of every project that D overlaps, greatest first.
    [[nodiscard]] std::vector<std::pair<double, std::size_t>> overlapped(const Geometry& shape) const {
        std::vector<std::pair<double, std::size_t>> list;
        const Bounds bounds = shape.bounds();
        for (std::size_t i = 0; i < m_projects.size(); ++i) {
            if (!near(m_exact[i], bounds, 0)) continue;
            const double area = shape.intersection(m_projects[i].exact).area();
            if (area > 0) list.emplace_back(area, i);
        }
        std::stable_sort(list.begin(), list.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        return list;
    }

    // Along the ranges: each holder takes what lies in its range, the rest goes to the nearest piece.
    [[nodiscard]] std::vector<Geometry> split(const Geometry& shape,
                                              const std::vector<std::size_t>& holders) const {
        std::vector<std::vector<Geometry>> pieces;
        Geometry rest = shape;
        for (const auto p : holders) {
            pieces.push_back({rest.intersection(m_projects[p].exact)});
            rest = rest.difference(m_projects[p].exact);
        }
        for (const auto& part : rest.parts()) {
            std::size_t best = 0;
            double nearest = -1;
            for (std::size_t k = 0; k < pieces.size(); ++k) {
                const double d = part.distance(pieces[k].front());
                if (nearest < 0 || d < nearest) {
                    nearest = d;
                    best = k;
                }
            }
            pieces[best].push_back(part);
        }
        std::vector<Geometry> out;
        for (const auto& list : pieces)
            if (auto g = io::union_of(list); !g.empty()) out.push_back(std::move(g));
        return out;
    }

    // All exact ranges that come within `reach` of the bounds.
    [[nodiscard]] std::vector<Geometry> nearby(const Bounds& bounds, double reach) const {
        const Geometry frame = box(bounds, reach);
        std::vector<Geometry> list;
        for (std::size_t i = 0; i < m_projects.size(); ++i)
            if (near(m_exact[i], bounds, reach)) list.push_back(m_projects[i].exact.intersection(frame));
        return list;
    }

    [[nodiscard]] Case measure(const Disturbance& d, const std::string& id, const Geometry& shape,
                               const io::Transformation& to_geographic) const {
        Case c;
        c.id = id;
        c.source = &d;
        c.shape = shape;
        auto& f = c.facts;
        f.area = io::geodesic_area(shape, to_geographic);
        f.valid = shape.valid() && f.area > 0;
        f.full_pixels = d.full_pixels;
        f.core_share = d.core_share;
        f.onset_from = d.onset_from;
        f.onset_to = d.onset_to;
        f.ranges_known = m_ranges_known;
        const double delta =
            algorithms::tolerance(d.ground_sample, [&](std::string_view k) { return m_rules.number(k); });
        const Bounds bounds = shape.bounds();
        const double reach = 3 * delta + 1;
        const Geometry range = io::union_of(nearby(bounds, reach));
        const Geometry outside = range.empty() ? shape : shape.difference(range);
        f.outside = io::geodesic_area(outside, to_geographic);
        f.overlap_ratio = f.area > 0 ? std::clamp(1 - f.outside / f.area, 0.0, 1.0) : 0;
        const double least = std::numbers::pi * delta * delta;
        std::vector<Geometry> kept;
        for (const auto& part : (range.empty() ? shape : shape.difference(range.buffered(delta))).parts())
            if (part.area() >= least && part.inscribed_radius(delta / 100) >= delta) kept.push_back(part);
        f.outside_tolerant = io::geodesic_area(io::union_of(kept), to_geographic);
        if (!range.empty()) {
            c.depth = outside.depth_beyond(range);
            // The range that is nearest to the far end may lie beyond what was looked at.
            if (c.depth > reach) c.depth = outside.depth_beyond(io::union_of(nearby(bounds, c.depth)));
        }
        const auto overlaps = overlapped(shape);
        if (f.overlap_ratio >= m_rules.number("min_overlap") && !overlaps.empty()) {
            c.project = overlaps.front().second;
            for (std::size_t k = 1; k < overlaps.size(); ++k) c.others.push_back(overlaps[k].second);
            f.linked = true;
            f.approved = m_projects[*c.project].approved;
            f.project_area = m_projects[*c.project].declared_area;
        }
        const double link = m_rules.number("schematic_distance_m");
        for (std::size_t i = 0; i < m_projects.size() && !f.schematic_near; ++i)
            f.schematic_near =
                near(m_schematic[i], bounds, link) && m_projects[i].schematic.distance(shape) <= link;
        return c;
    }

    const std::vector<Project>& m_projects;
    const engine::RuleSet& m_rules;
    bool m_ranges_known;
    std::vector<Bounds> m_exact, m_schematic;
};

io::LayerData layer_of(const std::vector<Case>& cases, const std::vector<Project>& projects,
                       const std::string& crs, const std::string& batch, const engine::Dictionary& words) {
    using io::FieldType;
    const auto industries = engine::Dictionary::load(engine::config_file("dictionaries/industries.yaml"));
    const auto industry = [&](const std::string& type) -> io::Value {
        for (const auto& [group, types] : industries.sections.at("groups"))
            if (std::find(types.begin(), types.end(), type) != types.end()) return group;
        return {};
    };
    io::LayerData layer;
    layer.name = "screened";
    layer.crs = crs;
    layer.fields = {{"case_id", FieldType::text},
                    {"batch", FieldType::text},
                    {"confidence", FieldType::real},
                    {"verdict", FieldType::text},
                    {"verdict_zh", FieldType::text},
                    {"why", FieldType::text},
                    {"flags", FieldType::text},
                    {"notices", FieldType::text},
                    {"kind", FieldType::text},
                    {"qtype", FieldType::text},
                    {"onset_from", FieldType::date},
                    {"onset_to", FieldType::date},
                    {"area_m2", FieldType::real},
                    {"outside_m2", FieldType::real},
                    {"outside_tolerant_m2", FieldType::real},
                    {"outside_depth_m", FieldType::real},
                    {"overlap_ratio", FieldType::real},
                    {"approval_id", FieldType::text},
                    {"approval_name", FieldType::text},
                    {"other_approvals", FieldType::text},
                    {"owner", FieldType::text},
                    {"project_type", FieldType::text},
                    {"industry", FieldType::text},
                    {"approval_date", FieldType::date},
                    {"approval_authority", FieldType::text},
                    {"credit", FieldType::text},
                    {"exceed_share", FieldType::real}};
    const auto text = [](const std::string& t) { return t.empty() ? io::Value() : io::Value(t); };
    const auto date = [](const std::optional<Date>& d) { return d ? io::Value(*d) : io::Value(); };
    const auto round = [](double v, double per_unit) { return std::round(v * per_unit) / per_unit; };
    for (const auto& c : cases) {
        const auto code = std::string(algorithms::verdict_code(c.judgement.verdict));
        std::vector<std::string> flags, notices, others;
        for (const auto& f : c.judgement.flags) {
            flags.push_back(f.code);
            notices.push_back(f.text);
        }
        for (const auto i : c.others) others.push_back(projects[i].key);
        const Project none, &p = c.project ? projects[*c.project] : none;
        const auto& f = c.facts;
        const bool linked = c.project.has_value();
        layer.rows.push_back(
            {c.shape,
             {c.id,
              batch,
              c.source->confidence,
              code,
              words.text("verdicts", code),
              text(c.judgement.why),
              text(fmt::format("{}", fmt::join(flags, ","))),
              text(fmt::format("{}", fmt::join(notices, "；"))),
              text(std::string(kind_name(c.source->kind))),
              text(c.source->qtype),
              date(f.onset_from),
              date(f.onset_to),
              round(f.area, 100),
              round(f.outside, 100),
              round(f.outside_tolerant, 100),
              round(c.depth, 100),
              round(f.overlap_ratio, 1e6),
              text(p.key),
              text(p.name),
              text(fmt::format("{}", fmt::join(others, ","))),
              text(p.owner),
              text(p.type),
              industry(p.type),
              date(p.approved),
              text(p.authority),
              text(p.credit),
              linked && f.project_area > 0 ? io::Value(round(f.project_outside / f.project_area, 1e6))
                                           : io::Value()}});
    }
    return layer;
}

class ScreenStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Compare disturbances with approved ranges and give verdicts (合规性分析)",
                .description =
                    "Disturbance polygons × approved ranges → areas outside with and without "
                    "tolerance, verdict (compliant, unapproved, exceeds, before_approval, pending) "
                    "and flags, by the rule set. Verdicts are clues, not findings of law.",
                .example = {"shuibao screen -c run.yaml",
                            "shuibao screen --disturbances drawn.shp --approvals ranges.shp --batch 202403"}};
    }

    void declare(OptionTable& t) const override {
        declare_approvals(t);
        declare_rules(t);
        t.add({.key = "screen.disturbances",
               .type = OptionType::path,
               .help = "Polygons that people digitised, instead of those that delineate found"});
        t.add({.key = "screen.encoding",
               .help = "Encoding of screen.disturbances when it is a shapefile",
               .long_name = "disturbances-encoding"});
    }

    void require(const RunContext& c) const override { require_approvals(c); }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.settings.has("screen.disturbances") ? std::filesystem::path() : c.store.acquisitions_file();
    }
    void check(RunContext& c) const override {
        if (c.batch.empty()) c.batch = "203001";  // any set will do: the question is whether it is valid
        static_cast<void>(load_rules(c));
        static_cast<void>(load_words(c));
        if (c.settings.text("approvals.path") == "none") {
            c.out << "approvals: none\n";
            return;
        }
        const auto path = c.settings.path("approvals.path");
        const auto extent = io::layer_extent(path);
        const auto projects = read_approvals(
            c, io::is_geographic(extent.crs) ? local_crs(extent.crs, extent.bounds) : extent.crs);
        c.out << fmt::format("approvals: {} projects in {}\n", projects.size(), path);
    }

    void run(RunContext& c) const override {
        const bool digitised = c.settings.has("screen.disturbances");
        std::string path;
        DisturbanceSet set;
        if (digitised) {
            path = c.settings.path("screen.disturbances");
            set = read_disturbances(path, {"", c.settings.text("screen.encoding"), ""});
            if (c.batch.empty()) c.batch = batch_of(set);
        } else {
            path = (c.store.batch(resolve_batch(c)) / "disturbances.gpkg").string();
            if (c.executor.options().dry_run && !std::filesystem::exists(path)) return;
            if (!std::filesystem::exists(path))
                throw Error(ErrorCode::usage, fmt::format("Batch {} has no disturbances yet.", c.batch),
                            "Run `shuibao delineate` first, or give --disturbances FILE.");
            set = read_disturbances(path, {});
        }
        report(c, set, path);
        const std::string crs = working_crs(set);
        const bool ranges_known = c.settings.text("approvals.path") != "none";
        const auto projects = ranges_known ? read_approvals(c, crs) : std::vector<Project>{};
        const auto rules = load_rules(c);
        const auto words = load_words(c);

        engine::Unit u;
        u.id = c.batch;
        u.inputs = rule_hashes(c);
        u.inputs["disturbances"] = hash_vector(path);
        u.inputs["approvals"] =
            ranges_known ? hash_vector(c.settings.path("approvals.path")) : std::string("none");
        for (const auto& [key, value] : c.settings.canonical("approvals."))
            if (key != "option approvals.path") u.inputs[key] = value;  // its content counts, not its place
        u.inputs["option screen.encoding"] = c.settings.text("screen.encoding");
        for (const auto* d : {"approvals", "disturbances", "industries"})
            u.inputs[std::string("dictionary ") + d] =
                engine::hash_file(engine::config_file(fmt::format("dictionaries/{}.yaml", d)).string());
        if (ranges_known) c.inputs[c.settings.path("approvals.path")] = u.inputs["approvals"];
        if (digitised) c.inputs[path] = u.inputs["disturbances"];
        const auto output = c.store.batch(c.batch) / "screened.gpkg";
        u.outputs = {output};
        u.memory = std::size_t{64} << 20;
        u.work = [&] {
            auto cases = overlay(c, set, crs, projects, rules, ranges_known);
            judge(cases, rules);
            const auto layer = layer_of(cases, projects, crs, c.batch, words);
            io::write_geopackage(output, std::span(&layer, 1));
            std::map<std::string, std::size_t> counts;
            for (const auto& k : cases)
                ++counts[words.text("verdicts", algorithms::verdict_code(k.judgement.verdict))];
            std::string text;
            for (const auto& [name, n] : counts)
                text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, n);
            c.log.write(engine::LogLevel::info, text.empty() ? "no disturbances" : text, "screen");
        };
        const auto counts = c.executor.run("screen", {u});
        if (counts.skipped > 0) c.log.write(engine::LogLevel::info, "verdicts up to date", "screen");
    }

  private:
    static void require_approvals(const RunContext& c) {
        if (!c.settings.has("approvals.path"))
            throw Error(ErrorCode::usage, "approvals.path is not set.",
                        "Name the layer of approved ranges, or write `approvals.path: none`.");
        const std::string path = c.settings.path("approvals.path");
        std::error_code error;
        const bool plain = !path.starts_with("/vsi") && path.find(':') == std::string::npos;
        if (c.settings.text("approvals.path") != "none" && plain && !std::filesystem::exists(path, error))
            throw Error(ErrorCode::input, fmt::format("The layer of approvals {} does not exist.", path),
                        "Correct approvals.path, or write `approvals.path: none`.");
    }

    static void report(RunContext& c, const DisturbanceSet& set, const std::string& path) {
        const auto name = std::filesystem::path(path).filename().string();
        for (const auto& n : set.notes) {
            const engine::Problem p{"screen", fmt::format("{}:{}", name, n.row), n.code, n.text,
                                    "Correct the polygon in its source."};
            if (n.code == "repaired" || n.code == "encoding") {
                c.notes.push_back(p);
                c.log.write(engine::LogLevel::warn, n.text, "screen", p.unit);
            } else
                c.problems.add(p);
        }
    }

    // The month of the last image a digitised polygon speaks of.
    static std::string batch_of(const DisturbanceSet& set) {
        std::optional<Date> newest;
        for (const auto& d : set.list)
            if (d.onset_to && (!newest || *newest < *d.onset_to)) newest = d.onset_to;
        if (!newest)
            throw Error(ErrorCode::usage, "The batch is not known: no polygon has a date.",
                        "Give --batch YYYYMM.");
        return newest->compact().substr(0, 6);
    }

    static std::string local_crs(const std::string& crs, const Bounds& b) {
        const auto centre =
            io::Transformation(crs, "EPSG:4490")(Point{(b.min_x + b.max_x) / 2, (b.min_y + b.max_y) / 2});
        if (std::abs(centre.x - io::gauss_kruger_meridian(centre.x)) <= 1.5)
            return fmt::format("EPSG:{}", io::gauss_kruger_code(centre.x));
        // Beyond the zones of CGCS2000: UTM.
        const int zone = static_cast<int>(std::clamp(std::floor((centre.x + 180) / 6) + 1, 1.0, 60.0));
        return fmt::format("EPSG:{}{:02}", centre.y < 0 ? 327 : 326, zone);
    }

    // Distances need metres: polygons in degrees are judged in the zone of their middle.
    static std::string working_crs(DisturbanceSet& set) {
        if (!io::is_geographic(set.crs)) return set.crs;
        Bounds all;
        for (const auto& d : set.list) all.expand(Geometry(d.shape).bounds());
        const auto crs = all.empty() ? std::string("EPSG:4546") : local_crs(set.crs, all);
        const io::Transformation move(set.crs, crs);
        for (auto& d : set.list) d.shape = move(Geometry(d.shape)).polygons();
        return crs;
    }

    static std::vector<Case> overlay(const RunContext& c, const DisturbanceSet& set, const std::string& crs,
                                     const std::vector<Project>& projects, const engine::RuleSet& rules,
                                     bool ranges_known) {
        const Overlay overlay(projects, rules, ranges_known);
        std::vector<std::vector<Case>> found(set.list.size());
        constexpr std::size_t chunk = 32;
        c.executor.parallel_for((set.list.size() + chunk - 1) / chunk, [&](std::size_t k) {
            const io::Transformation to_geographic(crs, "EPSG:4490");
            for (std::size_t i = k * chunk; i < std::min(set.list.size(), (k + 1) * chunk); ++i)
                found[i] = overlay(set.list[i], fmt::format("{}-{:05}", c.batch, i + 1), to_geographic,
                                   Geometry(set.list[i].shape));
        });
        std::vector<Case> cases;
        for (auto& list : found) std::move(list.begin(), list.end(), std::back_inserter(cases));
        return cases;
    }

    // The share of a project that was exceeded is known only when all its disturbances are measured.
    static void judge(std::vector<Case>& cases, const engine::RuleSet& rules) {
        std::map<std::size_t, double> outside;
        for (const auto& k : cases)
            if (k.project) outside[*k.project] += k.facts.outside_tolerant;
        for (auto& k : cases) {
            if (k.project) k.facts.project_outside = outside[*k.project];
            k.judgement =
                algorithms::judge(k.facts, [&](std::string_view item) { return rules.number(item); });
        }
    }
};

const Registration<Stage, ScreenStage> registration{"screen", 50};

}  // namespace
}  // namespace shuibao::pipeline
