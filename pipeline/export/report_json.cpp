// SPDX-License-Identifier: Apache-2.0
// The report's numbers and rows as the page reads them.
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "case_past.hpp"
#include "evidence_content.hpp"
#include "report_data.hpp"
#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

constexpr double metres_per_degree = 111320;

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
    for (const auto& [key, t] : tallies) list.push_back({key, t.count, std::round(t.area), t.overdue});
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

}  // namespace

ordered_json report_json(const ExportInput& in, const BatchSummary& s, const Mosaic& mosaic,
                         const PageWords& words) {
    const auto frame = frame_of(in, mosaic);
    ordered_json j = {{"batch", in.batch},
                      {"program", in.run.executor.options().code_version},
                      {"end", s.end.iso()},
                      {"rule_set", fmt::format("{}", fmt::join(s.rule_sets, ", "))},
                      {"approvals", plain_text(s.approvals)}};
    j["words"] = {{"verdicts", words_of(words.verdicts, "verdicts", words, "verdicts_en")},
                  {"tiers", words_of(words.verdicts, "tiers", words, "tiers_en")},
                  {"actions", words_of(words.verdicts, "actions", words, "actions_en")},
                  {"changes", words_of(words.pages, "changes", words, "changes_en")}};
    // What people confirmed is a group of its own beside the verdicts.
    j["words"]["verdicts"]["confirmed"] = {words.word("decided", "confirmed"),
                                           words.word("decided", "confirmed", 1)};
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
    Shared counties, industries, whys, states;
    const auto pasts = case_pasts(in.run.store, in.batch);
    const std::set<std::string> made(in.earlier.begin(), in.earlier.end());
    const io::Transformation to_degrees(in.suspects.crs, "EPSG:4490");
    auto rows = ordered_json::array();
    for (const auto* row : in.suspects.rows) {
        const auto id = plain_of(*row, "case_id"), county = plain_of(*row, "county");
        const auto page = package_stem(county, in.batch) + "/" + evidence_page(id);
        const auto p = to_degrees(row->shape.point_inside());
        const auto past = pasts.find(id);
        const auto verdict = verdict_words(*row, words).code;
        const auto why = measured_text(*row, "why", past == pasts.end() ? nullptr : &past->second);
        const auto number = [&](const char* field, double scale) {
            return std::round(io::to_number(field_of(*row, field)).value_or(0) * scale) / scale;
        };
        rows.push_back({id,
                        io::to_number(field_of(*row, "rank")).value_or(0),
                        words.code_of("tiers", plain_of(*row, "tier")),
                        verdict,
                        counties(county),
                        industries(plain_of(*row, "industry")),
                        number("area_m2", 1),
                        number("outside_tolerant_m2", 1),
                        day_text(*row, "onset_from"),
                        day_text(*row, "onset_to"),
                        number("confidence", 100),
                        number("severity", 10),
                        plain_of(*row, "approval_name"),
                        plain_of(*row, "owner"),
                        whys(why),
                        std::round(p.x * 1e6) / 1e6,
                        std::round(p.y * 1e6) / 1e6,
                        made.contains(page) ? page : "",
                        frame.rings(row->shape),
                        states(plain_of(*row, "state")),
                        day_text(*row, "due"),
                        whys(plain_of(*row, "tier_reason")),
                        verdict == "confirmed" ? plain_of(*row, "confirmed") : ""});
    }
    j["counties"] = counties.list();
    const auto both = [&](const std::vector<std::string>& texts) {
        auto list = ordered_json::array();
        for (const auto& text : texts) list.push_back({text, words.english(text)});
        return list;
    };
    j["industries"] = both(industries.list());
    j["whys"] = both(whys.list());
    j["states"] = both(states.list());
    j["suspects"] = std::move(rows);
    auto unseen = ordered_json::array();
    for (const auto& shape : s.unobserved_drawn) unseen.push_back(frame.rings(shape));
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
    j["totals"] = {{"disturbances", s.disturbances.count}, {"area", std::round(s.disturbances.area)},
                   {"suspects", s.suspects.count},         {"suspect_area", std::round(s.suspects.area)},
                   {"overdue", s.suspects.overdue},        {"previous", s.previous}};
    if (s.unobserved) j["totals"]["unobserved"] = std::round(*s.unobserved);
    if (s.smallest) j["totals"]["smallest"] = *s.smallest;
    if (s.share_with_range) j["totals"]["share_with_range"] = *s.share_with_range;
    auto problems = ordered_json::array();
    for (const auto& p : s.problems) {
        const auto told = words.problem(p);
        problems.push_back({told.stage, told.stage_en, told.unit, told.zh, told.en});
    }
    j["problems"] = std::move(problems);
    j["looks"] = s.dates;
    return j;
}

}  // namespace shuibao::pipeline
