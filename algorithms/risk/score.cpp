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

const char* yes_no(bool v) {
    return v ? "是" : "否";
}

// Tier and hard rules (rules §6): every question that is asked is kept, with its number.
class Tiers {
  public:
    Tiers(const RiskFacts& facts, Risk& risk, const Rules& rules) : f(facts), r(risk), m_rules(rules) {}

    void operator()() {
        const double c = f.confidence, s = r.severity;
        const bool unapproved = f.verdict == Verdict::unapproved || f.verdict == Verdict::unapproved_spoil;
        const std::string sum = number(s, "严重度 %g") + number(c, "、置信度 %.2f");
        if (asks("现场已认定无违法或已销号，且未再扩大", yes_no(f.settled), "", f.settled))
            return set(Tier::none, "现场已认定无违法或已销号，未再扩大");
        hard_rules();
        // Each limit is looked at, so that who asks sees how far it was from the next tier.
        const bool severe =
                       asks("高：严重度", number(s, "%g"), "high_severity", s >= m_rules("high_severity")),
                   sure = asks("高：置信度", number(c, "%.2f"), "high_confidence",
                               c >= m_rules("high_confidence")),
                   grave = asks("中：严重度", number(s, "%g"), "medium_severity",
                                s >= m_rules("medium_severity")),
                   likely = asks("中：置信度", number(c, "%.2f"), "medium_confidence",
                                 c >= m_rules("medium_confidence")),
                   slight = asks("低：严重度", number(s, "%g"), "low_severity", s >= m_rules("low_severity")),
                   small = asks("低：未批且小于报告表下限", hectares(f.area), "report_form_m2",
                                unapproved && f.area < m_rules("report_form_m2")),
                   crept = asks("低：容差内超出连续扩大的期数", std::to_string(f.crept), "crept_batches",
                                f.crept > 0 && static_cast<double>(f.crept) >= m_rules("crept_batches"));
        r.wait = asks("等待下一期影像：置信度低于", number(c, "%.2f"), "wait_confidence",
                      c < m_rules("wait_confidence"));
        if (!r.hard_rules.empty())
            set(Tier::high, "硬性规则：" + r.hard_rules.front());
        else if (f.verdict == Verdict::compliant)
            set(crept ? Tier::low : Tier::none, crept ? creeping() : "合规（" + sum + "）");
        else if (severe && sure)
            set(Tier::high, sum);
        else if ((grave && likely) || (severe && !r.wait))
            set(Tier::medium, sum);
        else if (slight)
            set(Tier::low, sum);
        else if (small)
            set(Tier::low, "未批扰动小于 " + number(m_rules("report_form_m2") / 1e4, "%g hm²"));
        else if (crept)
            set(Tier::low, creeping());
        else
            set(Tier::none, sum);
        if (r.wait && r.tier > Tier::low) set(Tier::low, "置信度不足，等待下一期影像");
    }

  private:
    static std::string hectares(double m2) { return number(m2 / 1e4, "%.2f hm²"); }
    bool asks(const char* question, std::string value, const char* item, bool holds) {
        r.trace.push_back({"6", question, std::move(value), item, holds});
        return holds;
    }
    void hard(const char* question, std::string value, const char* item, bool holds, std::string name) {
        if (asks(question, std::move(value), item, holds)) r.hard_rules.push_back(std::move(name));
    }
    void set(Tier tier, std::string why) {
        r.tier = tier;
        r.tier_reason = std::move(why);
    }
    [[nodiscard]] std::string creeping() const {
        return "容差内超出，连续 " + std::to_string(f.crept) + " 期扩大";
    }

