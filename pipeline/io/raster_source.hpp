// SPDX-License-Identifier: Apache-2.0
// Opening rasters and reading parts of their bands: for the files of io that read them.
#pragma once

#include <string>

#include <gdal_priv.h>

#include <shuibao/io/raster.hpp>

namespace shuibao::io {

/// Throws Error(input) naming the path and GDAL's reason.
[[nodiscard]] GDALDatasetUniquePtr open_raster(const std::string& path);
[[nodiscard]] RasterInfo describe_raster(GDALDataset& dataset);
/// Reads pixels of a band without resampling into `out`, its lines `line` bytes apart (0 = dense). Throws
/// Error(input) naming file, band and place.
void read_pixels(GDALRasterBand& band, const BandRequest& r, int x, int y, int cols, int rows, void* out,
                 GDALDataType type, GSpacing line);

}  // namespace shuibao::io
