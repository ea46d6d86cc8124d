// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <mutex>

#include <cpl_string.h>
#include <fmt/format.h>
#include <ogr_spatialref.h>

#include "dataset.hpp"
#include "raster_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {
namespace {

BandInfo describe(GDALRasterBand& b) {
    BandInfo info;
    info.type = GDALGetDataTypeName(b.GetRasterDataType());
    info.description = b.GetDescription();
    info.colour = GDALGetColorInterpretationName(b.GetColorInterpretation());
    int has = 0;
    if (const double scale = b.GetScale(&has); has != 0) info.scale = scale;
    if (const double offset = b.GetOffset(&has); has != 0) info.offset = offset;
    return info;
}

}  // namespace

GDALDatasetUniquePtr open_raster(const std::string& path) {
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

RasterInfo describe_raster(GDALDataset& d) {
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
    info.rational = !placed && d.GetMetadata("RPC") != nullptr;
    for (int i = 1; i <= info.bands; ++i) info.described.push_back(describe(*d.GetRasterBand(i)));
    if (info.bands > 0) {
        int has = 0;
        const double v = d.GetRasterBand(1)->GetNoDataValue(&has);
        if (has != 0) info.nodata = v;
    }
    for (char** item = d.GetMetadata(); item != nullptr && *item != nullptr; ++item)
        if (const std::string text = *item; text.find('=') != std::string::npos)
            info.metadata[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    return info;
}

void read_pixels(GDALRasterBand& band, const BandRequest& r, int x, int y, int cols, int rows, void* out,
                 GDALDataType type, GSpacing line) {
    const GdalMessages messages;
    if (band.RasterIO(GF_Read, x, y, cols, rows, out, cols, rows, type, 0, line, nullptr) != CE_None)
        throw Error(ErrorCode::input,
                    fmt::format("{} band {} cannot be read near pixel {},{}: {}.", r.path, r.band, x, y,
                                messages.reason()),
                    "The file is damaged: get it again, or take the scene out of the catalogue.");
}

RasterInfo describe_raster(const std::string& path) {
    return describe_raster(*open_raster(path));
}

void probe_raster(const std::string& path, int band) {
    const GDALDatasetUniquePtr d = open_raster(path);
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
        read_pixels(b, {path, band, {}, 0, 0, Resampling::nearest}, x, y,
                    std::min(bx, d->GetRasterXSize() - x), std::min(by, d->GetRasterYSize() - y),
                    block.data(), GDT_UInt16, 0);
}

namespace {

// The same pixels of the full resolution every time, from blocks spread evenly.
template <class T>
std::vector<T> sample(const std::string& path, int band, GDALDataType type) {
    const GDALDatasetUniquePtr d = open_raster(path);
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
    std::vector<T> codes, line;
    for (int j = 0; j < ny; ++j)
        for (int i = 0; i < nx; ++i) {
            const auto block = [](int k, int n, int of) {
                return static_cast<int>((2 * std::int64_t{k} + 1) * of / (2 * std::int64_t{n}));
            };
            const int x0 = block(i, nx, across) * bx, y0 = block(j, ny, down) * by;
            const int w = std::min(bx, cols - x0), h = std::min(by, rows - y0);
            line.resize(static_cast<std::size_t>(w));
            for (int y = std::min(step, h) / 2; y < h; y += step) {
                read_pixels(b, {path, band, {}, 0, 0, Resampling::nearest}, x0, y0 + y, w, 1, line.data(),
                            type, 0);
                for (int x = std::min(step, w) / 2; x < w; x += step)
                    codes.push_back(line[static_cast<std::size_t>(x)]);
            }
        }
    return codes;
}

}  // namespace

std::vector<std::uint16_t> sample_codes(const std::string& path, int band) {
    return sample<std::uint16_t>(path, band, GDT_UInt16);
}

std::vector<float> sample_values(const std::string& path, int band) {
    return sample<float>(path, band, GDT_Float32);
}

std::vector<float> read_whole_band(const std::string& path, int band) {
    const GDALDatasetUniquePtr d = open_raster(path);
    if (band < 1 || band > d->GetRasterCount())
        throw Error(ErrorCode::input, fmt::format("{} has no band {}.", path, band));
    std::vector<float> out(static_cast<std::size_t>(d->GetRasterXSize()) *
                           static_cast<std::size_t>(d->GetRasterYSize()));
    read_pixels(*d->GetRasterBand(band), {path, band, {}, 0, 0, Resampling::nearest}, 0, 0,
                d->GetRasterXSize(), d->GetRasterYSize(), out.data(), GDT_Float32, 0);
    return out;
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

std::vector<std::string> files_behind(const std::string& path) {
    const auto raster = open_raster(path);
    char** list = raster->GetFileList();
    std::vector<std::string> files;
    for (char** file = list; file != nullptr && *file != nullptr; ++file) files.emplace_back(*file);
    CSLDestroy(list);
    // The heights that a view hangs on, which GDAL does not list.
    if (path.ends_with(".vrt")) {
        constexpr std::string_view open = "<DEMPath>", close = "</DEMPath>";
        const auto text = read_text(path, std::size_t{16} << 20U);
        if (const auto from = text.find(open); from != std::string::npos) {
            const auto name = text.substr(from + open.size(), text.find(close, from) - from - open.size());
            char* plain = CPLUnescapeString(name.c_str(), nullptr, CPLES_XML);
            files.emplace_back(plain);
            CPLFree(plain);
        }
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

}  // namespace shuibao::io
