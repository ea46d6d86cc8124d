// SPDX-License-Identifier: Apache-2.0
#include "raster_handle.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string_view>

#include <fmt/format.h>
#include <gdalwarper.h>
#include <ogr_spatialref.h>
#include <vrtdataset.h>

#include "dataset.hpp"
#include "raster_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {
namespace {

constexpr std::size_t handles_per_thread = 64;

std::mutex g_epoch_mutex;
std::uint64_t g_epoch = 0;
std::map<std::string, std::uint64_t>
    g_numbers;  // of the files opened in this epoch, the same for all threads

FileContent content_of(const std::string& path) {
    const std::lock_guard lock(g_epoch_mutex);
    return {0, g_numbers.try_emplace(path, g_numbers.size()).first->second, g_epoch};
}

// Whether GDAL decodes one block of one band and nothing else when asked to, and doing so through our cache
// pays: where the bands of a pixel lie together GDAL puts the other bands into its own cache, and there they
// must be looked for; bytes in a TIFF are dearer to widen than to decode.
bool decodes_single_blocks(GDALDataset& d) {
    if (d.GetDriver() == nullptr || d.GetRasterCount() < 1) return false;
    const std::string_view format = d.GetDriver()->GetDescription();
    const auto type = d.GetRasterBand(1)->GetRasterDataType();
    if (format == "JP2OpenJPEG") return d.GetRasterCount() == 1 && (type == GDT_UInt16 || type == GDT_Byte);
    const char* interleave = d.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE");
    return format == "GTiff" && type == GDT_UInt16 &&
           (d.GetRasterCount() == 1 || (interleave != nullptr && std::string_view(interleave) == "BAND"));
}

class HandlePool {
  public:
    Handle& get(const std::string& path, const Grid& grid, double shift_x, double shift_y,
                Resampling resampling) {
        {
            const std::lock_guard lock(g_epoch_mutex);
            if (m_epoch != g_epoch) m_order.clear(), m_at.clear();
            m_epoch = g_epoch;
        }
        const std::string key = fmt::format("{}|{}|{}|{}|{}|{}|{}", path, grid.crs(), grid.gsd(),
                                            grid.origin_x(), shift_x, shift_y, static_cast<int>(resampling));
        if (const auto it = m_at.find(key); it != m_at.end()) {
            m_order.splice(m_order.begin(), m_order, it->second);
            return it->second->second;
        }
        Handle handle;
        handle.source = open_raster(path);
        handle.info = describe_raster(*handle.source);
        if (handle.info.crs.empty())
            throw Error(ErrorCode::input, fmt::format("{} has no georeference.", path),
                        "Give it a CRS and a geotransform (gdal_edit.py -a_srs … -a_ullr …).");
        if (!handle.info.north_up || !same_crs(handle.info.crs, grid.crs()))
            warp(handle, path, grid, shift_x, shift_y, resampling);
        handle.content = content_of(path);
        handle.blockwise = !handle.warped && decodes_single_blocks(*handle.source);
        if (m_order.size() >= handles_per_thread) {
            m_at.erase(m_order.back().first);
            m_order.pop_back();
        }
        m_order.emplace_front(key, std::move(handle));
        m_at[key] = m_order.begin();
        return m_order.front().second;
    }

