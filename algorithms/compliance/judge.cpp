// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 7> codes = {{
    {Verdict::compliant, "compliant"},
    {Verdict::unapproved, "unapproved"},
    {Verdict::exceeds, "exceeds"},
    {Verdict::relocated, "relocated"},
    {Verdict::unapproved_spoil, "unapproved_spoil"},
    {Verdict::before_approval, "before_approval"},
    {Verdict::pending, "pending"},
}};

std::string hectares(double m2) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.2f hm²", m2 / 1e4);
    return text.data();
}

std::string percent(double share) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.0f %%", share * 100);
    return text.data();
}

// Same day `years` later; 29 February becomes 1 March in other years.
Date years_after(Date date, int years) {
    const std::string iso = date.iso();
    const std::string year = std::to_string(std::stoi(iso.substr(0, 4)) + years);
    if (const auto same = Date::parse(year + iso.substr(4))) return *same;
    return *Date::parse(year + "-03-01");
}

// Times of work against the approval, for disturbances that touch an approved range.
void flag_times(const Facts& f, const Rules& rules, std::vector<Flag>& flags) {
    if (!f.linked) return;
    if (!f.approved) {
        flags.push_back({"NO_APPROVAL_DATE", "批复时间缺失，未作时间判定"});
        return;
    }
    if (!f.onset_to) {
        flags.push_back({"NO_ONSET", "扰动起始时间未知，未作时间判定"});
        return;
    }
    if (*f.onset_to < *f.approved)
        flags.push_back({"ART26", "扰动早于批复（水土保持法第二十六条）：" + f.onset_to->iso() +
                                      " 已见扰动，" + f.approved->iso() + " 批复"});
    else if (f.onset_from && *f.onset_from < *f.approved)
        flags.push_back({"ONSET_STRADDLES", "起始区间跨越批复时间：" + f.onset_from->iso() + " 至 " +
                                                f.onset_to->iso() + "，" + f.approved->iso() + " 批复"});
    if (f.onset_from &&
        *f.onset_from > years_after(*f.approved, static_cast<int>(rules("plan_validity_years"))))
        flags.push_back({"ART18", "批复满三年后开工（53号令第十八条）"});
}

}  // namespace

std::string_view verdict_code(Verdict verdict) {
    for (const auto& [v, code] : codes)
        if (v == verdict) return code;
    return "";
}

std::optional<Verdict> verdict_from_code(std::string_view text) {
    for (const auto& [v, code] : codes)
        if (code == text) return v;
    return std::nullopt;
}

std::vector<std::string> rule_items() {
    return {"min_area_m2",          "min_full_pixels",    "max_core_loss",
            "min_tolerance_m",      "digitised_sample_m", "range_error_m",
            "min_overlap",          "exceed_area_m2",     "major_change_share",
            "schematic_distance_m", "split_share",        "plan_validity_years",
            "report_form_m2",       "report_book_m2",     "points_unapproved_spoil",
            "points_unapproved",    "points_relocated",   "points_exceeds_major",
            "points_exceeds_10",    "points_exceeds",     "points_before_approval",
            "points_pending",       "exceeds_10_share",   "area_step_1_m2",
            "area_step_2_m2",       "area_step_3_m2",     "area_step_4_m2",
            "points_area_1",        "points_area_2",      "points_area_3",
            "points_area_4",        "points_credit_c",    "points_credit_d",
            "high_severity",        "high_confidence",    "medium_severity",
            "medium_confidence",    "low_severity",       "wait_confidence",
            "high_unapproved_m2"};
}

double tolerance(std::optional<double> ground_sample, const Rules& rules) {
    const double sample = ground_sample ? *ground_sample : rules("digitised_sample_m");
    return std::max(std::hypot(sample, rules("range_error_m")), rules("min_tolerance_m"));
}

Judgement judge(const Facts& f, const Rules& rules) {
    Judgement j;
    const auto decide = [&](Verdict v, std::string why) {
        if (!j.why.empty()) return;  // the first that applies is primary
        j.verdict = v;
        j.why = std::move(why);
    };

    if (!f.valid) {
        j.flags.push_back({"INVALID", "图斑几何无效"});
        decide(Verdict::pending, "几何无效");
    }
    if (f.area < rules("min_area_m2")) {
        j.flags.push_back({"SMALL", "小于最小判定面积 " + hectares(rules("min_area_m2"))});
        decide(Verdict::pending, "小于最小判定面积");
    }
    const bool few = f.full_pixels >= 0 && f.full_pixels < rules("min_full_pixels");
    const bool thin = f.core_share >= 0 && 1 - f.core_share > rules("max_core_loss");
    if (few || thin) {
        j.flags.push_back({"UNRELIABLE", few ? "完整像元过少，边界不可靠" : "图斑过窄，边界不可靠"});
        decide(Verdict::pending, "未通过可靠性门限");
    }
    if (!f.ranges_known) {
        j.flags.push_back({"NO_RANGE_LAYER", "未提供防治责任范围图层：本图层无范围不等于未批复"});
        decide(Verdict::pending, "没有防治责任范围图层");
    }

    if (f.overlap_ratio < rules("min_overlap")) {
        if (f.schematic_near) {
            j.flags.push_back({"SCHEMATIC", "附近只有示意性范围，不能据以判定"});
            decide(Verdict::pending, "附近只有示意性范围");
        }
        if (f.area < rules("report_form_m2"))
            j.flags.push_back({"LT05", "面积小于 0.5 hm²，可能不需编报方案（土石方量影像不可见）"});
        else if (f.area < rules("report_book_m2"))
            j.flags.push_back({"REPORT_FORM", "面积 0.5–5 hm²，对应报告表"});
        else
            j.flags.push_back({"REPORT_BOOK", "面积不小于 5 hm²，对应报告书"});
        decide(Verdict::unapproved, "本图层中没有与之重叠的防治责任范围");
        return j;
    }

    const double share = f.project_area > 0 ? f.project_outside / f.project_area : 0;
    if (f.outside_tolerant > rules("exceed_area_m2")) {
        j.flags.push_back({"OUTSIDE", "容差外超出 " + hectares(f.outside_tolerant)});
        decide(Verdict::exceeds, "容差外超出面积 " + hectares(f.outside_tolerant));
    }
    if (share >= rules("major_change_share"))
        j.flags.push_back({"ART16_2", "项目累计超出占防治责任范围 " + percent(share) +
                                          "，疑似重大变更（53号令第十六条（二））"});
    flag_times(f, rules, j.flags);
    if (f.linked && f.approved && f.onset_to && *f.onset_to < *f.approved)
        decide(Verdict::before_approval, "批复前已见扰动");
    decide(Verdict::compliant, "在防治责任范围内");
    return j;
}

}  // namespace shuibao::algorithms
