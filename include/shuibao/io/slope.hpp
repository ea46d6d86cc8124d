// SPDX-License-Identifier: Apache-2.0
// Slope of the ground under a shape, from an elevation model.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <shuibao/io/geometry.hpp>

namespace shuibao::io {

/// An elevation raster (m, band 1, north up, any CRS) of any size; only windows of it are read. Reentrant.
class SlopeModel {
  public:
    /// Throws Error(input) for a file that cannot be read, has no CRS, or is turned against north.
    explicit SlopeModel(const std::string& path);
    ~SlopeModel();
    SlopeModel(SlopeModel&&) noexcept;

    struct Slope {
        double mean = 0;         ///< degrees
        double share_above = 0;  ///< share of the shape's pixels that are steeper than the limit or as steep
    };
    /// Slope by Horn's (1981) weighted differences at the pixels whose centres lie in the shape, or at the
    /// one pixel of a smaller shape. Nothing where the model has no data. `crs` is that of the shape; `limit`
    /// in degrees.
    [[nodiscard]] std::optional<Slope> under(const Geometry& shape, const std::string& crs,
                                             double limit) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
