// SPDX-License-Identifier: Apache-2.0
#include "evidence_content.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Colour;
using algorithms::Figure;

constexpr Colour white{255, 255, 255}, black{20, 20, 20}, of_disturbance{255, 221, 0}, of_range{230, 40, 40};

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

std::vector<ScoreLine> score_of(const std::string& reasons, const PageWords& words) {
    std::vector<ScoreLine> lines;
    const auto list = nlohmann::json::parse(reasons, nullptr, false);
    if (!list.is_array()) return lines;
    const auto text = [](const nlohmann::json& j, const char* key) {
        return j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : std::string();
    };
    for (const auto& j : list) {
        ScoreLine line{text(j, "item"), text(j, "value"), "", text(j, "basis"), text(j, "source")};
        // The value of the first item begins with the code of the verdict; people read its official word.
        const auto code = line.value.substr(0, line.value.find(' '));
        const auto word =
            words.verdicts.sections.contains("verdicts") ? words.verdicts.text("verdicts", code) : code;
        if (word != code) line.value = word + line.value.substr(code.size());
        if (j.contains("points") && j["points"].is_number())
            line.points = fmt::format("{:g}", j["points"].get<double>());
        constexpr std::string_view ours = "project default";
        if (line.basis.starts_with(ours)) line.basis = "项目默认值" + line.basis.substr(ours.size());
        lines.push_back(std::move(line));
    }
    return lines;
}

double nice_length(double about) {
    const double unit = std::pow(10, std::floor(std::log10(about)));
    for (const double f : {5.0, 2.0, 1.0})
        if (f * unit <= about) return f * unit;
    return unit;
}

std::string length_text(double metres) {
    return metres >= 1000 ? fmt::format("{:g} km", metres / 1000) : fmt::format("{:g} m", metres);
}

// Dark under bright, so that a line is seen on any ground.
void outline(Figure& f, const io::Geometry& shape, const Bounds& frame, Colour colour, double width,
             bool dashed) {
    const double sx = f.width / (frame.max_x - frame.min_x), sy = f.height / (frame.max_y - frame.min_y);
    const auto ring = [&](const Ring& r) {
        std::vector<Point> points;
        for (const auto& p : r) points.push_back({(p.x - frame.min_x) * sx, (frame.max_y - p.y) * sy});
        f.parts.emplace_back(algorithms::FigureLine{points, black, width + 1.4, false});
        f.parts.emplace_back(algorithms::FigureLine{std::move(points), colour, width, dashed});
    };
    for (const auto& polygon : shape.polygons()) {
        ring(polygon.outer);
        for (const auto& hole : polygon.holes) ring(hole);
    }
}

void box(Figure& f, double x, double y, double w, double h, Colour c) {
    f.parts.emplace_back(algorithms::FigureArea{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}, c});
}

}  // namespace

std::string day_text(const io::VectorFeature& row, const std::string& field) {
    const auto value = field_of(row, field);
    const auto day = io::to_date(value);
    return day ? day->iso() : io::to_text(value);
}

