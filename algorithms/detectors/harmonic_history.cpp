// SPDX-License-Identifier: Apache-2.0
#include "harmonic_history.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "lanes.hpp"

namespace shuibao::algorithms {
namespace {

constexpr std::size_t brightness_lately = 3;  // of PixelTrack::recent
using Told = std::array<std::array<std::uint16_t, lane_count>, PixelHistory::planes>;

// All lanes at once, also those that have no season: what they give is not taken.
SHUIBAO_LANES void encode(const PixelModel& __restrict m, const PixelTrack& __restrict t,
                          const HistoryTeller::Days& __restrict days, std::int32_t month,
                          Told& __restrict out) {
    constexpr double unit = 1.0 / static_cast<double>(feature_unit);
    constexpr std::size_t index = 1, brightness = 2;
    constexpr auto year = static_cast<std::int32_t>(month_count);
    for (std::size_t l = 0; l < lane_count; ++l) {
        const auto to = [&](std::size_t plane, std::uint16_t v) { out[plane][l] = v; };
        const bool soil = m.soil_looks[l] > 0, bare = soil & (t.run[l] > 0);
        const double green_above_own = (t.mean_ndvi[l] - 100) / 100.0 - m.soil[0][l] * unit;
        std::array<double, season_terms> season;
        for (std::size_t k = 0; k < season_terms; ++k) season[k] = m.terms[0][k][l] * unit;
        PixelHistory::encode_season(season, bare ? -green_above_own : 0, m.sown[l] > 0, to);
        std::array<double, PixelHistory::lately> recent;
        for (std::size_t k = 0; k < recent.size(); ++k)
            recent[k] = t.recent[k][l] / static_cast<double>(PixelTrack::recent_unit[k]);
        PixelHistory::encode_recent(recent, to);
        const double own_index = m.soil[index][l] * unit, own_brightness = m.soil[brightness][l] * unit;
        double bright = recent[brightness_lately] - own_brightness;
        for (std::size_t k = 0; k < season_terms; ++k)
            bright += days.weights[k][l] * m.terms[brightness][k][l] * unit;
        // In the order of PixelHistory::Trait.
        PixelHistory::encode_traits({own_index, own_brightness, (t.mean_index[l] - 100) / 100.0 - own_index,
                                     bright, green_above_own, static_cast<double>(t.run[l])},
                                    {soil, soil, bare, soil, bare, bare}, to);
    }
    for (std::size_t l = 0; l < lane_count; ++l) {
        std::array<int, PixelHistory::months> green;
        for (std::int32_t back = 0; back < year; ++back) {
            const auto k = static_cast<std::size_t>((month - back) % year);
            const int of_month = t.greenest[k / 4][l] >> 4 * (k % 4) & 15;
            green[static_cast<std::size_t>(back)] = back >= days.months_ago[l] ? of_month : 0;
        }
        PixelHistory::encode_greenest(green, [&](std::size_t plane, std::uint16_t v) { out[plane][l] = v; });
    }
}

}  // namespace

// An exponential mean over τ days turns e^iωt into e^iωt / (1 + iωτ).
void HistoryTeller::know(std::int32_t day) {
    m_day = day;
    m_months_ago = std::max(0, m_month - (day > 0 ? months_of(Date(day)) : 0));
    m_weights[0] = 1;
    for (int k = 1; k <= 2; ++k) {
        constexpr double days_per_year = 365.25;
        const double omega = 2 * std::numbers::pi * k / days_per_year;
        const auto wave = std::polar(1.0, omega * day) /
                          std::complex(1.0, omega * PixelTrack::recent_days[brightness_lately]);
        m_weights[static_cast<std::size_t>(2 * k - 1)] = wave.real();
        m_weights[static_cast<std::size_t>(2 * k)] = wave.imag();
    }
}

void HistoryTeller::tell(const PixelModel& model, const PixelTrack& track, std::size_t n,
                         PixelHistory& history, std::size_t from) {
    for (std::size_t l = 0; l < lane_count; ++l) {
        if (l < n && track.last[l] != m_day) know(track.last[l]);
        m_days.months_ago[l] = m_months_ago;
        for (std::size_t k = 0; k < season_terms; ++k) m_days.weights[k][l] = m_weights[k];
    }
    Told told;
    encode(model, track, m_days, m_month, told);
    for (std::size_t p = 0; p < PixelHistory::planes; ++p)
        for (std::size_t l = 0; l < n; ++l) {
            const bool seasonal = model.ground[l] == static_cast<std::int32_t>(Ground::seasonal);
            auto& value = history.values[p][from + l];
            value = seasonal ? told[p][l] : value;
        }
}

}  // namespace shuibao::algorithms
