// SPDX-License-Identifier: Apache-2.0
#include "evidence_content.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "rules.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

std::string hectares(const io::VectorFeature& row, const char* field) {
    const auto v = io::to_number(field_of(row, field));
    return v ? fmt::format("{:.2f} hm²", *v / 1e4) : std::string();
}

std::string percent(const io::VectorFeature& row, const char* field) {
    const auto v = io::to_number(field_of(row, field));
    return v ? fmt::format("{:.0f} %", *v * 100) : std::string();
}

std::string english(const std::vector<std::string>& words) {
    return words.size() > 1 ? words[1] : std::string();
}

// `verdict` is what stands over the page.
std::vector<ScoreLine> score_of(const std::string& reasons, const std::string& verdict,
                                const PageWords& words) {
    std::vector<ScoreLine> lines;
    const auto list = nlohmann::json::parse(reasons, nullptr, false);
    if (!list.is_array()) return lines;
    const auto text = [](const nlohmann::json& j, const char* key) {
        return j.contains(key) && j[key].is_string() ? plain_text(j[key].get<std::string>()) : std::string();
    };
    for (const auto& j : list) {
        ScoreLine line{text(j, "item"), text(j, "value"), "", text(j, "basis"), text(j, "source")};
        // The value of the first item begins with the code of the verdict; people read its official word.
        const auto code = line.value.substr(0, line.value.find(' '));
        const auto word =
            words.verdicts.sections.contains("verdicts") ? words.verdicts.text("verdicts", code) : code;
        if (word != code) line.value = verdict + line.value.substr(code.size());
        if (j.contains("points") && j["points"].is_number())
            line.points = fmt::format("{:g}", j["points"].get<double>());
        constexpr std::string_view ours = "project default";
        if (line.basis.starts_with(ours)) line.basis = "项目默认值" + line.basis.substr(ours.size());
        lines.push_back(std::move(line));
    }
    return lines;
}

// Visits with what they found, and why there is another.
std::string checks_text(const CasePast& past) {
    std::string text;
    for (const auto& c : past.checks)
        text += fmt::format("{}{} {}：{}（当时 {:.2f} hm²）", text.empty() ? "" : "；", c.day.iso(),
                            plain_text(c.by), plain_text(c.finding), c.area / 1e4);
    if (past.disputed) text += "；复核意见不一致，待再次复核";
    if (past.relisted) text += "；面积扩大，重新列入";
    return text;
}

}  // namespace

std::string plain_of(const io::VectorFeature& row, const std::string& field) {
    return plain_text(text_of(row, field));
}

VerdictWords verdict_words(const io::VectorFeature& row, const PageWords& words) {
    const auto code = plain_of(row, "verdict"), found = plain_of(row, "confirmed");
    if (found.empty() || code == "compliant")
        return {code, plain_of(row, "verdict_zh"), words.word("verdicts_en", code)};
    return {"confirmed", words.word("decided", "confirmed") + "：" + found,
            words.word("decided", "confirmed", 1) + ": " + words.word("confirmed_en", code)};
}

std::string measured_text(const io::VectorFeature& row, const char* field, const CasePast* past) {
    if (past != nullptr && past->measured != plain_of(row, "verdict")) return {};
    return plain_of(row, field);
}

bool overdue(const io::VectorFeature& row, Date today) {
    const auto due = io::to_date(field_of(row, "due"));
    return due && *due < today;
}

std::string due_text(const io::VectorFeature& row, Date today) {
    return day_text(row, "due") + (overdue(row, today) ? "（已逾期）" : "");
}

std::string day_text(const io::VectorFeature& row, const std::string& field) {
    const auto value = field_of(row, field);
    const auto day = io::to_date(value);
    return day ? day->iso() : plain_text(io::to_text(value));
}

