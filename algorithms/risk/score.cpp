// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>

#include <shuibao/algorithms/risk.hpp>

namespace shuibao::algorithms {
namespace {

std::string number(double value, const char* format) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

const char* verdict_rule(const RiskFacts& f, const Rules& rules) {
    switch (f.verdict) {
        case Verdict::unapproved_spoil:
            return "points_unapproved_spoil";
        case Verdict::unapproved:
            return "points_unapproved";
        case Verdict::relocated:
            return "points_relocated";
        case Verdict::exceeds:
            return f.exceed_share >= rules("major_change_share") ? "points_exceeds_major"
                   : f.exceed_share >= rules("exceeds_10_share") ? "points_exceeds_10"
                                                                 : "points_exceeds";
        case Verdict::before_approval:
            return "points_before_approval";
        case Verdict::pending:
            return "points_pending";
        case Verdict::compliant:
            break;
    }
    return nullptr;
}

const char* area_rule(double area, const Rules& rules) {
    if (area >= rules("area_step_4_m2")) return "points_area_4";
    if (area >= rules("area_step_3_m2")) return "points_area_3";
    if (area >= rules("area_step_2_m2")) return "points_area_2";
    if (area >= rules("area_step_1_m2")) return "points_area_1";
    return nullptr;
}

Tier tier_of(const RiskFacts& f, double severity, const Rules& rules) {
    const bool unapproved = f.verdict == Verdict::unapproved || f.verdict == Verdict::unapproved_spoil;
    const bool hard = (unapproved && f.area >= rules("high_unapproved_m2")) ||
                      (f.verdict == Verdict::exceeds && f.exceed_share >= rules("major_change_share"));
    const double c = f.confidence;
    Tier tier = Tier::none;
    if (hard || (severity >= rules("high_severity") && c >= rules("high_confidence")))
        tier = Tier::high;
    else if ((severity >= rules("medium_severity") && c >= rules("medium_confidence")) ||
             (severity >= rules("high_severity") && c >= rules("wait_confidence")))
        tier = Tier::medium;
    else if (severity >= rules("low_severity") || (unapproved && f.area < rules("report_form_m2")))
        tier = Tier::low;
    return c < rules("wait_confidence") ? std::min(tier, Tier::low) : tier;
}

}  // namespace

std::string_view tier_code(Tier tier) {
    switch (tier) {
        case Tier::high:
            return "high";
        case Tier::medium:
            return "medium";
        case Tier::low:
            return "low";
        case Tier::none:
            break;
    }
    return "none";
}

double offending_area(Verdict verdict, double area, double outside_tolerant) {
    switch (verdict) {
        case Verdict::unapproved:
        case Verdict::unapproved_spoil:
        case Verdict::relocated:
            return area;
        case Verdict::exceeds:
            return outside_tolerant;
        case Verdict::before_approval:
        case Verdict::pending:
        case Verdict::compliant:
            break;
    }
    return 0;
}

Risk score(const RiskFacts& f, const Rules& rules) {
    Risk r;
    const auto add = [&](const char* rule, std::string item, std::string value, std::string source) {
        if (rule != nullptr)
            r.items.push_back({std::move(item), std::move(value), rules(rule), rule, std::move(source)});
    };
    add(verdict_rule(f, rules), "合规性",
        std::string(verdict_code(f.verdict)) +
            (f.verdict == Verdict::exceeds ? number(f.exceed_share * 100, " %.1f %%") : ""),
        "扰动图斑与防治责任范围叠加");
    add(area_rule(f.offending_area, rules), "违规面积", number(f.offending_area / 1e4, "%.2f hm²"),
        "扰动图斑（CGCS2000 椭球面积）");
    if (f.verdict != Verdict::compliant) {
        if (f.credit == "C") add("points_credit_c", "信用等级", f.credit, "防治责任范围图层");
        if (f.credit == "D") add("points_credit_d", "信用等级", f.credit, "防治责任范围图层");
    }
    for (const auto& item : r.items) r.severity += item.points;
    r.severity = std::min(r.severity, 100.0);
    r.tier = tier_of(f, r.severity, rules);
    r.wait = f.confidence < rules("wait_confidence");
    return r;
}

bool ranks_before(const RankKey& a, const RankKey& b) {
    if (a.tier != b.tier) return a.tier > b.tier;
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.offending_area != b.offending_area) return a.offending_area > b.offending_area;
    return a.case_id < b.case_id;
}

}  // namespace shuibao::algorithms
