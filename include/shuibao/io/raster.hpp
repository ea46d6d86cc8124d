// SPDX-License-Identifier: Apache-2.0
// Reading rasters: what a file is, and its pixels brought onto the analysis grid.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/grid.hpp>

namespace shuibao::io {

/// What a file says of one of its bands.
struct BandInfo {
    std::string type;         ///< GDAL's name of the pixel type
    std::string description;  ///< its name, if any
    std::string colour;       ///< GDAL's name of the colour interpretation: "Red", "Gray", "Undefined" …
    std::optional<double> scale, offset;
};

/// Where a raster lies and what it holds.
struct RasterInfo {
    std::string crs;  ///< "EPSG:n" where PROJ knows the code, else WKT; empty = none
    bool north_up = true;
    double left = 0, top = 0, gsd_x = 0, gsd_y = 0;  ///< upper-left corner and pixel size, CRS unit
    int cols = 0, rows = 0, bands = 0;
    std::optional<double> nodata;
    std::vector<BandInfo> described;              ///< one per band
    std::map<std::string, std::string> metadata;  ///< of the file as a whole
    bool rational = false;  ///< placed by a rational function (RPC), not by a geotransform
    [[nodiscard]] Bounds bounds() const { return {left, top - rows * gsd_y, left + cols * gsd_x, top}; }
};

/// Opens and describes; throws Error(input) naming the file and GDAL's reason.
[[nodiscard]] RasterInfo describe_raster(const std::string& path);
/// Reads the first and the last block of a band, so that truncated files are found early. Throws
/// Error(input).
void probe_raster(const std::string& path, int band);

/// The files behind a raster as GDAL sees it: itself, what a VRT reads, side files. Sorted.
[[nodiscard]] std::vector<std::string> files_behind(const std::string& path);

/// A coarse sample of a band of codes, as 16-bit integers: the same pixels of the file's full resolution
/// every time (averaged overviews would invent codes), from at most 64 blocks spread evenly. Throws
/// Error(input).
[[nodiscard]] std::vector<std::uint16_t> sample_codes(const std::string& path, int band);
/// The same pixels as they are.
[[nodiscard]] std::vector<float> sample_values(const std::string& path, int band);

/// How a read fits into the work on one tile, which reads its rows from the top: what is kept of a file for
/// other readers can be let go when its last one has passed. Speed alone depends on it.
struct Reading {
    std::int64_t next_row = 0;  ///< first grid row that the work will still read; `end` when it has read all
    std::int64_t halo = 0;      ///< pixels that it reads around its tile
    Window area = {};           ///< tiles outside it will read nothing; empty = not known
    static constexpr std::int64_t end = INT64_MAX;
};

enum class Resampling { nearest, bilinear, cubic };

/// How one band of one file is laid on the grid.
struct BandRequest {
    std::string path;
    int band = 1;
    std::optional<double> nodata;     ///< overrides the file's own
    double shift_x = 0, shift_y = 0;  ///< the scene's content is moved by this many grid pixels (east, south)
    Resampling resampling = Resampling::bilinear;  ///< where the file's pixels are not the grid's
    double gain = 1, lift = 0;                     ///< values · gain + lift become integers
    /// Given by work that reads a tile from the top and each pixel once, so that memory is let go.
    std::optional<Reading> reading = std::nullopt;
};

/// Reads `window` of the grid as 16-bit integers and marks in `valid` (0/1) what the file covers with data.
/// Files on the lattice (after the whole-pixel part of the shift) are read without resampling; files of
/// another pixel size or phase in the same CRS are resampled here with weights that depend on the pixel's
/// address alone, so that any window gives the same bytes; other CRS are warped by GDAL (exact transformer).
/// Values outside 0…65535 after gain and lift saturate; NaN is no data. Reentrant: every thread keeps its own
/// handles. Throws Error(input) naming file and band.
void read_band(const BandRequest& request, const Grid& grid, const Window& window,
               std::span<std::uint16_t> out, std::span<std::uint8_t> valid);

/// A whole band as bytes or floats, for references and small rasters. Row-major. Throws Error(input).
[[nodiscard]] std::vector<float> read_whole_band(const std::string& path, int band);

/// Closes the calling process's cached handles (all threads'); only when no read is under way.
void forget_handles();

/// Extent of bounds in another CRS (edges densified). Throws Error(input) for CRS PROJ does not know.
[[nodiscard]] Bounds transform_bounds(const Bounds& bounds, const std::string& from_crs,
                                      const std::string& to_crs);
[[nodiscard]] bool same_crs(const std::string& a, const std::string& b);

}  // namespace shuibao::io