    // What belongs into the high tier whatever the sum.
    void hard_rules() {
        const bool spoil = f.verdict == Verdict::unapproved_spoil,
                   unapproved = f.verdict == Verdict::unapproved || spoil,
                   exceeds = f.verdict == Verdict::exceeds;
        const auto named = std::string(verdict_code(f.verdict));
        hard("硬性规则：未批弃渣在河湖管理范围内", named + "，" + yes_no(f.in_river), "", spoil && f.in_river,
             "河湖管理范围内的未批弃渣");
        hard("硬性规则：未批弃渣在居民点附近", named + "，" + yes_no(f.settlement_below), "spoil_distance_m",
             spoil && f.settlement_below, "居民点附近的未批弃渣");
        hard("硬性规则：在崩塌、滑坡危险区或泥石流易发区内", yes_no(f.in_hazard), "", f.in_hazard,
             "崩塌、滑坡危险区或泥石流易发区内的扰动");
        hard("硬性规则：未批扰动面积", named + "，" + hectares(f.area), "high_unapproved_m2",
             unapproved && f.area >= m_rules("high_unapproved_m2"),
             "未批扰动不小于 " + number(m_rules("high_unapproved_m2") / 1e4, "%g hm²"));
        hard("硬性规则：超出占防治责任范围的比例", named + number(f.exceed_share * 100, "，%.1f %%"),
             "major_change_share", exceeds && f.exceed_share >= m_rules("major_change_share"),
             "超出达到防治责任范围的 " + number(m_rules("major_change_share") * 100, "%g %%"));
        hard("硬性规则：整改通知后继续扩大", f.notice.empty() ? "无通知" : "通知 " + f.notice, "",
             f.grown && f.after_notice, "整改通知后继续扩大");
    }

    const RiskFacts& f;
    Risk& r;
    const Rules& m_rules;
};

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

const char* credit_rule(const std::string& credit) {
    if (credit == "C") return "points_credit_c";
    if (credit == "D") return "points_credit_d";
    return credit == "listed" ? "points_credit_listed" : nullptr;
}

std::string clue_list(const std::vector<std::string>& clues) {
    constexpr std::size_t most = 5;  // the layer has the rest
    std::string text = std::to_string(clues.size()) + " 条：";
    for (std::size_t i = 0; i < std::min(clues.size(), most); ++i) text += (i > 0 ? "、" : "") + clues[i];
    return text + (clues.size() > most ? " 等" : "");
}

// A notice between the looks is told, and is no ground to accuse.
void add_growth(const RiskFacts& f, const Rules& rules, std::vector<ScoreItem>& items) {
    const auto add = [&](const char* rule, std::string value, std::string source) {
        items.push_back({"变化", std::move(value), rules(rule), rule, std::move(source)});
    };
    if (f.grown && f.after_notice)
        add("points_grown_after_notice", "整改通知（" + f.notice + "）后扩大", "案件台账");
    else if (f.grown && f.notice_between)
        add("points_grown", "较上期扩大；整改通知（" + f.notice + "）在两期影像之间，孰先孰后须现场核实",
            "案件台账");
    else if (f.grown && !f.pit_inside)
        add("points_grown", "较上期扩大", "扰动图斑图层或案件台账");
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
    add_zones(f, rules, r.items);
    if (!f.erosion_rule.empty())
        r.items.push_back(
            {"土壤侵蚀强度", f.erosion_value, rules(f.erosion_rule), f.erosion_rule, f.erosion_source});
    const bool steep = f.slope && *f.slope >= rules("spoil_slope_deg");
    if (f.type == GroundType::spoil && (steep || !f.below.empty()))
        add("points_spoil_above", "弃渣危害",
            steep ? number(*f.slope, "坡度 %.0f°") : f.below.front() + "附近（高差未核）",
            steep ? "DEM" : "居民点、道路、河流图层");
    if (const auto* rule = credit_rule(f.credit))
        add(rule, "信用等级", f.credit == "listed" ? "重点关注名单或黑名单" : f.credit,
            f.credit_source.empty() ? "防治责任范围图层" : "防治责任范围图层：" + f.credit_source);
    if (!f.clues.empty()) add("points_clue", "举报或视频线索", clue_list(f.clues), "线索图层");
    add_growth(f, rules, r.items);
    for (const auto& item : r.items) r.severity += item.points;
    r.severity = std::min(r.severity, 100.0);
    Tiers(f, r, rules)();
    return r;
}

bool ranks_before(const RankKey& a, const RankKey& b) {
    if (a.tier != b.tier) return a.tier > b.tier;
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.offending_area != b.offending_area) return a.offending_area > b.offending_area;
    return a.case_id < b.case_id;
}

}  // namespace shuibao::algorithms
