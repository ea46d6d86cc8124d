// SPDX-License-Identifier: Apache-2.0
// How much of the ground that was alike turned bare at the same time within about 3 km: fields are harvested,
// ploughed, flooded and left out together, a site is opened alone (`algorithms.md` §2.7).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <shuibao/core/change.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao::algorithms {

/// Pixels by cell of about 600 m, by what they were, and by the fortnight in which they turned bare. Cells
/// lie on the lattice and hold whole numbers: it does not matter in which parts or order a map is counted. 12
/// bytes for each kind of ground in a cell and each fortnight in which some of it turned bare.
class SynchronyCells {
  public:
    /// `gsd` in m.
    explicit SynchronyCells(double gsd);
    /// Counts the pixels of a part of the map. REQUIRES its history; each pixel once over all parts.
    void add(const Change& part);
    void merge(const SynchronyCells& other);

  private:
    friend class Synchrony;
    using Place = std::pair<std::int64_t, std::int64_t>;  // row, column of a cell
    static constexpr std::int32_t all = -1;               // in place of a fortnight: bare or not
    using Key = std::pair<std::uint32_t, std::int32_t>;   // kind of ground, fortnight
    struct Count {
        std::uint32_t kind;
        std::int32_t when;
        std::uint32_t pixels;
        [[nodiscard]] Key key() const { return {kind, when}; }
    };
    using Cell = std::vector<Count>;  // ascending
    [[nodiscard]] Place place(std::int64_t row, std::int64_t col) const;
    static void add(Cell& to, const Cell& from);

    std::int64_t m_side;  // pixels
    std::map<Place, Cell> m_cells;
};

/// What lies around a place, from all cells of a map. Reentrant.
class Synchrony {
  public:
    static constexpr double scale = 255;  ///< steps of a stored share
    explicit Synchrony(const SynchronyCells& cells);

    /// Share of the ground around a pixel with its history (`season` as PixelHistory::season) that turned
    /// bare within two weeks of `onset` (days since 1970-01-01), in steps; the cells next to its own do not
    /// count, so that a site is not synchronous with itself. Drawn towards 0 where there are less than some
    /// hundred pixels of such ground. 0 where there is none.
    [[nodiscard]] std::uint8_t share(std::int64_t row, std::int64_t col,
                                     const std::array<int, PixelHistory::terms>& season,
                                     std::uint16_t onset) const;

  private:
    SynchronyCells m_around;  // what lies around each cell, as far as ground like it is bare in the cell
};

}  // namespace shuibao::algorithms
