// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <gdal_priv.h>

#include "tile_file.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

constexpr int lattice_factor = 4;

GDALDatasetUniquePtr open_tile(const fs::path& path, const Window& tile) {
    const GdalMessages messages;
    // Tiles are ours: no other driver need look at them, and no file beside them belongs to them.
    const char* const drivers[] = {"GTiff", nullptr};
    CPLSetThreadLocalConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR");
    GDALDatasetUniquePtr d(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, drivers));
    CPLSetThreadLocalConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", nullptr);
    if (!d)
        throw Error(ErrorCode::input,
                    fmt::format("The tile {} cannot be opened: {}.", path.string(), messages.reason()),
                    "Delete it and run `shuibao tile` again: it will be made anew.");
    if (d->GetRasterXSize() != tile.cols || d->GetRasterYSize() != tile.rows)
        throw Error(ErrorCode::input,
                    fmt::format("The tile {} has {} × {} pixels instead of {} × {}.", path.string(),
                                d->GetRasterXSize(), d->GetRasterYSize(), tile.cols, tile.rows),
                    "Delete it and run `shuibao tile` again: it will be made anew.");
    return d;
}

void read_part(GDALRasterBand& band, const fs::path& path, const Window& part, std::uint16_t* out) {
    const GdalMessages messages;
    const auto cols = static_cast<int>(part.cols), rows = static_cast<int>(part.rows);
    if (band.RasterIO(GF_Read, static_cast<int>(part.col), static_cast<int>(part.row), cols, rows, out, cols,
                      rows, GDT_UInt16, 0, 0, nullptr) != CE_None)
        throw Error(ErrorCode::input,
                    fmt::format("The tile {} cannot be read: {}.", path.string(), messages.reason()),
                    "Delete it and run `shuibao tile` again: it will be made anew.");
}

int band_named(GDALDataset& d, std::string_view name, const fs::path& path) {
    for (int i = 1; i <= d.GetRasterCount(); ++i)
        if (name == d.GetRasterBand(i)->GetDescription()) return i;
    throw Error(ErrorCode::input, fmt::format("The tile {} has no band '{}'.", path.string(), name),
                "Delete it and run `shuibao tile` again.");
}

// Every `step`-th pixel of a tile in columns and rows `of` of the lattice, read from no more than holds them.
struct LatticePart {
    int step;
    Window of;    // in steps of the grid
    Window tile;  // in its pixels

    // Of values that lie `apart` pixels from each other, the first at (col, row) of the tile.
    [[nodiscard]] std::vector<std::uint16_t> picked(const std::vector<std::uint16_t>& values,
                                                    std::int64_t cols, std::int64_t apart) const {
        std::vector<std::uint16_t> out;
        out.reserve(static_cast<std::size_t>(of.pixels()));
        const auto every = step / apart;
        for (std::int64_t r = 0; r < of.rows; ++r)
            for (std::int64_t c = 0; c < of.cols; ++c)
                out.push_back(values[static_cast<std::size_t>(r * every * cols + c * every)]);
        return out;
    }
    // What must be read, in pixels that lie `apart` of the tile's from each other.
    [[nodiscard]] Window extent(std::int64_t apart) const {
        const auto every = step / apart;
        return {(of.col * step - tile.col) / apart, (of.row * step - tile.row) / apart,
                (of.cols - 1) * every + 1, (of.rows - 1) * every + 1};
    }
    [[nodiscard]] std::vector<std::uint16_t> from_overview(GDALDataset& d, std::string_view name,
                                                           const fs::path& path) const {
        GDALRasterBand* band = d.GetRasterBand(band_named(d, name, path));
        const int apart = band->GetOverviewCount() > 0 ? lattice_factor : 1;
        if (apart > 1) band = band->GetOverview(0);
        const auto window = extent(apart);
        std::vector<std::uint16_t> values(static_cast<std::size_t>(window.pixels()));
        read_part(*band, path, window, values.data());
        return picked(values, window.cols, apart);
    }
    // Through the cache that all readers share: who cuts one place cuts the next beside it.
    [[nodiscard]] std::vector<std::uint16_t> from_pixels(TileFile& file, std::string_view name,
                                                         const Grid& grid) const {
        auto window = extent(1);
        std::vector<std::uint16_t> values(static_cast<std::size_t>(window.pixels()));
        file.read(file.plane(name), {window.col + tile.col, window.row + tile.row, window.cols, window.rows},
                  values.data(), window.cols, std::nullopt, grid);
        return picked(values, window.cols, 1);
    }
};

}  // namespace

