// SPDX-License-Identifier: Apache-2.0
// The ground under a disturbance, from an elevation model.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <shuibao/io/value_raster.hpp>

namespace shuibao::pipeline {

/// What to measure beside the slope.
struct TerrainQuestion {
    double steep = 90;  ///< degrees: what share of the ground is as steep or steeper?
    /// Length and slope as one factor: of a cell's slope (degrees), the m of slope above it, and the m of
    /// slope in it. Empty: not asked.
    std::function<double(double slope, double before, double piece)> length_slope = {};
    double cap = 0;   ///< m: slopes longer than this count as so long
    int block = 512;  ///< cells along one side of what is in memory; no answer depends on it
};

/// Means over the cells whose centres lie in the shape, or of the one cell of a smaller shape.
struct Terrain {
    double slope = 0;         ///< degrees, by Horn (1981)
    double share_steep = 0;   ///< 0–1
    double length_slope = 0;  ///< 0 when not asked for
};

/// An elevation raster (m; band 1, north up, any CRS, any size). What lies outside −1000…9000 m is a void,
/// whatever the file says: −32768 is often not declared. Reentrant.
class TerrainModel {
  public:
    /// Throws Error(input) for a file that cannot be read, has no CRS, is turned against north, or says that
    /// its heights are in feet.
    explicit TerrainModel(const std::string& path);
    /// Nothing where the model has no data. `crs` is that of the shape.
    [[nodiscard]] std::optional<Terrain> under(const io::Geometry& shape, const std::string& crs,
                                               const TerrainQuestion& question) const;

  private:
    io::ValueRaster m_heights;
};

}  // namespace shuibao::pipeline
