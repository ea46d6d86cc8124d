// SPDX-License-Identifier: Apache-2.0
// Means over squares in the time of four look-ups.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace shuibao::algorithms {

/// Sums over boxes of a plane of whole numbers (Crow 1984): the same however the map is cut.
class BoxSums {
  public:
    static constexpr std::size_t bytes = sizeof(std::uint32_t) + sizeof(std::uint16_t);  ///< of a pixel
    void reset(std::int64_t rows, std::int64_t cols) {
        m_rows = rows;
        m_cols = cols;
        m_sum.resize(static_cast<std::size_t>((rows + 1) * (cols + 1)));
        m_count.resize(m_sum.size());
        std::fill_n(m_sum.begin(), cols + 1, 0);
        std::fill_n(m_count.begin(), cols + 1, 0);
    }
    // value(i), counted where counts(i); row-major.
    template <class Value, class Counts>
    void fill(const Value& value, const Counts& counts) {
        for (std::int64_t y = 0; y < m_rows; ++y) {
            std::uint32_t sum = 0, n = 0;
            m_sum[at(y + 1, 0)] = 0;
            m_count[at(y + 1, 0)] = 0;
            for (std::int64_t x = 0; x < m_cols; ++x) {
                const auto i = static_cast<std::size_t>(y * m_cols + x);
                if (counts(i)) sum += static_cast<std::uint32_t>(value(i)), ++n;
                m_sum[at(y + 1, x + 1)] = m_sum[at(y, x + 1)] + sum;
                m_count[at(y + 1, x + 1)] = static_cast<std::uint16_t>(m_count[at(y, x + 1)] + n);
            }
        }
    }
    struct Mean {
        std::int64_t sum = 0;
        std::int32_t count = 0;
    };
    [[nodiscard]] Mean mean(std::int64_t y, std::int64_t x, std::int64_t half) const {
        const auto y0 = std::max<std::int64_t>(0, y - half), y1 = std::min(m_rows, y + half + 1);
        const auto x0 = std::max<std::int64_t>(0, x - half), x1 = std::min(m_cols, x + half + 1);
        const auto sum = m_sum[at(y1, x1)] - m_sum[at(y0, x1)] - m_sum[at(y1, x0)] + m_sum[at(y0, x0)];
        const auto count =
            m_count[at(y1, x1)] - m_count[at(y0, x1)] - m_count[at(y1, x0)] + m_count[at(y0, x0)];
        return {static_cast<std::int32_t>(sum), static_cast<std::uint16_t>(count)};
    }

  private:
    [[nodiscard]] std::size_t at(std::int64_t y, std::int64_t x) const {
        return static_cast<std::size_t>(y * (m_cols + 1) + x);
    }
    std::int64_t m_rows = 0, m_cols = 0;
    // Modulo 2³² and 2¹⁶: a box of 41 × 41 values of 16 bits holds less.
    std::vector<std::uint32_t> m_sum;
    std::vector<std::uint16_t> m_count;
};

}  // namespace shuibao::algorithms
