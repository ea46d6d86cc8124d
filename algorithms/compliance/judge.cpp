// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {
namespace {

std::string number(double value, const char* format) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}
std::string hectares(double m2) {
    return number(m2 / 1e4, "%.2f hm²");
}
std::string percent(double share) {
    return number(share * 100, "%.4g %%");
}
std::string whole_percent(double share) {
    return number(share * 100, "%.0f %%");
}
std::string square_metres(double m2) {
    return number(m2, "%.2f m²");
}
std::string iso(const std::optional<Date>& d) {
    return d ? d->iso() : "未知";
}

// Same day `years` later; 29 February becomes 1 March in other years.
Date years_after(Date date, int years) {
    const std::string text = date.iso();
    const int year = std::stoi(text.substr(0, 4)) + years;
    if (year > 9999) return *Date::parse("9999-12-31");  // a day by which no works begin
    if (const auto same = Date::parse(std::to_string(year) + text.substr(4))) return *same;
    return *Date::parse(std::to_string(year) + "-03-01");
}

class Reasoning {
  public:
    Reasoning(const Facts& facts, const Rules& rules) : f(facts), m_rules(rules) {}

    Judgement operator()() && {
        gates();
        spoil();
        const bool none = holds("3", "与防治责任范围的重叠率低于下限", percent(f.overlap_ratio),
                                "min_overlap", f.overlap_ratio < m_rules("min_overlap"));
        if (none) {
            in_no_range();
        } else {
            beyond_range();
            times();
            normal_in_industry();
            decide(Verdict::compliant, "在防治责任范围内");
        }
        return std::move(j);
    }

    [[nodiscard]] bool stopped() && {
        gates();
        return !j.why.empty();
    }

  private:
    bool holds(const char* step, const char* question, std::string value, const char* item, bool result) {
        j.trace.push_back({step, question, std::move(value), item, result});
        return result;
    }
    void flag(const char* code, std::string text) { j.flags.push_back({code, std::move(text)}); }
    // With the source of the rule, as the rule set in force names it.
    void flag_by(const char* code, const std::string& text, const char* item) {
        flag(code, text + "（" + m_rules.basis(item) + "）");
    }
    // The first that applies is primary.
    void decide(Verdict v, std::string why) {
        if (!j.why.empty()) return;
        j.verdict = v;
        j.why = std::move(why);
    }

    // Step 1: what cannot carry an accusation.
    void gates() {
        if (holds("1", "几何无效", f.valid ? "有效" : "无效", "", !f.valid)) {
            flag("INVALID", "图斑几何无效");
            decide(Verdict::pending, "几何无效");
        }
        // Towers and pads of a line are judged together, so each may be smaller.
        const char* least = f.profile.dots && f.linked ? "dots_min_area_m2" : "min_area_m2";
        if (holds("1", "面积小于最小判定面积", square_metres(f.area), least, f.area < m_rules(least))) {
            flag("SMALL", "小于最小判定面积 " + hectares(m_rules(least)));
            decide(Verdict::pending, "小于最小判定面积");
        }
        const bool few =
            holds("1", "完整像元过少", f.full_pixels < 0 ? "未注明分辨率" : std::to_string(f.full_pixels),
                  "min_full_pixels", f.full_pixels >= 0 && f.full_pixels < m_rules("min_full_pixels"));
        const bool thin =
            holds("1", "内缩半像元后丢失过多", f.core_share < 0 ? "未注明分辨率" : percent(1 - f.core_share),
                  "max_core_loss", f.core_share >= 0 && 1 - f.core_share > m_rules("max_core_loss"));
        if (few || thin) {
            flag("UNRELIABLE", few ? "完整像元过少，边界不可靠" : "图斑过窄，边界不可靠");
            decide(Verdict::pending, "未通过可靠性门限");
        }
        if (holds("1", "下一期已消失", f.vanished ? "是" : "否", "", f.vanished)) {
            flag("VANISHED", "下一期影像中已消失");
            decide(Verdict::pending, "下一期影像中已消失");
        }
        if (holds("1", "注明为非生产建设项目", std::string(ground_type_code(f.type)), "",
                  f.type == GroundType::non_production)) {
            flag("NON_PRODUCTION", "图斑类型为非生产建设项目");
            decide(Verdict::pending, "图斑类型为非生产建设项目");
        }
        if (f.profile.drawdown && f.linked &&
            holds("1", "水库项目中由水面变为裸地", f.water_became_bare ? "是" : "否", "",
                  f.water_became_bare)) {
            flag("DRAWDOWN", "水库消落带：水位下降露出的地面，不作扰动判定");
            decide(Verdict::pending, "可能是水库消落带");
        }
        if (holds("1", "没有防治责任范围图层", f.ranges_known ? "有图层" : "无图层", "", !f.ranges_known)) {
            flag("NO_RANGE_LAYER", "未提供防治责任范围图层：本图层无范围不等于未批复");
            decide(Verdict::pending, "没有防治责任范围图层");
        }
    }

