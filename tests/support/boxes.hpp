// SPDX-License-Identifier: Apache-2.0
// Shapes written as boxes: "0 0 200 100; 300 0 400 50 - 20 20 40 40" is the union of two boxes without the
// third.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <shuibao/io/geometry.hpp>

namespace shuibao::test {

inline io::Geometry box(double x0, double y0, double x1, double y1) {
    return io::Geometry(MultiPolygon{Polygon{{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}}, {}}});
}

/// x0 y0 x1 y1 in metres from (x, y); what stands before " - " is joined, what stands after it is taken out.
inline io::Geometry boxes(const std::string& text, double x, double y) {
    const auto joined = [&](const std::string& list) {
        std::vector<io::Geometry> parts;
        std::istringstream in(list);
        for (std::string item; std::getline(in, item, ';');) {
            std::istringstream numbers(item);
            double a = 0, b = 0, c = 0, d = 0;
            if (numbers >> a >> b >> c >> d) parts.push_back(box(x + a, y + b, x + c, y + d));
        }
        return io::union_of(parts);
    };
    const auto cut = text.find(" - ");
    auto shape = joined(text.substr(0, cut));
    return cut == std::string::npos ? shape : shape.difference(joined(text.substr(cut + 3)));
}

}  // namespace shuibao::test
