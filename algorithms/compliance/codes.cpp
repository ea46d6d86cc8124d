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

std::vector<RuleSpec> rule_items() {
    using namespace rule_units;
    std::vector<RuleSpec> items = {// what is judged at all, and the overlay
                                   {"min_area_m2", m2},
                                   {"min_full_pixels", px},
                                   {"max_core_loss", share},
                                   {"min_tolerance_m", tolerance_m},
                                   {"digitised_sample_m", m},
                                   {"range_error_m", m},
                                   {"min_overlap", share},
                                   {"min_yard_share", share},
                                   {"exceed_area_m2", m2},
                                   {"major_change_share", share_of_darea},
                                   {"new_key_area_m2", m2},
                                   {"schematic_distance_m", m},
                                   {"split_share", share},
                                   {"plan_validity_years", years},
                                   {"report_form_m2", m2},
                                   {"report_book_m2", m2, "report_form_m2"},
                                   // where works went instead, and along corridors
                                   {"relocation_distance_m", m},
                                   {"relocation_area_ratio", times},
                                   {"range_seen_share", share},
                                   {"corridor_m", m},
                                   {"corridor_elongation", times},
                                   {"linear_offset_m", m},
                                   {"linear_share", {"share of the hill section", 0, 1}},
                                   {"dots_min_area_m2", m2},
                                   {"revegetation_years", years},
                                   // severity
                                   {"points_unapproved_spoil", points},
                                   {"points_unapproved", points},
                                   {"points_relocated", points},
                                   {"points_exceeds_major", points},
                                   {"points_exceeds_10", points},
                                   {"points_exceeds", points},
                                   {"points_before_approval", points},
                                   {"points_pending", points},
                                   {"exceeds_10_share", share_of_darea},
                                   {"area_step_1_m2", m2},
                                   {"area_step_2_m2", m2, "area_step_1_m2"},
                                   {"area_step_3_m2", m2, "area_step_2_m2"},
                                   {"area_step_4_m2", m2, "area_step_3_m2"},
                                   {"points_area_1", points},
                                   {"points_area_2", points},
                                   {"points_area_3", points},
                                   {"points_area_4", points},
                                   {"points_zone_hazard", points},
                                   {"points_zone_grade_1", points},
                                   {"points_zone_steep", points},
                                   {"points_zone_grade_2", points},
                                   {"points_zone_second", points},
                                   {"points_spoil_above", points},
                                   {"spoil_slope_deg", degrees},
                                   {"spoil_distance_m", m},
                                   {"steep_slope_deg", degrees},
                                   {"points_grown", points},
                                   {"points_grown_after_notice", points},
                                   {"crept_area_m2", m2},
                                   {"crept_batches", batches},
                                   {"points_credit_c", points},
                                   {"points_credit_d", points},
                                   {"points_credit_listed", points},
                                   {"points_clue", points},
                                   {"clue_distance_m", m},
                                   // tiers
                                   {"high_severity", points, "medium_severity"},
                                   {"high_confidence", c01, "medium_confidence"},
                                   {"medium_severity", points, "low_severity"},
                                   {"medium_confidence", c01, "wait_confidence"},
                                   {"low_severity", points},
                                   {"wait_confidence", c01},
                                   {"high_unapproved_m2", m2},
                                   // from batch to batch
                                   {"lineage_overlap", {"share of the smaller polygon", 0, 1}},
                                   {"change_area_m2", m2},
                                   {"change_share", {"share of the area before", 0, 1}},
                                   {"finished_bare_share", share},
                                   {"finished_dates", batches},
                                   {"finished_seen_share", share},
                                   {"finished_days", days},
                                   {"finished_tilled_share", share},
                                   {"green_drop", ndvi},
                                   {"green_ndvi", ndvi},
                                   {"built_index", {"BSI", -1, 1}},
                                   {"stopped_months", months},
                                   {"deadline_check_days", days},
                                   {"deadline_notice_days", days},
                                   {"deadline_rectify_days", days},
                                   {"deadline_recheck_days", days}};
    const auto erosion = erosion_rule_items();
    items.insert(items.end(), erosion.begin(), erosion.end());
    return items;
}

}  // namespace shuibao::algorithms
