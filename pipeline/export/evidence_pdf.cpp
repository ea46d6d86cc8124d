// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "evidence_content.hpp"
#include "figure_page.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline {
namespace {

using io::Align;
using io::Ink;
using io::TextStyle;

// A4 in points.
constexpr double page_width = 595.28, page_height = 841.89, left = 34, top = 28, right = page_width - left,
                 bottom = page_height - 24, width = right - left, gap = 7;
constexpr Ink ink{0.11, 0.14, 0.19}, faint{0.4, 0.44, 0.52}, rule{0.82, 0.84, 0.87}, accent{0.12, 0.37, 0.67},
    pale{0.95, 0.96, 0.97};

Ink tier_ink(const PageWords& words, const std::string& code) {
    const auto rgb = words.colours[code];
    return {(rgb >> 16U) / 255.0, (rgb >> 8U & 0xFFU) / 255.0, (rgb & 0xFFU) / 255.0};
}

// One page, its parts from top to bottom. Every part gives its height; with `draw` off it only measures, so
// that the pictures can take what the words leave.
class Sheet {
  public:
    Sheet(io::PageFile& page, const EvidenceContent& content, const PageWords& words)
        : m_page(page), m(content), m_words(words) {}

    void draw() {
        double y = top;
        y += header(y) + gap;
        y += strong(y) + gap;
        const double foot = footer(0, false), asked = form(0, false), told = two(0, false),
                     scored = score(0, false), known = facts(0, false);
        const double room = bottom - y - foot - asked - told - scored - known - 5 * gap;
        const double shown = pictures(y, room);
        // What the pictures leave is room to write.
        m_spread = std::clamp((room - shown) / std::max(1.0, m_lines), 0.0, 7.0);
        y += shown + gap;
        y += facts(y, true) + gap;
        y += score(y, true) + gap;
        two(y, true);
        y = bottom - foot;
        footer(y, true);
        form(y - gap - asked - m_spread * m_lines, true);
    }

  private:
    // Chinese, then English smaller and fainter, on one line. Gives its width.
    double both(double x, double y, const std::string& zh, const std::string& en, double size, bool bold,
                Ink colour = ink, double most = width) {
        m_page.text({x, y}, 0, zh, {size, colour, bold, Align::left, 0});
        const double w = m_page.text_width(zh, {size, colour, bold});
        const TextStyle style{size * 0.68, faint, false, Align::left, 1};
        const double more = m_page.text_width(en, style);
        if (en.empty() || w + 3 + more > most) return w;  // what would be cut says nothing
        m_page.text({x + w + 3, y + size * 0.32}, most - w - 3, en, style);
        return w + 3 + more;
    }
    double heading(double y, double x, const std::string& zh, const std::string& en, bool draw,
                   double most = width) {
        if (draw) {
            m_page.box(x, y + 1.5, 2.5, 9, accent);
            both(x + 6, y, zh, en, 8.6, true, ink, most - 6);
        }
        return 13.5;
    }
    void across(double y, Ink colour = rule, double w = 0.5) {
        const std::array<Point, 2> ends = {{{left, y}, {right, y}}};
        m_page.line(ends, colour, w);
    }

    double header(double y) {
        const double badge = 42, qr = 70, x = left + badge + 11, room = width - badge - qr - 30;
        m_page.box(left, y + 2, badge, badge, tier_ink(m_words, m.tier_code));
        m_page.text({left, y + 5}, badge, m.tier, {25, {1, 1, 1}, true, Align::centre, 1});
        m_page.text({left, y + badge + 3}, badge, m_words.word("tiers_en", m.tier_code),
                    {6.5, faint, false, Align::centre, 1});
        both(x, y - 1, "扰动图斑复核单", "evidence for a field check", 15, true, ink, room);
        m_page.text({x, y + 21}, room, fmt::format("{}　·　期次 {}　·　序号 {}", m.case_id, m.batch, m.rank),
                    {9.5, ink, true, Align::left, 1});
        both(x, y + 35, m.verdict, m.verdict_en, 13, true, tier_ink(m_words, m.tier_code), room);
        m_page.text({x, y + 54}, room, m.action, {8.5, ink, false, Align::left, 1});
        const double side = qr / (m.code.size + 8), qx = right - qr + 4 * side, qy = y - 2 + 4 * side;
        for (int r = 0; r < m.code.size; ++r)
            for (int c = 0; c < m.code.size;) {
                int n = 0;
                while (c + n < m.code.size && m.code.dark[static_cast<std::size_t>(r * m.code.size + c + n)])
                    ++n;
                if (n > 0) m_page.box(qx + c * side, qy + r * side, n * side, side, {0, 0, 0});
                c += n + 1;
            }
        m_page.text({right - qr - 14, y + qr - 5}, qr + 14, fmt::format("{}°N {}°E", m.latitude, m.longitude),
                    {6.2, ink, true, Align::right, 1});
        m_page.text({right - qr - 14, y + qr + 3}, qr + 14, "CGCS2000", {5.8, faint, false, Align::right, 1});
        return 77;
    }

