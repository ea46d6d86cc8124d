// SPDX-License-Identifier: Apache-2.0
// Raster files as each thread has them open.
#pragma once

#include <string>

#include <gdal_priv.h>

#include "block_cache.hpp"
#include <shuibao/core/grid.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {

/// A file as this thread sees it: opened once, and laid on the grid's CRS when it has another.
struct Handle {
    GDALDatasetUniquePtr source, warped;
    RasterInfo info;
    FileContent content;
    bool blockwise = false;  ///< each block of a band can be decoded by itself
};

/// This thread's own; good until the thread asks for more files than it keeps, or forget_handles(). Throws
/// Error(input) naming the file.
[[nodiscard]] Handle& raster_handle(const std::string& path, const Grid& grid, double shift_x, double shift_y,
                                    Resampling resampling);

}  // namespace shuibao::io
