// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include "tiff_handle.hpp"
#include "tile_file.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/geotiff.hpp>

namespace shuibao::io {
namespace {

void check(bool ok, const std::filesystem::path& path, const GdalMessages& messages) {
    if (ok && messages.errors().empty()) return;
    throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", path.string(), messages.reason()),
                "Free some space or point store/output at another disk; run the same command again.");
}

bool all_zero(std::span<const std::uint16_t> values) {
    std::uint16_t any = 0;
    for (const auto v : values) any |= v;  // no early end: whole vectors at a time
    return any == 0;
}

struct Close {
    void operator()(GDALDataset* d) const {
        const GdalMessages quiet;  // only reached when something else has already failed
        GDALClose(d);
    }
};

}  // namespace

struct GeoTiffWriter::Impl {
    std::filesystem::path path;
    Window window;
    std::vector<GeoTiffPlane> planes;
    GeoTiffOptions options;
    AtomicOutput out;
    std::unique_ptr<GDALDataset, Close> dataset;
    std::unique_ptr<TiffBlocks> blocks;  // takes the place of the dataset while blocks are written
    std::vector<std::pair<std::string, std::string>> late;  // metadata that came with the blocks
    std::vector<std::uint16_t> block;                       // one block as UInt16
    std::vector<std::uint8_t> bytes;                        // the same as UInt8, where asked for
    std::vector<std::vector<std::uint16_t>> lattice;        // per plane, the pixels of the overview

    Impl(std::filesystem::path p, const Window& w, std::vector<GeoTiffPlane> list, GeoTiffOptions o)
        : path(std::move(p)), window(w), planes(std::move(list)), options(std::move(o)), out(path) {}

    [[nodiscard]] int level_of(int plane) const {
        return planes[static_cast<std::size_t>(plane)].level.value_or(options.level);
    }
    // Blocks that TiffBlocks encodes; GDAL makes the file and all that is not a block.
    [[nodiscard]] bool by_blocks() const {
        return options.compression == "ZSTD" && !options.predictor && !options.bytes;
    }
    [[nodiscard]] int factor() const {
        const int f = options.lattice_overview;
        return f > 1 && window.cols >= f && window.rows >= f ? f : 0;
    }
    [[nodiscard]] std::size_t lattice_cols() const {
        return static_cast<std::size_t>((window.cols + factor() - 1) / factor());
    }

    void create(const Grid& grid) {
        const GdalMessages messages;
        char** create = nullptr;
        const auto set = [&](const char* key, const std::string& value) {
            create = CSLSetNameValue(create, key, value.c_str());
        };
        set("TILED", "YES");
        set("BLOCKXSIZE", std::to_string(options.block));
        set("BLOCKYSIZE", std::to_string(options.block));
        set("INTERLEAVE", "BAND");
        set("COMPRESS", options.compression);
        if (options.compression == "ZSTD") set("ZSTD_LEVEL", std::to_string(std::max(1, options.level)));
        if (options.compression == "DEFLATE") set("ZLEVEL", std::to_string(options.level));
        if (options.predictor) set("PREDICTOR", "2");
        if (options.sparse || by_blocks()) set("SPARSE_OK", "TRUE");
        set("BIGTIFF", "IF_SAFER");
        auto* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
        dataset.reset(driver->Create(out.temporary().c_str(), static_cast<int>(window.cols),
                                     static_cast<int>(window.rows), static_cast<int>(planes.size()),
                                     options.bytes ? GDT_Byte : GDT_UInt16, create));
        CSLDestroy(create);
        check(dataset != nullptr, path, messages);
        const Bounds b = grid.bounds(window);
        double gt[6] = {b.min_x, grid.gsd(), 0, b.max_y, 0, -grid.gsd()};
        dataset->SetGeoTransform(gt);
        OGRSpatialReference srs;
        srs.SetFromUserInput(grid.crs().c_str());
        dataset->SetSpatialRef(&srs);
        for (const auto& [key, value] : options.metadata)
            dataset->SetMetadataItem(key.c_str(), value.c_str());
        for (std::size_t i = 0; i < planes.size(); ++i) {
            auto* band = dataset->GetRasterBand(static_cast<int>(i) + 1);
            band->SetDescription(planes[i].name.c_str());
            if (planes[i].scaling != Scaling{}) {
                band->SetScale(planes[i].scaling.scale);
                band->SetOffset(planes[i].scaling.offset);
            }
            if (options.nodata >= 0) band->SetNoDataValue(options.nodata);
        }
        check(true, path, messages);
        if (!by_blocks()) return;
        if (int f = factor(); f > 0) {
            CPLSetThreadLocalConfigOption("SPARSE_OK_OVERVIEW", "YES");
            CPLSetThreadLocalConfigOption("GDAL_TIFF_OVR_BLOCKSIZE", std::to_string(options.block).c_str());
            dataset->FlushCache();
            const bool ok = dataset->BuildOverviews("NONE", 1, &f, 0, nullptr, nullptr, nullptr) == CE_None;
            for (const char* key : {"SPARSE_OK_OVERVIEW", "GDAL_TIFF_OVR_BLOCKSIZE"})
                CPLSetThreadLocalConfigOption(key, nullptr);
            check(ok, path, messages);
        }
        GDALClose(dataset.release());
        check(true, path, messages);
        blocks = std::make_unique<TiffBlocks>(out.temporary(), path);
    }