    double strong(double y) {
        std::vector<const EvidenceFact*> list;
        for (const auto& f : m.facts)
            if (f.strong) list.push_back(&f);
        if (list.empty()) return 0;
        const double w =
            (width - gap * static_cast<double>(list.size() - 1)) / static_cast<double>(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            const double x = left + static_cast<double>(i) * (w + gap);
            m_page.box(x, y, w, 32, pale);
            both(x + 7, y + 3, list[i]->zh, list[i]->en, 7.5, false, faint, w - 12);
            m_page.text({x + 7, y + 13}, w - 12, list[i]->value, {11.5, ink, true, Align::left, 1});
        }
        return 32;
    }

    void chip(const Chip& c, const algorithms::Figure* over, double x, double y, double side,
              const std::string& zh, const std::string& en) {
        const double h = side * c.rows / c.cols;
        m_page.picture(c.jpeg, c.cols, c.rows, x, y, side, h);
        if (over != nullptr) {
            m_page.clip(x, y, side, h);
            draw_figure(m_page, *over, x, y, side / over->width);
            m_page.unclip();
        }
        // The sensor before English: it is part of the evidence.
        const auto when = fmt::format("{} {}", zh, c.date.iso()), whole = when + " · " + c.sensor;
        const bool fits = m_page.text_width(whole, {7.6, ink, true}) <= side;
        both(x, y + h + 1.5, fits ? whole : when, en, 7.6, true, ink, side);
    }

    double pictures(double y, double room) {
        const auto& c = m.chips;
        if (!c.before && !c.after) {
            if (m.series) return series(y, room);
            both(left, y, "存储中没有该处的可用影像", "the store holds no usable image of this place", 8.5,
                 true);
            return 14;
        }
        constexpr double captions = 23;
        const double curve = m.series ? std::min(118.0, width * m.series->height / m.series->width) : 0;
        const double third = (width - 2 * gap) / 3, large = 0.39 * width;
        const double side = std::clamp(room - captions - (curve > 0 ? curve + gap : 0), 80.0, large);
        // The two to compare are as large as can be; the locator takes what they leave.
        const double small = std::min(width - 2 * side - 2 * gap, std::max(side, third));
        const double x1 = left, x2 = x1 + side + gap, x3 = right - std::min(small, side);
        const auto* over = m.outlines ? &*m.outlines : nullptr;
        if (c.before)
            chip(*c.before, over, x1, y, side, "前期", "before");
        else
            missing(x1, y, side, "前期无可用影像", "no usable image before");
        if (c.after)
            chip(*c.after, over, x2, y, side, "后期", "after");
        else
            missing(x2, y, side, "后期无可用影像", "no usable image after");
        if (c.locator)
            chip(*c.locator, m.locator_marks ? &*m.locator_marks : nullptr, x3, y, right - x3, "位置",
                 "where it lies");
        key(y + side + 13);
        double used = side + captions;
        if (curve > 0) used += gap + series(y + used + gap, curve);
        return used;
    }
    void missing(double x, double y, double side, const std::string& zh, const std::string& en) {
        m_page.box(x, y, side, side, pale);
        m_page.text({x, y + side / 2 - 8}, side, zh, {8, faint, true, Align::centre, 2});
        m_page.text({x, y + side / 2 + 3}, side, en, {6, faint, false, Align::centre, 2});
    }
    void key(double y) {
        const auto& c = m.chips;
        const auto stroke = [&](double x, Ink colour, bool dashed) {
            const std::array<Point, 2> ends = {{{x, y + 4.5}, {x + 15, y + 4.5}}};
            m_page.line(ends, colour, 1.8, dashed);
        };
        stroke(left, {0.88, 0.72, 0}, false);
        double x = left + 18;
        x += both(x, y, "扰动图斑", "disturbance", 7, false) + 8;
        stroke(x, {0.9, 0.16, 0.16}, true);
        x += 18;
        x += both(x, y, "防治责任范围", "approved range", 7, false) + 10;
        both(x, y,
             fmt::format("两期同比例、同拉伸，{}，像元 {:g} m{}",
                         c.natural ? "真彩色"
                         : c.grey  ? "灰度"
                                   : "近红外假彩色",
                         c.gsd, c.whole ? "" : "；图斑超出画幅"),
             fmt::format("one scale and stretch, {}", c.natural ? "true colour"
                                                      : c.grey  ? "grey"
                                                                : "near infrared shown red"),
             7, false, ink, right - x);
    }
    double series(double y, double room) {
        const double scale = std::min(width / m.series->width, room / m.series->height);
        draw_figure(m_page, *m.series, left + (width - scale * m.series->width) / 2, y, scale);
        return scale * m.series->height;
    }

