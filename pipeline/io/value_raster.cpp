// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <optional>

#include <fmt/format.h>
#include <gdal_priv.h>

#include "dataset.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/value_raster.hpp>

namespace shuibao::io {
namespace {

constexpr std::int64_t most_halo = 640;  // 100 MB a thread
constexpr double degree = std::numbers::pi / 180;

struct Edge {
    Point a, b;
};

std::vector<Edge> edges_of(const MultiPolygon& shape) {
    std::vector<Edge> edges;
    const auto take = [&](const Ring& ring) {
        for (std::size_t i = 0; i + 1 < ring.size(); ++i)
            if (ring[i].y != ring[i + 1].y) edges.push_back({ring[i], ring[i + 1]});
    };
    for (const auto& p : shape) {
        take(p.outer);
        for (const auto& hole : p.holes) take(hole);
    }
    return edges;
}

}  // namespace

struct ValueRaster::Impl {
    std::string path, what, unit;
    RasterInfo info;
    bool degrees = false;
    double metres = 1;  // of a unit of the CRS
    double scale = 1, offset = 0;
    GDALDatasetUniquePtr data;
    std::mutex reading;  // a GDAL dataset belongs to one thread at a time

    [[nodiscard]] double x_of(double col) const { return info.left + col * info.gsd_x; }
    [[nodiscard]] double y_of(double row) const { return info.top - row * info.gsd_y; }

    // Metres between pixels of a row: they are the same at every reading of it.
    [[nodiscard]] Point spacing(std::int64_t row) const {
        if (!degrees) return {info.gsd_x * metres, info.gsd_y * metres};
        // Radii of curvature of the CGCS2000 ellipsoid.
        constexpr double a = 6378137, f = 1 / 298.257222101, e2 = f * (2 - f);
        const double latitude = std::clamp(y_of(static_cast<double>(row) + 0.5), -89.9, 89.9) * degree;
        const double w = 1 - e2 * std::sin(latitude) * std::sin(latitude);
        return {info.gsd_x * degree * a / std::sqrt(w) * std::cos(latitude),
                info.gsd_y * degree * a * (1 - e2) / (w * std::sqrt(w))};
    }

    [[nodiscard]] std::int64_t halo(const Window& window, const Cut& cut) const {
        if (cut.reach <= 0) return cut.rim;
        double least = HUGE_VAL;
        for (const auto row : {window.row, window.row + window.rows - 1}) {
            const auto step = spacing(row);
            least = std::min({least, step.x, step.y});
        }
        const double pixels = std::ceil(cut.reach / least) + cut.rim;
        if (pixels > static_cast<double>(most_halo))
            throw Error(
                ErrorCode::input,
                fmt::format("{} {} has pixels of {:.3g} m: {:g} m around a place are too many of them.", what,
                            path, least, cut.reach),
                "Make it coarser with `gdalwarp -tr`; 1 m is fine enough.");
        return static_cast<std::int64_t>(pixels);
    }

    // Even-odd, row by row: a centre is inside when an odd number of edges lies east of it.
    [[nodiscard]] bool mark(const std::vector<Edge>& edges, ValueBlock& b) const {
        b.inside.assign(static_cast<std::size_t>(b.core.pixels()), 0);
        const double top = y_of(static_cast<double>(b.core.row)),
                     bottom = y_of(static_cast<double>(b.core.row + b.core.rows));
        std::vector<const Edge*> near;
        for (const auto& e : edges)
            if (std::max(e.a.y, e.b.y) >= bottom && std::min(e.a.y, e.b.y) <= top) near.push_back(&e);
        bool any = false;
        std::vector<double> crossings;
        for (std::int64_t r = 0; r < b.core.rows; ++r) {
            const double y = y_of(static_cast<double>(b.core.row + r) + 0.5);
            crossings.clear();
            for (const auto* e : near)
                if ((e->a.y > y) != (e->b.y > y))
                    crossings.push_back((e->b.x - e->a.x) * (y - e->a.y) / (e->b.y - e->a.y) + e->a.x);
            if (crossings.empty()) continue;
            std::sort(crossings.begin(), crossings.end());
            std::size_t passed = 0;
            for (std::int64_t c = 0; c < b.core.cols; ++c) {
                const double x = x_of(static_cast<double>(b.core.col + c) + 0.5);
                while (passed < crossings.size() && crossings[passed] <= x) ++passed;
                if ((crossings.size() - passed) % 2 == 0) continue;
                b.inside[static_cast<std::size_t>(r * b.core.cols + c)] = 1;
                any = true;
            }
        }
        return any;
    }

