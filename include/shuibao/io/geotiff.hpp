// SPDX-License-Identifier: Apache-2.0
// GeoTIFFs of 16-bit planes of one window of a grid: written atomically, at once, by rows of blocks or block
// by block as they are stored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/band.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao::io {

struct GeoTiffPlane {
    std::string name;
    Scaling scaling = {};
    std::optional<int> level = {};  ///< of compression; that of the options
};

/// A block as it is stored; empty: all zero, not stored.
using PackedBlock = std::vector<char>;

struct GeoTiffOptions {
    static constexpr int quick = -20;
    std::string compression = "ZSTD";  ///< ZSTD | DEFLATE | NONE
    int level = 1;  ///< quick: for what is written anew every batch, 1/10 larger in 2/3 of the time
    bool predictor = false;
    int block = 256;      ///< pixels; a multiple of 16
    bool sparse = false;  ///< blocks of zeros are not stored
    bool bytes = false;   ///< store as UInt8
    std::map<std::string, std::string> metadata = {};
    /// Writes an overview of this factor that holds every factor-th pixel of every factor-th row (0 = none).
    int lattice_overview = 0;
    int nodata = -1;  ///< -1 = none
};

/// A file that grows by whole rows of blocks, so that a large window never has to be in memory. What was not
/// committed by finish() leaves nothing behind. All calls throw Error(failed) naming the path.
class GeoTiffWriter {
  public:
    GeoTiffWriter(std::filesystem::path path, const Grid& grid, const Window& window,
                  std::vector<GeoTiffPlane> planes, GeoTiffOptions options);
    ~GeoTiffWriter();
    GeoTiffWriter(const GeoTiffWriter&) = delete;
    GeoTiffWriter& operator=(const GeoTiffWriter&) = delete;

    /// Rows [first_row, first_row + values.size() / window.cols) of one plane, row-major; `first_row` counts
    /// from the window's top. REQUIRES whole rows of blocks (the last may be short), each written once.
    void write(int plane, std::int64_t first_row, std::span<const std::uint16_t> values);
    /// What is stored of a block of `plane` whose part inside the window is `values`, row-major, `cols` to a
    /// row. Reentrant. REQUIRES ZSTD without predictor and UInt16.
    void encode(int plane, std::span<const std::uint16_t> values, std::int64_t cols,
                PackedBlock& packed) const;
    /// The block in column `x` and row `y` of blocks, at most once. The bytes of the file are those of
    /// write() if blocks come in the same order: by row of blocks, by plane in it, from the left. REQUIRES no
    /// overview.
    void write_block(int plane, std::int64_t x, std::int64_t y, const PackedBlock& packed);
    /// A metadata item known only when the pixels are.
    void metadata(const std::string& key, const std::string& value);
    /// Writes the overview, closes and commits. REQUIRES that all rows were written.
    void finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// A file of our own (ZSTD without predictor, UInt16). Reading is reentrant. All calls throw Error(input).
class GeoTiffReader {
  public:
    explicit GeoTiffReader(const std::filesystem::path& path);
    ~GeoTiffReader();
    GeoTiffReader(const GeoTiffReader&) = delete;
    GeoTiffReader& operator=(const GeoTiffReader&) = delete;
    /// Empty where there is no such item.
    [[nodiscard]] std::string metadata(const std::string& key) const;
    /// As many whole rows as fit into `values`, from `first_row` on.
    void read(int plane, std::int64_t first_row, std::span<std::uint16_t> values) const;
    /// The block in column `x` and row `y` of blocks: as it is stored, and its part inside the window
    /// row-major, which must fit into `values` just so.
    void read_block(int plane, std::int64_t x, std::int64_t y, PackedBlock& packed,
                    std::span<std::uint16_t> values) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

struct GeoTiffBand {
    std::string name;
    std::span<const std::uint16_t> values;  ///< row-major, window.pixels()
    Scaling scaling = {};
};

/// The same with all pixels at hand. REQUIRES equal sizes. Throws Error(failed) naming the path.
void write_geotiff(const std::filesystem::path& path, const Grid& grid, const Window& window,
                   std::span<const GeoTiffBand> bands, const GeoTiffOptions& options);

}  // namespace shuibao::io
