// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gdal_priv.h>

#include "block_cache.hpp"
#include "raster_handle.hpp"
#include "raster_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::io {
namespace {

// One block of 8 or 16 bits a pixel, as 16 bits.
void decode_block(GDALRasterBand& band, const BandRequest& r, int bx, int by, const Window& place,
                  std::span<std::uint16_t> block) {
    const GdalMessages messages;
    const bool narrow = band.GetRasterDataType() == GDT_Byte;
    std::vector<std::uint8_t> bytes(narrow ? block.size() : 0);
    void* into = block.data();
    if (narrow) into = bytes.data();
    if (band.ReadBlock(bx, by, into) != CE_None)
        throw Error(ErrorCode::input,
                    fmt::format("{} band {} cannot be read near pixel {},{}: {}.", r.path, r.band, place.col,
                                place.row, messages.reason()),
                    "The file is damaged: get it again, or take the scene out of the catalogue.");
    std::copy(bytes.begin(), bytes.end(), block.begin());
}

// The pixels of `part` (of the file's own) through the shared cache, one block after the other. `on_grid`
// tells which pixels of the grid a window of the file reaches.
template <class OnGrid>
void read_blocks(GDALRasterBand& band, const BandRequest& r, const Handle& h, const Window& part,
                 const Grid& grid, OnGrid on_grid, std::uint16_t* out, std::int64_t line) {
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
                        decode_block(band, r, static_cast<int>(bx), static_cast<int>(by), place, block);
                    });
                for (auto y = wanted.row; y < wanted.row + wanted.rows; ++y)
                    std::copy_n(pixels->data() + (y - place.row) * wide + (wanted.col - place.col),
                                wanted.cols, out + (y - part.row) * line + (wanted.col - part.col));
            }
            if (r.reading) pass_block(cache, key, on_grid(place), *r.reading, grid);
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

std::uint16_t stored(float value) {
    return static_cast<std::uint16_t>(std::lround(std::clamp(value, 0.0F, 65535.0F)));
}

void resample(GDALRasterBand& band, const BandRequest& r, const Handle& h, const Grid& grid,
              const Window& window, std::optional<double> nodata, std::span<std::uint16_t> out,
              std::span<std::uint8_t> valid) {
    const auto& info = h.info;
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
    if (h.blockwise) {
        std::vector<std::uint16_t> whole(source.size());
        // A pixel reaches as far as the taps around it.
        const auto on_grid = [&](const Window& w) {
            const Bounds b{
                info.left + (static_cast<double>(w.col) - tx.count) * info.gsd_x + r.shift_x * grid.gsd(),
                info.top - (static_cast<double>(w.row + w.rows) + ty.count) * info.gsd_y -
                    r.shift_y * grid.gsd(),
                info.left + (static_cast<double>(w.col + w.cols) + tx.count) * info.gsd_x +
                    r.shift_x * grid.gsd(),
                info.top - (static_cast<double>(w.row) - ty.count) * info.gsd_y - r.shift_y * grid.gsd()};
            return grid.window(b);
        };
        read_blocks(band, r, h, {x0, y0, x1 - x0, y1 - y0}, grid, on_grid, whole.data(), x1 - x0);
        std::copy(whole.begin(), whole.end(), source.begin());
    } else {
        read_pixels(band, r, static_cast<int>(x0), static_cast<int>(y0), static_cast<int>(cols),
                    static_cast<int>(rows), source.data(), GDT_Float32, 0);
    }
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
                    if (v == missing || std::isnan(v)) continue;
                    const float w = wx[a] * wy[b];
                    sum += w * v;
                    weight += w;
                    centre = std::max(centre, w);
                }
            }
            // At least half of the kernel must be data: what lies further outside is not invented.
            if (weight < 0.5F || centre <= 0) continue;
            const auto k = static_cast<std::size_t>(j * window.cols + i);
            out[k] = stored(sum / weight * static_cast<float>(r.gain) + static_cast<float>(r.lift));
            valid[k] = 1;
        }
    }
}

// Pixels that do not fit into 16 bits as they are: fractions, numbers below zero.
void read_wide(GDALRasterBand& band, const BandRequest& r, const Window& part, std::optional<double> nodata,
               std::int64_t line, std::uint16_t* out, std::uint8_t* valid) {
    std::vector<float> row(static_cast<std::size_t>(part.cols));
    const auto missing = nodata ? static_cast<float>(*nodata) : std::numeric_limits<float>::quiet_NaN();
    for (std::int64_t j = 0; j < part.rows; ++j) {
        read_pixels(band, r, static_cast<int>(part.col), static_cast<int>(part.row + j),
                    static_cast<int>(part.cols), 1, row.data(), GDT_Float32, 0);
        for (std::int64_t i = 0; i < part.cols; ++i) {
            const float v = row[static_cast<std::size_t>(i)];
            const bool known = v != missing && !std::isnan(v);
            valid[j * line + i] = known ? 1 : 0;
            out[j * line + i] = known ? stored(v * static_cast<float>(r.gain) + static_cast<float>(r.lift))
                                      : std::uint16_t{0};
        }
    }
}

}  // namespace

void read_band(const BandRequest& r, const Grid& grid, const Window& window, std::span<std::uint16_t> out,
               std::span<std::uint8_t> valid) {
    const auto clear = [&] {
        std::fill(out.begin(), out.end(), std::uint16_t{0});
        std::fill(valid.begin(), valid.end(), std::uint8_t{0});
    };
    Handle& h = raster_handle(r.path, grid, r.shift_x, r.shift_y, r.resampling);
    GDALDataset& d = h.warped ? *h.warped : *h.source;
    if (r.band < 1 || r.band > d.GetRasterCount())
        throw Error(ErrorCode::input, fmt::format("{} has no band {}.", r.path, r.band), "Correct the Item.");
    GDALRasterBand& band = *d.GetRasterBand(r.band);
    const auto nodata = r.nodata ? r.nodata : h.info.nodata;
    const double sx = h.warped ? 0 : r.shift_x, sy = h.warped ? 0 : r.shift_y;
    const bool whole_shift = sx == std::round(sx) && sy == std::round(sy);
    if (!whole_shift || !grid.on_lattice(h.info.left, h.info.top, h.info.gsd_x, h.info.gsd_y)) {
        clear();
        resample(band, r, h, grid, window, nodata, out, valid);
        return;
    }
    const auto col = std::llround(grid.col_of_x(h.info.left) + sx),
               row = std::llround(grid.row_of_y(h.info.top) + sy);
    const Window part = window.intersection({col, row, h.info.cols, h.info.rows});
    if (part != window) clear();
    if (part.empty()) return;
    const auto offset =
        static_cast<std::size_t>((part.row - window.row) * window.cols + (part.col - window.col));
    const auto type = band.GetRasterDataType();
    if ((type != GDT_Byte && type != GDT_UInt16) || r.gain != 1 || r.lift != 0)
        return read_wide(band, r, {part.col - col, part.row - row, part.cols, part.rows}, nodata, window.cols,
                         out.data() + offset, valid.data() + offset);
    if (h.blockwise)
        read_blocks(
            band, r, h, {part.col - col, part.row - row, part.cols, part.rows}, grid,
            [&](const Window& w) {
                return Window{w.col + col, w.row + row, w.cols, w.rows};
            },
            out.data() + offset, window.cols);
    else
        read_pixels(band, r, static_cast<int>(part.col - col), static_cast<int>(part.row - row),
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

}  // namespace shuibao::io
