// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <gdal_priv.h>
#include <gdalwarper.h>
#include <ogr_spatialref.h>
#include <vrtdataset.h>

#include "block_cache.hpp"
#include "dataset.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {
namespace {

constexpr std::size_t handles_per_thread = 64;

GDALDatasetUniquePtr open(const std::string& path) {
    if (is_remote(path) && !network_allowed())
        throw Error(ErrorCode::input, fmt::format("{} lies on the network.", path),
                    "Copy it here, or say --allow-network.");
    const GdalMessages messages;
    GDALDatasetUniquePtr dataset(
        GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR));
    if (!dataset)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be opened as a raster: {}.", path, messages.reason()),
                    "Check the path; if the file is damaged, get it again.");
    return dataset;
}

RasterInfo describe(GDALDataset& d) {
    RasterInfo info;
    double gt[6];
    const bool placed = d.GetGeoTransform(gt) == CE_None;
    info.crs = crs_name(d.GetSpatialRef());
    info.north_up = placed && gt[2] == 0 && gt[4] == 0 && gt[1] > 0 && gt[5] < 0;
    if (placed) {
        info.left = gt[0];
        info.top = gt[3];
        info.gsd_x = gt[1];
        info.gsd_y = -gt[5];
    } else {
        info.crs.clear();
    }
    info.cols = d.GetRasterXSize();
    info.rows = d.GetRasterYSize();
    info.bands = d.GetRasterCount();
    if (info.bands > 0) {
        info.type = GDALGetDataTypeName(d.GetRasterBand(1)->GetRasterDataType());
        int has = 0;
        const double v = d.GetRasterBand(1)->GetNoDataValue(&has);
        if (has != 0) info.nodata = v;
    }
    for (char** item = d.GetMetadata(); item != nullptr && *item != nullptr; ++item)
        if (const std::string text = *item; text.find('=') != std::string::npos)
            info.metadata[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    return info;
}

// A file as this thread sees it: opened once, and laid on the grid's CRS when it has another.
struct Handle {
    GDALDatasetUniquePtr source, warped;
    RasterInfo info;
    FileContent content;
    bool blockwise = false;  ///< each block of a band can be decoded by itself
};

std::mutex g_epoch_mutex;
std::uint64_t g_epoch = 0;
std::map<std::string, std::uint64_t>
    g_numbers;  // of the files opened in this epoch, the same for all threads

FileContent content_of(const std::string& path) {
    const std::lock_guard lock(g_epoch_mutex);
    return {0, g_numbers.try_emplace(path, g_numbers.size()).first->second, g_epoch};
}

// Whether GDAL decodes one block of one band and nothing else when asked to: where the bands of a pixel lie
// together it puts the other bands into its own cache, and there they must be looked for.
bool decodes_single_blocks(GDALDataset& d) {
    const char* interleave = d.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE");
    const auto* driver = d.GetDriver();
    return driver != nullptr && std::string_view(driver->GetDescription()) == "GTiff" &&
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
        handle.source = open(path);
        handle.info = describe(*handle.source);
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

HandlePool& pool() {
    thread_local HandlePool handles;
    return handles;
}

template <class T>
void raster_io(GDALRasterBand& band, const BandRequest& r, int x, int y, int cols, int rows, T* out,
               GDALDataType type, GSpacing line) {
    const GdalMessages messages;
    if (band.RasterIO(GF_Read, x, y, cols, rows, out, cols, rows, type, 0, line, nullptr) != CE_None)
        throw Error(ErrorCode::input,
                    fmt::format("{} band {} cannot be read near pixel {},{}: {}.", r.path, r.band, x, y,
                                messages.reason()),
                    "The file is damaged: get it again, or take the scene out of the catalogue.");
}

// The pixels of `part` (of the file's own) through the shared cache, one block after the other.
void read_blocks(GDALRasterBand& band, const BandRequest& r, const Handle& h, const Window& part,
                 std::int64_t file_col, std::int64_t file_row, const Grid& grid, std::uint16_t* out,
                 std::int64_t line) {
    int wide = 0, high = 0;
    band.GetBlockSize(&wide, &high);
    const std::int64_t across = (h.info.cols + wide - 1) / wide, down = (h.info.rows + high - 1) / high;
    auto& cache = BlockCache::instance();
    for (auto by = part.row / high; by * high < part.row + part.rows; ++by)
        for (auto bx = part.col / wide; bx * wide < part.col + part.cols; ++bx) {
            const BlockKey key{h.content,
                               static_cast<std::uint64_t>(((r.band - 1) * down + by) * across + bx)};
            const Window place =
                Window{bx * wide, by * high, wide, high}.intersection({0, 0, h.info.cols, h.info.rows});
            const Window wanted = place.intersection(part);
            {
                const auto pixels = cache.get(
                    key, static_cast<std::size_t>(wide) * static_cast<std::size_t>(high),
                    [&](std::span<std::uint16_t> block) {
                        const GdalMessages messages;
                        if (band.ReadBlock(static_cast<int>(bx), static_cast<int>(by), block.data()) !=
                            CE_None)
                            throw Error(ErrorCode::input,
                                        fmt::format("{} band {} cannot be read near pixel {},{}: {}.", r.path,
                                                    r.band, place.col, place.row, messages.reason()),
                                        "The file is damaged: get it again, or take the scene out of the "
                                        "catalogue.");
                    });
                for (auto y = wanted.row; y < wanted.row + wanted.rows; ++y)
                    std::copy_n(pixels->data() + (y - place.row) * wide + (wanted.col - place.col),
                                wanted.cols, out + (y - part.row) * line + (wanted.col - part.col));
            }
            if (r.reading)
                pass_block(cache, key, {place.col + file_col, place.row + file_row, place.cols, place.rows},
                           *r.reading, grid);
        }
}

void mark_data(const std::uint16_t* __restrict values, std::uint16_t missing, std::uint8_t* __restrict valid,
               std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) valid[i] = values[i] != missing ? 1 : 0;
}

// Weights of one output column or row over source samples; taps start at `first` (source index).
struct Taps {
    std::vector<std::int64_t> first;
    std::vector<float> weight;
    int count = 0;
};

Taps taps_for(std::int64_t from, std::int64_t n, double step, double start, Resampling resampling) {
    Taps t;
    t.count = resampling == Resampling::nearest ? 1 : resampling == Resampling::bilinear ? 2 : 4;
    t.first.resize(static_cast<std::size_t>(n));
    t.weight.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(t.count));
    for (std::int64_t i = 0; i < n; ++i) {
        // Position of the output pixel's centre in source samples, from its absolute address.
        const double s = start + (static_cast<double>(from + i) + 0.5) * step - 0.5;
        float* w = &t.weight[static_cast<std::size_t>(i * t.count)];
        if (resampling == Resampling::nearest) {
            t.first[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(std::floor(s + 0.5));
            w[0] = 1;
            continue;
        }
        const double base = std::floor(s);
        const auto f = static_cast<float>(s - base);
        if (resampling == Resampling::bilinear) {
            t.first[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(base);
            w[0] = 1 - f;
            w[1] = f;
        } else {  // Catmull-Rom (Keys 1981, a = -0.5)
            t.first[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(base) - 1;
            w[0] = ((-0.5F * f + 1.0F) * f - 0.5F) * f;
            w[1] = (1.5F * f - 2.5F) * f * f + 1.0F;
            w[2] = ((-1.5F * f + 2.0F) * f + 0.5F) * f;
            w[3] = (0.5F * f - 0.5F) * f * f;
        }
    }
    return t;
}

void resample(GDALRasterBand& band, const BandRequest& r, const RasterInfo& info, const Grid& grid,
              const Window& window, std::optional<double> nodata, std::span<std::uint16_t> out,
              std::span<std::uint8_t> valid) {
    const double step_x = grid.gsd() / info.gsd_x, step_y = grid.gsd() / info.gsd_y;
    const Taps tx =
        taps_for(window.col, window.cols, step_x,
                 (grid.origin_x() - r.shift_x * grid.gsd() - info.left) / info.gsd_x, r.resampling);
    const Taps ty =
        taps_for(window.row, window.rows, step_y,
                 (info.top - grid.origin_y() - r.shift_y * grid.gsd()) / info.gsd_y, r.resampling);
    const std::int64_t x0 = std::max<std::int64_t>(0, tx.first.front()),
                       x1 = std::min<std::int64_t>(info.cols, tx.first.back() + tx.count);
    const std::int64_t y0 = std::max<std::int64_t>(0, ty.first.front()),
                       y1 = std::min<std::int64_t>(info.rows, ty.first.back() + ty.count);
    if (x0 >= x1 || y0 >= y1) return;
    const auto cols = static_cast<std::size_t>(x1 - x0), rows = static_cast<std::size_t>(y1 - y0);
    std::vector<float> source(cols * rows);
    raster_io(band, r, static_cast<int>(x0), static_cast<int>(y0), static_cast<int>(cols),
              static_cast<int>(rows), source.data(), GDT_Float32, 0);
    const auto missing = nodata ? static_cast<float>(*nodata) : std::numeric_limits<float>::quiet_NaN();
    for (std::int64_t j = 0; j < window.rows; ++j) {
        const auto fy = ty.first[static_cast<std::size_t>(j)];
        const float* wy = &ty.weight[static_cast<std::size_t>(j * ty.count)];
        for (std::int64_t i = 0; i < window.cols; ++i) {
            const auto fx = tx.first[static_cast<std::size_t>(i)];
            const float* wx = &tx.weight[static_cast<std::size_t>(i * tx.count)];
            float sum = 0, weight = 0, centre = 0;
            for (int b = 0; b < ty.count; ++b) {
                const auto y = fy + b;
                if (y < y0 || y >= y1) continue;
                for (int a = 0; a < tx.count; ++a) {
                    const auto x = fx + a;
                    if (x < x0 || x >= x1) continue;
                    const float v =
                        source[static_cast<std::size_t>(y - y0) * cols + static_cast<std::size_t>(x - x0)];
                    if (v == missing) continue;
                    const float w = wx[a] * wy[b];
                    sum += w * v;
                    weight += w;
                    centre = std::max(centre, w);
                }
            }
            // At least half of the kernel must be data: what lies further outside is not invented.
            if (weight < 0.5F || centre <= 0) continue;
            const auto k = static_cast<std::size_t>(j * window.cols + i);
            out[k] = static_cast<std::uint16_t>(std::lround(std::clamp(sum / weight, 0.0F, 65535.0F)));
            valid[k] = 1;
        }
    }
}

}  // namespace

RasterInfo describe_raster(const std::string& path) {
    return describe(*open(path));
}

void probe_raster(const std::string& path, int band) {
    const GDALDatasetUniquePtr d = open(path);
    if (band < 1 || band > d->GetRasterCount())
        throw Error(
            ErrorCode::input,
            fmt::format("{} has {} bands; the Item speaks of band {}.", path, d->GetRasterCount(), band),
            "Correct the Item.");
    GDALRasterBand& b = *d->GetRasterBand(band);
    int bx = 0, by = 0;
    b.GetBlockSize(&bx, &by);
    std::vector<std::uint16_t> block(static_cast<std::size_t>(bx) * static_cast<std::size_t>(by));
    const int lx = (d->GetRasterXSize() - 1) / bx * bx, ly = (d->GetRasterYSize() - 1) / by * by;
    for (const auto& [x, y] : {std::pair{0, 0}, std::pair{lx, ly}})
        raster_io(b, {path, band, {}, 0, 0, Resampling::nearest}, x, y, std::min(bx, d->GetRasterXSize() - x),
                  std::min(by, d->GetRasterYSize() - y), block.data(), GDT_UInt16, 0);
}

std::vector<std::uint16_t> sample_codes(const std::string& path, int band) {
    const GDALDatasetUniquePtr d = open(path);
    if (band < 1 || band > d->GetRasterCount())
        throw Error(ErrorCode::input, fmt::format("{} has no band {}.", path, band), "Correct the Item.");
    GDALRasterBand& b = *d->GetRasterBand(band);
    const int cols = d->GetRasterXSize(), rows = d->GetRasterYSize();
    int bx = 0, by = 0;
    b.GetBlockSize(&bx, &by);
    constexpr int most_blocks = 64, samples_along = 256;
    const int across = (cols + bx - 1) / bx, down = (rows + by - 1) / by;
    // Where blocks are strips there are few beside each other, and the more below.
    const int nx = std::min(across, 8), ny = std::min(down, most_blocks / nx);
    const int step = std::max(1, std::min(cols, rows) / samples_along);
    std::vector<std::uint16_t> codes, line;
    for (int j = 0; j < ny; ++j)
        for (int i = 0; i < nx; ++i) {
            const auto block = [](int k, int n, int of) {
                return static_cast<int>((2 * std::int64_t{k} + 1) * of / (2 * std::int64_t{n}));
            };
            const int x0 = block(i, nx, across) * bx, y0 = block(j, ny, down) * by;
            const int w = std::min(bx, cols - x0), h = std::min(by, rows - y0);
            line.resize(static_cast<std::size_t>(w));
            for (int y = std::min(step, h) / 2; y < h; y += step) {
                raster_io(b, {path, band, {}, 0, 0, Resampling::nearest}, x0, y0 + y, w, 1, line.data(),
                          GDT_UInt16, 0);
                for (int x = std::min(step, w) / 2; x < w; x += step)
                    codes.push_back(line[static_cast<std::size_t>(x)]);
            }
        }
    return codes;
}

void read_band(const BandRequest& r, const Grid& grid, const Window& window, std::span<std::uint16_t> out,
               std::span<std::uint8_t> valid) {
    const auto clear = [&] {
        std::fill(out.begin(), out.end(), std::uint16_t{0});
        std::fill(valid.begin(), valid.end(), std::uint8_t{0});
    };
    Handle& h = pool().get(r.path, grid, r.shift_x, r.shift_y, r.resampling);
    GDALDataset& d = h.warped ? *h.warped : *h.source;
    if (r.band < 1 || r.band > d.GetRasterCount())
        throw Error(ErrorCode::input, fmt::format("{} has no band {}.", r.path, r.band), "Correct the Item.");
    GDALRasterBand& band = *d.GetRasterBand(r.band);
    const auto nodata = r.nodata ? r.nodata : h.info.nodata;
    const double sx = h.warped ? 0 : r.shift_x, sy = h.warped ? 0 : r.shift_y;
    const bool whole_shift = sx == std::round(sx) && sy == std::round(sy);
    if (!whole_shift || !grid.on_lattice(h.info.left, h.info.top, h.info.gsd_x, h.info.gsd_y)) {
        clear();
        resample(band, r, h.info, grid, window, nodata, out, valid);
        return;
    }
    const auto col = std::llround(grid.col_of_x(h.info.left) + sx),
               row = std::llround(grid.row_of_y(h.info.top) + sy);
    const Window part = window.intersection({col, row, h.info.cols, h.info.rows});
    if (part != window) clear();
    if (part.empty()) return;
    const auto offset =
        static_cast<std::size_t>((part.row - window.row) * window.cols + (part.col - window.col));
    if (h.blockwise && band.GetRasterDataType() == GDT_UInt16)
        read_blocks(band, r, h, {part.col - col, part.row - row, part.cols, part.rows}, col, row, grid,
                    out.data() + offset, window.cols);
    else
        raster_io(band, r, static_cast<int>(part.col - col), static_cast<int>(part.row - row),
                  static_cast<int>(part.cols), static_cast<int>(part.rows), out.data() + offset, GDT_UInt16,
                  static_cast<GSpacing>(window.cols) * 2);
    const bool check = nodata && *nodata >= 0 && *nodata <= 65535 && *nodata == std::floor(*nodata);
    const auto missing = check ? static_cast<std::uint16_t>(*nodata) : std::uint16_t{0};
    for (std::int64_t j = 0; j < part.rows; ++j) {
        const std::size_t k = offset + static_cast<std::size_t>(j * window.cols);
        if (check)
            mark_data(out.data() + k, missing, valid.data() + k, static_cast<std::size_t>(part.cols));
        else
            std::fill_n(valid.data() + k, part.cols, std::uint8_t{1});
    }
}

std::vector<float> read_whole_band(const std::string& path, int band) {
    const GDALDatasetUniquePtr d = open(path);
    if (band < 1 || band > d->GetRasterCount())
        throw Error(ErrorCode::input, fmt::format("{} has no band {}.", path, band));
    std::vector<float> out(static_cast<std::size_t>(d->GetRasterXSize()) *
                           static_cast<std::size_t>(d->GetRasterYSize()));
    raster_io(*d->GetRasterBand(band), {path, band, {}, 0, 0, Resampling::nearest}, 0, 0, d->GetRasterXSize(),
              d->GetRasterYSize(), out.data(), GDT_Float32, 0);
    return out;
}

void forget_handles() {
    const std::lock_guard lock(g_epoch_mutex);
    ++g_epoch;
    g_numbers.clear();
    BlockCache::instance().clear();
}

Bounds transform_bounds(const Bounds& b, const std::string& from, const std::string& to) {
    if (b.empty() || same_crs(from, to)) return b;
    const OGRSpatialReference a = known_reference(from), c = known_reference(to);
    const std::unique_ptr<OGRCoordinateTransformation> t(OGRCreateCoordinateTransformation(&a, &c));
    const GdalMessages messages;
    Bounds out;
    if (!t || t->TransformBounds(b.min_x, b.min_y, b.max_x, b.max_y, &out.min_x, &out.min_y, &out.max_x,
                                 &out.max_y, 21) == 0)
        throw Error(ErrorCode::input, fmt::format("The extent cannot be brought from {} to {}: {}.",
                                                  from.substr(0, 40), to.substr(0, 40), messages.reason()));
    return out;
}

bool same_crs(const std::string& a, const std::string& b) {
    if (a == b) return true;
    static std::mutex mutex;
    static std::map<std::pair<std::string, std::string>, bool> known;
    const std::lock_guard lock(mutex);
    const auto [it, is_new] = known.try_emplace({a, b}, false);
    if (is_new) {
        const OGRSpatialReference other = known_reference(b);
        it->second = known_reference(a).IsSame(&other) != 0;
    }
    return it->second;
}

}  // namespace shuibao::io
