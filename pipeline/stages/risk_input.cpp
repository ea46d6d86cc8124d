// SPDX-License-Identifier: Apache-2.0
#include "risk_input.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "dictionaries.hpp"
#include "zones.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {

void read_context(const nlohmann::json& j, const RiskWords& words, const algorithms::Rules& rules,
                  algorithms::RiskFacts& r) {
    bool announced_steep = false;
    for (const auto& z : j.at("zones")) {
        const auto kind = z.at("kind").get<std::string>();
        const auto& points = words.zones.values("points", kind);
        r.zones.push_back({kind, z.at("name").get<std::string>(), points.empty() ? "" : points.front()});
        r.in_hazard = r.in_hazard || words.zones.lists("roles", "hazard", kind);
        r.in_river = r.in_river || words.zones.lists("roles", "river", kind);
        announced_steep = announced_steep || kind == "steep";
    }
    for (const auto& b : j.at("below")) {
        r.below.push_back(b.at("name").get<std::string>());
        r.settlement_below =
            r.settlement_below || words.zones.lists("roles", "settlement", b.at("kind").get<std::string>());
    }
    for (const auto& clue : j.at("clues")) r.clues.push_back(clue.get<std::string>());
    if (j.contains("slope_deg")) r.slope = j.at("slope_deg").get<double>();
    r.steep_by_dem = !announced_steep && j.contains("steep_share") &&
                     j.at("steep_share").get<double>() >= rules("min_overlap");
    if (!j.contains("erosion")) return;
    const auto e = erosion_from_json(j.at("erosion"));
    r.erosion_rule = algorithms::erosion_rule(e.intensity);
    r.erosion_value = fmt::format(
        "{}（{} t/(km²·a)）", words.erosion.text("classes", algorithms::erosion_code(e.intensity)), e.range);
    r.erosion_source = erosion_source(e, words.erosion);
}

}  // namespace

RiskWords::RiskWords(const RunContext& c)
    : zones(load_zone_words(c)),
      approvals(load_dictionary("approvals")),
      disturbances(load_dictionary("disturbances")),
      erosion(load_erosion_words()) {}

std::map<std::string, std::string> RiskWords::hashes(const RunContext& c) {
    std::map<std::string, std::string> list = {{"zones", zone_words_hash(c)},
                                               {"dictionary erosion", erosion_words_hash()}};
    for (const char* d : {"approvals", "disturbances"})
        list[std::string("dictionary ") + d] =
            engine::hash_file(engine::config_file(fmt::format("dictionaries/{}.yaml", d)).string());
    return list;
}

const io::Value& row_value(const io::VectorFeature& row, std::string_view name) {
    static const io::Value none;
    const auto* value = row.values.find(name);
    return value == nullptr ? none : *value;
}
std::string row_text(const io::VectorFeature& row, std::string_view name) {
    return io::to_text(row_value(row, name));
}
double row_number(const io::VectorFeature& row, std::string_view name) {
    return io::to_number(row_value(row, name)).value_or(0);
}

void judge_as(algorithms::RiskFacts& risk, algorithms::Verdict verdict, const algorithms::Facts& measured) {
    risk.verdict = verdict;
    risk.offending_area = algorithms::offending_area(verdict, measured.area, measured.outside_tolerant);
}

ScreenedRow read_screened(const io::VectorFeature& row, const RiskWords& words,
                          const algorithms::Rules& rules) {
    ScreenedRow s;
    try {
        s.facts = facts_from_json(nlohmann::json::parse(row_text(row, "facts")));
        read_context(nlohmann::json::parse(row_text(row, "context")), words, rules, s.risk);
    } catch (const nlohmann::json::exception& e) {
        throw Error(
            ErrorCode::input,
            fmt::format("The facts of case {} cannot be read: {}.", row_text(row, "case_id"), e.what()),
            "Run `shuibao screen` again.");
    }
    auto& r = s.risk;
    const auto& f = s.facts;
    const auto verdict = algorithms::verdict_from_code(row_text(row, "verdict"));
    if (!verdict)
        throw Error(ErrorCode::input,
                    fmt::format("Case {} has no verdict that is known.", row_text(row, "case_id")),
                    "Run `shuibao screen` again.");
    judge_as(r, *verdict, f);
    r.type = f.type;
    r.area = f.area;
    r.exceed_share = f.linked && f.project_area > 0 ? f.project_outside / f.project_area : 0;
    r.pit_inside = f.profile.pit && f.outside_tolerant <= 0;
    r.grown = words.disturbances.lists("changes", "grown", row_text(row, "change_type"));
    r.credit = row_text(row, "credit");
    if (words.approvals.lists("credit", "listed", r.credit)) r.credit = "listed";
    r.credit_source = row_text(row, "credit_source");
    r.confidence = row_number(row, "confidence");
    return s;
}

}  // namespace shuibao::pipeline
