// SPDX-License-Identifier: Apache-2.0
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

}  // namespace

void write_geotiff(const std::filesystem::path& path, const Grid& grid, const Window& window,
                   std::span<const GeoTiffBand> bands, const GeoTiffOptions& o) {
    AtomicOutput out(path);
    {
        const GdalMessages messages;
        char** create = nullptr;
        const auto set = [&](const char* key, const std::string& value) {
            create = CSLSetNameValue(create, key, value.c_str());
        };
        set("TILED", "YES");
        set("BLOCKXSIZE", std::to_string(o.block));
        set("BLOCKYSIZE", std::to_string(o.block));
        set("INTERLEAVE", "BAND");
        set("COMPRESS", o.compression);
        if (o.compression == "ZSTD") set("ZSTD_LEVEL", std::to_string(o.level));
        if (o.compression == "DEFLATE") set("ZLEVEL", std::to_string(o.level));
        if (o.predictor) set("PREDICTOR", "2");
        if (o.sparse) set("SPARSE_OK", "TRUE");
        set("BIGTIFF", "IF_SAFER");
        auto* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
        auto* dataset = driver->Create(out.temporary().c_str(), static_cast<int>(window.cols),
                                       static_cast<int>(window.rows), static_cast<int>(bands.size()),
                                       o.bytes ? GDT_Byte : GDT_UInt16, create);
        CSLDestroy(create);
        check(dataset != nullptr, path, messages);
        const Bounds b = grid.bounds(window);
        double gt[6] = {b.min_x, grid.gsd(), 0, b.max_y, 0, -grid.gsd()};
        dataset->SetGeoTransform(gt);
        OGRSpatialReference srs;
        srs.SetFromUserInput(grid.crs().c_str());
        dataset->SetSpatialRef(&srs);
        for (const auto& [key, value] : o.metadata) dataset->SetMetadataItem(key.c_str(), value.c_str());
        for (std::size_t i = 0; i < bands.size(); ++i) {
            auto* band = dataset->GetRasterBand(static_cast<int>(i) + 1);
            band->SetDescription(bands[i].name.c_str());
            if (bands[i].scaling != Scaling{}) {
                band->SetScale(bands[i].scaling.scale);
                band->SetOffset(bands[i].scaling.offset);
            }
        }
        if (o.nodata >= 0)
            for (std::size_t i = 0; i < bands.size(); ++i)
                dataset->GetRasterBand(static_cast<int>(i) + 1)->SetNoDataValue(o.nodata);
        bool ok = true;
        const auto cols = static_cast<int>(window.cols), rows = static_cast<int>(window.rows);
        for (std::size_t i = 0; i < bands.size() && ok; ++i)
            ok =
                dataset->GetRasterBand(static_cast<int>(i) + 1)
                    ->RasterIO(GF_Write, 0, 0, cols, rows, const_cast<std::uint16_t*>(bands[i].values.data()),
                               cols, rows, GDT_UInt16, 0, 0, nullptr) == CE_None;
        check(ok, path, messages);
        if (o.lattice_overview > 1 && cols >= o.lattice_overview && rows >= o.lattice_overview) {
            dataset->FlushCache();
            int factor = o.lattice_overview;
            ok = dataset->BuildOverviews("NONE", 1, &factor, 0, nullptr, nullptr, nullptr) == CE_None;
            std::vector<std::uint16_t> lattice;
            for (std::size_t i = 0; i < bands.size() && ok; ++i) {
                auto* overview = dataset->GetRasterBand(static_cast<int>(i) + 1)->GetOverview(0);
                const int oc = overview->GetXSize(), orows = overview->GetYSize();
                lattice.assign(static_cast<std::size_t>(oc) * static_cast<std::size_t>(orows), 0);
                for (int y = 0; y < orows; ++y)
                    for (int x = 0; x < oc; ++x)
                        lattice[static_cast<std::size_t>(y) * static_cast<std::size_t>(oc) +
                                static_cast<std::size_t>(x)] =
                            bands[i].values[static_cast<std::size_t>(y * factor) *
                                                static_cast<std::size_t>(cols) +
                                            static_cast<std::size_t>(x * factor)];
                ok = overview->RasterIO(GF_Write, 0, 0, oc, orows, lattice.data(), oc, orows, GDT_UInt16, 0,
                                        0, nullptr) == CE_None;
            }
            check(ok, path, messages);
        }
        GDALClose(dataset);
        check(true, path, messages);
    }
    out.commit();
}

}  // namespace shuibao::io
