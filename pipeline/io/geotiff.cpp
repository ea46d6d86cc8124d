// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <gdal_priv.h>
#include <ogr_spatialref.h>

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
    std::vector<std::uint16_t> block;                 // one block as UInt16
    std::vector<std::uint8_t> bytes;                  // the same as UInt8, where asked for
    std::vector<std::vector<std::uint16_t>> lattice;  // per plane, the pixels of the overview

    Impl(std::filesystem::path p, const Window& w, std::vector<GeoTiffPlane> list, GeoTiffOptions o)
        : path(std::move(p)), window(w), planes(std::move(list)), options(std::move(o)), out(path) {}

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
        if (options.compression == "ZSTD") set("ZSTD_LEVEL", std::to_string(options.level));
        if (options.compression == "DEFLATE") set("ZLEVEL", std::to_string(options.level));
        if (options.predictor) set("PREDICTOR", "2");
        if (options.sparse) set("SPARSE_OK", "TRUE");
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
    }

    // One block, edges padded with zeros, straight to the encoder: GDAL's block cache would copy it twice
    // more.
    void write_block(GDALRasterBand& band, int bx, int by, std::span<const std::uint16_t> rows) {
        const auto size = static_cast<std::size_t>(options.block),
                   cols = static_cast<std::size_t>(window.cols), from = static_cast<std::size_t>(bx) * size,
                   width = std::min(size, cols - from), height = rows.size() / cols;
        const auto line = [&](std::size_t y) { return rows.subspan(y * cols + from, width); };
        if (options.sparse) {
            bool empty = true;
            for (std::size_t y = 0; y < height && empty; ++y) empty = all_zero(line(y));
            if (empty) return;
        }
        for (std::size_t y = 0; y < height; ++y) {
            std::copy_n(line(y).data(), width, block.data() + y * size);
            std::fill(block.data() + y * size + width, block.data() + (y + 1) * size, std::uint16_t{0});
        }
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(height * size), block.end(), std::uint16_t{0});
        void* data = block.data();
        if (options.bytes) {
            std::transform(block.begin(), block.end(), bytes.begin(),
                           [](std::uint16_t v) { return static_cast<std::uint8_t>(v); });
            data = bytes.data();
        }
        const GdalMessages messages;
        check(band.WriteBlock(bx, by, data) == CE_None, path, messages);
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
    auto* band = m.dataset->GetRasterBand(plane + 1);
    const int across = static_cast<int>((cols + size - 1) / size);
    for (std::size_t y = 0; y < rows; y += size) {
        const auto part = values.subspan(y * cols, std::min(size, rows - y) * cols);
        const int by = static_cast<int>((static_cast<std::size_t>(first_row) + y) / size);
        for (int bx = 0; bx < across; ++bx) m.write_block(*band, bx, by, part);
    }
    if (const auto f = static_cast<std::size_t>(m.factor()); f > 0) {
        auto& lattice = m.lattice[static_cast<std::size_t>(plane)];
        for (std::size_t y = (f - static_cast<std::size_t>(first_row) % f) % f; y < rows; y += f)
            for (std::size_t x = 0; x < cols; x += f) lattice.push_back(values[y * cols + x]);
    }
}

void GeoTiffWriter::metadata(const std::string& key, const std::string& value) {
    const GdalMessages messages;
    check(m_impl->dataset->SetMetadataItem(key.c_str(), value.c_str()) == CE_None, m_impl->path, messages);
}

void GeoTiffWriter::finish() {
    auto& m = *m_impl;
    const GdalMessages messages;
    if (int factor = m.factor(); factor > 0) {
        m.dataset->FlushCache();
        bool ok = m.dataset->BuildOverviews("NONE", 1, &factor, 0, nullptr, nullptr, nullptr) == CE_None;
        const auto cols = static_cast<int>(m.lattice_cols());
        for (std::size_t i = 0; i < m.planes.size() && ok; ++i) {
            const auto rows = static_cast<int>(m.lattice[i].size() / m.lattice_cols());
            ok = m.dataset->GetRasterBand(static_cast<int>(i) + 1)
                     ->GetOverview(0)
                     ->RasterIO(GF_Write, 0, 0, cols, rows, m.lattice[i].data(), cols, rows, GDT_UInt16, 0, 0,
                                nullptr) == CE_None;
        }
        check(ok, m.path, messages);
    }
    GDALClose(m.dataset.release());
    check(true, m.path, messages);
    m.out.commit();
}

struct GeoTiffReader::Impl {
    std::filesystem::path path;
    std::unique_ptr<GDALDataset, Close> dataset;
};

GeoTiffReader::GeoTiffReader(const std::filesystem::path& path) : m_impl(std::make_unique<Impl>()) {
    const GdalMessages messages;
    const char* const drivers[] = {"GTiff", nullptr};
    m_impl->path = path;
    m_impl->dataset.reset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, drivers));
    if (!m_impl->dataset)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be opened: {}.", path.string(), messages.reason()),
                    "Delete it; it will be made anew.");
}
GeoTiffReader::~GeoTiffReader() = default;

std::string GeoTiffReader::metadata(const std::string& key) const {
    const char* value = m_impl->dataset->GetMetadataItem(key.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

void GeoTiffReader::read(int plane, std::int64_t first_row, std::span<std::uint16_t> values) const {
    auto& d = *m_impl->dataset;
    const int cols = d.GetRasterXSize(), rows = static_cast<int>(values.size()) / std::max(cols, 1);
    const GdalMessages messages;
    if (plane >= d.GetRasterCount() || first_row + rows > d.GetRasterYSize() ||
        d.GetRasterBand(plane + 1)->RasterIO(GF_Read, 0, static_cast<int>(first_row), cols, rows,
                                             values.data(), cols, rows, GDT_UInt16, 0, 0, nullptr) != CE_None)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be read: {}.", m_impl->path.string(), messages.reason()),
                    "Delete it; it will be made anew.");
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