TileArchive::TileArchive(fs::path root, Grid grid, std::vector<Acquisition> acquisitions)
    : m_root(std::move(root)), m_grid(std::move(grid)), m_acquisitions(std::move(acquisitions)) {}

fs::path TileArchive::tile_path(const fs::path& root, TileId tile, const std::string& key) {
    return root / tile.str() / (key + ".tif");
}

Image TileArchive::read(const Acquisition& a, const Window& window, std::span<const Band> bands) const {
    Image image;
    read(a, window, bands, image, true, std::nullopt);
    return image;
}

void TileArchive::read(const Acquisition& a, const Window& window, std::span<const Band> bands, Image& image,
                       const std::optional<Reading>& reading) const {
    read(a, window, bands, image, false, reading);
}

void TileArchive::read(const Acquisition& a, const Window& window, std::span<const Band> bands, Image& image,
                       bool under_mask, const std::optional<Reading>& reading) const {
    image.date = a.date;
    image.reflectance = a.reflectance;
    image.bands.assign(bands.begin(), bands.end());
    image.scaling.clear();
    image.pixels.reset(window, static_cast<int>(bands.size()));
    for (const Band band : bands) {
        const auto it = std::find(a.bands.begin(), a.bands.end(), band);
        if (it == a.bands.end())
            throw Error(ErrorCode::input,
                        fmt::format("The acquisition {} has no band '{}'.", a.key, common_name(band)));
        image.scaling.push_back(a.scaling[static_cast<std::size_t>(it - a.bands.begin())]);
    }
    thread_local std::vector<std::uint16_t> codes;
    for (const TileId id : m_grid.tiles(window)) {
        if (!std::binary_search(a.tiles.begin(), a.tiles.end(), id)) continue;
        const fs::path path = tile_path(m_root, id, a.key);
        const Window tile = m_grid.window(id), part = tile.intersection(window);
        TileFile& file = TileFile::opened(path, tile);
        const auto offset =
            static_cast<std::size_t>((part.row - window.row) * window.cols + (part.col - window.col));
        codes.resize(static_cast<std::size_t>(part.pixels()));
        file.read(file.plane("quality"), part, codes.data(), part.cols, reading, m_grid);
        const auto quality = image.pixels.quality();
        for (std::int64_t y = 0; y < part.rows; ++y)
            for (std::int64_t x = 0; x < part.cols; ++x)
                quality[offset + static_cast<std::size_t>(y * window.cols + x)] =
                    static_cast<Quality>(codes[static_cast<std::size_t>(y * part.cols + x)]);
        const bool any = std::any_of(codes.begin(), codes.end(),
                                     [](std::uint16_t code) { return usable(static_cast<Quality>(code)); });
        if (!any && !under_mask) continue;
        for (std::size_t i = 0; i < bands.size(); ++i)
            file.read(file.plane(common_name(bands[i])), part,
                      image.pixels.plane(static_cast<int>(i)).data() + offset, window.cols, reading, m_grid);
    }
}

