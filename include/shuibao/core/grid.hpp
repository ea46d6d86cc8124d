// SPDX-License-Identifier: Apache-2.0
// The analysis grid: where every pixel and every tile lies. All rounding between map and pixel lives here.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shuibao {

/// Map extent, in the unit of a CRS; empty when min exceeds max.
struct Bounds {
    double min_x = 1, min_y = 1, max_x = 0, max_y = 0;
    [[nodiscard]] bool empty() const { return min_x > max_x || min_y > max_y; }
    [[nodiscard]] Bounds intersection(const Bounds& other) const;
    [[nodiscard]] bool intersects(const Bounds& other) const { return !intersection(other).empty(); }
    void expand(const Bounds& other);
};

/// A rectangle of pixels on the grid's lattice. `col` grows eastwards and `row` southwards from the grid's
/// origin; both are independent of the tile size, so a pixel keeps its address when tiles are cut anew.
struct Window {
    std::int64_t col = 0, row = 0;
    std::int64_t cols = 0, rows = 0;
    [[nodiscard]] bool empty() const { return cols <= 0 || rows <= 0; }
    [[nodiscard]] std::int64_t pixels() const { return empty() ? 0 : cols * rows; }
    [[nodiscard]] Window intersection(const Window& other) const;
    [[nodiscard]] Window grown(std::int64_t halo) const;
    auto operator<=>(const Window&) const = default;
};

/// Name of a tile: column and row in the grid, printed and parsed as `X0003_Y0004` everywhere.
/// At least four digits; `-` stands before the digits of a negative number.
struct TileId {
    std::int32_t x = 0, y = 0;
    [[nodiscard]] std::string str() const;
    static std::optional<TileId> parse(std::string_view text);
    /// Row-major order (y, then x): the order of every listing and every gather.
    std::strong_ordering operator<=>(const TileId& o) const;
    bool operator==(const TileId&) const = default;
};

/// An immutable lattice of square pixels in one CRS, cut into stationary square tiles.
/// The origin (upper-left corner of pixel 0,0) is fixed by convention, never by the area of one run:
/// x = phase_x, y = 10 000 000 + phase_y for projected CRS, so that a place has the same tile name in every
/// batch. The phase (0 <= phase < gsd) takes up the sub-pixel position of the imagery's own lattice.
class Grid {
  public:
    /// REQUIRES gsd > 0 and tile_size in [16, 16384]; throws Error(usage) otherwise.
    /// `crs` is anything PROJ understands and is kept verbatim ("EPSG:32650" or WKT).
    Grid(std::string crs, double gsd, int tile_size, double origin_x, double origin_y);

    /// The grid on whose lattice a raster with this upper-left corner and pixel size lies.
    static Grid aligned_to(std::string crs, double left, double top, double gsd, int tile_size);

    [[nodiscard]] const std::string& crs() const { return m_crs; }
    [[nodiscard]] double gsd() const { return m_gsd; }  ///< ground sample distance, CRS unit
    [[nodiscard]] int tile_size() const { return m_tile_size; }
    [[nodiscard]] double origin_x() const { return m_origin_x; }
    [[nodiscard]] double origin_y() const { return m_origin_y; }

    [[nodiscard]] double x_of_col(double col) const { return m_origin_x + col * m_gsd; }
    [[nodiscard]] double y_of_row(double row) const { return m_origin_y - row * m_gsd; }
    [[nodiscard]] double col_of_x(double x) const { return (x - m_origin_x) / m_gsd; }
    [[nodiscard]] double row_of_y(double y) const { return (m_origin_y - y) / m_gsd; }

    [[nodiscard]] Bounds bounds(const Window& window) const;
    /// Smallest window covering the bounds; an edge within 1e-3 pixel of the lattice counts as on it.
    [[nodiscard]] Window window(const Bounds& bounds) const;
    [[nodiscard]] Window window(TileId tile) const;
    /// True when a raster with this corner and pixel size falls on the lattice to within 1e-3 pixel.
    [[nodiscard]] bool on_lattice(double left, double top, double gsd_x, double gsd_y) const;
    /// Tiles that the window touches, in row-major order.
    [[nodiscard]] std::vector<TileId> tiles(const Window& window) const;
    [[nodiscard]] TileId tile_at(std::int64_t col, std::int64_t row) const;

    bool operator==(const Grid&) const = default;

  private:
    std::string m_crs;
    double m_gsd;
    int m_tile_size;
    double m_origin_x, m_origin_y;
};

}  // namespace shuibao
