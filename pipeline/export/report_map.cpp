// SPDX-License-Identifier: Apache-2.0
// The map of the report on paper: both dates, suspects, what was not observed, counties, and how to read it.
#include <algorithm>

#include <fmt/format.h>

#include "evidence_content.hpp"
#include "paper_pen.hpp"
#include "report_pdf.hpp"

namespace shuibao::pipeline {
namespace {

using namespace paper;
using io::Align;
using io::Ink;

constexpr double most = 300, gap = 8, caption = 13, legend = 12;
constexpr Ink unseen{0.35, 0.35, 0.38, 0.55};
constexpr double metres_per_degree = 111320;

double signed_area(const std::vector<Point>& ring) {
    double sum = 0;
    for (std::size_t i = 0; i < ring.size(); ++i) {
        const auto &a = ring[i], &b = ring[(i + 1) % ring.size()];
        sum += a.x * b.y - b.x * a.y;
    }
    return sum;
}

class ReportMap {
  public:
    ReportMap(io::PageFile& page, const ExportInput& in, const BatchSummary& s, const PageWords& words,
              const Mosaic& mosaic)
        : m_page(page), m_in(in), m_s(s), m_words(words), m(mosaic) {}

    double draw(double x, double y, double width) {
        const bool two = m.before && m.after;
        const double w = std::min(two ? (width - gap) / 2 : width, most * m.cols / m.rows);
        m_h = w * m.rows / m.cols;
        if (m.before) picture(*m.before, x, y, w, "前期");
        if (m.after) picture(*m.after, two ? x + w + gap : x, y, w, "后期");
        key(x, y + m_h + caption);
        return m_h + caption + legend + 4;
    }

  private:
    [[nodiscard]] Point at(const Point& p) const {
        const auto& b = m.bounds;
        return {m_x + (p.x - b.min_x) / (b.max_x - b.min_x) * m_w,
                m_y + (b.max_y - p.y) / (b.max_y - b.min_y) * m_h};
    }
    [[nodiscard]] std::vector<Point> at(const Ring& ring) const {
        std::vector<Point> points;
        for (const auto& p : ring) points.push_back(at(p));
        return points;
    }

    void picture(const MosaicPicture& p, double x, double y, double w, const char* zh) {
        m_x = x;
        m_y = y;
        m_w = w;
        m_page.picture(p.jpeg, m.cols, m.rows, x, y, w, m_h);
        m_page.clip(x, y, w, m_h);
        for (const auto& shape : m_s.unobserved_drawn)
            for (const auto& polygon : shape.polygons()) hole_in(polygon);
        for (const auto& county : m_s.counties_drawn)
            for (const auto& polygon : county.shape.polygons()) {
                const auto ring = at(polygon.outer);
                m_page.line(ring, {0, 0, 0, 0.5}, 1.6);
                m_page.line(ring, {1, 1, 1}, 0.7);
            }
        for (auto it = m_in.suspects.rows.rbegin(); it != m_in.suspects.rows.rend(); ++it) {
            const auto c = at((*it)->shape.point_inside());
            m_page.disc(c, 2.6, {0, 0, 0}, true);
            m_page.disc(c, 2, tier_ink(m_words, m_words.code_of("tiers", text_of(**it, "tier"))), true);
        }
        for (const auto& county : m_s.counties_drawn) name(county);
        scale_and_north();
        m_page.unclip();
        const std::string from = p.first ? p.first->iso() : "", to = p.last ? p.last->iso() : "";
        m_page.text({x, y + m_h + 2}, w, std::string(zh) + " " + (from == to ? to : from + " – " + to),
                    {7.5, ink, true, Align::left, 1});
    }

    // Rings of holes turn the other way, so that they stay open.
    void hole_in(const Polygon& polygon) {
        auto points = at(polygon.outer);
        const bool turns = signed_area(points) > 0;
        const auto start = points.front();
        for (const auto& hole : polygon.holes) {
            auto ring = at(hole);
            if ((signed_area(ring) > 0) == turns) std::reverse(ring.begin(), ring.end());
            points.insert(points.end(), ring.begin(), ring.end());
            points.push_back(start);
        }
        m_page.area(points, unseen);
    }