    void write_overview() {
        if (blocks) {
            blocks->directory(1);
            const auto size = static_cast<std::size_t>(options.block), cols = lattice_cols(),
                       rows = lattice.front().size() / cols;
            std::uint32_t index = 0;
            for (const auto& plane : lattice)
                for (std::size_t y = 0; y < rows; y += size)
                    for (std::size_t x = 0; x < cols; x += size) {
                        fill_block(std::span(plane).subspan(y * cols, std::min(size, rows - y) * cols), cols,
                                   x);
                        blocks->write(index++, block, options.level);
                    }
            return;
        }
        const GdalMessages messages;
        int f = factor();
        dataset->FlushCache();
        bool ok = dataset->BuildOverviews("NONE", 1, &f, 0, nullptr, nullptr, nullptr) == CE_None;
        const auto cols = static_cast<int>(lattice_cols());
        for (std::size_t i = 0; i < planes.size() && ok; ++i) {
            const auto rows = static_cast<int>(lattice[i].size() / lattice_cols());
            ok = dataset->GetRasterBand(static_cast<int>(i) + 1)
                     ->GetOverview(0)
                     ->RasterIO(GF_Write, 0, 0, cols, rows, lattice[i].data(), cols, rows, GDT_UInt16, 0, 0,
                                nullptr) == CE_None;
        }
        check(ok, path, messages);
    }

    // Adds to a file that is complete otherwise what was not known when it was begun.
    void add_late_metadata() {
        const GdalMessages messages;
        const char* const drivers[] = {"GTiff", nullptr};
        dataset.reset(GDALDataset::Open(out.temporary().c_str(), GDAL_OF_RASTER | GDAL_OF_UPDATE, drivers));
        check(dataset != nullptr, path, messages);
        for (const auto& [key, value] : late)
            check(dataset->SetMetadataItem(key.c_str(), value.c_str()) == CE_None, path, messages);
        GDALClose(dataset.release());
        check(true, path, messages);
    }

    // Copies the part from column `from` on of whole rows into the block, edges padded with zeros.
    void fill_block(std::span<const std::uint16_t> rows, std::size_t cols, std::size_t from) {
        fill_block(rows, cols, from, block);
    }
    void fill_block(std::span<const std::uint16_t> rows, std::size_t cols, std::size_t from,
                    std::vector<std::uint16_t>& into) const {
        const auto size = static_cast<std::size_t>(options.block), width = std::min(size, cols - from),
                   height = rows.size() / cols;
        for (std::size_t y = 0; y < height; ++y) {
            std::copy_n(rows.data() + y * cols + from, width, into.data() + y * size);
            std::fill(into.data() + y * size + width, into.data() + (y + 1) * size, std::uint16_t{0});
        }
        std::fill(into.begin() + static_cast<std::ptrdiff_t>(height * size), into.end(), std::uint16_t{0});
    }

