// SPDX-License-Identifier: Apache-2.0
#include <cpl_string.h>
#include <fmt/format.h>

#include "dataset.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/cog.hpp>

namespace shuibao::io {

// The COG driver only copies: rows are collected in a plain file beside it, which is removed when that is
// done.
struct CogWriter::Impl {
    std::filesystem::path path;
    Window window;
    CogOptions options;
    AtomicOutput out, rows;
    GDALDatasetUniquePtr source;
    std::int64_t next = 0;

    Impl(std::filesystem::path p, const Grid& grid, const Window& w, CogOptions o)
        : path(std::move(p)), window(w), options(std::move(o)), out(path), rows(path) {
        const GdalMessages messages;
        CPLStringList create;
        for (const char* option : {"TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=ZSTD",
                                   "ZSTD_LEVEL=1", "SPARSE_OK=TRUE", "BIGTIFF=IF_SAFER"})
            create.AddString(option);
        source.reset(driver("GTiff").Create(rows.temporary().c_str(), static_cast<int>(w.cols),
                                            static_cast<int>(w.rows), 1, GDT_Byte, create.List()));
        check(source != nullptr, path, messages);
        const auto bounds = grid.bounds(w);
        std::array<double, 6> place = {bounds.min_x, grid.gsd(), 0, bounds.max_y, 0, -grid.gsd()};
        source->SetGeoTransform(place.data());
        const auto srs = reference(grid.crs());
        source->SetSpatialRef(&srs);
        if (options.nodata >= 0) source->GetRasterBand(1)->SetNoDataValue(options.nodata);
        check(true, path, messages);
    }

    // Colours on a view of the rows: a plain GeoTIFF takes a palette only before its first pixel.
    GDALDatasetUniquePtr dressed(const GdalMessages& messages) const {
        GDALDatasetUniquePtr view(
            driver("VRT").CreateCopy("", source.get(), FALSE, nullptr, nullptr, nullptr));
        check(view != nullptr, path, messages);
        auto* band = view->GetRasterBand(1);
        if (!options.colours.empty()) {
            GDALColorTable table;
            for (int i = 0; i < 256; ++i) {
                constexpr GDALColorEntry white = {255, 255, 255, 255};
                table.SetColorEntry(i, &white);
            }
            for (const auto& [value, c] : options.colours) {
                const GDALColorEntry entry = {c[0], c[1], c[2], 255};
                table.SetColorEntry(value, &entry);
            }
            band->SetColorTable(&table);
            band->SetColorInterpretation(GCI_PaletteIndex);
        }
        if (!options.description.empty()) band->SetDescription(options.description.c_str());
        for (const auto& [key, value] : options.metadata) view->SetMetadataItem(key.c_str(), value.c_str());
        return view;
    }
};

BandFacts band_facts(const std::filesystem::path& path) {
    const GdalMessages messages;
    const GDALDatasetUniquePtr d(
        GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, nullptr, nullptr, nullptr));
    if (d == nullptr || d->GetRasterCount() == 0)
        throw Error(ErrorCode::input, fmt::format("Cannot read {}: {}.", path.string(), messages.reason()),
                    "Run the same command again.");
    auto* band = d->GetRasterBand(1);
    BandFacts facts;
    facts.type = CPLString(GDALGetDataTypeName(band->GetRasterDataType())).tolower();
    facts.description = band->GetDescription();
    int has = 0;
    const double nodata = band->GetNoDataValue(&has);
    if (has != 0) facts.nodata = nodata;
    return facts;
}

CogWriter::CogWriter(std::filesystem::path path, const Grid& grid, const Window& window, CogOptions options)
    : m_impl(std::make_unique<Impl>(std::move(path), grid, window, std::move(options))) {}
CogWriter::~CogWriter() = default;

void CogWriter::write(std::span<const std::uint8_t> rows) {
    auto& m = *m_impl;
    const GdalMessages messages;
    const auto n = static_cast<std::int64_t>(rows.size()) / m.window.cols;
    const bool ok = m.source->GetRasterBand(1)->RasterIO(GF_Write, 0, static_cast<int>(m.next),
                                                         static_cast<int>(m.window.cols), static_cast<int>(n),
                                                         const_cast<std::uint8_t*>(rows.data()),
                                                         static_cast<int>(m.window.cols), static_cast<int>(n),
                                                         GDT_Byte, 0, 0, nullptr) == CE_None;
    check(ok, m.path, messages);
    m.next += n;
}

void CogWriter::finish() {
    auto& m = *m_impl;
    const GdalMessages messages;
    m.source->FlushCache(false);
    check(true, m.path, messages);
    {
        const auto view = m.dressed(messages);
        CPLStringList create;
        for (const char* option : {"COMPRESS=DEFLATE", "BLOCKSIZE=512", "OVERVIEW_RESAMPLING=NEAREST",
                                   "NUM_THREADS=1", "SPARSE_OK=TRUE", "BIGTIFF=IF_SAFER"})
            create.AddString(option);
        const GDALDatasetUniquePtr cog(driver("COG").CreateCopy(m.out.temporary().c_str(), view.get(), FALSE,
                                                                create.List(), nullptr, nullptr));
        check(cog != nullptr, m.path, messages);
    }
    m.source.reset();
    check(true, m.path, messages);
    m.out.commit();
}

}  // namespace shuibao::io
