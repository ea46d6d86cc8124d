// SPDX-License-Identifier: Apache-2.0
// Cloud Optimized GeoTIFFs of one byte a pixel, for people and services.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <shuibao/core/grid.hpp>

namespace shuibao::io {

struct CogOptions {
    /// Value → red, green, blue; empty: no colour table. Values without a colour are white. (A TIFF's table
    /// has no transparency: that is for the style beside it.)
    std::map<std::uint8_t, std::array<std::uint8_t, 3>> colours = {};
    int nodata = -1;               ///< -1 = none; readers show it as nothing
    std::string description = {};  ///< of the band
    std::map<std::string, std::string> metadata = {};
};

/// What a reader learns of the first band of a raster.
struct BandFacts {
    std::string type, description;  ///< type as GDAL calls it, in lower case: "uint8" is "byte" there
    std::optional<double> nodata;
};
/// Throws Error(input) when the file cannot be read.
[[nodiscard]] BandFacts band_facts(const std::filesystem::path& path);

/// Rows come from the top; the file with its overviews (nearest neighbour, so that no value is invented) is
/// made at the end. The same rows give the same bytes. What was not committed by finish() leaves nothing
/// behind. All calls throw Error(failed) naming path and remedy.
class CogWriter {
  public:
    /// REQUIRES a window that is not empty. CRS and place are the grid's.
    CogWriter(std::filesystem::path path, const Grid& grid, const Window& window, CogOptions options);
    ~CogWriter();
    CogWriter(const CogWriter&) = delete;
    CogWriter& operator=(const CogWriter&) = delete;

    /// The next whole rows, row-major. REQUIRES block_rows of them, except for the last.
    void write(std::span<const std::uint8_t> rows);
    void finish();

    static constexpr std::int64_t block_rows = 512;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
