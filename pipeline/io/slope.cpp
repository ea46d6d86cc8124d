// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <vector>

#include <fmt/format.h>
#include <gdal_priv.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/slope.hpp>

namespace shuibao::io {
namespace {

constexpr int most_pixels = 1024;  // along one side of what is read for one shape
constexpr double degree = std::numbers::pi / 180;

bool inside(const MultiPolygon& shape, double x, double y) {
    bool in = false;
    const auto cross = [&](const Ring& ring) {
        for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
            const auto &a = ring[i], &b = ring[i + 1];
            if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) in = !in;
        }
    };
    for (const auto& p : shape) {
        cross(p.outer);
        for (const auto& hole : p.holes) cross(hole);
    }
    return in;
}

}  // namespace

struct SlopeModel::Impl {
    std::string path;
    RasterInfo info;
    bool degrees = false;
    GDALDatasetUniquePtr data;
    std::mutex reading;  // a GDAL dataset belongs to one thread at a time

    struct Heights {
        int col = 0, row = 0, cols = 0, rows = 0;  // window of the file
        int wide = 0, high = 0;                    // pixels read
        std::vector<double> z;
        [[nodiscard]] double at(int c, int r) const {
            return z[static_cast<std::size_t>(r) * static_cast<std::size_t>(wide) +
                     static_cast<std::size_t>(c)];
        }
    };

    Heights read(const Bounds& b) {
        Heights h;
        // Two pixels more on each side: differences need neighbours.
        h.col = std::max(0, static_cast<int>(std::floor((b.min_x - info.left) / info.gsd_x)) - 2);
        h.row = std::max(0, static_cast<int>(std::floor((info.top - b.max_y) / info.gsd_y)) - 2);
        h.cols =
            std::min(info.cols, static_cast<int>(std::ceil((b.max_x - info.left) / info.gsd_x)) + 2) - h.col;
        h.rows =
            std::min(info.rows, static_cast<int>(std::ceil((info.top - b.min_y) / info.gsd_y)) + 2) - h.row;
        if (h.cols < 3 || h.rows < 3) return {};
        h.wide = std::min(h.cols, most_pixels);
        h.high = std::min(h.rows, most_pixels);
        h.z.resize(static_cast<std::size_t>(h.wide) * static_cast<std::size_t>(h.high));
        const GdalMessages messages;
        const std::lock_guard lock(reading);
        if (data->GetRasterBand(1)->RasterIO(GF_Read, h.col, h.row, h.cols, h.rows, h.z.data(), h.wide,
                                             h.high, GDT_Float64, 0, 0, nullptr) != CE_None)
            throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", path, messages.reason()),
                        "The elevation model is damaged: ask for it again.");
        return h;
    }

    // Degrees; nothing beside missing heights.
    [[nodiscard]] std::optional<double> slope(const Heights& h, int c, int r) const {
        if (c < 1 || r < 1 || c + 1 >= h.wide || r + 1 >= h.high) return std::nullopt;
        for (int y = r - 1; y <= r + 1; ++y)
            for (int x = c - 1; x <= c + 1; ++x)
                if (!std::isfinite(h.at(x, y)) || (info.nodata && h.at(x, y) == *info.nodata))
                    return std::nullopt;
        double dx = info.gsd_x * h.cols / h.wide, dy = info.gsd_y * h.rows / h.high;
        if (degrees) {
            // Radii of curvature of the CGCS2000 ellipsoid.
            constexpr double a = 6378137, f = 1 / 298.257222101, e2 = f * (2 - f);
            const double latitude = (info.top - (h.row + (r + 0.5) * h.rows / h.high) * info.gsd_y) * degree;
            const double w = 1 - e2 * std::sin(latitude) * std::sin(latitude);
            dy *= degree * a * (1 - e2) / (w * std::sqrt(w));
            dx *= degree * a / std::sqrt(w) * std::cos(latitude);
        }
        const auto z = [&](int x, int y) { return h.at(c + x, r + y); };
        const double east = (z(1, -1) + 2 * z(1, 0) + z(1, 1)) - (z(-1, -1) + 2 * z(-1, 0) + z(-1, 1)),
                     south = (z(-1, 1) + 2 * z(0, 1) + z(1, 1)) - (z(-1, -1) + 2 * z(0, -1) + z(1, -1));
        return std::atan(std::hypot(east / (8 * dx), south / (8 * dy))) / degree;
    }
};

SlopeModel::SlopeModel(const std::string& path) : m_impl(std::make_unique<Impl>()) {
    m_impl->path = path;
    m_impl->info = describe_raster(path);
    if (m_impl->info.crs.empty() || !m_impl->info.north_up)
        throw Error(
            ErrorCode::input,
            fmt::format("The elevation model {} {}.", path,
                        m_impl->info.crs.empty() ? "has no coordinate reference system" : "is turned"),
            "Warp it to a CRS with gdalwarp.");
    m_impl->degrees = is_geographic(m_impl->info.crs);
    m_impl->data.reset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY));
    if (!m_impl->data) throw Error(ErrorCode::input, fmt::format("{} cannot be opened.", path));
}
SlopeModel::~SlopeModel() = default;
SlopeModel::SlopeModel(SlopeModel&&) noexcept = default;

std::optional<SlopeModel::Slope> SlopeModel::under(const Geometry& shape, const std::string& crs,
                                                   double limit) const {
    auto& m = *m_impl;
    const Geometry here = Transformation(crs, m.info.crs)(shape);
    if (here.empty()) return std::nullopt;
    const auto h = m.read(here.bounds());
    if (h.z.empty()) return std::nullopt;
    const auto polygons = here.polygons();
    const double step_x = m.info.gsd_x * h.cols / h.wide, step_y = m.info.gsd_y * h.rows / h.high,
                 left = m.info.left + h.col * m.info.gsd_x, top = m.info.top - h.row * m.info.gsd_y;
    double sum = 0;
    std::size_t n = 0, steep = 0;
    const auto add = [&](int c, int r) {
        if (const auto s = m.slope(h, c, r)) {
            sum += *s;
            steep += *s >= limit ? 1U : 0U;
            ++n;
        }
    };
    bool any = false;
    for (int r = 0; r < h.high; ++r)
        for (int c = 0; c < h.wide; ++c)
            if (inside(polygons, left + (c + 0.5) * step_x, top - (r + 0.5) * step_y)) {
                any = true;
                add(c, r);
            }
    if (!any) {
        const Point p = here.point_inside();
        add(static_cast<int>((p.x - left) / step_x), static_cast<int>((top - p.y) / step_y));
    }
    if (n == 0) return std::nullopt;
    return Slope{sum / static_cast<double>(n), static_cast<double>(steep) / static_cast<double>(n)};
}

}  // namespace shuibao::io
