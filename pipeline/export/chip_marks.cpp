// SPDX-License-Identifier: Apache-2.0
// What is drawn over the chips: outlines, scale bar, north, and where the frame lies.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "evidence_content.hpp"

namespace shuibao::pipeline {
namespace {

using algorithms::Colour;
using algorithms::Figure;

constexpr Colour white{255, 255, 255}, black{20, 20, 20}, of_disturbance{255, 221, 0}, of_range{230, 40, 40};

// Dark under bright, so that a line is seen on any ground.
void outline(Figure& f, const io::Geometry& shape, const Bounds& frame, Colour colour, double width,
             bool dashed = false) {
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

// North is up on every chip: the grid's, which is true north to some degrees.
void north(Figure& f, double scale) {
    const double x = f.width - 20 * scale;
    const auto at = [&](double dx, double y) { return Point{x + dx * scale, y * scale}; };
    box(f, x - 13 * scale, 6 * scale, 26 * scale, 44 * scale, {255, 255, 255, 0.7});
    f.parts.emplace_back(algorithms::FigureArea{{at(0, 10), at(-8, 32), at(0, 27)}, black});
    f.parts.emplace_back(algorithms::FigureArea{{at(0, 10), at(8, 32), at(0, 27)}, {150, 150, 150}});
    f.parts.emplace_back(
        algorithms::FigureLabel{at(0, 47), "N", "", 15 * scale, black, algorithms::Anchor::middle, true});
}

// A name on pale ground in the middle of what the frame shows of its area, where that is wide enough.
void name(Figure& f, const NamedArea& area, const Bounds& frame) {
    const auto seen = area.shape.within(frame);
    if (seen.empty() || area.name.empty()) return;
    const auto p = seen.point_inside();
    algorithms::FigureLabel label{{(p.x - frame.min_x) / (frame.max_x - frame.min_x) * f.width,
                                   (frame.max_y - p.y) / (frame.max_y - frame.min_y) * f.height},
                                  "",
                                  area.name,
                                  12,
                                  black,
                                  algorithms::Anchor::middle,
                                  true};
    const double w = algorithms::label_width(label),
                 b = f.width * (seen.bounds().max_x - seen.bounds().min_x) / (frame.max_x - frame.min_x);
    if (w + 6 > b) return;
    label.at.x = std::clamp(label.at.x, w / 2 + 3, f.width - w / 2 - 3);
    label.at.y = std::clamp(label.at.y, 16.0, f.height - 30.0);
    box(f, label.at.x - w / 2 - 3, label.at.y - 12, w + 6, 16, {255, 255, 255, 0.75});
    f.parts.emplace_back(std::move(label));
}

}  // namespace

double nice_length(double about) {
    const double unit = std::pow(10, std::floor(std::log10(about)));
    for (const double f : {5.0, 2.0, 1.0})
        if (f * unit <= about) return f * unit;
    return unit;
}

std::string length_text(double metres) {
    return metres >= 1000 ? fmt::format("{:g} km", metres / 1000) : fmt::format("{:g} m", metres);
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
    north(f, 1);
    return f;
}

Figure locator_marks(const ChipPair& chips, const std::vector<NamedArea>& counties) {
    Figure f;
    if (!chips.locator) return f;
    f.width = chips.locator->cols;
    f.height = chips.locator->rows;
    const auto& b = chips.locator_frame;
    const double sx = f.width / (b.max_x - b.min_x), sy = f.height / (b.max_y - b.min_y);
    const double x0 = (chips.frame.min_x - b.min_x) * sx, x1 = (chips.frame.max_x - b.min_x) * sx,
                 y0 = (b.max_y - chips.frame.max_y) * sy, y1 = (b.max_y - chips.frame.min_y) * sy;
    // Cut beyond the frame, so that the cut itself is not taken for a border.
    const double more_x = (b.max_x - b.min_x) / 10, more_y = (b.max_y - b.min_y) / 10;
    for (const auto& county : counties) {
        const auto near =
            county.shape.within({b.min_x - more_x, b.min_y - more_y, b.max_x + more_x, b.max_y + more_y});
        if (near.empty()) continue;
        outline(f, near, b, white, 1);
    }
    for (const auto& county : counties) name(f, county, b);
    const std::vector<Point> ring = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}};
    f.parts.emplace_back(algorithms::FigureLine{ring, black, 3.2, false});
    f.parts.emplace_back(algorithms::FigureLine{ring, of_disturbance, 1.8, false});
    const double length = nice_length((b.max_x - b.min_x) / 3.0), w = length * sx, y = f.height - 9.0;
    box(f, 4, y - 15, std::max(w, 32.0) + 8, 21, {255, 255, 255, 0.75});
    box(f, 8, y, w, 3, black);
    f.parts.emplace_back(algorithms::FigureLabel{
        {8, y - 3}, length_text(length), "", 11, black, algorithms::Anchor::start, true});
    north(f, 0.62);
    return f;
}

}  // namespace shuibao::pipeline