EvidenceContent evidence_content(const io::VectorFeature& row, Point point, const CasePast* past,
                                 const PageWords& words) {
    EvidenceContent e;
    e.case_id = plain_of(row, "case_id");
    e.batch = plain_of(row, "batch");
    e.county = plain_of(row, "county");
    e.rank = plain_of(row, "rank");
    e.tier = plain_of(row, "tier");
    e.tier_code = words.code_of("tiers", e.tier);
    e.action = plain_of(row, "action");
    const auto code = plain_of(row, "verdict");
    const auto verdict = verdict_words(row, words);
    e.verdict = verdict.zh;
    e.verdict_en = verdict.en;
    if (const auto s = io::to_number(field_of(row, "severity"))) e.severity = fmt::format("{:g}", *s);
    e.tier_reason = plain_of(row, "tier_reason");
    e.rule_set = plain_of(row, "rule_set");
    e.score = score_of(plain_of(row, "reasons"), e.verdict, words);
    e.longitude = fmt::format("{:.6f}", point.x);
    e.latitude = fmt::format("{:.6f}", point.y);
    e.geo = fmt::format("geo:{},{}", e.latitude, e.longitude);
    e.code = io::qr_code(e.geo);

    const auto add = [&](std::string zh, std::string en, std::string value, bool strong = false,
                         std::string value_en = {}) {
        if (!value.empty())
            e.facts.push_back({std::move(zh), std::move(en), std::move(value), std::move(value_en), strong});
    };
    const auto from = day_text(row, "onset_from"), to = day_text(row, "onset_to");
    add("扰动面积", "disturbed area", hectares(row, "area_m2"), true);
    if (code == "exceeds")
        add("超出范围面积", "beyond the range", hectares(row, "outside_tolerant_m2"), true);
    add("发生区间", "onset, last seen before – first seen after",
        from.empty() && to.empty() ? "" : (from.empty() ? "…" : from) + " – " + (to.empty() ? "…" : to),
        true);
    add("办理期限", "due", due_text(row, end_of_batch(e.batch)), true);
    add("办理状态", "state of the case", plain_of(row, "state"));
    if (const auto c = io::to_number(field_of(row, "confidence")))
        add("置信度", "confidence", fmt::format("{:.2f}", *c));
    const auto kind = plain_of(row, "kind");
    add("变化方向", "kind", words.word("kinds", kind));
    add("影像判读类型", "looks like", plain_of(row, "image_type_zh"));
    const auto change = plain_of(row, "change_type");
    add("变化类型", "since the last batch", change);
    const auto township = plain_of(row, "township");
    add("位置", "place", e.county + township);
    if (past != nullptr) add("历次复核", "earlier field checks", checks_text(*past));
    add("判定依据", "why", measured_text(row, "why", past));
    add("提示", "notices", measured_text(row, "notices", past));
    add("关联项目", "project", plain_of(row, "approval_name"));
    add("批复编号", "approval", plain_of(row, "approval_id"));
    add("批复时间", "approved", day_text(row, "approval_date"));
    add("建设单位", "owner", plain_of(row, "owner"));
    add("项目类型", "type", plain_of(row, "project_type"));
    if (code == "exceeds") add("占责任范围", "share", percent(row, "exceed_share"));
    add("敏感区", "zones", plain_of(row, "zones"));
    add("坡度", "slope", [&] {
        const auto s = io::to_number(field_of(row, "slope_deg"));
        return s ? fmt::format("{:.0f}°", *s) : std::string();
    }());
    if (const auto intensity = plain_of(row, "erosion_class"); !intensity.empty()) {
        const auto method = plain_of(row, "erosion_method"), range = plain_of(row, "erosion_range");
        add("土壤侵蚀强度", "erosion intensity",
            fmt::format("{}（{} t/(km²·a)，{}）", plain_of(row, "erosion_zh"), range,
                        words.erosion.text("methods", method)),
            false,
            english(words.erosion.values("classes", intensity)) + ", " +
                english(words.erosion.values("methods", method)));
    }
    add("人工决定", "decided by people", plain_of(row, "decided"));

    const auto of_then = code + "@" + e.rule_set;  // the law of the day on which it was first seen
    const auto key = words.word("articles", of_then).empty() ? code : of_then;
    if (const auto article = words.word("articles", key); !article.empty()) {
        e.articles.push_back(article + "：" + words.word("articles", key, 1));
        e.articles_en.push_back(words.word("articles", key, 2));
    }
    for (const auto& line : e.score)
        if (const auto at = line.basis.find("; "); at != std::string::npos && line.item.starts_with("敏感区"))
            e.articles.push_back(line.value + "：" + line.basis.substr(at + 2));
    return e;
}

}  // namespace shuibao::pipeline
