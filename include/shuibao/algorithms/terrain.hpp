// SPDX-License-Identifier: Apache-2.0
// Slope and slope length of ground from its heights, cell by cell.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace shuibao::algorithms {

/// A window of heights, row-major from the north-west.
struct Heights {
    int cols = 0, rows = 0;
    std::span<const double> metres;
    std::span<const std::uint8_t> valid;  ///< 1 where there is a height
    std::span<const double> east, south;  ///< m from a cell to the next, for each row
    [[nodiscard]] std::size_t at(int col, int row) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(col);
    }
};

/// Slope in degrees by Horn's (1981) weighted differences; nothing on the window's rim and beside missing
/// heights.
[[nodiscard]] std::optional<double> slope_at(const Heights& heights, int col, int row);

/// Where a cell lies on its slope, along the horizontal.
struct SlopePlace {
    double before = 0;  ///< m of slope above the cell, no more than the cap
    double piece = 0;   ///< m of slope in the cell; 0 on the window's rim and where there is no height
};
/// Slope lengths along the steepest ways down (D8: O'Callaghan & Mark 1984): of the ways that meet, the
/// longest counts; a length ends where the ground falls less than half as steeply as above (0.7 of it below 5
/// %; Hickey 2000, Van Remortel et al. 2004), in hollows and at missing heights. Hollows are not filled.
/// What a cell gets depends on nothing farther than slope_reach() from it. O(cells).
[[nodiscard]] std::vector<SlopePlace> slope_places(const Heights& heights, double cap);
/// Cells around a window that slope_places() needs to be right inside it; `step` is the shortest way from one
/// cell to another, m.
[[nodiscard]] int slope_reach(double cap, double step);

/// A mean of numbers that does not depend on their order: they are counted in units of 2^−bits.
/// REQUIRES |Σ| · 2^bits < 2^63.
class OrderFreeMean {
  public:
    explicit OrderFreeMean(int bits = 24) : m_bits(bits) {}
    void add(double value) {
        m_sum += std::llround(std::ldexp(value, m_bits));
        ++m_count;
    }
    [[nodiscard]] std::size_t count() const { return m_count; }
    /// 0 of nothing.
    [[nodiscard]] double mean() const {
        return m_count == 0 ? 0
                            : std::ldexp(static_cast<double>(m_sum) / static_cast<double>(m_count), -m_bits);
    }

  private:
    int m_bits;
    std::int64_t m_sum = 0;
    std::size_t m_count = 0;
};

}  // namespace shuibao::algorithms
