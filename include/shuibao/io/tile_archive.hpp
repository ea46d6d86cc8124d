// SPDX-License-Identifier: Apache-2.0
// The archive of analysis-ready tiles: one GeoTIFF per tile and acquisition, read as if there were no tiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/block.hpp>
#include <shuibao/core/change.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {

/// All scenes of one day and orbit, merged: what a detector calls a date.
struct Acquisition {
    std::string key;  ///< "20161209_S2A" : file stem in each tile folder; sorts by date
    Date date;
    std::vector<Band> bands;           ///< present in every tile of the acquisition
    bool reflectance = false;          ///< scaled values are reflectance (0–1), else relative DN
    std::vector<Scaling> scaling;      ///< per band; for DN imagery after relative normalisation
    std::vector<std::string> sources;  ///< STAC item ids
    std::vector<TileId> tiles;         ///< tiles with at least one pixel, row-major order

    [[nodiscard]] bool has(Band band) const {
        return std::find(bands.begin(), bands.end(), band) != bands.end();
    }
    /// Whether it has a pixel in one of these tiles.
    [[nodiscard]] bool touches(std::span<const TileId> some) const {
        return std::any_of(some.begin(), some.end(), [&](const TileId& t) {
            return std::binary_search(tiles.begin(), tiles.end(), t);
        });
    }
};

/// Tile file layout: `<root>/X0003_Y0004/<key>.tif`, UInt16, one band per role then one band `quality`
/// (core/quality.hpp codes), 256-pixel blocks, ZSTD; band descriptions are common names, scale and offset
/// are GDAL's; metadata items SHUIBAO_TILE, SHUIBAO_DATE, SHUIBAO_KEY, SHUIBAO_SOURCES (comma separated).
class TileArchive {
  public:
    TileArchive(std::filesystem::path root, Grid grid, std::vector<Acquisition> acquisitions);
    [[nodiscard]] const Grid& grid() const { return m_grid; }
    [[nodiscard]] const std::vector<Acquisition>& acquisitions() const { return m_acquisitions; }
    /// Window of any place and size (it may cross tiles); what no tile covers has Quality::nodata.
    /// Reentrant. Throws Error(input) naming the tile file when it cannot be read.
    [[nodiscard]] Image read(const Acquisition& acquisition, const Window& window,
                             std::span<const Band> bands) const;
    /// The same into an image whose memory is used again. Where no pixel of the window is usable the bands
    /// are not read at all: their values are unspecified, as everywhere under the mask.
    void read(const Acquisition& acquisition, const Window& window, std::span<const Band> bands, Image& image,
              const std::optional<Reading>& reading = std::nullopt) const;
    /// As read(), but every `step`-th pixel of every `step`-th row on the grid's lattice (col % step == 0 …):
    /// the deterministic sample from which global statistics come; independent of the tile size.
    [[nodiscard]] Image sample(const Acquisition& acquisition, const Window& window,
                               std::span<const Band> bands, int step) const;

    [[nodiscard]] static std::filesystem::path tile_path(const std::filesystem::path& root, TileId tile,
                                                         const std::string& key);

  private:
    void read(const Acquisition& acquisition, const Window& window, std::span<const Band> bands, Image& image,
              bool under_mask, const std::optional<Reading>& reading) const;

    std::filesystem::path m_root;
    Grid m_grid;
    std::vector<Acquisition> m_acquisitions;
};

/// Writes one tile file (atomically), strip by strip. Pixels as stored; compression chosen for speed (ZSTD
/// level 1 without predictor: measured 341 Mpx/s to write, 704 Mpx/s to read per core, against 250 and 364
/// with predictor 2).
class TileWriter {
  public:
    TileWriter(const std::filesystem::path& path, const Grid& grid, TileId tile,
               const Acquisition& acquisition);
    /// The next rows from the top: an image whose window is the tile's width and starts where the last ended.
    /// REQUIRES strip_rows rows, except for the last strip.
    void write(const Image& strip);
    void finish() { m_file.finish(); }

    static constexpr std::int64_t strip_rows = 256;

  private:
    Window m_tile;
    GeoTiffWriter m_file;
    std::vector<std::uint16_t> m_quality;
};

/// Change map of one tile: UInt16 bands evidence, confidence, magnitude, onset_from, onset_to, kind, with
/// descriptions, scale and offset; sparse (blocks of nothing are not stored). Atomic.
class ChangeWriter {
  public:
    /// `history`: there are the bands of PixelHistory too.
    ChangeWriter(const std::filesystem::path& path, const Grid& grid, const Window& window,
                 bool history = false);
    /// The next rows from the top, as TileWriter::write.
    void write(const Change& strip);
    /// Or by blocks: how the bands of one are stored (GeoTiffWriter::encode; reentrant), and whole rows of
    /// blocks from the top, one after the other.
    void encode(const Change& block, std::vector<PackedBlock>& packed) const;
    void write_blocks(std::int64_t row, std::span<const std::vector<PackedBlock>> across);
    void finish() { m_file.finish(); }

  private:
    Window m_window;
    GeoTiffWriter m_file;
};

inline constexpr int first_history_band = 6;
/// Whether the change map of a tile is there and has the bands of PixelHistory.
[[nodiscard]] bool change_has_history(const std::filesystem::path& root, const Grid& grid, TileId tile);

/// Reads a window of one band of the change maps under `root` (`<root>/X0003_Y0004.tif`), crossing tiles;
/// pixels that no tile covers are Change::unobserved for evidence and 0 for the rest.
/// `band` counts from 0 in the order above. Reentrant.
void read_change_band(const std::filesystem::path& root, const Grid& grid, const Window& window, int band,
                      std::span<std::uint16_t> out, const std::optional<Reading>& reading = std::nullopt);

}  // namespace shuibao::io
