// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <queue>

#include <ogr_geometry.h>

#include <shuibao/io/geometry.hpp>

namespace shuibao::io {
namespace {

struct Segment {
    double x0, y0, x1, y1;
};

// Distance to the boundary, negative outside (even-odd over all rings).
double signed_distance(const std::vector<Segment>& boundary, double x, double y) {
    bool inside = false;
    double nearest = std::numeric_limits<double>::infinity();
    for (const auto& s : boundary) {
        if ((s.y0 > y) != (s.y1 > y) && x < (s.x1 - s.x0) * (y - s.y0) / (s.y1 - s.y0) + s.x0)
            inside = !inside;
        const double dx = s.x1 - s.x0, dy = s.y1 - s.y0, length = dx * dx + dy * dy;
        const double t =
            length > 0 ? std::clamp(((x - s.x0) * dx + (y - s.y0) * dy) / length, 0.0, 1.0) : 0.0;
        const double ex = s.x0 + t * dx - x, ey = s.y0 + t * dy - y;
        nearest = std::min(nearest, ex * ex + ey * ey);
    }
    return inside ? std::sqrt(nearest) : -std::sqrt(nearest);
}

struct Cell {
    double x, y, half, distance;
    [[nodiscard]] double most() const { return distance + half * std::numbers::sqrt2; }
    bool operator<(const Cell& o) const { return most() < o.most(); }
};

bool polygon_holds(const OGRPolygon& polygon, double radius) {
    std::vector<Segment> boundary;
    for (const auto* ring : polygon)
        for (int i = 0; i + 1 < ring->getNumPoints(); ++i)
            boundary.push_back({ring->getX(i), ring->getY(i), ring->getX(i + 1), ring->getY(i + 1)});
    OGREnvelope e;
    polygon.getEnvelope(&e);
    const double width = e.MaxX - e.MinX, height = e.MaxY - e.MinY, side = std::min(width, height);
    if (side < 2 * radius) return false;
    // The shape is halved where a larger circle could still hide (as "polylabel" does, but with a yes or no
    // at the end): cells that cannot hold one by more than a hundredth of the radius are not halved further.
    const double least = radius * 1e-2;
    std::priority_queue<Cell> open;
    bool found = false;
    const auto look = [&](double x, double y, double half) {
        const Cell c{x, y, half, signed_distance(boundary, x, y)};
        found = found || c.distance >= radius;
        if (c.most() >= radius && half * std::numbers::sqrt2 > least) open.push(c);
    };
    const double half = side / 2;
    const auto columns = static_cast<int>(std::ceil(width / side)),
               rows = static_cast<int>(std::ceil(height / side));
    for (int r = 0; r < rows && !found; ++r)
        for (int c = 0; c < columns && !found; ++c)
            look(e.MinX + (2 * c + 1) * half, e.MinY + (2 * r + 1) * half, half);
    while (!found && !open.empty()) {
        const Cell c = open.top();
        open.pop();
        const double h = c.half / 2;
        look(c.x - h, c.y - h, h);
        look(c.x + h, c.y - h, h);
        look(c.x - h, c.y + h, h);
        look(c.x + h, c.y + h, h);
    }
    return found;
}

}  // namespace

bool Geometry::holds_circle(double radius) const {
    for (const auto* polygon : *m_geometry->toMultiPolygon())
        if (polygon_holds(*polygon, radius)) return true;
    return false;
}

}  // namespace shuibao::io