    // Step 2: spoil and borrow belong into approved yards, wherever the rest of the range lies.
    void spoil() {
        const bool is_spoil = f.type == GroundType::spoil;
        if (!holds("2", "弃土（渣）或取土类图斑", std::string(ground_type_code(f.type)), "",
                   is_spoil || f.type == GroundType::borrow))
            return;
        const char* what = is_spoil ? "弃土（渣）场" : "取土（石）场";
        const bool in_range = f.overlap_ratio >= m_rules("min_overlap");
        if (in_range && !f.parts_known) {
            holds("2", "所在范围没有组成部分，无法判定场地", "未注明", "", true);
            flag("PARTS_UNKNOWN",
                 std::string("防治责任范围未注明组成部分，无法判定是否在批准的") + what + "内");
            return;
        }
        if (!holds("2", "在批准的场地内的比例低于下限", percent(f.yard_share), "min_yard_share",
                   f.yard_share < m_rules("min_yard_share")))
            return;
        if (holds("2", "触及示意性的场地", f.yard_schematic ? "是" : "否", "", f.yard_schematic)) {
            flag("SCHEMATIC", "附近只有示意性范围，不能据以判定");
            decide(Verdict::pending, "附近只有示意性范围");
            return;
        }
        if (is_spoil) {
            flag_by("ART17", "不在批准的弃渣场内", "min_yard_share");
            decide(Verdict::unapproved_spoil, "弃土（渣）不在任何批准的弃渣场内");
        } else {
            flag("BORROW_OUTSIDE", "不在批准的取土（石）场内");
            decide(Verdict::unapproved, "取土（石）不在任何批准的取土场内");
        }
    }

    // Step 3.
    void in_no_range() {
        const auto moved = f.relocation
                               ? f.relocation->project + number(f.relocation->distance, "，距 %.0f m")
                               : f.relocation_tried;
        if (!moved.empty() && holds("3", "附近有已批在建而范围内无扰动的项目", moved, "relocation_distance_m",
                                    f.relocation.has_value())) {
            flag("RELOCATED_FROM",
                 "可能是项目“" + (f.relocation->name.empty() ? f.relocation->project : f.relocation->name) +
                     "”变更建设地点：其范围内无扰动，相距 " + number(f.relocation->distance, "%.0f m") +
                     (f.relocation->same_owner ? "，建设单位相同" : ""));
            displaced();
            if (j.why.empty()) j.second = Verdict::unapproved;
            decide(Verdict::relocated, "附近已批在建项目范围内无扰动，疑为变更建设地点");
        }
        if (holds("3", "附近只有示意性范围", f.schematic_near ? "是" : "否", "schematic_distance_m",
                  f.schematic_near) &&
            !has("SCHEMATIC")) {
            flag("SCHEMATIC", "附近只有示意性范围，不能据以判定");
            decide(Verdict::pending, "附近只有示意性范围");
        }
        if (holds("3", "面积低于报告表下限", square_metres(f.area), "report_form_m2",
                  f.area < m_rules("report_form_m2")))
            flag("LT05", "面积小于 " + number(m_rules("report_form_m2") / 1e4, "%g hm²") +
                             "，可能不需编报方案（土石方量影像不可见）");
        else if (!holds("3", "面积达到报告书下限", square_metres(f.area), "report_book_m2",
                        f.area >= m_rules("report_book_m2")))
            flag("REPORT_FORM", "面积 " + number(m_rules("report_form_m2") / 1e4, "%g") + "–" +
                                    number(m_rules("report_book_m2") / 1e4, "%g hm²") + "，对应报告表");
        else
            flag("REPORT_BOOK",
                 "面积不小于 " + number(m_rules("report_book_m2") / 1e4, "%g hm²") + "，对应报告书");
        if (f.in_scope && holds("3", "在应编报方案的区域之外", *f.in_scope ? "否" : "是", "", !*f.in_scope))
            flag("OUTSCOPE", "不在山区、丘陵区、风沙区及其他容易发生水土流失的区域内");
        decide(Verdict::unapproved, "本图层中没有与之重叠的防治责任范围");
    }

