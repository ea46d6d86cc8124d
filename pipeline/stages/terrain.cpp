// SPDX-License-Identifier: Apache-2.0
#include "terrain.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include <fmt/format.h>

#include <shuibao/algorithms/terrain.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::pipeline {
namespace {

constexpr double lowest = -1000, highest = 9000;  // m: no ground lies beyond

}  // namespace

TerrainModel::TerrainModel(const std::string& path) : m_heights(path, "The elevation model") {
    std::string unit = m_heights.unit();
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (unit.find("ft") != std::string::npos || unit.find("foot") != std::string::npos ||
        unit.find("feet") != std::string::npos)
        throw Error(ErrorCode::input,
                    fmt::format("The elevation model {} has heights in '{}'.", path, m_heights.unit()),
                    "Make it metres, e.g. with gdal_calc.py.");
}

std::optional<Terrain> TerrainModel::under(const io::Geometry& shape, const std::string& crs,
                                           const TerrainQuestion& q) const {
    algorithms::OrderFreeMean slope, steep, length_slope;
    const bool lengths = static_cast<bool>(q.length_slope);
    const int rim = lengths ? algorithms::slope_reach(0, 1) : 1;
    m_heights.under(shape, crs, {lengths ? q.cap : 0, rim, q.block}, [&](const io::ValueBlock& b) {
        std::vector<std::uint8_t> known(b.valid);
        for (std::size_t i = 0; i < known.size(); ++i)
            if (b.values[i] < lowest || b.values[i] > highest) known[i] = 0;
        const algorithms::Heights heights{static_cast<int>(b.window.cols),
                                          static_cast<int>(b.window.rows),
                                          b.values,
                                          known,
                                          b.east,
                                          b.south};
        std::vector<algorithms::SlopePlace> places;
        if (lengths) places = algorithms::slope_places(heights, q.cap);
        const auto left = static_cast<int>(b.core.col - b.window.col),
                   top = static_cast<int>(b.core.row - b.window.row);
        for (int r = 0; r < b.core.rows; ++r)
            for (int c = 0; c < b.core.cols; ++c) {
                if (b.inside[static_cast<std::size_t>(r * b.core.cols + c)] == 0) continue;
                const auto degrees = algorithms::slope_at(heights, left + c, top + r);
                if (!degrees) continue;
                slope.add(*degrees);
                steep.add(*degrees >= q.steep ? 1 : 0);
                if (!lengths) continue;
                const auto& place = places[heights.at(left + c, top + r)];
                length_slope.add(q.length_slope(*degrees, place.before, place.piece));
            }
    });
    if (slope.count() == 0) return std::nullopt;
    return Terrain{slope.mean(), steep.mean(), length_slope.mean()};
}

}  // namespace shuibao::pipeline