  private:
    // A warped VRT over the scene's whole extent on the lattice: its blocks do not depend on the window asked
    // for, so neither do its values.
    static void warp(Handle& h, const std::string& path, const Grid& grid, double shift_x, double shift_y,
                     Resampling resampling) {
        const GdalMessages messages;
        const OGRSpatialReference to = known_reference(grid.crs());
        char* wkt = nullptr;
        to.exportToWkt(&wkt);
        const std::string target = wkt;
        CPLFree(wkt);
        const Window w = grid.window(transform_bounds(h.info.bounds(), h.info.crs, grid.crs())).grown(2);
        const Bounds b = grid.bounds(w);
        double gt[6] = {b.min_x - shift_x * grid.gsd(), grid.gsd(), 0,
                        b.max_y + shift_y * grid.gsd(), 0,          -grid.gsd()};
        GDALWarpOptions* options = GDALCreateWarpOptions();
        options->eResampleAlg = resampling == Resampling::nearest ? GRA_NearestNeighbour
                                : resampling == Resampling::cubic ? GRA_Cubic
                                                                  : GRA_Bilinear;
        options->hSrcDS = h.source.get();
        options->nBandCount = h.info.bands;
        options->panSrcBands =
            static_cast<int*>(CPLMalloc(sizeof(int) * static_cast<std::size_t>(h.info.bands)));
        options->panDstBands =
            static_cast<int*>(CPLMalloc(sizeof(int) * static_cast<std::size_t>(h.info.bands)));
        for (int i = 0; i < h.info.bands; ++i) options->panSrcBands[i] = options->panDstBands[i] = i + 1;
        const double nodata = h.info.nodata.value_or(0);
        options->padfSrcNoDataReal =
            static_cast<double*>(CPLMalloc(sizeof(double) * static_cast<std::size_t>(h.info.bands)));
        options->padfDstNoDataReal =
            static_cast<double*>(CPLMalloc(sizeof(double) * static_cast<std::size_t>(h.info.bands)));
        for (int i = 0; i < h.info.bands; ++i)
            options->padfSrcNoDataReal[i] = options->padfDstNoDataReal[i] = nodata;
        options->papszWarpOptions = CSLSetNameValue(options->papszWarpOptions, "INIT_DEST", "NO_DATA");
        options->papszWarpOptions = CSLSetNameValue(options->papszWarpOptions, "UNIFIED_SRC_NODATA", "NO");
        char** to_options = CSLSetNameValue(nullptr, "DST_SRS", target.c_str());
        options->pTransformerArg = GDALCreateGenImgProjTransformer2(h.source.get(), nullptr, to_options);
        CSLDestroy(to_options);
        options->pfnTransformer = GDALGenImgProjTransform;
        GDALDatasetUniquePtr warped;
        if (options->pTransformerArg != nullptr) {
            GDALSetGenImgProjTransformerDstGeoTransform(options->pTransformerArg, gt);
            warped.reset(static_cast<GDALDataset*>(GDALCreateWarpedVRT(
                h.source.get(), static_cast<int>(w.cols), static_cast<int>(w.rows), gt, options)));
        }
        GDALDestroyWarpOptions(options);
        if (!warped)
            throw Error(ErrorCode::input,
                        fmt::format("{} cannot be warped to {}: {}.", path, grid.crs().substr(0, 40),
                                    messages.reason()),
                        "Check its CRS.");
        for (int i = 1; i <= h.info.bands; ++i) warped->GetRasterBand(i)->SetNoDataValue(nodata);
        h.warped = std::move(warped);
        h.info.left = b.min_x;
        h.info.top = b.max_y;
        h.info.gsd_x = h.info.gsd_y = grid.gsd();
        h.info.cols = static_cast<int>(w.cols);
        h.info.rows = static_cast<int>(w.rows);
        h.info.nodata = nodata;
    }

    std::uint64_t m_epoch = 0;
    std::list<std::pair<std::string, Handle>> m_order;
    std::map<std::string, std::list<std::pair<std::string, Handle>>::iterator> m_at;
};

}  // namespace

Handle& raster_handle(const std::string& path, const Grid& grid, double shift_x, double shift_y,
                      Resampling resampling) {
    thread_local HandlePool handles;
    return handles.get(path, grid, shift_x, shift_y, resampling);
}

void forget_handles() {
    const std::lock_guard lock(g_epoch_mutex);
    ++g_epoch;
    g_numbers.clear();
    BlockCache::instance().clear();
}

}  // namespace shuibao::io
