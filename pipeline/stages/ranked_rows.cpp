// SPDX-License-Identifier: Apache-2.0
#include "ranked_rows.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "risk_input.hpp"

namespace shuibao::pipeline {
namespace {

using algorithms::Tier;
using io::FieldType;
using io::Value;

// A field that screen gave, passed on.
template <std::size_t n>
struct Name {
    char text[n];  // NOLINT(modernize-avoid-c-arrays): a template argument must be structural
    constexpr Name(const char (&t)[n]) { std::copy_n(t, n, text); }  // NOLINT
};
template <Name name>
OutputField passed(FieldType type) {
    return {{name.text, type}, [](const Ranked& r, const std::string&, const RankWords&) {
                return row_value(*r.feature, name.text);
            }};
}

}  // namespace

std::vector<OutputField> output_fields() {
    return {
        {{"case_id", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) { return Value(r.memory->id); }},
        passed<"batch">(FieldType::text),
        {{"rank", FieldType::integer},
         [](const Ranked& r, const std::string&, const RankWords&) { return Value(r.rank); }},
        {{"tier", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return Value(w.verdicts.text("tiers", algorithms::tier_code(r.risk.tier)));
         }},
        {{"action", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return Value(w.verdicts.text("actions", r.risk.wait && r.risk.tier != Tier::none
                                                         ? "wait"
                                                         : algorithms::tier_code(r.risk.tier)));
         }},
        {{"severity", FieldType::real},
         [](const Ranked& r, const std::string&, const RankWords&) { return Value(r.risk.severity); }},
        {{"confidence", FieldType::real},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return Value(std::round(r.confidence * 1e4) / 1e4);
         }},
        {{"verdict", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return Value(std::string(algorithms::verdict_code(r.verdict)));
         }},
        {{"verdict_zh", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return Value(w.verdicts.text("verdicts", algorithms::verdict_code(r.verdict)));
         }},
        passed<"second_verdict">(FieldType::text),
        passed<"why">(FieldType::text),
        {{"tier_reason", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return io::or_null(r.risk.tier_reason);
         }},
        {{"decided", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) { return io::or_null(r.decided); }},
        passed<"flags">(FieldType::text),
        passed<"notices">(FieldType::text),
        passed<"rule_set">(FieldType::text),
        passed<"kind">(FieldType::text),
        passed<"onset_from">(FieldType::date),
        passed<"onset_to">(FieldType::date),
        passed<"area_m2">(FieldType::real),
        passed<"outside_m2">(FieldType::real),
        passed<"outside_tolerant_m2">(FieldType::real),
        passed<"outside_depth_m">(FieldType::real),
        passed<"overlap_ratio">(FieldType::real),
        passed<"exceed_share">(FieldType::real),
        passed<"approval_id">(FieldType::text),
        passed<"approval_name">(FieldType::text),
        passed<"approval_date">(FieldType::date),
        passed<"other_approvals">(FieldType::text),
        passed<"relocated_from">(FieldType::text),
        passed<"owner">(FieldType::text),
        passed<"project_type">(FieldType::text),
        passed<"industry">(FieldType::text),
        {{"qtype", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return r.memory->confirmed_type.empty() ? row_value(*r.feature, "qtype")
                                                     : Value(r.memory->confirmed_type);
         }},
        passed<"image_type">(FieldType::text),
        passed<"image_type_zh">(FieldType::text),
        passed<"county">(FieldType::text),
        passed<"township">(FieldType::text),
        passed<"zones">(FieldType::text),
        passed<"slope_deg">(FieldType::real),
        passed<"erosion_class">(FieldType::text),
        passed<"erosion_zh">(FieldType::text),
        passed<"erosion_range">(FieldType::text),
        passed<"erosion_method">(FieldType::text),
        {{"change_type", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return io::or_null(w.disturbances.text("changes", r.memory->change));
         }},
        {{"growth_m2", FieldType::real},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return Value(std::round(r.memory->gained * 100) / 100);
         }},
        {{"construction", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return io::or_null(w.disturbances.text("construction", r.memory->construction));
         }},
        {{"first_batch", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) { return Value(r.memory->first_batch); }},
        {{"parents", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return io::or_null(fmt::format("{}", fmt::join(r.memory->parents, ",")));
         }},
        {{"state", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords& w) {
             return Value(w.states.text("states", r.memory->state));
         }},
        {{"due", FieldType::date},
         [](const Ranked& r, const std::string&, const RankWords&) { return io::or_null(r.memory->due); }},
        {{"confirmed", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) {
             return io::or_null(r.memory->confirmed);
         }},
        {{"spot", FieldType::text},
         [](const Ranked& r, const std::string&, const RankWords&) { return Value(r.memory->spot); }},
        passed<"issuer_id">(FieldType::text),
        {{"reasons", FieldType::text},
         [](const Ranked&, const std::string& reasons, const RankWords&) { return Value(reasons); }},
    };
}

std::string reasons_of(const Ranked& r, const engine::RuleSet& rules) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& item : r.risk.items)
        list.push_back({{"item", item.item},
                        {"value", item.value},
                        {"points", item.points},
                        {"basis", rules.item(item.rule).basis},
                        {"source", item.source},
                        {"rule", fmt::format("{}:{}", rules.name, item.rule)}});
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace shuibao::pipeline