    // Step 4. Rows of dots are judged by the sum over the line.
    void beyond_range() {
        const double beyond =
            f.profile.dots ? std::max(f.project_outside, f.outside_tolerant) : f.outside_tolerant;
        const bool part = f.outside_tolerant > 0 || !f.profile.dots;
        if (holds("4", f.profile.dots ? "全线容差外超出面积之和超过限值" : "容差外超出面积超过限值",
                  square_metres(beyond), "exceed_area_m2", part && beyond > m_rules("exceed_area_m2"))) {
            flag("OUTSIDE", (f.profile.dots ? "全线容差外超出 " : "容差外超出 ") + hectares(beyond));
            decide(Verdict::exceeds, "容差外超出面积 " + hectares(beyond));
        } else if (f.profile.pit && holds("4", "露天矿山外缘有容差外扰动", square_metres(f.outside_tolerant),
                                          "", f.outside_tolerant > 0)) {
            flag("PIT_EDGE", "露天矿山外缘有扰动越界 " + hectares(f.outside_tolerant) + "，应持续关注");
        }
        const double share = f.project_area > 0 ? f.project_outside / f.project_area : 0;
        if (holds("4", "项目累计超出占防治责任范围的比例达到重大变更",
                  f.project_area > 0 ? percent(share) : "责任面积未知", "major_change_share",
                  share >= m_rules("major_change_share")))
            flag_by("ART16_2", "项目累计超出占防治责任范围 " + whole_percent(share) + "，疑似重大变更",
                    "major_change_share");
        if (holds("4", "超出部分进入项目原未涉及的重点防治区", std::to_string(f.new_key_areas.size()) + " 处",
                  "new_key_area_m2", !f.new_key_areas.empty())) {
            std::string names;
            for (const auto& n : f.new_key_areas) names += (names.empty() ? "" : "、") + n;
            flag_by("ART16_1", "超出部分新涉及重点预防区或重点治理区：" + names, "new_key_area_m2");
        }
        displaced();
    }

    void displaced() {
        if (f.displaced_share &&
            holds("4", "线型工程山丘区段横向位移的累计长度比例", percent(*f.displaced_share), "linear_share",
                  *f.displaced_share >= m_rules("linear_share")))
            flag_by("ART16_3",
                    "山区、丘陵区横向位移超过 " + number(m_rules("linear_offset_m"), "%g m") +
                        " 的长度占该区段 " + whole_percent(*f.displaced_share) + "，疑似重大变更",
                    "linear_share");
    }

    // Step 5: times of work against approval and acceptance.
    void times() {
        if (!f.linked) return;
        if (!f.approved) return flag("NO_APPROVAL_DATE", "批复时间缺失，未作时间判定");
        if (!f.onset_to) return flag("NO_ONSET", "扰动起始时间未知，未作时间判定");
        const std::string span = iso(f.onset_from) + " 至 " + iso(f.onset_to),
                          against = span + "，" + iso(f.approved) + " 批复";
        if (holds("5", "批复前已见扰动", against, "", *f.onset_to < *f.approved)) {
            flag("ART26", "扰动早于批复（水土保持法第二十六条）：" + iso(f.onset_to) + " 已见扰动，" +
                              iso(f.approved) + " 批复");
            decide(Verdict::before_approval, "批复前已见扰动");
        } else if (holds("5", "起始区间跨越批复时间", against, "",
                         f.onset_from && *f.onset_from < *f.approved)) {
            flag("ONSET_STRADDLES", "起始区间跨越批复时间：" + against);
        }
        const auto years = static_cast<int>(m_rules("plan_validity_years"));
        if (years > 0 && holds("5", "批复满规定年限后才开工", against, "plan_validity_years",
                               f.onset_from && *f.onset_from > years_after(*f.approved, years)))
            flag_by("ART18", "批复满" + std::to_string(years) + "年后开工", "plan_validity_years");
        if (f.accepted && holds("5", "验收后出现扰动", span + "，" + iso(f.accepted) + " 验收", "",
                                f.onset_from && *f.onset_from >= *f.accepted))
            flag("AFTER_ACCEPTANCE", "水土保持设施验收后出现新的扰动：" + iso(f.accepted) + " 验收");
    }

    // Rules §4: what is normal for the industry, and what is not.
    void normal_in_industry() {
        const auto years = static_cast<int>(m_rules("revegetation_years"));
        if (f.profile.revegetates && f.onset_to && f.seen &&
            holds("5", "管道作业带超过规定时间未恢复植被", iso(f.onset_to) + " 已见扰动",
                  "revegetation_years", *f.seen > years_after(*f.onset_to, years)))
            flag("NOT_REVEGETATED",
                 "管道作业带扰动已超过 " + std::to_string(years) + " 个生长季，仍未恢复植被");
    }

    [[nodiscard]] bool has(const char* code) const {
        return std::any_of(j.flags.begin(), j.flags.end(), [&](const Flag& x) { return x.code == code; });
    }

    const Facts& f;
    const Rules& m_rules;
    Judgement j;
};

}  // namespace

double tolerance(std::optional<double> ground_sample, const Rules& rules) {
    const double sample = ground_sample ? *ground_sample : rules("digitised_sample_m");
    return std::max(std::hypot(sample, rules("range_error_m")), rules("min_tolerance_m"));
}

bool gated(const Facts& facts, const Rules& rules) {
    return Reasoning(facts, rules).stopped();
}

Judgement judge(const Facts& facts, const Rules& rules) {
    return Reasoning(facts, rules)();
}

}  // namespace shuibao::algorithms