    void name(const NamedArea& county) {
        const auto seen = county.shape.within(m.bounds);
        if (seen.empty() || county.name.empty()) return;
        const auto b = seen.bounds();
        const io::TextStyle style{7, ink, true};
        const double w = m_page.text_width(county.name, style) + 4;
        if (at(Point{b.max_x, b.max_y}).x - at(Point{b.min_x, b.max_y}).x < w) return;
        const auto c = at(seen.point_inside());
        m_page.box(c.x - w / 2, c.y - 5, w, 10, {1, 1, 1, 0.75});
        m_page.text({c.x - w / 2 + 2, c.y - 5}, 0, county.name, style);
    }

    void scale_and_north() {
        const auto& b = m.bounds;
        double metres = b.max_x - b.min_x;
        if (io::is_geographic(m_in.suspects.crs))
            metres *= metres_per_degree * std::cos((b.min_y + b.max_y) / 2 * std::acos(-1.0) / 180);
        const double length = nice_length(metres / 4), w = length / metres * m_w, y = m_y + m_h - 6;
        m_page.box(m_x + 3, y - 11, std::max(w, 22.0) + 6, 15, {1, 1, 1, 0.75});
        m_page.box(m_x + 6, y, w, 2, {0, 0, 0});
        m_page.text({m_x + 6, y - 10}, 0, length_text(length), {6.5, ink, true});
        const double x = m_x + m_w - 11;
        m_page.box(x - 7, m_y + 3, 14, 25, {1, 1, 1, 0.75});
        const std::array<Point, 4> arrow = {
            {{x, m_y + 5}, {x - 4.5, m_y + 17}, {x, m_y + 14}, {x + 4.5, m_y + 17}}};
        m_page.area(arrow, {0, 0, 0});
        m_page.text({x - 7, m_y + 17}, 14, "N", {7, ink, true, Align::centre});
    }

    void key(double x, double y) {
        const auto mark = [&](const std::string& text, const auto& symbol) {
            symbol(x + 4, y + 5);
            m_page.text({x + 12, y}, 0, text, {7, ink});
            x += 12 + m_page.text_width(text, {7, ink}) + 10;
        };
        for (const char* code : {"high", "medium", "low"})
            mark(m_words.verdicts.text("tiers", code), [&](double cx, double cy) {
                m_page.disc({cx, cy}, 2.6, {0, 0, 0}, true);
                m_page.disc({cx, cy}, 2, tier_ink(m_words, code), true);
            });
        if (!m_s.unobserved_drawn.empty())
            mark("未观测：无影像不等于无扰动",
                 [&](double cx, double cy) { m_page.box(cx - 4, cy - 3, 9, 7, unseen); });
        if (!m_s.counties_drawn.empty())
            mark("县界", [&](double cx, double cy) {
                const std::array<Point, 2> ends = {{{cx - 4, cy}, {cx + 5, cy}}};
                m_page.line(ends, {0, 0, 0, 0.5}, 1.8);
                m_page.line(ends, {1, 1, 1}, 0.7);
            });
        if (!m.natural) m_page.text({x, y}, 0, "近红外假彩色", {7, faint});
    }

    io::PageFile& m_page;
    const ExportInput& m_in;
    const BatchSummary& m_s;
    const PageWords& m_words;
    const Mosaic& m;
    double m_x = 0, m_y = 0, m_w = 0, m_h = 0;  // of the picture that is being drawn
};

}  // namespace

double draw_report_map(io::PageFile& page, const ExportInput& input, const BatchSummary& summary,
                       const PageWords& words, const Mosaic& mosaic, double x, double y, double width) {
    if (!mosaic.after && !mosaic.before) return 0;
    return ReportMap(page, input, summary, words, mosaic).draw(x, y, width);
}

}  // namespace shuibao::pipeline