    [[nodiscard]] bool empty(std::span<const std::uint16_t> rows, std::size_t cols, std::size_t from) const {
        const auto width = std::min(static_cast<std::size_t>(options.block), cols - from);
        for (std::size_t y = 0; y < rows.size() / cols; ++y)
            if (!all_zero(rows.subspan(y * cols + from, width))) return false;
        return true;
    }

    // libtiff's number of a block.
    [[nodiscard]] std::uint32_t index_of(int plane, int bx, int by) const {
        const auto size = std::int64_t{options.block}, high = (window.rows + size - 1) / size,
                   wide = (window.cols + size - 1) / size;
        return static_cast<std::uint32_t>((plane * high + by) * wide + bx);
    }

    // One block, straight to the encoder: GDAL's block cache would copy it twice more.
    void write_pixels(int plane, int bx, int by, std::span<const std::uint16_t> rows) {
        const auto size = static_cast<std::size_t>(options.block),
                   cols = static_cast<std::size_t>(window.cols), from = static_cast<std::size_t>(bx) * size;
        if (options.sparse && empty(rows, cols, from)) return;
        fill_block(rows, cols, from);
        if (blocks) {
            blocks->write(index_of(plane, bx, by), block, level_of(plane));
            return;
        }
        void* data = block.data();
        if (options.bytes) {
            std::transform(block.begin(), block.end(), bytes.begin(),
                           [](std::uint16_t v) { return static_cast<std::uint8_t>(v); });
            data = bytes.data();
        }
        const GdalMessages messages;
        check(dataset->GetRasterBand(plane + 1)->WriteBlock(bx, by, data) == CE_None, path, messages);
    }
};

GeoTiffWriter::GeoTiffWriter(std::filesystem::path path, const Grid& grid, const Window& window,
                             std::vector<GeoTiffPlane> planes, GeoTiffOptions options)
    : m_impl(std::make_unique<Impl>(std::move(path), window, std::move(planes), std::move(options))) {
    auto& m = *m_impl;
    const auto pixels = static_cast<std::size_t>(m.options.block) * static_cast<std::size_t>(m.options.block);
    m.block.resize(pixels);
    if (m.options.bytes) m.bytes.resize(pixels);
    if (m.factor() > 0) m.lattice.resize(m.planes.size());
    m.create(grid);
}

GeoTiffWriter::~GeoTiffWriter() = default;

void GeoTiffWriter::write(int plane, std::int64_t first_row, std::span<const std::uint16_t> values) {
    auto& m = *m_impl;
    const auto cols = static_cast<std::size_t>(m.window.cols), rows = values.size() / cols,
               size = static_cast<std::size_t>(m.options.block);
    const int across = static_cast<int>((cols + size - 1) / size);
    for (std::size_t y = 0; y < rows; y += size) {
        const auto part = values.subspan(y * cols, std::min(size, rows - y) * cols);
        const int by = static_cast<int>((static_cast<std::size_t>(first_row) + y) / size);
        for (int bx = 0; bx < across; ++bx) m.write_pixels(plane, bx, by, part);
    }
    if (const auto f = static_cast<std::size_t>(m.factor()); f > 0) {
        auto& lattice = m.lattice[static_cast<std::size_t>(plane)];
        for (std::size_t y = (f - static_cast<std::size_t>(first_row) % f) % f; y < rows; y += f)
            for (std::size_t x = 0; x < cols; x += f) lattice.push_back(values[y * cols + x]);
    }
}

