// SPDX-License-Identifier: Apache-2.0
// Writing GeoTIFFs: 16-bit planes of one window of a grid, atomically.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/band.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao::io {

struct GeoTiffBand {
    std::string name;
    std::span<const std::uint16_t> values;  ///< row-major, window.pixels()
    Scaling scaling = {};
};

struct GeoTiffOptions {
    std::string compression = "ZSTD";  ///< ZSTD | DEFLATE | NONE
    int level = 1;
    bool predictor = false;
    int block = 256;      ///< pixels; a multiple of 16
    bool sparse = false;  ///< blocks of zeros are not stored
    bool bytes = false;   ///< store as UInt8
    std::map<std::string, std::string> metadata = {};
    /// Writes an overview of this factor that holds every factor-th pixel of every factor-th row (0 = none).
    int lattice_overview = 0;
    int nodata = -1;  ///< -1 = none
};

/// REQUIRES equal sizes. Throws Error(failed) naming the path.
void write_geotiff(const std::filesystem::path& path, const Grid& grid, const Window& window,
                   std::span<const GeoTiffBand> bands, const GeoTiffOptions& options);

}  // namespace shuibao::io
