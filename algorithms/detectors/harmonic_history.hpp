// SPDX-License-Identifier: Apache-2.0
// What of harmonic's models and tracks a change map keeps for delineation (PixelHistory).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "harmonic_model.hpp"
#include <shuibao/core/change.hpp>

namespace shuibao::algorithms {

/// Tells block after block; looks are days of many pixels, so what a day means is kept from one to the next.
class HistoryTeller {
  public:
    /// `report_to`: day that the map ends with.
    explicit HistoryTeller(Date report_to) : m_month(months_of(report_to)) {}
    /// Of the first `n` lanes, whose pixels begin at `from`, those with a season; the others stay as they
    /// are.
    void tell(const PixelModel& model, const PixelTrack& track, std::size_t n, PixelHistory& history,
              std::size_t from);

    /// Of each lane, by its latest look.
    struct Days {
        /// What the terms of a season add to a running mean of ln brightness that ends then.
        std::array<std::array<double, lane_count>, season_terms> weights;
        LaneInt months_ago;  ///< before the month that the map ends in
    };

  private:
    void know(std::int32_t day);
    std::int32_t m_month;
    std::int32_t m_day = -1, m_months_ago = 0;
    std::array<double, season_terms> m_weights{};
    Days m_days{};
};

}  // namespace shuibao::algorithms