void GeoTiffWriter::encode(int plane, std::span<const std::uint16_t> values, std::int64_t cols,
                           PackedBlock& packed) const {
    const auto& m = *m_impl;
    packed.clear();
    if (m.options.sparse && all_zero(values)) return;
    const auto pixels = static_cast<std::size_t>(m.options.block) * static_cast<std::size_t>(m.options.block);
    if (values.size() == pixels) {
        m.blocks->encode(values, m.level_of(plane), packed);
        return;
    }
    thread_local std::vector<std::uint16_t> block;
    block.resize(pixels);
    m.fill_block(values, static_cast<std::size_t>(cols), 0, block);
    m.blocks->encode(block, m.level_of(plane), packed);
}

void GeoTiffWriter::write_block(int plane, std::int64_t x, std::int64_t y, const PackedBlock& packed) {
    if (packed.empty()) return;
    auto& m = *m_impl;
    m.blocks->write(m.index_of(plane, static_cast<int>(x), static_cast<int>(y)),
                    std::span<const char>(packed));
}

void GeoTiffWriter::metadata(const std::string& key, const std::string& value) {
    if (m_impl->blocks) {
        m_impl->late.emplace_back(key, value);
        return;
    }
    const GdalMessages messages;
    check(m_impl->dataset->SetMetadataItem(key.c_str(), value.c_str()) == CE_None, m_impl->path, messages);
}

void GeoTiffWriter::finish() {
    auto& m = *m_impl;
    if (m.factor() > 0) m.write_overview();
    if (m.blocks) {
        m.blocks->close();
        m.blocks.reset();
        if (!m.late.empty()) m.add_late_metadata();
    } else {
        const GdalMessages messages;
        GDALClose(m.dataset.release());
        check(true, m.path, messages);
    }
    m.out.commit();
}

struct GeoTiffReader::Impl {
    std::unique_ptr<GDALDataset, Close> dataset;
    std::unique_ptr<TileFile> file;
    Window window;
};

GeoTiffReader::GeoTiffReader(const std::filesystem::path& path) : m_impl(std::make_unique<Impl>()) {
    const GdalMessages messages;
    const char* const drivers[] = {"GTiff", nullptr};
    m_impl->dataset.reset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, drivers));
    if (!m_impl->dataset)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be opened: {}.", path.string(), messages.reason()),
                    "Delete it; it will be made anew.");
    m_impl->window = {0, 0, m_impl->dataset->GetRasterXSize(), m_impl->dataset->GetRasterYSize()};
    m_impl->file = std::make_unique<TileFile>(path, m_impl->window);
}
GeoTiffReader::~GeoTiffReader() = default;

std::string GeoTiffReader::metadata(const std::string& key) const {
    const char* value = m_impl->dataset->GetMetadataItem(key.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

void GeoTiffReader::read(int plane, std::int64_t first_row, std::span<std::uint16_t> values) const {
    const Window& all = m_impl->window;
    const Window part{0, first_row, all.cols, std::ssize(values) / all.cols};
    if (plane >= m_impl->file->planes() || part.intersection(all) != part)
        throw Error(ErrorCode::input, "A GeoTIFF has fewer planes or rows than are asked for.",
                    "Delete it; it will be made anew.");
    m_impl->file->read_once(plane, part, values.data(), all.cols);
}

void GeoTiffReader::read_block(int plane, std::int64_t x, std::int64_t y, PackedBlock& packed,
                               std::span<std::uint16_t> values) const {
    m_impl->file->read_block(plane, x, y, packed, values);
}

void write_geotiff(const std::filesystem::path& path, const Grid& grid, const Window& window,
                   std::span<const GeoTiffBand> bands, const GeoTiffOptions& options) {
    std::vector<GeoTiffPlane> planes;
    for (const auto& b : bands) planes.push_back({b.name, b.scaling});
    GeoTiffWriter writer(path, grid, window, std::move(planes), options);
    for (std::size_t i = 0; i < bands.size(); ++i) writer.write(static_cast<int>(i), 0, bands[i].values);
    writer.finish();
}

}  // namespace shuibao::io
