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

constexpr double width = 840, height = 166, left = 42, right = 12, foot = 24, row = 18, gap = 14;
constexpr double small = 13, large = 14;  // of type
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

const Named& state_of(const std::optional<algorithms::SeriesAccount>& account) {
    if (!account) return states[0];
    for (const auto& s : states)
        if (account->status == s.key) return s;
    return states[1];
}

// What the colours mean, behind the name of the figure, in as many rows as it takes. Gives where the plot
// begins.
class Legend {
  public:
    Legend(Figure& figure, const std::string& name) : m_figure(figure) {
        m_x = write(left, name, large, true) + 1.5 * gap;
    }
    void dot(const Named& state) {
        const double x = room(14, state.zh);
        m_figure.parts.emplace_back(algorithms::FigureDot{{x + 5, m_y - 5}, 4.5, state.colour, true});
        m_x = write(x + 14, state.zh, small, false) + gap;
    }
    void area(const char* zh, Colour colour) {
        const double x = room(19, zh), y = m_y - 12;
        m_figure.parts.emplace_back(
            algorithms::FigureArea{{{x, y}, {x + 14, y}, {x + 14, y + 14}, {x, y + 14}}, colour});
        m_x = write(x + 19, zh, small, false) + gap;
    }
    [[nodiscard]] double end() const { return m_y + 8; }

  private:
    double room(double mark, const char* zh) {
        if (m_x + mark + algorithms::label_width({{}, "", zh, small}) > width - right) {
            m_x = left;
            m_y += row;
        }
        return m_x;
    }
    double write(double x, const std::string& zh, double size, bool bold) {
        algorithms::FigureLabel label{{x, m_y}, "", zh, size, ink, Anchor::start, bold};
        const double end = x + algorithms::label_width(label);
        m_figure.parts.emplace_back(std::move(label));
        return end;
    }

    Figure& m_figure;
    double m_x = left, m_y = 18;
};

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
    const std::string name = "中心像元 " + s.features[0];
    f.title = fmt::format("{}，{} – {}", name, from.iso(), to.iso());
    Legend legend(f, name);
    for (const auto& state : states)
        if (std::any_of(h.looks.begin(), h.looks.end(), [&](const auto& look) {
                return !look.features.empty() && &state_of(look.account) == &state;
            }))
            legend.dot(state);
    const bool dated = s.last.onset_from && s.last.onset_to;
    if (dated) legend.area("发生区间", onset);
    const double top = legend.end();
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
    const auto label = [&](Point at, std::string text, Anchor a) {
        f.parts.emplace_back(algorithms::FigureLabel{at, std::move(text), "", small, faint, a, false});
    };
    const double base = height - foot;
    if (dated) {
        const double x0 = x(*s.last.onset_from), x1 = std::max(x(*s.last.onset_to), x0 + 3);
        f.parts.emplace_back(algorithms::FigureArea{{{x0, top}, {x1, top}, {x1, base}, {x0, base}}, onset});
    }
    for (double v = low; v <= high + 1e-9; v += high - low > 1 ? 0.4 : 0.2) {
        line({{left, y(v)}, {width - right, y(v)}}, grid, 1);
        label({left - 6, y(v) + 5}, fmt::format("{:.1f}", std::abs(v) < 0.05 ? 0.0 : v), Anchor::end);
    }
    for (int year = std::stoi(from.iso().substr(0, 4)); year <= std::stoi(to.iso().substr(0, 4)); ++year) {
        const auto first = Date::parse(fmt::format("{}-01-01", year));
        if (!first || *first < from || *first > to) continue;
        line({{x(*first), top}, {x(*first), base}}, {200, 204, 212}, 1);
        const algorithms::FigureLabel told{{x(*first), base + 19}, std::to_string(year), "", small, faint,
                                           Anchor::middle};
        if (told.at.x + algorithms::label_width(told) / 2 <= width) f.parts.emplace_back(told);
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
                {x(look.acquisition->date), y(look.features[0])}, 4, state_of(look.account).colour, true});
    return f;
}

}  // namespace shuibao::pipeline
