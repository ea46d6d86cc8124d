// SPDX-License-Identifier: Apache-2.0
#include "series_figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace shuibao::pipeline {
namespace {

using algorithms::Anchor;
using algorithms::Colour;
using algorithms::Figure;

constexpr double width = 1050, height = 236, left = 46, right = 14, top = 30, foot = 26;
constexpr Colour ink{40, 44, 52}, faint{140, 146, 156}, grid{228, 231, 236}, fit{31, 96, 170},
    spread{31, 96, 170, 0.2}, onset{214, 60, 40, 0.2};

struct Named {
    const char *key, *zh;
    Colour colour;
};
constexpr std::array<Named, 7> states = {{{"", "历史", {110, 116, 126}},
                                          {"stable", "稳定", {150, 190, 150}},
                                          {"watch", "关注", {244, 200, 66}},
                                          {"suspected", "疑似", {240, 135, 40}},
                                          {"confirmed", "确认", {205, 40, 40}},
                                          {"reverted", "恢复", {70, 150, 80}},
                                          {"finished", "完工", {60, 90, 170}}}};

Colour colour_of(const std::optional<algorithms::SeriesAccount>& account) {
    if (!account) return states[0].colour;
    for (const auto& s : states)
        if (account->status == s.key) return s.colour;
    return states[1].colour;
}

}  // namespace

std::optional<Figure> series_figure(const PixelHistory& h) {
    if (!h.series || h.looks.empty() || h.series->features.empty()) return std::nullopt;
    const auto& s = *h.series;
    const Date from = h.looks.front().acquisition->date, to = h.looks.back().acquisition->date;
    double low = 1e9, high = -1e9;
    for (const auto& look : h.looks)
        if (!look.features.empty()) {
            low = std::min(low, look.features[0]);
            high = std::max(high, look.features[0]);
        }
    for (const auto& c : s.curve) {
        low = std::min(low, c.expected[0] - c.spread[0]);
        high = std::max(high, c.expected[0] + c.spread[0]);
    }
    if (low > high || to <= from) return std::nullopt;
    low = std::floor(low * 5 - 0.1) / 5;
    high = std::ceil(high * 5 + 0.1) / 5;
    Figure f;
    f.width = static_cast<int>(width);
    f.height = static_cast<int>(height);
    f.title = s.features[0] + " " + from.iso() + " – " + to.iso();
    const auto x = [&](Date d) {
        return left + (width - left - right) *
                          std::clamp(d.days() - from.days(), 0, to.days() - from.days()) /
                          (to.days() - from.days());
    };
    const auto y = [&](double v) {
        return top + (height - top - foot) * (high - std::clamp(v, low, high)) / (high - low);
    };
    const auto line = [&](std::vector<Point> p, Colour c, double w, bool dashed = false) {
        if (p.size() > 1) f.parts.emplace_back(algorithms::FigureLine{std::move(p), c, w, dashed});
    };
    const auto label = [&](Point at, std::string zh, std::string en, double size, Colour c, Anchor a,
                           bool bold) {
        f.parts.emplace_back(algorithms::FigureLabel{at, std::move(en), std::move(zh), size, c, a, bold});
    };
    const double base = height - foot;
    if (s.last.onset_from && s.last.onset_to) {
        const double x0 = x(*s.last.onset_from), x1 = std::max(x(*s.last.onset_to), x0 + 3);
        f.parts.emplace_back(algorithms::FigureArea{{{x0, top}, {x1, top}, {x1, base}, {x0, base}}, onset});
    }
    for (double v = low; v <= high + 1e-9; v += high - low > 1 ? 0.4 : 0.2) {
        line({{left, y(v)}, {width - right, y(v)}}, grid, 1);
        label({left - 6, y(v) + 5}, "", fmt::format("{:.1f}", std::abs(v) < 0.05 ? 0.0 : v), 14, faint,
              Anchor::end, false);
    }
    for (int year = std::stoi(from.iso().substr(0, 4)); year <= std::stoi(to.iso().substr(0, 4)); ++year) {
        const auto first = Date::parse(fmt::format("{}-01-01", year));
        if (!first || *first < from || *first > to) continue;
        line({{x(*first), top}, {x(*first), base}}, {200, 204, 212}, 1);
        label({x(*first), base + 17}, "", std::to_string(year), 14, faint, Anchor::middle, false);
    }
    line({{left, base}, {width - right, base}}, faint, 1);
    for (std::size_t i = 0; i < s.curve.size();) {
        std::vector<Point> upper, lower, middle;
        std::size_t j = i;
        for (; j < s.curve.size() && s.curve[j].history == s.curve[i].history; ++j) {
            const auto& c = s.curve[j];
            upper.push_back({x(c.date), y(c.expected[0] + 2 * c.spread[0])});
            lower.push_back({x(c.date), y(c.expected[0] - 2 * c.spread[0])});
            middle.push_back({x(c.date), y(c.expected[0])});
        }
        upper.insert(upper.end(), lower.rbegin(), lower.rend());
        if (!s.curve[i].history && upper.size() > 2)
            f.parts.emplace_back(algorithms::FigureArea{std::move(upper), spread});
        line(std::move(middle), fit, 1.6, s.curve[i].history);
        i = j;
    }
    for (const auto& look : h.looks)
        if (!look.features.empty())
            f.parts.emplace_back(algorithms::FigureDot{
                {x(look.acquisition->date), y(look.features[0])}, 4, colour_of(look.account), true});
    label({left, 18}, "中心像元", s.features[0] + ", middle pixel", 15, ink, Anchor::start, true);
    double at = left + 190;
    for (const auto& state : states) {
        f.parts.emplace_back(algorithms::FigureDot{{at, 13}, 4.5, state.colour, true});
        label({at + 9, 18}, state.zh, state.key[0] == 0 ? "history" : state.key, 13, ink, Anchor::start,
              false);
        at += 115;
    }
    f.parts.emplace_back(algorithms::FigureArea{{{at, 6}, {at + 14, 6}, {at + 14, 20}, {at, 20}}, onset});
    label({at + 19, 18}, "发生区间", "onset", 13, ink, Anchor::start, false);
    return f;
}

}  // namespace shuibao::pipeline
