// SPDX-License-Identifier: Apache-2.0
// What lies along lines.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

namespace shuibao::algorithms {

/// How much a pixel lies on a line that is higher than the ground on both sides of it: along a straight line
/// through it, the mean of by how much each pixel is more than the higher of the two three pixels aside; the
/// largest of sixteen directions. A road shows across all the fields it cuts, a field has one edge at a time.
class Ridges {
  public:
    static constexpr std::int16_t unknown = INT16_MIN;
    static constexpr std::size_t bytes = 2 * sizeof(std::int16_t);  ///< of a pixel
    void reset(std::int64_t rows, std::int64_t cols) {
        m_rows = rows;
        m_cols = cols;
        m_width = static_cast<std::size_t>(cols) + 2 * margin;
        const auto n = m_width * (static_cast<std::size_t>(rows) + 2 * margin);
        m_plane.assign(n, unknown);
        m_above.assign(n, 0);
        m_sum.resize(static_cast<std::size_t>(cols));
    }
    // value(i): of every pixel, row-major; `unknown` where nothing is known, which tells nothing of the lines
    // beside it. A difference counts up to `most`. best[i]: in the same steps.
    template <class Value>
    void find(const Value& value, std::int16_t most, std::vector<float>& best) {
        best.assign(static_cast<std::size_t>(m_rows * m_cols), -std::numeric_limits<float>::max());
        for (std::int64_t y = 0; y < m_rows; ++y)
            for (std::int64_t x = 0; x < m_cols; ++x)
                m_plane[at(y, x)] = value(static_cast<std::size_t>(y * m_cols + x));
        for (const Direction& d : all_directions()) {
            const auto width = static_cast<std::ptrdiff_t>(m_width);
            const std::ptrdiff_t aside = d.aside[0] * width + d.aside[1];
            for (std::int64_t y = 0; y < m_rows; ++y) {
                const std::int16_t* here = m_plane.data() + at(y, 0);
                above(here, here + aside, here - aside, most, m_above.data() + at(y, 0));
            }
            for (std::int64_t y = 0; y < m_rows; ++y) {
                std::fill(m_sum.begin(), m_sum.end(), std::int16_t{0});
                for (const auto& [down, right] : d.line)
                    add(m_above.data() + static_cast<std::ptrdiff_t>(at(y, 0)) + down * width + right);
                const float share = 1.0F / static_cast<float>(d.line.size());
                float* to = best.data() + y * m_cols;
                for (std::size_t x = 0; x < m_sum.size(); ++x)
                    to[x] = std::max(to[x], static_cast<float>(m_sum[x]) * share);
            }
        }
    }

  private:
    static constexpr int half = 10, apart = 3;
    static constexpr std::size_t margin = half + apart;
    struct Direction {
        std::vector<std::array<int, 2>> line;  // down, right
        std::array<int, 2> aside;
    };
    static const std::vector<Direction>& all_directions() {
        static const auto list = [] {
            constexpr int count = 16;
            std::vector<Direction> all(count);
            for (int t = 0; t < count; ++t) {
                const double angle = std::numbers::pi * t / count, right = std::cos(angle),
                             down = std::sin(angle);
                const auto whole = [](double v) { return static_cast<int>(std::lround(v)); };
                const double longer = std::max(std::abs(right), std::abs(down));
                const int steps = whole(half * longer);
                for (int k = -steps; k <= steps; ++k)
                    all[static_cast<std::size_t>(t)].line.push_back(
                        {whole(k * down / longer), whole(k * right / longer)});
                all[static_cast<std::size_t>(t)].aside = {whole(apart * right), whole(-apart * down)};
            }
            return all;
        }();
        return list;
    }
    void above(const std::int16_t* here, const std::int16_t* left, const std::int16_t* right,
               std::int16_t most, std::int16_t* out) const {
        for (std::int64_t x = 0; x < m_cols; ++x) {
            const int sides = std::max(left[x], right[x]);
            const bool known = (here[x] != unknown) & (left[x] != unknown) & (right[x] != unknown);
            const int by = std::clamp(here[x] - sides, -int{most}, int{most});
            out[x] = static_cast<std::int16_t>(known ? by : 0);
        }
    }
    void add(const std::int16_t* from) {
        for (std::size_t x = 0; x < m_sum.size(); ++x)
            m_sum[x] = static_cast<std::int16_t>(m_sum[x] + from[x]);
    }
    [[nodiscard]] std::size_t at(std::int64_t y, std::int64_t x) const {
        return (static_cast<std::size_t>(y) + margin) * m_width + static_cast<std::size_t>(x) + margin;
    }
    std::int64_t m_rows = 0, m_cols = 0;
    std::size_t m_width = 0;
    std::vector<std::int16_t> m_plane, m_above, m_sum;
};

}  // namespace shuibao::algorithms
