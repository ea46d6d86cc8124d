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

// What belongs into the high tier whatever the sum (rules §6).
std::vector<std::string> hard_rules(const RiskFacts& f, const Rules& rules) {
    std::vector<std::string> list;
    const bool spoil_outside = f.verdict == Verdict::unapproved_spoil;
    if (spoil_outside && f.in_river) list.emplace_back("河湖管理范围内的未批弃渣");
    if (spoil_outside && f.settlement_below) list.emplace_back("居民点附近的未批弃渣");
    if (f.in_hazard) list.emplace_back("崩塌、滑坡危险区或泥石流易发区内的扰动");
    if ((f.verdict == Verdict::unapproved || spoil_outside) && f.area >= rules("high_unapproved_m2"))
        list.push_back("未批扰动不小于 " + number(rules("high_unapproved_m2") / 1e4, "%g hm²"));
    if (f.verdict == Verdict::exceeds && f.exceed_share >= rules("major_change_share"))
        list.push_back("超出达到防治责任范围的 " + number(rules("major_change_share") * 100, "%g %%"));
    if (f.grown && f.after_notice) list.emplace_back("整改通知后继续扩大");
    return list;
}

void settle_tier(const RiskFacts& f, Risk& r, const Rules& rules) {
    const bool unapproved = f.verdict == Verdict::unapproved || f.verdict == Verdict::unapproved_spoil;
    const double c = f.confidence, s = r.severity;
    const auto set = [&](Tier tier, std::string why) {
        r.tier = tier;
        r.tier_reason = std::move(why);
    };
    const std::string sum = number(s, "严重度 %g") + number(c, "、置信度 %.2f");
    r.hard_rules = hard_rules(f, rules);
    if (!r.hard_rules.empty())
        set(Tier::high, "硬性规则：" + r.hard_rules.front());
    else if (s >= rules("high_severity") && c >= rules("high_confidence"))
        set(Tier::high, sum);
    else if ((s >= rules("medium_severity") && c >= rules("medium_confidence")) ||
             (s >= rules("high_severity") && c >= rules("wait_confidence")))
        set(Tier::medium, sum);
    else if (s >= rules("low_severity"))
        set(Tier::low, sum);
    else if (unapproved && f.area < rules("report_form_m2"))
        set(Tier::low, "未批扰动小于 " + number(rules("report_form_m2") / 1e4, "%g hm²"));
    else if (f.crept)
        set(Tier::low, "容差内超出，连续两期扩大");
    else
        set(Tier::none, sum);
    r.wait = c < rules("wait_confidence");
    if (r.wait && r.tier > Tier::low) set(Tier::low, "置信度不足，等待下一期影像");
}

// Zones: the highest counts, and a little for a second of another kind.
void add_zones(const RiskFacts& f, const Rules& rules, std::vector<ScoreItem>& items) {
    const ZoneFact* first = nullptr;
    for (const auto& z : f.zones)
        if (!z.rule.empty() && (first == nullptr || rules(z.rule) > rules(first->rule))) first = &z;
    const bool dem = f.steep_by_dem && (first == nullptr || rules("points_zone_steep") > rules(first->rule));
    const ZoneFact* second = nullptr;
    for (const auto& z : f.zones)
        if (!z.rule.empty() && (dem || z.kind != first->kind) && second == nullptr) second = &z;
    if (dem)
        items.push_back({"敏感区", "陡坡（DEM 坡度，未公告）", rules("points_zone_steep"),
                         "points_zone_steep", "DEM 推算，代替公告的禁止开垦陡坡地范围"});
    else if (first != nullptr)
        items.push_back({"敏感区", first->name, rules(first->rule), first->rule, "敏感区图层"});
    else
        return;
    if (second != nullptr || (f.steep_by_dem && !dem))
        items.push_back({"敏感区（第二类）", second != nullptr ? second->name : "陡坡（DEM 坡度，未公告）",
                         rules("points_zone_second"), "points_zone_second", "敏感区图层"});
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

std::optional<Tier> tier_from_code(std::string_view code) {
    for (const auto tier : {Tier::none, Tier::low, Tier::medium, Tier::high})
        if (tier_code(tier) == code) return tier;
    return std::nullopt;
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
        add_zones(f, rules, r.items);
        if (!f.erosion_rule.empty())
            r.items.push_back(
                {"土壤侵蚀强度", f.erosion_value, rules(f.erosion_rule), f.erosion_rule, f.erosion_source});
        const bool steep = f.slope && *f.slope >= rules("spoil_slope_deg");
        if (f.type == GroundType::spoil && (steep || !f.below.empty()))
            add("points_spoil_above", "弃渣危害",
                steep ? number(*f.slope, "坡度 %.0f°") : f.below.front() + "附近（高差未核）",
                steep ? "DEM" : "居民点、道路、河流图层");
        if (f.credit == "C") add("points_credit_c", "信用等级", f.credit, "防治责任范围图层");
        if (f.credit == "D") add("points_credit_d", "信用等级", f.credit, "防治责任范围图层");
        if (f.credit == "listed")
            add("points_credit_listed", "信用等级", "重点关注名单或黑名单", "防治责任范围图层");
        if (f.clues > 0) add("points_clue", "举报或视频线索", std::to_string(f.clues) + " 条", "线索图层");
    }
    if (f.grown && f.after_notice)
        add("points_grown_after_notice", "变化", "整改通知后扩大", "案件台账");
    else if (f.grown && !f.pit_inside)
        add("points_grown", "变化", "较上期扩大", "扰动图斑图层或案件台账");
    for (const auto& item : r.items) r.severity += item.points;
    r.severity = std::min(r.severity, 100.0);
    settle_tier(f, r, rules);
    return r;
}

bool ranks_before(const RankKey& a, const RankKey& b) {
    if (a.tier != b.tier) return a.tier > b.tier;
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.offending_area != b.offending_area) return a.offending_area > b.offending_area;
    return a.case_id < b.case_id;
}

}  // namespace shuibao::algorithms
