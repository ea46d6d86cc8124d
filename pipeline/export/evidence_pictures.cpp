// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "evidence_paper.hpp"
#include "figure_page.hpp"
#include "paper_pen.hpp"

namespace shuibao::pipeline::paper {
namespace {

using io::Align;
using io::Ink;

constexpr double caption = 12, key_line = 11, type = 7.4;
constexpr double key_column = 84;  // what the words of the key need beside the pictures

class Pictures {
  public:
    Pictures(io::PageFile& page, const EvidenceContent& content) : m_page(page), m(content) {}

    double draw(double y, double room) {
        const auto& c = m.chips;
        const double note = m.series_note.empty() ? 0 : 11;
        double used = 0;
        if (!c.before && !c.after) {
            if (!m.series) {
                m_page.text({sheet_left, y}, 0, "存储中没有该处的可用影像", {8.5, ink, true});
                return 14 + told(y + 14);
            }
            return series(y, room - note);
        }
        const double curve = m.series ? std::min(112.0, sheet_width * m.series->height / m.series->width) : 0;
        const double third = (sheet_width - 2 * sheet_gap) / 3, large = 0.39 * sheet_width;
        const double below = caption + note + (curve > 0 ? curve + sheet_gap : 0);
        // The two to compare are as large as can be; the locator takes what they leave, and the key what that
        // leaves, or a line below them.
        double side = std::clamp(room - below, 80.0, large);
        const bool column = 3 * side + 2 * sheet_gap + 10 + key_column <= sheet_width;
        if (!column) side = std::clamp(room - below - key_line, 80.0, large);
        const double left = sheet_width - 2 * side - 2 * sheet_gap,
                     locator = std::min(left, std::max(side, third));
        const double x2 = sheet_left + side + sheet_gap, x3 = x2 + side + sheet_gap;
        one(c.before, sheet_left, y, side, "前期", "前期无可用影像");
        one(c.after, x2, y, side, "后期", "后期无可用影像");
        const double drawn = std::min(locator, side);
        if (c.locator) chip(*c.locator, m.locator_marks ? &*m.locator_marks : nullptr, x3, y, drawn, "位置");
        if (column)
            key_beside(x3 + drawn + 10, y);
        else
            key_below(y + side + caption + 1);
        used = side + caption + (column ? 0 : key_line);
        if (curve > 0) used += sheet_gap + series(y + used + sheet_gap, curve);
        return used + told(y + used);
    }

  private:
    void chip(const Chip& c, const algorithms::Figure* over, double x, double y, double side,
              const std::string& zh) {
        const double h = side * c.rows / c.cols;
        m_page.picture(c.jpeg, c.cols, c.rows, x, y, side, h);
        if (over != nullptr) {
            m_page.clip(x, y, side, h);
            draw_figure(m_page, *over, x, y, side / over->width);
            m_page.unclip();
        }
        // The sensor where it has room: it is part of the evidence.
        const auto when = fmt::format("{} {}", zh, c.date.iso()), whole = when + " · " + c.sensor;
        const bool fits = m_page.text_width(whole, {type, ink, true}) <= side;
        m_page.text({x, y + h + 1.5}, 0, fits ? whole : when, {type, ink, true});
    }
    void one(const std::optional<Chip>& c, double x, double y, double side, const char* zh,
             const char* none) {
        if (c) return chip(*c, m.outlines ? &*m.outlines : nullptr, x, y, side, zh);
        m_page.box(x, y, side, side, pale);
        m_page.text({x, y + side / 2 - 5}, side, none, {8, faint, true, Align::centre, 2});
    }

    double stroke(double x, double y, Ink colour, bool dashed, const char* text) {
        const std::array<Point, 2> ends = {{{x, y + 4.8}, {x + 15, y + 4.8}}};
        m_page.line(ends, colour, 1.8, dashed);
        m_page.text({x + 18, y}, 0, text, {7, ink});
        return 18 + m_page.text_width(text, {7, ink});
    }
    [[nodiscard]] std::vector<std::string> facts() const {
        const auto& c = m.chips;
        std::vector<std::string> list = {"两期同比例、同拉伸",
                                         c.natural ? "真彩色"
                                         : c.grey  ? "灰度"
                                                   : "近红外假彩色",
                                         fmt::format("像元 {:g} m", c.gsd)};
        if (!c.whole) list.emplace_back("图斑超出画幅");
        return list;
    }
    void key_beside(double x, double y) {
        stroke(x, y, of_disturbance, false, "扰动图斑");
        stroke(x, y += key_line, of_range, true, "防治责任范围");
        for (const auto& text : facts())
            m_page.text({x, y += key_line}, sheet_right - x, text, {7, ink, false, Align::left, 1});
    }
    void key_below(double y) {
        double x = sheet_left;
        x += stroke(x, y, of_disturbance, false, "扰动图斑") + 10;
        x += stroke(x, y, of_range, true, "防治责任范围") + 12;
        m_page.text({x, y}, sheet_right - x, fmt::format("{}", fmt::join(facts(), "，")),
                    {7, ink, false, Align::left, 1});
    }
    double series(double y, double room) {
        const double scale = std::min(sheet_width / m.series->width, room / m.series->height);
        draw_figure(m_page, *m.series, sheet_left + (sheet_width - scale * m.series->width) / 2, y, scale);
        return scale * m.series->height;
    }
    double told(double y) {
        if (m.series_note.empty()) return 0;
        m_page.text({sheet_left, y}, sheet_width, m.series_note, {7, faint, false, Align::left, 1});
        return 11;
    }

    static constexpr Ink of_disturbance{0.88, 0.72, 0}, of_range{0.9, 0.16, 0.16};
    io::PageFile& m_page;
    const EvidenceContent& m;
};

}  // namespace

double draw_pictures(io::PageFile& page, const EvidenceContent& content, double y, double room) {
    return Pictures(page, content).draw(y, room);
}

}  // namespace shuibao::pipeline::paper
