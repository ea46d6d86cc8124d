// SPDX-License-Identifier: Apache-2.0
#include "report_data.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "evidence_content.hpp"
#include "ledger.hpp"
#include "range_states.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr double metres_per_degree = 111320;

void count(std::map<std::string, Tally>& into, const std::string& key, double area) {
    auto& t = into[key];
    ++t.count;
    t.area += area;
}

// In the order of the dictionary, then what it does not know by name.
Tallies in_order(std::map<std::string, Tally> from, const engine::Dictionary& words, const char* section) {
    Tallies list;
    if (const auto it = words.sections.find(section); it != words.sections.end())
        for (const auto& [code, text] : it->second)
            if (const auto found = from.find(code); found != from.end()) {
                list.emplace_back(*found);
                from.erase(found);
            }
    list.insert(list.end(), from.begin(), from.end());
    return list;
}

// The largest first; equals by name.
Tallies by_count(const std::map<std::string, Tally>& from) {
    Tallies list(from.begin(), from.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
    return list;
}

double area_of(const io::VectorFeature& row) {
    return io::to_number(field_of(row, "area_m2")).value_or(0);
}

std::string batch_before(const engine::Store& store, const std::string& batch) {
    const auto batches = screened_batches(store);
    const auto it = std::lower_bound(batches.begin(), batches.end(), batch);
    return it == batches.begin() ? std::string() : *std::prev(it);
}

ordered_json json_of(const fs::path& path) {
    std::ifstream in(path);
    auto j = ordered_json::parse(in, nullptr, false);
    return j.is_discarded() ? ordered_json() : j;
}

bool has_layer(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

// Where map coordinates start, and how many metres one unit of the CRS is.
struct Frame {
    Bounds bounds;
    double x_scale = 1, y_scale = 1;

    [[nodiscard]] std::int64_t x(double v) const { return std::llround((v - bounds.min_x) * x_scale); }
    [[nodiscard]] std::int64_t y(double v) const { return std::llround((v - bounds.min_y) * y_scale); }
    [[nodiscard]] ordered_json rings(const io::Geometry& shape) const {
        auto list = ordered_json::array();
        const auto ring = [&](const Ring& r) {
            auto flat = ordered_json::array();
            for (std::size_t i = 0; i + 1 < r.size(); ++i) {
                flat.push_back(x(r[i].x));
                flat.push_back(y(r[i].y));
            }
            list.push_back(std::move(flat));
        };
        for (const auto& polygon : shape.polygons()) {
            ring(polygon.outer);
            for (const auto& hole : polygon.holes) ring(hole);
        }
        return list;
    }
};

Frame frame_of(const ExportInput& in, const Mosaic& mosaic) {
    Frame f;
    f.bounds = mosaic.bounds;
    for (const auto* row : in.suspects.rows) f.bounds.expand(row->shape.bounds());
    if (f.bounds.empty()) f.bounds = {0, 0, 1000, 1000};
    if (io::is_geographic(in.suspects.crs)) {
        f.y_scale = metres_per_degree;
        f.x_scale =
            metres_per_degree * std::cos((f.bounds.min_y + f.bounds.max_y) / 2 * std::acos(-1.0) / 180);
    }
    return f;
}

// Numbers for words that many rows share.
class Shared {
  public:
    std::size_t operator()(const std::string& text) {
        const auto [it, fresh] = m_at.emplace(text, m_list.size());
        if (fresh) m_list.push_back(text);
        return it->second;
    }
    [[nodiscard]] const std::vector<std::string>& list() const { return m_list; }

  private:
    std::map<std::string, std::size_t> m_at;
    std::vector<std::string> m_list;
};

ordered_json json_of(const Tallies& tallies) {
    auto list = ordered_json::array();
    for (const auto& [key, t] : tallies) list.push_back({key, t.count, std::round(t.area)});
    return list;
}

// By tier, county and industry; nothing where nobody checked anything.
ordered_json json_of(const HitRates& rates, const PageWords& words) {
    auto j = ordered_json::object();
    if (rates.all.checked == 0) return j;
    const auto row = [](const std::string& name, const HitRate& h) {
        return ordered_json{name, h.checked, h.confirmed, h.lawful, h.not_works};
    };
    j["all"] = row("", rates.all);
    for (const char* group : {"tier", "county", "industry"})
        for (const auto& [name, h] : hit_rows(rates, group, words)) j[group].push_back(row(name, h));
    return j;
}

ordered_json words_of(const engine::Dictionary& zh, const char* section, const PageWords& words,
                      const char* english) {
    auto list = ordered_json::object();
    if (const auto it = zh.sections.find(section); it != zh.sections.end())
        for (const auto& [code, text] : it->second)
            list[code] = {text.empty() ? code : text.front(), words.word(english, code)};
    return list;
}

ordered_json json_of(const MosaicPicture& p) {
    return {{"from", p.first ? p.first->iso() : ""},
            {"to", p.last ? p.last->iso() : ""},
            {"image", io::data_uri(p.jpeg, "image/jpeg")}};
}

// Of the run that is going on, or of the one that run.json tells of.
std::vector<engine::Problem> problems_of(const RunContext& c) {
    const auto& counts = c.executor.counts();
    const bool whole_run =
        std::any_of(counts.begin(), counts.end(), [](const auto& s) { return s.first != "export"; });
    if (whole_run) return c.problems.sorted();
    std::vector<engine::Problem> list;
    const auto record = json_of(c.output / "run.json");
    if (!record.is_object() || record.value("batch", "") != c.batch || !record.contains("problems"))
        return list;
    for (const auto& p : record["problems"])
        list.push_back({p.value("stage", ""), p.value("unit", ""), p.value("code", ""), p.value("what", ""),
                        p.value("hint", "")});
    return list;
}

}  // namespace

std::map<std::string, std::string> summary_hashes(const RunContext& c, const std::string& batch) {
    std::map<std::string, std::string> list;
    const auto before = batch_before(c.store, batch);
    const std::map<std::string, fs::path> files = {
        {"observation", c.output / "observation.gpkg"},
        {"screened", c.store.batch(batch) / "screened.json"},
        {"previous", before.empty() ? fs::path() : c.store.batch(before) / "screened.gpkg"},
        {"acquisitions", c.store.acquisitions_file()}};
    for (const auto& [name, path] : files)
        if (!path.empty() && has_layer(path)) list[name] = engine::hash_file(path.string());
    list.merge(kind_hashes(c, "county"));
    list["ledger"] = ledger_hash(c.store, batch);
    if (!before.empty()) list["ledger before"] = ledger_hash(c.store, before);
    list.merge(hit_rate_hashes(c.store));
    std::string problems;
    for (const auto& p : problems_of(c)) problems += p.stage + p.unit + p.code + p.what + "\n";
    list["problems"] = engine::hash_bytes(problems);
    return list;
}

BatchSummary summary_of(const ExportInput& in, const PageWords& words) {
    const auto& c = in.run;
    BatchSummary s;
    std::map<std::string, Tally> verdicts, tiers, counties, industries, previous;
    for (const auto* row : in.disturbances.rows) {
        const double area = area_of(*row);
        ++s.disturbances.count;
        s.disturbances.area += area;
        count(verdicts, text_of(*row, "verdict"), area);
        count(tiers, words.code_of("tiers", text_of(*row, "tier")), area);
    }
    for (const auto* row : in.suspects.rows) {
        const double area = area_of(*row);
        ++s.suspects.count;
        s.suspects.area += area;
        count(counties, text_of(*row, "county"), area);
        count(industries, text_of(*row, "industry"), area);
    }
    s.verdicts = in_order(std::move(verdicts), words.verdicts, "verdicts");
    s.tiers = in_order(std::move(tiers), words.verdicts, "tiers");
    s.counties = by_count(counties);
    s.industries = by_count(industries);
    if (const auto seen = c.output / "observation.gpkg"; has_layer(seen)) {
        s.unobserved = 0;
        for (const auto& f : io::read_layer(seen.string(), {"unobserved", "", ""}).features)
            *s.unobserved += area_of(f);
        std::vector<double> sizes;
        for (const auto& f : io::read_layer(seen.string(), {"smallest_detectable", "", ""}).features)
            if (const auto v = io::to_number(field_of(f, "smallest_m2"))) sizes.push_back(*v);
        std::sort(sizes.begin(), sizes.end());
        if (!sizes.empty()) s.smallest = sizes[sizes.size() / 2];
    }
    s.share_with_range = share_with_range(c.store, in.batch);
    s.previous = batch_before(c.store, in.batch);
    if (!s.previous.empty()) {
        for (const auto& f : io::read_layer((c.store.batch(s.previous) / "screened.gpkg").string()).features)
            count(previous, text_of(f, "verdict"), area_of(f));
        s.previous_verdicts = in_order(std::move(previous), words.verdicts, "verdicts");
        s.changes = changes_between(c.store, s.previous, in);
    }
    s.hits = hit_rates(c.store);
    Bounds around;
    for (const auto* row : in.disturbances.rows) around.expand(row->shape.bounds());
    s.counties_drawn = borders_near(in, around);
    s.problems = problems_of(c);
    for (const auto& a : json_of(c.store.acquisitions_file()))
        if (a.is_object() && a.contains("key")) s.dates.push_back(a["key"].get<std::string>());
    std::sort(s.dates.begin(), s.dates.end());
    return s;
}

ordered_json report_json(const ExportInput& in, const BatchSummary& s, const Mosaic& mosaic,
                         const PageWords& words) {
    const auto frame = frame_of(in, mosaic);
    ordered_json j = {{"batch", in.batch}, {"program", in.run.executor.options().code_version}};
    j["words"] = {{"verdicts", words_of(words.verdicts, "verdicts", words, "verdicts_en")},
                  {"tiers", words_of(words.verdicts, "tiers", words, "tiers_en")},
                  {"actions", words_of(words.verdicts, "actions", words, "actions_en")},
                  {"changes", words_of(words.pages, "changes", words, "changes_en")}};
    j["extent"] = {frame.x(frame.bounds.max_x), frame.y(frame.bounds.max_y)};
    j["crs"] = in.suspects.crs;
    if (mosaic.after || mosaic.before) {
        auto& m = j["mosaic"];
        m["bounds"] = {frame.x(mosaic.bounds.min_x), frame.y(mosaic.bounds.min_y),
                       frame.x(mosaic.bounds.max_x), frame.y(mosaic.bounds.max_y)};
        m["natural"] = mosaic.natural;
        if (mosaic.before) m["before"] = json_of(*mosaic.before);
        if (mosaic.after) m["after"] = json_of(*mosaic.after);
    }
    Shared counties, industries, whys;
    const std::set<std::string> made(in.earlier.begin(), in.earlier.end());
    const io::Transformation to_degrees(in.suspects.crs, "EPSG:4490");
    auto rows = ordered_json::array();
    for (const auto* row : in.suspects.rows) {
        const auto id = text_of(*row, "case_id"), county = text_of(*row, "county");
        const auto page = package_stem(county, in.batch) + "/" + evidence_page(id);
        const auto p = to_degrees(row->shape.point_inside());
        const auto number = [&](const char* field, double scale) {
            return std::round(io::to_number(field_of(*row, field)).value_or(0) * scale) / scale;
        };
        rows.push_back({id, io::to_number(field_of(*row, "rank")).value_or(0),
                        words.code_of("tiers", text_of(*row, "tier")), text_of(*row, "verdict"),
                        counties(county), industries(text_of(*row, "industry")), number("area_m2", 1),
                        number("outside_tolerant_m2", 1), day_text(*row, "onset_from"),
                        day_text(*row, "onset_to"), number("confidence", 100), number("severity", 10),
                        text_of(*row, "approval_name"), text_of(*row, "owner"), whys(text_of(*row, "why")),
                        std::round(p.x * 1e6) / 1e6, std::round(p.y * 1e6) / 1e6,
                        made.contains(page) ? page : "", frame.rings(row->shape)});
    }
    j["counties"] = counties.list();
    j["industries"] = industries.list();
    j["whys"] = whys.list();
    j["suspects"] = std::move(rows);
    auto unseen = ordered_json::array();
    if (const auto seen = in.run.output / "observation.gpkg"; has_layer(seen)) {
        const auto layer = io::read_layer(seen.string(), {"unobserved", "", in.suspects.crs});
        for (const auto& f : layer.features) unseen.push_back(frame.rings(f.shape));
    }
    j["unobserved"] = std::move(unseen);
    j["tables"] = {{"verdicts", json_of(s.verdicts)},
                   {"tiers", json_of(s.tiers)},
                   {"counties", json_of(s.counties)},
                   {"industries", json_of(s.industries)},
                   {"previous", json_of(s.previous_verdicts)}};
    j["tables"]["changes"] = ordered_json::array();
    for (const auto& t : s.changes)
        j["tables"]["changes"].push_back(
            {t.code, t.count, t.suspects, std::round(t.before), std::round(t.now)});
    j["hits"] = json_of(s.hits, words);
    j["borders"] = ordered_json::array();
    for (const auto& a : s.counties_drawn) {
        const auto p = a.shape.empty() ? Point{} : a.shape.point_inside();
        j["borders"].push_back({a.name, frame.x(p.x), frame.y(p.y), frame.rings(a.shape)});
    }
    j["totals"] = {{"disturbances", s.disturbances.count},
                   {"area", std::round(s.disturbances.area)},
                   {"suspects", s.suspects.count},
                   {"suspect_area", std::round(s.suspects.area)},
                   {"previous", s.previous}};
    if (s.unobserved) j["totals"]["unobserved"] = std::round(*s.unobserved);
    if (s.smallest) j["totals"]["smallest"] = *s.smallest;
    if (s.share_with_range) j["totals"]["share_with_range"] = *s.share_with_range;
    auto problems = ordered_json::array();
    for (const auto& p : s.problems) problems.push_back({p.stage, p.unit, p.what, p.hint});
    j["problems"] = std::move(problems);
    j["looks"] = s.dates;
    return j;
}

}  // namespace shuibao::pipeline
