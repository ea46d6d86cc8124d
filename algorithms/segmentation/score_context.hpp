// SPDX-License-Identifier: Apache-2.0
// What lies around a pixel once all have been scored: a site is more than one pixel that looks like one, and
// its score ends where it ends (auto-context: Tu and Bai 2010, IEEE TPAMI 32).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "box_sums.hpp"

namespace shuibao::algorithms {

/// First scores of a piece of a map and what they tell of each place. Whole numbers throughout: the same
/// however the map is cut.
class ScoreContext {
  public:
    static constexpr std::array<std::int64_t, 4> halves = {2, 4, 7, 12};  ///< of the squares of means
    static constexpr std::array<std::int64_t, 3> away = {2, 4, 8};
    static constexpr std::array<std::size_t, 4> of_eight = {0, 2, 5, 7};  ///< from the least to the most
    static constexpr std::int64_t around = 1, extremes = 3;               ///< half widths
    static constexpr std::int64_t reach = 12;
    static_assert(reach >= halves.back() && reach >= away.back() + around && reach >= extremes + around);
    /// Of a pixel.
    static constexpr std::size_t bytes =
        sizeof(std::int16_t) + sizeof(std::int32_t) + sizeof(std::uint16_t) + 2 * BoxSums::bytes;

    static void names(std::vector<std::string>& out) {
        out.insert(out.end(), {"score", "score_around"});
        for (const auto h : halves) {
            const auto side = std::to_string(2 * h + 1);
            out.push_back("score_mean_" + side);
            out.push_back("chance_mean_" + side);
        }
        out.insert(out.end(), {"score_most", "score_least"});
        for (const auto d : away)
            for (const auto k : of_eight)
                out.push_back("score_" + std::to_string(k + 1) + "_of_8_at_" + std::to_string(d));
    }

    /// Ground that nothing is said of scores least.
    void reset(std::int64_t rows, std::int64_t cols) {
        m_rows = rows;
        m_cols = cols;
        const auto n = static_cast<std::size_t>(rows * cols);
        m_score.assign(n, -most);
        m_chance.assign(n, 0);
    }
    void put(std::size_t i, double log_odds) {
        m_score[i] =
            static_cast<std::int16_t>(std::lround(std::clamp(log_odds * unit, -double{most}, double{most})));
        m_chance[i] = static_cast<std::uint16_t>(std::lround(chance_unit / (1 + std::exp(-log_odds))));
    }
    /// After all have been put.
    void prepare() {
        m_scores.reset(m_rows, m_cols);
        m_scores.fill([&](std::size_t i) { return m_score[i] + most; }, [](std::size_t) { return true; });
        m_chances.reset(m_rows, m_cols);
        m_chances.fill([&](std::size_t i) { return m_chance[i]; }, [](std::size_t) { return true; });
        m_around.resize(m_score.size());
        std::size_t i = 0;
        for (std::int64_t y = 0; y < m_rows; ++y)
            for (std::int64_t x = 0; x < m_cols; ++x, ++i) {
                const auto m = m_scores.mean(y, x, around);
                m_around[i] = static_cast<std::int32_t>(m.sum * finer / m.count) - finer * most;
            }
    }
    void values_of(std::int64_t y, std::int64_t x, std::vector<double>& out) const {
        const auto at = [&](std::int64_t r, std::int64_t c) {
            return r < 0 || r >= m_rows || c < 0 || c >= m_cols
                       ? -finer * std::int32_t{most}
                       : m_around[static_cast<std::size_t>(r * m_cols + c)];
        };
        constexpr double of_around = 1 / (finer * unit);
        out.push_back(m_score[static_cast<std::size_t>(y * m_cols + x)] / unit);
        out.push_back(at(y, x) * of_around);
        for (const auto h : halves) {
            const auto s = m_scores.mean(y, x, h), c = m_chances.mean(y, x, h);
            out.push_back((static_cast<double>(s.sum) / s.count - most) / unit);
            out.push_back(static_cast<double>(c.sum) / c.count / chance_unit);
        }
        std::int32_t high = at(y, x), low = high;
        for (auto r = y - extremes; r <= y + extremes; ++r)
            for (auto c = x - extremes; c <= x + extremes; ++c) {
                high = std::max(high, at(r, c));
                low = std::min(low, at(r, c));
            }
        out.push_back(high * of_around);
        out.push_back(low * of_around);
        for (const auto d : away) {
            std::array<std::int32_t, 8> eight = {at(y - d, x),     at(y + d, x),     at(y, x - d),
                                                 at(y, x + d),     at(y - d, x - d), at(y - d, x + d),
                                                 at(y + d, x - d), at(y + d, x + d)};
            std::sort(eight.begin(), eight.end());
            for (const auto k : of_eight) out.push_back(eight[k] * of_around);
        }
    }

  private:
    static constexpr double unit = 256, chance_unit = 4096;
    static constexpr std::int16_t most = 9 * 256;  // log-odds beyond 9 tell no more
    static constexpr std::int32_t finer = 16;      // steps of m_around to one of m_score

    std::int64_t m_rows = 0, m_cols = 0;
    std::vector<std::int16_t> m_score;
    std::vector<std::uint16_t> m_chance;
    std::vector<std::int32_t> m_around;
    BoxSums m_scores, m_chances;
};

}  // namespace shuibao::algorithms
