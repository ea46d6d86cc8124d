// SPDX-License-Identifier: Apache-2.0
// A vector of pixels followed through time: a seasonal model learnt from history, and a cumulative
// log-likelihood ratio of "opened ground" against "what this pixel does anyway" (`algorithms.md` §2.2).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "look_stack.hpp"
#include <shuibao/core/date.hpp>

namespace shuibao::algorithms {

using Lane = std::array<float, lane_count>;
using LaneInt = std::array<std::int32_t, lane_count>;

inline constexpr std::size_t season_terms = 5;  ///< constant, cos, sin, cos 2, sin 2
inline constexpr std::size_t month_count = 12, half_months = 24;
inline constexpr double days_per_year = 365.25;

/// What of a date the models need.
struct Moment {
    Date date;
    std::array<float, season_terms> basis{};  ///< 1, cos ωt, sin ωt, cos 2ωt, sin 2ωt
    int year = 0;                             ///< of the calendar
    int month = 0, half_month = 0;            ///< of the year, from 0
    float in_half_month = 0;                  ///< share of the half-month that has gone by
    float years = 0;                          ///< before the end of history, ≤ 0; for fitting only
    bool tells_index = true;                  ///< the look has the second feature (LookStack::tells_index)
};
[[nodiscard]] Moment moment_of(Date date);

struct HarmonicOptions {
    int least_looks = 10;         ///< clear looks of history that a pixel needs to be judged at all
    float field_skip = 0.10F;     ///< chance that a field is left bare for a season
    float wild_skip = 0.006F;     ///< the same for ground that is no field
    float fallow_days = 400;      ///< how long a field stays what it was outside its bare season, e-folding
    float glitch_days = 5;        ///< the same for ground that is no field: a look that went wrong
    float independent_days = 15;  ///< looks closer than this count less
    float watch = 3, suspect = 4, confirm = 10;  ///< levels of the statistic
};

/// What a pixel is, as far as judging it goes.
enum class Ground : std::uint8_t { unknown = 0, seasonal = 1, bare = 2, water = 3 };
/// `reverted`: green again, as a field is that was sown, or before it was confirmed. `built`, `restored`:
/// what was confirmed is finished, built over or green where nobody tills.
enum class Status : std::uint8_t {
    stable = 0,
    watch = 1,
    suspected = 2,
    confirmed = 3,
    reverted = 4,
    built = 5,
    restored = 6,
};
/// Opened ground, as far as it is known: it is followed until it is green again and not learnt from.
[[nodiscard]] constexpr bool is_open(std::int32_t status) {
    return status == static_cast<std::int32_t>(Status::suspected) ||
           status == static_cast<std::int32_t>(Status::confirmed) ||
           status == static_cast<std::int32_t>(Status::built);
}

/// The model of `lane_count` pixels, in the steps in which it is kept: what is used is what is stored.
struct PixelModel {
    /// feature_unit steps; of the waves whole wave_steps of them.
    std::array<std::array<LaneInt, season_terms>, feature_count> terms{};
    static constexpr std::int32_t wave_steps = 8, wave_most = 2047;  ///< twelve bits are kept, with the sign
    std::array<LaneInt, feature_count> spread{};                     ///< feature_unit steps
    std::array<LaneInt, feature_count> soil{};                       ///< own bare soil, feature_unit steps
    LaneInt soil_looks{}, ground{};
    LaneInt sown{};  ///< looks in the warm months that saw it bare, at most 3: somebody tills it
    std::array<LaneInt, month_count> leverage{};    ///< 0–15: prediction variance, see leverage_of()
    std::array<LaneInt, half_months> bare_share{};  ///< 0–15: chance to be bare, see share_of()
    LaneInt looks{};                                ///< clear looks of history, at most 255
};

/// What follows the looks, in the steps in which it is kept.
struct PixelTrack {
    static constexpr std::size_t ring_size = 8;
    static constexpr std::int32_t statistic_unit = 256, ring_unit = 16, skip_one = 255;
    static constexpr std::int32_t longest_gap = 255;  ///< days between two looks of the ring
    static constexpr std::size_t recent_count = 4;
    static constexpr std::int32_t recent_most = 2047;  ///< 12 bits are kept, with the sign
    static constexpr std::array<float, recent_count> recent_days = {45, 180, 60, 60};
    static constexpr std::array<float, recent_count> recent_unit = {4096, 4096, 4096, 2048};
    static constexpr std::array<std::size_t, recent_count> recent_feature = {0, 0, 1, 2};
    LaneInt material{}, persistence{};           ///< the two statistics, statistic_unit steps
    LaneInt before{}, first{}, last{}, alarm{};  ///< days: last look before the run, its first, latest, alarm
    LaneInt skip{};  ///< chance that the pixel is in a skipped season, skip_one = 1
    LaneInt run{};   ///< looks in the ring
    LaneInt status{};
    LaneInt greens{};       ///< independent looks in a row as green as the season, at most 15
    LaneInt builts{};       ///< independent looks in a row that show neither soil nor plants, at most 15
    LaneInt since_green{};  ///< days since the latest that counted in either, at most 15
    /// Running means of observed − expected: NDVI over recent_days[0], [1], soil index over [2], ln
    /// brightness over [3].
    std::array<LaneInt, recent_count> recent{};
    /// Classes of the greenest look of each month of the calendar (PixelHistory::green_floor), four of four
    /// bits to a number; 0 = no clear look in the year that ends in the month of `last`.
    std::array<LaneInt, month_count / 4> greenest{};
    LaneInt mean_ndvi{}, mean_index{};               ///< running means since the run began, 1/100, offset 100
    std::array<LaneInt, ring_size> ring_days{};      ///< since the look before; of the first 0
    std::array<LaneInt, ring_size> ring_evidence{};  ///< κℓ, ring_unit steps
};

/// 12 · year + month from 0.
[[nodiscard]] inline std::int32_t months_of(const Moment& m) {
    return 12 * m.year + m.month;
}
[[nodiscard]] inline std::int32_t months_of(Date date) {
    const std::chrono::year_month_day d{std::chrono::sys_days{std::chrono::days{date.days()}}};
    return 12 * static_cast<int>(d.year()) + static_cast<std::int32_t>(static_cast<unsigned>(d.month())) - 1;
}
/// Takes a look (`ndvi` of all lanes, feature_unit steps or not_seen) into the greenest of its month. Months
/// are counted as months_of; that of its latest look is kept for each lane. Looks come in time order.
void see_green(PixelTrack& track, const std::int16_t* ndvi, LaneInt& month_of_last, std::int32_t month);

/// Codes of spreads, from 0 to 255 in equal ratios, and the spread of a code in feature_unit steps.
[[nodiscard]] std::int32_t spread_code(float spread);
[[nodiscard]] std::int32_t spread_of(std::int32_t code);

/// Decoded prediction variance factor and chance.
[[nodiscard]] float leverage_of(std::int32_t code);
[[nodiscard]] float share_of(std::int32_t code);

/// Learns from all looks of a block. `moments` has one entry per look, `years` relative to the end of
/// history.
void fit_pixels(const std::int16_t* looks, std::span<const Moment> moments, const FeatureSet& set,
                const HarmonicOptions& options, PixelModel& model);

/// Takes in looks in time order.
void follow_pixels(const std::int16_t* looks, std::span<const Moment> moments, const FeatureSet& set,
                   const HarmonicOptions& options, const PixelModel& model, PixelTrack& track);

}  // namespace shuibao::algorithms