    double facts(double y, bool draw) {
        std::vector<const EvidenceFact*> list;
        for (const auto& f : m.facts)
            if (!f.strong) list.push_back(&f);
        constexpr double columns = 3, line = 11.5, label = 58;
        const double w = (width - (columns - 1) * 10) / columns;
        const double start = y;
        // Long texts take a line of their own.
        std::size_t column = 0;
        for (const auto* f : list) {
            const TextStyle style{7.8, ink, false, Align::left, 1};
            const bool wide = m_page.text_width(f->value, style) > w - label - 4;
            if (wide && column > 0) {
                column = 0;
                y += line;
            }
            const double x = left + static_cast<double>(column) * (w + 10);
            if (draw) {
                both(x, y, f->zh, f->en, 7.2, false, faint, label);
                m_page.text({x + label + 2, y - 0.5}, (wide ? width : w) - label - 2,
                            f->value + (f->value_en.empty() ? "" : " " + f->value_en), style);
            }
            if (wide || ++column == static_cast<std::size_t>(columns)) {
                column = 0;
                y += line;
            }
        }
        return y + (column > 0 ? line : 0) - start;
    }

    double score(double y, bool draw) {
        const double start = y;
        y += heading(y, left, "为什么在名单上", "why it is on the list", draw);
        constexpr double item = 66, value = 146, points = 30, source = 132;
        const double basis = width - item - value - points - source - 12, line = 10.6;
        const auto cell = [&](double x, double w, const std::string& text, bool bold = false,
                              Align align = Align::left) {
            if (draw) m_page.text({x, y}, w, text, {7.3, ink, bold, align, 1});
        };
        const auto row = [&](const ScoreLine& s, bool bold) {
            double x = left;
            cell(x, item, s.item, bold);
            cell(x += item + 3, value, s.value, bold);
            cell(x += value + 3, points, s.points, true, Align::right);
            cell(x += points + 6, basis, s.basis);
            cell(x += basis + 3, source - 3, s.source);
            y += line;
        };
        constexpr std::size_t most = 9;
        for (std::size_t i = 0; i < std::min(most, m.score.size()); ++i) row(m.score[i], false);
        if (draw) across(y + 0.5);
        y += 1.5;
        row({"严重度", m.tier_reason, m.severity, "规则集 " + m.rule_set, ""}, true);
        return y - start;
    }