Image TileArchive::sample(const Acquisition& a, const Window& window, std::span<const Band> bands,
                          int step) const {
    const auto up = [step](std::int64_t v) { return v >= 0 ? (v + step - 1) / step : -(-v / step); };
    const std::int64_t c0 = up(window.col), c1 = up(window.col + window.cols), r0 = up(window.row),
                       r1 = up(window.row + window.rows);
    Image image;
    image.date = a.date;
    image.reflectance = a.reflectance;
    image.bands.assign(bands.begin(), bands.end());
    image.pixels =
        Block<std::uint16_t>({c0, r0, std::max<std::int64_t>(0, c1 - c0), std::max<std::int64_t>(0, r1 - r0)},
                             static_cast<int>(bands.size()));
    for (const Band band : bands)
        image.scaling.push_back(a.scaling[static_cast<std::size_t>(
            std::find(a.bands.begin(), a.bands.end(), band) - a.bands.begin())]);
    if (c1 <= c0 || r1 <= r0) return image;
    for (const TileId id : m_grid.tiles(window)) {
        if (!std::binary_search(a.tiles.begin(), a.tiles.end(), id)) continue;
        const fs::path path = tile_path(m_root, id, a.key);
        const Window tile = m_grid.window(id), part = tile.intersection(window);
        const LatticePart lattice{step,
                                  {up(part.col), up(part.row), up(part.col + part.cols) - up(part.col),
                                   up(part.row + part.rows) - up(part.row)},
                                  tile};
        if (lattice.of.pixels() == 0) continue;
        // The overview holds lattice pixels, which are the grid's when the tile starts on the lattice.
        const bool overview =
            step % lattice_factor == 0 && tile.col % lattice_factor == 0 && tile.row % lattice_factor == 0;
        const GDALDatasetUniquePtr d = overview ? open_tile(path, tile) : nullptr;
        for (std::size_t i = 0; i <= bands.size(); ++i) {
            const bool is_quality = i == bands.size();
            const auto name = is_quality ? std::string_view("quality") : common_name(bands[i]);
            const auto values = d ? lattice.from_overview(*d, name, path)
                                  : lattice.from_pixels(TileFile::opened(path, tile), name, m_grid);
            for (std::int64_t r = 0; r < lattice.of.rows; ++r) {
                const auto* from = values.data() + r * lattice.of.cols;
                const auto k =
                    static_cast<std::size_t>((lattice.of.row + r - r0) * (c1 - c0) + (lattice.of.col - c0));
                if (is_quality)
                    std::transform(from, from + lattice.of.cols, image.pixels.quality().data() + k,
                                   [](std::uint16_t v) { return static_cast<Quality>(v); });
                else
                    std::copy_n(from, lattice.of.cols, image.pixels.plane(static_cast<int>(i)).data() + k);
            }
        }
    }
    return image;
}

namespace {

std::vector<GeoTiffPlane> planes_of(const Acquisition& a) {
    std::vector<GeoTiffPlane> planes;
    for (std::size_t i = 0; i < a.bands.size(); ++i)
        planes.push_back({std::string(common_name(a.bands[i])), a.scaling[i]});
    planes.push_back({"quality", {}});
    return planes;
}

}  // namespace

TileWriter::TileWriter(const fs::path& path, const Grid& grid, TileId tile, const Acquisition& a)
    : m_tile(grid.window(tile)),
      m_file(path, grid, m_tile, planes_of(a),
             {.metadata = {{"SHUIBAO_TILE", tile.str()},
                           {"SHUIBAO_DATE", a.date.iso()},
                           {"SHUIBAO_KEY", a.key},
                           {"SHUIBAO_SOURCES", fmt::format("{}", fmt::join(a.sources, ","))}},
              .lattice_overview = lattice_factor}) {}

void TileWriter::write(const Image& strip) {
    const auto first = strip.pixels.window().row - m_tile.row;
    for (int p = 0; p < strip.pixels.planes(); ++p) m_file.write(p, first, strip.pixels.plane(p));
    const auto quality = strip.pixels.quality();
    m_quality.resize(quality.size());
    std::transform(quality.begin(), quality.end(), m_quality.begin(),
                   [](Quality q) { return static_cast<std::uint16_t>(q); });
    m_file.write(strip.pixels.planes(), first, m_quality);
}

