// SPDX-License-Identifier: Apache-2.0
#include "figure_page.hpp"

namespace shuibao::pipeline {
namespace {

using algorithms::Anchor;

struct Painter {
    io::PageFile& page;
    double x, y, scale;

    [[nodiscard]] Point at(const Point& p) const { return {x + p.x * scale, y + p.y * scale}; }
    [[nodiscard]] std::vector<Point> at(const std::vector<Point>& points) const {
        std::vector<Point> out;
        out.reserve(points.size());
        for (const auto& p : points) out.push_back(at(p));
        return out;
    }
    static io::Ink ink(const algorithms::Colour& c, bool opaque) {
        return {c.red / 255.0, c.green / 255.0, c.blue / 255.0, opaque ? 1 : c.opacity};
    }
    void operator()(const algorithms::FigureArea& a) const { page.area(at(a.points), ink(a.colour, false)); }
    void operator()(const algorithms::FigureLine& l) const {
        page.line(at(l.points), ink(l.colour, true), l.width * scale, l.dashed);
    }
    void operator()(const algorithms::FigureDot& d) const {
        page.disc(at(d.centre), d.radius * scale, ink(d.colour, true), d.filled);
    }
    void operator()(const algorithms::FigureLabel& l) const {
        const bool both = !l.chinese.empty() && !l.english.empty();
        page.label(at(l.at), l.chinese + (both ? " " : "") + l.english,
                   {l.size * scale, ink(l.colour, true), l.bold,
                    l.anchor == Anchor::start    ? io::Align::left
                    : l.anchor == Anchor::middle ? io::Align::centre
                                                 : io::Align::right});
    }
};

}  // namespace

void draw_figure(io::PageFile& page, const algorithms::Figure& figure, double x, double y, double scale) {
    for (const auto& part : figure.parts) std::visit(Painter{page, x, y, scale}, part);
}

}  // namespace shuibao::pipeline
