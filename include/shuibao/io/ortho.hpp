// SPDX-License-Identifier: Apache-2.0
// Images as a satellite saw them, laid on the ground by their rational function (RPC).
#pragma once

#include <string>

namespace shuibao::io {

struct OrthoOptions {
    std::string crs;  ///< "EPSG:n"; empty = the UTM zone (WGS 84) of its middle
    double gsd = 0;   ///< unit of the CRS; 0 = the image's own, rounded to whole metres (below 1 m to tenths)
    std::string
        dem;  ///< heights in m, any raster; empty, and where it has none: the mean height that the RPC name
};

/// A VRT that lays the image on the ground, its pixels on multiples of the pixel size, bilinear, 0 = no data;
/// as text, reading the image by its path. The same input gives the same text. Throws Error(input) naming the
/// file and GDAL's reason.
[[nodiscard]] std::string ortho_view(const std::string& path, const OrthoOptions& options);

}  // namespace shuibao::io