    void read(ValueBlock& b, std::int64_t around) {
        b.window = b.core.grown(around).intersection({0, 0, info.cols, info.rows});
        const auto n = static_cast<std::size_t>(b.window.pixels());
        b.values.resize(n);
        b.valid.resize(n);
        {
            const GdalMessages messages;
            const std::lock_guard lock(reading);
            const auto cols = static_cast<int>(b.window.cols), rows = static_cast<int>(b.window.rows);
            if (data->GetRasterBand(1)->RasterIO(GF_Read, static_cast<int>(b.window.col),
                                                 static_cast<int>(b.window.row), cols, rows, b.values.data(),
                                                 cols, rows, GDT_Float64, 0, 0, nullptr) != CE_None)
                throw Error(ErrorCode::input,
                            fmt::format("{} {} cannot be read near pixel {},{}: {}.", what, path,
                                        b.window.col, b.window.row, messages.reason()),
                            "The file is damaged: get it again.");
        }
        for (std::size_t i = 0; i < n; ++i) {
            const bool missing = info.nodata && b.values[i] == *info.nodata;
            b.values[i] = b.values[i] * scale + offset;
            b.valid[i] = !missing && std::isfinite(b.values[i]) ? 1 : 0;
        }
        b.east.clear();
        b.south.clear();
        for (std::int64_t r = 0; r < b.window.rows; ++r) {
            const auto step = spacing(b.window.row + r);
            b.east.push_back(step.x);
            b.south.push_back(step.y);
        }
    }
};

ValueRaster::ValueRaster(const std::string& path, std::string what) : m_impl(std::make_unique<Impl>()) {
    auto& m = *m_impl;
    m.path = path;
    m.what = std::move(what);
    m.info = describe_raster(path);
    if (m.info.crs.empty() || !m.info.north_up)
        throw Error(ErrorCode::input,
                    fmt::format("{} {} {}.", m.what, path,
                                m.info.crs.empty() ? "has no coordinate reference system" : "is turned"),
                    "Warp it to a CRS with gdalwarp.");
    m.degrees = is_geographic(m.info.crs);
    if (!m.degrees) m.metres = reference(m.info.crs).GetLinearUnits(nullptr);
    m.data.reset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY));
    if (!m.data || m.data->GetRasterCount() < 1)
        throw Error(ErrorCode::input, fmt::format("{} {} cannot be opened.", m.what, path));
    auto& band = *m.data->GetRasterBand(1);
    m.scale = band.GetScale(nullptr);
    m.offset = band.GetOffset(nullptr);
    m.unit = band.GetUnitType();
}
ValueRaster::~ValueRaster() = default;
ValueRaster::ValueRaster(ValueRaster&&) noexcept = default;

const std::string& ValueRaster::path() const {
    return m_impl->path;
}
const std::string& ValueRaster::unit() const {
    return m_impl->unit;
}

void ValueRaster::under(const Geometry& shape, const std::string& crs, const Cut& cut,
                        const std::function<void(const ValueBlock&)>& see) const {
    auto& m = *m_impl;
    const Geometry here = Transformation(crs, m.info.crs)(shape);
    if (here.empty()) return;
    const Bounds b = here.bounds();
    const auto pixel = [](double at, int most) {
        return std::clamp(static_cast<std::int64_t>(std::floor(std::clamp(at, -1.0, most + 1.0))),
                          std::int64_t{0}, std::int64_t{most});
    };
    const auto col = pixel((b.min_x - m.info.left) / m.info.gsd_x, m.info.cols),
               row = pixel((m.info.top - b.max_y) / m.info.gsd_y, m.info.rows),
               end_col = pixel((b.max_x - m.info.left) / m.info.gsd_x + 1, m.info.cols),
               end_row = pixel((m.info.top - b.min_y) / m.info.gsd_y + 1, m.info.rows);
    const Window all{col, row, end_col - col, end_row - row};
    if (all.empty()) return;
    const auto around = m.halo(all, cut);
    const auto edges = edges_of(here.polygons());
    ValueBlock block;
    bool any = false;
    for (auto y = all.row; y < all.row + all.rows; y += cut.block)
        for (auto x = all.col; x < all.col + all.cols; x += cut.block) {
            block.core = Window{x, y, cut.block, cut.block}.intersection(all);
            if (!m.mark(edges, block)) continue;
            any = true;
            m.read(block, around);
            see(block);
        }
    if (any) return;
    const Point p = here.point_inside();
    block.core = Window{static_cast<std::int64_t>(std::floor((p.x - m.info.left) / m.info.gsd_x)),
                        static_cast<std::int64_t>(std::floor((m.info.top - p.y) / m.info.gsd_y)), 1, 1};
    if (block.core.intersection({0, 0, m.info.cols, m.info.rows}).empty()) return;
    block.inside = {1};
    m.read(block, around);
    see(block);
}

}  // namespace shuibao::io