EvidenceContent evidence_content(const io::VectorFeature& row, Point point, const PageWords& words) {
    EvidenceContent e;
    e.case_id = text_of(row, "case_id");
    e.batch = text_of(row, "batch");
    e.county = text_of(row, "county");
    e.rank = text_of(row, "rank");
    e.tier = text_of(row, "tier");
    e.tier_code = words.code_of("tiers", e.tier);
    e.action = text_of(row, "action");
    e.verdict = text_of(row, "verdict_zh");
    const auto code = text_of(row, "verdict");
    e.verdict_en = words.word("verdicts_en", code);
    if (const auto s = io::to_number(field_of(row, "severity"))) e.severity = fmt::format("{:g}", *s);
    e.tier_reason = text_of(row, "tier_reason");
    e.rule_set = text_of(row, "rule_set");
    e.score = score_of(text_of(row, "reasons"), words);
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
    if (const auto c = io::to_number(field_of(row, "confidence")))
        add("置信度", "confidence", fmt::format("{:.2f}", *c));
    const auto kind = text_of(row, "kind");
    add("变化方向", "kind", words.word("kinds", kind));
    add("影像判读类型", "looks like", text_of(row, "image_type_zh"));
    const auto change = text_of(row, "change_type");
    add("变化类型", "since the last batch", change);
    const auto township = text_of(row, "township");
    add("位置", "place", e.county + township);
    add("判定依据", "why", text_of(row, "why"));
    add("提示", "notices", text_of(row, "notices"));
    add("关联项目", "project", text_of(row, "approval_name"));
    add("批复编号", "approval", text_of(row, "approval_id"));
    add("批复时间", "approved", day_text(row, "approval_date"));
    add("建设单位", "owner", text_of(row, "owner"));
    add("项目类型", "type", text_of(row, "project_type"));
    if (code == "exceeds") add("占责任范围", "share", percent(row, "exceed_share"));
    add("敏感区", "zones", text_of(row, "zones"));
    add("坡度", "slope", [&] {
        const auto s = io::to_number(field_of(row, "slope_deg"));
        return s ? fmt::format("{:.0f}°", *s) : std::string();
    }());
    if (const auto intensity = text_of(row, "erosion_class"); !intensity.empty()) {
        const auto method = text_of(row, "erosion_method"), range = text_of(row, "erosion_range");
        add("土壤侵蚀强度", "erosion intensity",
            fmt::format("{}（{} t/(km²·a)，{}）", text_of(row, "erosion_zh"), range,
                        words.erosion.text("methods", method)),
            false,
            english(words.erosion.values("classes", intensity)) + ", " +
                english(words.erosion.values("methods", method)));
    }
    add("人工决定", "decided by people", text_of(row, "decided"));

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

Figure chip_outlines(const io::Geometry& shape, const std::vector<const io::Geometry*>& ranges,
                     const Bounds& frame, int cols, int rows) {
    Figure f;
    f.width = cols;
    f.height = rows;
    outline(f, shape, frame, of_disturbance, 2.2, false);
    for (const auto* range : ranges) outline(f, *range, frame, of_range, 1.8, true);
    // Scale bar: a round length of about a quarter of the frame.
    const double per_metre = cols / (frame.max_x - frame.min_x);
    const double length = nice_length((frame.max_x - frame.min_x) / 3.5), w = length * per_metre;
    const double x = 12, y = rows - 14.0;
    box(f, x - 5, y - 22, std::max(w, 40.0) + 10, 32, {255, 255, 255, 0.7});
    box(f, x, y - 1, w, 5, black);
    box(f, x + w / 2, y, w / 2 - 1, 3, white);
    f.parts.emplace_back(algorithms::FigureLabel{
        {x, y - 6}, length_text(length), "", 15, black, algorithms::Anchor::start, true});
    // North is up on every chip: the grid's, which is true north to some degrees.
    const double nx = cols - 20.0;
    box(f, nx - 13, 6, 26, 44, {255, 255, 255, 0.7});
    f.parts.emplace_back(algorithms::FigureArea{{{nx, 10}, {nx - 8, 32}, {nx, 27}}, black});
    f.parts.emplace_back(algorithms::FigureArea{{{nx, 10}, {nx + 8, 32}, {nx, 27}}, {150, 150, 150}});
    f.parts.emplace_back(
        algorithms::FigureLabel{{nx, 47}, "N", "", 15, black, algorithms::Anchor::middle, true});
    return f;
}

Figure locator_marks(const ChipPair& chips) {
    Figure f;
    if (!chips.locator) return f;
    f.width = chips.locator->cols;
    f.height = chips.locator->rows;
    const auto& b = chips.locator_frame;
    const double sx = f.width / (b.max_x - b.min_x), sy = f.height / (b.max_y - b.min_y);
    const double x0 = (chips.frame.min_x - b.min_x) * sx, x1 = (chips.frame.max_x - b.min_x) * sx,
                 y0 = (b.max_y - chips.frame.max_y) * sy, y1 = (b.max_y - chips.frame.min_y) * sy;
    const std::vector<Point> ring = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}};
    f.parts.emplace_back(algorithms::FigureLine{ring, black, 3.2, false});
    f.parts.emplace_back(algorithms::FigureLine{ring, of_disturbance, 1.8, false});
    const double length = nice_length((b.max_x - b.min_x) / 3.0), w = length * sx, y = f.height - 9.0;
    box(f, 4, y - 15, std::max(w, 32.0) + 8, 21, {255, 255, 255, 0.75});
    box(f, 8, y, w, 3, black);
    f.parts.emplace_back(algorithms::FigureLabel{
        {8, y - 3}, length_text(length), "", 11, black, algorithms::Anchor::start, true});
    return f;
}

}  // namespace shuibao::pipeline