    double two(double y, bool draw) {
        const double start = y, half = (width - 14) / 2, other = left + half + 14;
        heading(y, left, "可能涉及的条款", "article that may be concerned", draw, half);
        heading(y, other, "影像看不出", "what no image shows", draw, half);
        double a = y + 13.5, b = a;
        const TextStyle zh{7.5, ink, false, Align::left, 2}, en{6, faint, false, Align::left, 2};
        const auto put = [&](double x, double& at, const std::string& text, const TextStyle& style) {
            at += 0.5 +
                  (draw ? m_page.text({x, at}, half, text, style) : m_page.text_height(half, text, style));
        };
        if (m.articles.empty()) put(left, a, "无：未作任何认定", zh);
        for (std::size_t i = 0; i < std::min<std::size_t>(3, m.articles.size()); ++i)
            put(left, a, m.articles[i], zh);
        for (std::size_t i = 0; i < std::min<std::size_t>(1, m.articles_en.size()); ++i)
            put(left, a, m.articles_en[i], en);
        std::string limits, limits_en;
        if (const auto it = m_words.pages.sections.find("limits"); it != m_words.pages.sections.end())
            for (const auto& [key, limit] : it->second) {
                limits += (limits.empty() ? "" : "；") + (limit.empty() ? key : limit.front());
                if (limit.size() > 1) limits_en += (limits_en.empty() ? "" : "; ") + limit[1];
            }
        put(other, b, limits, {7.5, ink, false, Align::left, 3});
        put(other, b, limits_en, {6, faint, false, Align::left, 3});
        return std::max(a, b) - start;
    }

    double form(double y, bool draw) {
        const double start = y;
        y += heading(y, left, "现场复核", "field check: tick and write", draw);
        constexpr double question = 158, line = 14.6;
        m_lines = 0;
        if (const auto it = m_words.pages.sections.find("form"); it != m_words.pages.sections.end())
            for (const auto& [asked, choices] : it->second) {
                const double height = line + (draw ? m_spread : 0);
                if (draw) {
                    across(y);
                    both(left + 2, y + 2.2, asked, choices.empty() ? "" : choices.front(), 7.6, true, ink,
                         question);
                }
                const int lines = answers(left + question + 6, y, height, choices, draw);
                y += height * lines;
                m_lines += lines;
            }
        if (draw) across(y);
        return y - start;
    }
    // Gives the number of lines that the answers take.
    int answers(double from, double y, double height, const std::vector<std::string>& choices, bool draw) {
        int lines = 1;
        double x = from;
        for (std::size_t i = 1; i < choices.size(); ++i) {
            const bool write = choices[i].ends_with("_");
            const auto text = write ? choices[i].substr(0, choices[i].size() - 1) : choices[i];
            const TextStyle style{7.8, ink};
            const double needs = m_page.text_width(text, style) + (write ? 0 : 10);
            if (x > from && x + needs > right) {
                x = from;
                y += height;
                ++lines;
            }
            if (draw) {
                if (!write) {
                    const std::array<Point, 5> tick = {
                        {{x, y + 4}, {x + 7, y + 4}, {x + 7, y + 11}, {x, y + 11}, {x, y + 4}}};
                    m_page.line(tick, ink, 0.7);
                }
                m_page.text({x + (write ? 0 : 10), y + 2}, 0, text, style);
            }
            x += needs + 11;
            if (write) break;  // the rest of the line is for the hand
        }
        return lines;
    }

    double footer(double y, bool draw) {
        constexpr double height = 20;
        if (!draw) return height;
        across(y + 1, ink, 1);
        m_page.text({left, y + 4}, width, m_words.disclaimer(false), {7.6, ink, true, Align::left, 1});
        m_page.text({left, y + 14}, width, m_words.disclaimer(true), {6, faint, false, Align::left, 1});
        return height;
    }

    io::PageFile& m_page;
    const EvidenceContent& m;
    const PageWords& m_words;
    double m_lines = 0, m_spread = 0;  // of the form: lines, and points that each may be higher
};

Date day_of_batch(const std::string& batch) {
    return Date::parse(batch + "01").value_or(Date());
}

}  // namespace

void write_evidence_pdf(const std::filesystem::path& path, const EvidenceContent& content,
                        const PageWords& words) {
    io::PageFile page(path, page_width, page_height,
                      {content.case_id + " " + content.verdict, words.disclaimer(false), "shuibao",
                       day_of_batch(content.batch)});
    Sheet(page, content, words).draw();
    page.finish();
}

}  // namespace shuibao::pipeline
