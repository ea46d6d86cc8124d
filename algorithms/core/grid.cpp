// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include <shuibao/core/error.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao {
namespace {

constexpr double lattice_tolerance = 1e-3;   // pixel
constexpr double top_of_world = 10'000'000;  // m: no northing lies above it

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}

std::int64_t snapped_floor(double v) {
    const double r = std::round(v);
    return static_cast<std::int64_t>(std::abs(v - r) < lattice_tolerance ? r : std::floor(v));
}
std::int64_t snapped_ceil(double v) {
    const double r = std::round(v);
    return static_cast<std::int64_t>(std::abs(v - r) < lattice_tolerance ? r : std::ceil(v));
}

}  // namespace

Bounds Bounds::intersection(const Bounds& o) const {
    if (empty() || o.empty()) return {};
    return {std::max(min_x, o.min_x), std::max(min_y, o.min_y), std::min(max_x, o.max_x),
            std::min(max_y, o.max_y)};
}

void Bounds::expand(const Bounds& o) {
    if (o.empty()) return;
    if (empty()) {
        *this = o;
        return;
    }
    *this = {std::min(min_x, o.min_x), std::min(min_y, o.min_y), std::max(max_x, o.max_x),
             std::max(max_y, o.max_y)};
}

Window Window::intersection(const Window& o) const {
    const auto c0 = std::max(col, o.col), r0 = std::max(row, o.row);
    const auto c1 = std::min(col + cols, o.col + o.cols), r1 = std::min(row + rows, o.row + o.rows);
    return {c0, r0, std::max<std::int64_t>(0, c1 - c0), std::max<std::int64_t>(0, r1 - r0)};
}

Window Window::grown(std::int64_t halo) const {
    return {col - halo, row - halo, cols + 2 * halo, rows + 2 * halo};
}

std::string TileId::str() const {
    const auto part = [](char axis, std::int32_t n) {
        char text[16];
        std::snprintf(text, sizeof text, "%c%s%04lld", axis, n < 0 ? "-" : "", std::llabs(n));
        return std::string(text);
    };
    return part('X', x) + "_" + part('Y', y);
}

std::optional<TileId> TileId::parse(std::string_view text) {
    const auto under = text.find('_');
    if (under == std::string_view::npos) return std::nullopt;
    const auto number = [](std::string_view part, char axis) -> std::optional<std::int32_t> {
        if (part.size() < 5 || part[0] != axis) return std::nullopt;
        std::int32_t n = 0;
        const auto [end, error] = std::from_chars(part.data() + 1, part.data() + part.size(), n);
        if (error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
        return n;
    };
    const auto x = number(text.substr(0, under), 'X'), y = number(text.substr(under + 1), 'Y');
    if (!x || !y) return std::nullopt;
    const TileId id{*x, *y};
    if (id.str() != text) return std::nullopt;  // one spelling per tile
    return id;
}

std::strong_ordering TileId::operator<=>(const TileId& o) const {
    return y != o.y ? y <=> o.y : x <=> o.x;
}

Grid::Grid(std::string crs, double gsd, int tile_size, double origin_x, double origin_y)
    : m_crs(std::move(crs)), m_gsd(gsd), m_tile_size(tile_size), m_origin_x(origin_x), m_origin_y(origin_y) {
    if (!(gsd > 0) || !std::isfinite(gsd))
        throw Error(ErrorCode::usage, "The grid's pixel size must be a positive number.",
                    "Set grid.gsd, in the unit of grid.crs.");
    if (tile_size < 16 || tile_size > 16384)
        throw Error(ErrorCode::usage,
                    "The tile size " + std::to_string(tile_size) + " is outside 16…16384 pixels.",
                    "Set grid.tile_size; 2048 suits most machines.");
}

Grid Grid::aligned_to(std::string crs, double left, double top, double gsd, int tile_size) {
    const auto phase = [gsd](double v) {
        const double p = v - std::floor(v / gsd) * gsd;
        // A phase that is zero but for rounding is zero, so that neighbouring scenes share one grid.
        return p < lattice_tolerance * gsd || gsd - p < lattice_tolerance * gsd ? 0.0 : p;
    };
    const double base_y = std::floor(top_of_world / gsd) * gsd;
    return {std::move(crs), gsd, tile_size, phase(left), base_y + phase(top)};
}

Bounds Grid::bounds(const Window& w) const {
    return {x_of_col(static_cast<double>(w.col)), y_of_row(static_cast<double>(w.row + w.rows)),
            x_of_col(static_cast<double>(w.col + w.cols)), y_of_row(static_cast<double>(w.row))};
}

Window Grid::window(const Bounds& b) const {
    if (b.empty()) return {};
    const auto c0 = snapped_floor(col_of_x(b.min_x)), c1 = snapped_ceil(col_of_x(b.max_x));
    const auto r0 = snapped_floor(row_of_y(b.max_y)), r1 = snapped_ceil(row_of_y(b.min_y));
    return {c0, r0, c1 - c0, r1 - r0};
}

Window Grid::window(TileId t) const {
    const std::int64_t n = m_tile_size;
    return {t.x * n, t.y * n, n, n};
}

bool Grid::on_lattice(double left, double top, double gsd_x, double gsd_y) const {
    if (std::abs(gsd_x - m_gsd) > 1e-9 * m_gsd || std::abs(gsd_y - m_gsd) > 1e-9 * m_gsd) return false;
    const double c = col_of_x(left), r = row_of_y(top);
    return std::abs(c - std::round(c)) < lattice_tolerance && std::abs(r - std::round(r)) < lattice_tolerance;
}

std::vector<TileId> Grid::tiles(const Window& w) const {
    std::vector<TileId> list;
    if (w.empty()) return list;
    const TileId first = tile_at(w.col, w.row), last = tile_at(w.col + w.cols - 1, w.row + w.rows - 1);
    for (auto y = first.y; y <= last.y; ++y)
        for (auto x = first.x; x <= last.x; ++x) list.push_back({x, y});
    return list;
}

TileId Grid::tile_at(std::int64_t col, std::int64_t row) const {
    return {static_cast<std::int32_t>(floor_div(col, m_tile_size)),
            static_cast<std::int32_t>(floor_div(row, m_tile_size))};
}

}  // namespace shuibao
