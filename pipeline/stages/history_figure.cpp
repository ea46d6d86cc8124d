// SPDX-License-Identifier: Apache-2.0
#include "history_figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <shuibao/core/ndvi.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Anchor;
using algorithms::Colour;
using algorithms::Figure;

constexpr double width = 1200, left = 78, right = 150, top = 112, gap = 44, footer = 92;
constexpr double series_height = 150, statistic_height = 190;
constexpr Colour ink{40, 44, 52}, faint{150, 156, 166}, grid_colour{228, 231, 236}, fit{31, 96, 170},
    band{31, 96, 170, 0.16}, onset_colour{214, 60, 40, 0.14}, statistic_colour{140, 30, 30},
    history_back{120, 130, 145, 0.08};

struct Named {
    const char *key, *chinese;
    Colour colour;
};
constexpr std::array<Named, 6> statuses = {{{"stable", "稳定", {190, 196, 204}},
                                            {"watch", "关注", {244, 200, 66}},
                                            {"suspected", "疑似", {240, 135, 40}},
                                            {"confirmed", "确认", {205, 40, 40}},
                                            {"reverted", "恢复", {70, 150, 80}},
                                            {"finished", "完工", {60, 90, 170}}}};
constexpr std::array<const char*, 4> masked_words = {"cloud", "shadow", "snow", "other"};
constexpr std::array<const char*, 4> masked_chinese = {"云", "影", "雪", "其他"};
constexpr std::array<Colour, 4> masked_colours = {
    {{170, 176, 186}, {70, 74, 84}, {90, 190, 230}, {215, 190, 150}}};

std::size_t masked_kind(Quality q) {
    switch (q) {
        case Quality::cloud:
        case Quality::cirrus:
            return 0;
        case Quality::shadow:
            return 1;
        case Quality::snow:
            return 2;
        default:
            return 3;
    }
}

const Named& status_of(const std::string& key) {
    const auto it =
        std::find_if(statuses.begin(), statuses.end(), [&](const Named& s) { return s.key == key; });
    return it == statuses.end() ? statuses.front() : *it;
}

std::string chinese_of(const std::string& feature) {
    if (feature == "NDVI") return "植被指数";
    if (feature == "BSI" || feature == "(R-G)/(R+G)") return "裸土指数";
    if (feature == "ln brightness") return "亮度对数";
    return {};
}
std::string chinese_of_level(const std::string& level) {
    if (level == "watch") return "关注";
    if (level == "suspect") return "疑似";
    if (level == "confirm") return "确认";
    if (level == "even_level" || level == "even odds") return "均等";
    return {};
}

// One panel: a range of values over the common time axis.
struct Panel {
    double y = 0, height = 0, low = 0, high = 1;
    Date from, to;

    [[nodiscard]] double x(Date d) const {
        return left +
               (width - left - right) * (d.days() - from.days()) / std::max(1, to.days() - from.days());
    }
    [[nodiscard]] double at(double v) const {
        return y + height - height * (std::clamp(v, low, high) - low) / (high - low);
    }
};

class Drawing {
  public:
    explicit Drawing(const PixelHistory& h) : m_history(h) {}

    Figure draw(const FigureWords& words) {
        m_from = m_history.looks.front().acquisition->date;
        m_to = m_history.looks.back().acquisition->date;
        const std::size_t panels = m_history.series ? m_history.series->features.size() : 1;
        m_figure.width = static_cast<int>(width);
        m_figure.title = words.place + ". " + words.decision;
        double y = top;
        label({left, 30}, words.place, "图斑像元历史", 17, ink, Anchor::start, true);
        label({left, 54}, words.decision, "判定", 14, ink);
        label({left, 76}, "A clue, not a finding of law.", "线索，非法律认定。", 11, faint);
        if (m_history.series) {
            for (std::size_t f = 0; f < panels; ++f) {
                feature_panel(f, y);
                y += series_height + gap;
            }
            statistic_panel(y);
            y += statistic_height;
        } else {
            band_panel(y);
            y += statistic_height + gap + 60;
            if (m_history.pair) pair_bar(y - 40);
        }
        legend(y + 54);
        m_figure.height = static_cast<int>(y + footer);
        return std::move(m_figure);
    }