namespace {

std::vector<GeoTiffPlane> change_planes(bool history) {
    const float per_evidence = 1.0F / Change::evidence_per_unit;
    std::vector<GeoTiffPlane> planes = {
        {"evidence", {per_evidence, -static_cast<float>(Change::evidence_zero) * per_evidence}},
        {"confidence", {1.0F / Change::confidence_one, 0}},
        {"magnitude", {0.01F, 0}},
        {"onset_from"},
        {"onset_to"},
        {"kind"}};
    if (history)
        for (std::size_t k = 0; k < PixelHistory::planes; ++k)
            planes.push_back({fmt::format("history_{}", k + 1)});
    return planes;
}

// In the order of change_planes; valid until the thread asks again.
std::vector<std::span<const std::uint16_t>> bands_of(const Change& c) {
    thread_local std::vector<std::uint16_t> kind;
    kind.resize(c.kind.size());
    std::transform(c.kind.begin(), c.kind.end(), kind.begin(),
                   [](ChangeKind k) { return static_cast<std::uint16_t>(k); });
    std::vector<std::span<const std::uint16_t>> bands = {c.evidence,   c.confidence, c.magnitude,
                                                         c.onset_from, c.onset_to,   kind};
    if (!c.history.empty()) bands.insert(bands.end(), c.history.values.begin(), c.history.values.end());
    return bands;
}

}  // namespace

ChangeWriter::ChangeWriter(const fs::path& path, const Grid& grid, const Window& window, bool history)
    : m_window(window),
      m_file(path, grid, window, change_planes(history),
             {.level = GeoTiffOptions::quick,
              .sparse = true,
              .metadata = {{"SHUIBAO_ONSET_UNIT", "days since 1970-01-01"},
                           {"SHUIBAO_UNOBSERVED", "evidence 65535"}}}) {}

void ChangeWriter::write(const Change& c) {
    const auto first = c.window.row - m_window.row;
    const auto bands = bands_of(c);
    for (std::size_t p = 0; p < bands.size(); ++p) m_file.write(static_cast<int>(p), first, bands[p]);
}

void ChangeWriter::encode(const Change& c, std::vector<PackedBlock>& packed) const {
    const auto bands = bands_of(c);
    packed.resize(bands.size());
    for (std::size_t p = 0; p < bands.size(); ++p)
        m_file.encode(static_cast<int>(p), bands[p], c.window.cols, packed[p]);
}

void ChangeWriter::write_blocks(std::int64_t row, std::span<const std::vector<PackedBlock>> across) {
    for (std::size_t p = 0; !across.empty() && p < across[0].size(); ++p)
        for (std::size_t x = 0; x < across.size(); ++x)
            m_file.write_block(static_cast<int>(p), static_cast<std::int64_t>(x), row, across[x][p]);
}

bool change_has_history(const fs::path& root, const Grid& grid, TileId tile) {
    const fs::path path = root / (tile.str() + ".tif");
    std::error_code error;
    return fs::exists(path, error) && TileFile::opened(path, grid.window(tile)).planes() > first_history_band;
}

void read_change_band(const fs::path& root, const Grid& grid, const Window& window, int band,
                      std::span<std::uint16_t> out, const std::optional<Reading>& reading) {
    for (const TileId id : grid.tiles(window)) {
        const fs::path path = root / (id.str() + ".tif");
        const Window tile = grid.window(id), part = tile.intersection(window);
        const auto offset =
            static_cast<std::size_t>((part.row - window.row) * window.cols + (part.col - window.col));
        std::error_code error;
        if (!fs::exists(path, error)) {
            const auto nothing = band == 0 ? Change::unobserved : std::uint16_t{0};
            for (std::int64_t r = 0; r < part.rows; ++r)
                std::fill_n(out.data() + offset + r * window.cols, part.cols, nothing);
            continue;
        }
        TileFile& file = TileFile::opened(path, tile);
        if (file.planes() <= band)
            throw Error(ErrorCode::input,
                        fmt::format("The change map {} has no band {}.", path.string(), band + 1),
                        "Delete it and run `shuibao detect` again.");
        file.read(band, part, out.data() + offset, window.cols, reading, grid);
    }
}

}  // namespace shuibao::io
