// SPDX-License-Identifier: Apache-2.0
// Plain polygons, as they pass between delineation (pure) and the vector world (GEOS, OGR).
#pragma once

#include <vector>

namespace shuibao {

struct Point {
    double x = 0, y = 0;
    bool operator==(const Point&) const = default;
};

/// Closed ring: the last point repeats the first.
using Ring = std::vector<Point>;

/// Outer ring anticlockwise, holes clockwise (RFC 7946), coordinates in the CRS of the layer.
struct Polygon {
    Ring outer;
    std::vector<Ring> holes;
    bool operator==(const Polygon&) const = default;
};

using MultiPolygon = std::vector<Polygon>;

}  // namespace shuibao