  private:
    void label(Point at, std::string english, std::string chinese, double size, Colour colour,
               Anchor anchor = Anchor::start, bool bold = false) {
        m_figure.parts.emplace_back(
            algorithms::FigureLabel{at, std::move(english), std::move(chinese), size, colour, anchor, bold});
    }
    void line(std::vector<Point> points, Colour colour, double w = 1, bool dashed = false) {
        if (points.size() > 1)
            m_figure.parts.emplace_back(algorithms::FigureLine{std::move(points), colour, w, dashed});
    }
    void area(std::vector<Point> points, Colour colour) {
        if (points.size() > 2) m_figure.parts.emplace_back(algorithms::FigureArea{std::move(points), colour});
    }
    void box(double x0, double y0, double x1, double y1, Colour colour) {
        area({{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, colour);
    }
    void dot(Point at, double radius, Colour colour, bool filled = true) {
        m_figure.parts.emplace_back(algorithms::FigureDot{at, radius, colour, filled});
    }

    // Frame, years and months, value grid.
    void frame(const Panel& p, const std::string& name, const std::string& chinese, double step) {
        const double x1 = width - right;
        if (m_history.series) {
            const Date watched = m_history.series->times.monitor_from;
            box(left, p.y, p.x(watched), p.y + p.height, history_back);
            const auto& last = m_history.series->last;
            if (last.onset_from && last.onset_to)
                box(p.x(std::max(*last.onset_from, m_from)), p.y,
                    std::max(p.x(*last.onset_to), p.x(*last.onset_from) + 1.5), p.y + p.height, onset_colour);
        }
        for (double v = std::ceil(p.low / step - 1e-9) * step; v <= p.high + 1e-9; v += step) {
            line({{left, p.at(v)}, {x1, p.at(v)}}, grid_colour);
            label({left - 8, p.at(v) + 4},
                  fmt::format("{:.{}f}", std::abs(v) < step / 2 ? 0.0 : v, step < 1 ? 1 : 0), "", 11, faint,
                  Anchor::end);
        }
        bool named = false;
        const bool few_years = m_to.days() - m_from.days() < 800;
        for (int year = std::stoi(m_from.iso().substr(0, 4)); year <= std::stoi(m_to.iso().substr(0, 4));
             ++year)
            for (int month = 1; month <= 12; month += few_years ? 1 : 3) {
                const auto d = Date::parse(fmt::format("{}-{:02}-01", year, month));
                if (!d || *d < m_from || *d > m_to) continue;
                const bool first = month == 1;
                line({{p.x(*d), p.y}, {p.x(*d), p.y + p.height}}, first ? Colour{200, 204, 212} : grid_colour,
                     1);
                if (first || few_years)
                    label({p.x(*d), p.y + p.height + 15},
                          first    ? std::to_string(year)
                          : !named ? fmt::format("{}-{:02}", year, month)
                                   : fmt::format("{:02}", month),
                          "", 11, faint, Anchor::middle);
                named = true;
            }
        line({{left, p.y}, {x1, p.y}, {x1, p.y + p.height}, {left, p.y + p.height}, {left, p.y}}, faint);
        label({left, p.y - 8}, name, chinese, 13, ink, Anchor::start, true);
    }

    void feature_panel(std::size_t f, double y) {
        const auto& s = *m_history.series;
        Panel p{y, series_height, 1e9, -1e9, m_from, m_to};
        for (const auto& look : m_history.looks)
            if (f < look.features.size() && std::isfinite(look.features[f])) {
                p.low = std::min(p.low, look.features[f]);
                p.high = std::max(p.high, look.features[f]);
            }
        for (const auto& c : s.curve) {
            p.low = std::min(p.low, c.expected[f] - c.spread[f]);
            p.high = std::max(p.high, c.expected[f] + c.spread[f]);
        }
        if (p.low > p.high) p.low = 0, p.high = 1;
        p.low = std::floor(p.low * 5 - 0.25) / 5;
        p.high = std::ceil(p.high * 5 + 0.25) / 5;
        frame(p, s.features[f], chinese_of(s.features[f]), p.high - p.low > 1.6 ? 0.4 : 0.2);
        // Twice the spread of a prediction, and the expectation; broken where the model was learnt anew.
        for (std::size_t i = 0; i < s.curve.size();) {
            std::size_t j = i;
            std::vector<Point> upper, lower, middle;
            for (; j < s.curve.size() && s.curve[j].history == s.curve[i].history; ++j) {
                const auto& c = s.curve[j];
                const double x = p.x(c.date);
                upper.push_back({x, p.at(c.expected[f] + 2 * c.spread[f])});
                lower.push_back({x, p.at(c.expected[f] - 2 * c.spread[f])});
                middle.push_back({x, p.at(c.expected[f])});
            }
            const bool history = s.curve[i].history;
            upper.insert(upper.end(), lower.rbegin(), lower.rend());
            if (!history) area(std::move(upper), band);
            line(std::move(middle), fit, 1.4, history);
            i = j;
        }
        for (const auto& look : m_history.looks) {
            const double x = p.x(look.acquisition->date);
            if (f < look.features.size() && !std::isfinite(look.features[f]))
                continue;  // not told by this look
            if (f < look.features.size()) {
                const bool before = !look.account;
                dot({x, p.at(look.features[f])}, 2.6,
                    before ? Colour{110, 116, 126} : status_of(look.account->status).colour);
                dot({x, p.at(look.features[f])}, 2.6, ink, false);
            } else if (f == 0) {
                const double foot = p.y + p.height;
                line({{x, foot - 9}, {x, foot - 1}}, masked_colours[masked_kind(look.quality)], 1.6);
            }
        }
    }

    void statistic_panel(double y) {
        const auto& s = *m_history.series;
        Panel p{y, statistic_height, 0, s.levels.empty() ? 10 : s.levels.back().value * 1.25, m_from, m_to};
        for (const auto& look : m_history.looks)
            if (look.account) p.high = std::max(p.high, look.account->statistic * 1.05);
        frame(p, "S, cumulative log-likelihood ratio", "累积对数似然比", p.high > 24 ? 10 : 5);
        double above = 1e9;
        for (const auto& l : s.levels) {
            line({{left, p.at(l.value)}, {width - right, p.at(l.value)}}, faint, 1, true);
            const double at = std::min(p.at(l.value) + 4, above - 13);
            above = at;
            label({width - right + 6, at},
                  fmt::format("{} {:g}", l.name == "even_level" ? "even odds" : l.name, l.value),
                  chinese_of_level(l.name), 11, ink);
        }
        std::vector<Point> steps;
        double before = 0;
        const PixelLook* previous = nullptr;
        for (const auto& look : m_history.looks) {
            if (!look.account) continue;
            const double x = p.x(look.acquisition->date);
            if (previous != nullptr)
                box(p.x(previous->acquisition->date), p.y + p.height - 7, x, p.y + p.height - 1,
                    status_of(previous->account->status).colour);
            previous = &look;
            if (steps.empty()) steps.push_back({x, p.at(0)});
            steps.push_back({x, p.at(before)});
            before = look.account->statistic;
            steps.push_back({x, p.at(before)});
        }
        line(std::move(steps), statistic_colour, 1.8);
        for (const auto& look : m_history.looks)
            if (look.account && !look.features.empty())
                dot({p.x(look.acquisition->date), p.at(look.account->statistic)}, 2.2,
                    status_of(look.account->status).colour);
        double free_from = -1e9, level = 0;
        for (const auto& change : s.changes) {
            const double x = p.x(change.date);
            level = x < free_from ? level + 14 : 0;  // one below the other where they would overlap
            line({{x, p.y}, {x, p.y + p.height}}, status_of(change.to).colour, 1.2);
            if (level > 110) continue;
            const bool leftwards = x > width - right - 170;
            label({leftwards ? x - 4 : x + 4, p.y + 14 + level}, change.to + " " + change.date.iso(),
                  status_of(change.to).chinese, 10.5, ink, leftwards ? Anchor::end : Anchor::start);
            free_from = x + 170;
        }
    }

    // Between epochs there is no model of seasons: NDVI of the looks, coloured by epoch.
    void band_panel(double y) {
        Panel p{y, statistic_height, -0.2, 1, m_from, m_to};
        if (m_to <= m_from) p.to = Date(m_from.days() + 1);
        frame(p, "NDVI", "植被指数", 0.2);
        for (const auto& look : m_history.looks) {
            const auto& bands = look.acquisition->bands;
            const auto value = [&](Band b) -> double {
                const auto it = std::find(bands.begin(), bands.end(), b);
                return it == bands.end() ? 0 : look.values[static_cast<std::size_t>(it - bands.begin())];
            };
            const double x = p.x(look.acquisition->date);
            const double ndvi = ndvi_bands(bands) == std::vector{Band::ndvi}
                                    ? value(Band::ndvi)
                                    : ndvi_of(value(Band::red), value(Band::nir));
            if (!usable(look.quality) || std::isnan(ndvi)) {
                line({{x, y + statistic_height - 9}, {x, y + statistic_height - 1}},
                     masked_colours[masked_kind(look.quality)], 1.6);
                continue;
            }
            Colour c = faint;
            if (m_history.pair) {
                const auto in = [&](const std::vector<std::string>& keys) {
                    return std::find(keys.begin(), keys.end(), look.acquisition->key) != keys.end();
                };
                c = in(m_history.pair->before) ? fit : in(m_history.pair->after) ? statistic_colour : faint;
            }
            dot({x, p.at(ndvi)}, 4, c);
        }
    }

    void pair_bar(double y) {
        const auto& a = m_history.pair->account;
        if (!a.seen) {
            label({left, y}, "Not usable in both epochs: nothing is said of it.", "两期未同时有效观测", 13,
                  ink);
            return;
        }
        // Logarithmic: the decision is one of ratios.
        const double most = std::max(a.statistic, a.levels.back().value) * 1.6, least = 0.1;
        const auto x = [&](double v) {
            return left +
                   (width - left - right) * std::log(std::max(v, least) / least) / std::log(most / least);
        };
        box(left, y - 8, width - right, y + 8, {240, 242, 245});
        box(left, y - 8, x(a.statistic), y + 8,
            a.statistic >= a.levels.back().value ? statistic_colour : fit);
        for (const auto& l : a.levels) {
            line({{x(l.value), y - 13}, {x(l.value), y + 13}}, ink, 1.4);
            label({x(l.value), y + 27}, fmt::format("{} {:.3g}", l.name, l.value), chinese_of_level(l.name),
                  11, ink, Anchor::middle);
        }
        label({left, y - 16}, fmt::format("score / median of unchanged {}: {:.3g}", a.stratum, a.statistic),
              "与未变化地表之比", 13, ink, Anchor::start, true);
    }

    void legend(double y) {
        double x = left;
        const auto entry = [&](const std::string& english, const std::string& chinese, Colour colour,
                               bool tick) {
            if (tick)
                line({{x + 4, y - 9}, {x + 4, y - 1}}, colour, 2);
            else
                dot({x + 4, y - 5}, 4, colour);
            label({x + 13, y}, english, chinese, 11, ink);
            // A Chinese letter is as wide as the font is high.
            x +=
                30 + 6.6 * static_cast<double>(english.size()) + 11 * static_cast<double>(chinese.size()) / 3;
        };
        if (m_history.series) {
            entry("learnt from", "历史", {110, 116, 126}, false);
            for (const auto& s : statuses) entry(s.key, s.chinese, s.colour, false);
        } else {
            entry("before", "前期", fit, false);
            entry("after", "后期", statistic_colour, false);
            entry("not compared", "未用", faint, false);
        }
        for (std::size_t k = 0; k < masked_words.size(); ++k)
            entry(masked_words[k], masked_chinese[k], masked_colours[k], true);
        if (!m_history.series) return;
        y += 20;
        x = left;
        entry("expected +- 2 s.d.", "预测带", fit, true);
        entry("onset interval (90 %)", "发生区间", {214, 60, 40}, true);
        label({x, y}, "dashed: first model over its history", "虚线：首个模型", 11, faint);
    }

    const PixelHistory& m_history;
    Date m_from, m_to;
    Figure m_figure;
};

}  // namespace

Figure figure_of(const PixelHistory& history, const FigureWords& words) {
    return Drawing(history).draw(words);
}

}  // namespace shuibao::pipeline
