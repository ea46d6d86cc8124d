// SPDX-License-Identifier: Apache-2.0
// A raster of measured values (heights, erosivity, erodibility) under a shape, block by block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <shuibao/io/geometry.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {

/// Part of the raster under a shape, with a halo around it.
struct ValueBlock {
    Window window;                     ///< what was read, in the raster's pixels
    Window core;                       ///< inside it: each pixel of the raster is in one core at most
    std::vector<double> values;        ///< of the window, row-major; scale and offset of the band applied
    std::vector<std::uint8_t> valid;   ///< of the window: 1 where the raster has data
    std::vector<std::uint8_t> inside;  ///< of the core: 1 where a pixel's centre lies in the shape
    std::vector<double> east, south;   ///< m from a pixel to the next, for each row of the window
};

/// Band 1 of a raster of any size, CRS and pixel size, north up; only windows of it are read. Reentrant.
class ValueRaster {
  public:
    /// `what` names the raster in errors: "The elevation model". Throws Error(input) for a file that cannot
    /// be read, has no CRS, or is turned against north.
    ValueRaster(const std::string& path, std::string what);
    ~ValueRaster();
    ValueRaster(ValueRaster&&) noexcept;

    [[nodiscard]] const std::string& path() const;
    [[nodiscard]] const std::string& unit() const;  ///< of the band, as the file has it; often empty

    struct Cut {
        double reach = 0;  ///< the halo in m; what it is in pixels follows from the smallest pixel side
        int rim = 0;       ///< and so many pixels more
        int block = 512;   ///< longest side of a core, px; results must not depend on it
    };
    /// Shows the blocks that hold pixels of the shape (of the CRS `crs`), from the north-west; a shape that
    /// holds no pixel's centre has the pixel of a point inside it. Memory follows from the cut, not from the
    /// raster or the shape. Throws Error(input) naming the file when it cannot be read, or when its pixels
    /// are so small that the halo has more than 640 of them.
    void under(const Geometry& shape, const std::string& crs, const Cut& cut,
               const std::function<void(const ValueBlock&)>& see) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
