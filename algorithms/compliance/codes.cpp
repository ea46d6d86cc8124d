// SPDX-License-Identifier: Apache-2.0
// Names that are written to files, and the list of numbers a rule set must give.
#include <array>
#include <utility>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/algorithms/erosion.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 7> verdicts = {{
    {Verdict::compliant, "compliant"},
    {Verdict::unapproved, "unapproved"},
    {Verdict::exceeds, "exceeds"},
    {Verdict::relocated, "relocated"},
    {Verdict::unapproved_spoil, "unapproved_spoil"},
    {Verdict::before_approval, "before_approval"},
    {Verdict::pending, "pending"},
}};
constexpr std::array<std::pair<GroundType, std::string_view>, 4> types = {{
    {GroundType::other, "other"},
    {GroundType::spoil, "spoil"},
    {GroundType::borrow, "borrow"},
    {GroundType::non_production, "non_production"},
}};

template <class List, class Value>
std::string_view code_of(const List& list, Value value) {
    for (const auto& [v, code] : list)
        if (v == value) return code;
    return "";
}
template <class Value, std::size_t n>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, n>& list,
                              std::string_view text) {
    for (const auto& [v, code] : list)
        if (code == text) return v;
    return std::nullopt;
}

}  // namespace

std::string_view verdict_code(Verdict verdict) {
    return code_of(verdicts, verdict);
}
std::optional<Verdict> verdict_from_code(std::string_view text) {
    return value_of(verdicts, text);
}
std::string_view ground_type_code(GroundType type) {
    return code_of(types, type);
}
std::optional<GroundType> ground_type_from_code(std::string_view text) {
    return value_of(types, text);
}

std::vector<std::string> rule_items() {
    std::vector<std::string> items = {
        // what is judged at all, and the overlay
        "min_area_m2", "min_full_pixels", "max_core_loss", "min_tolerance_m", "digitised_sample_m",
        "range_error_m", "min_overlap", "exceed_area_m2", "major_change_share", "schematic_distance_m",
        "split_share", "plan_validity_years", "report_form_m2", "report_book_m2",
        // where works went instead, and along corridors
        "relocation_distance_m", "relocation_area_ratio", "linear_offset_m", "linear_share",
        "dots_min_area_m2", "revegetation_years",
        // severity
        "points_unapproved_spoil", "points_unapproved", "points_relocated", "points_exceeds_major",
        "points_exceeds_10", "points_exceeds", "points_before_approval", "points_pending", "exceeds_10_share",
        "area_step_1_m2", "area_step_2_m2", "area_step_3_m2", "area_step_4_m2", "points_area_1",
        "points_area_2", "points_area_3", "points_area_4", "points_zone_hazard", "points_zone_grade_1",
        "points_zone_steep", "points_zone_grade_2", "points_zone_second", "points_spoil_above",
        "spoil_slope_deg", "spoil_distance_m", "steep_slope_deg", "points_grown", "points_grown_after_notice",
        "crept_area_m2", "crept_batches", "points_credit_c", "points_credit_d", "points_credit_listed",
        "points_clue", "clue_distance_m",
        // tiers
        "high_severity", "high_confidence", "medium_severity", "medium_confidence", "low_severity",
        "wait_confidence", "high_unapproved_m2",
        // from batch to batch
        "lineage_overlap", "change_area_m2", "change_share", "finished_bare_share", "finished_dates",
        "finished_seen_share", "finished_days", "finished_tilled_share", "green_drop", "green_ndvi",
        "built_index", "stopped_months", "deadline_check_days", "deadline_notice_days",
        "deadline_rectify_days", "deadline_recheck_days"};
    const auto erosion = erosion_rule_items();
    items.insert(items.end(), erosion.begin(), erosion.end());
    return items;
}

}  // namespace shuibao::algorithms
