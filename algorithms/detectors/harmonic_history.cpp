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

// All lanes at once, also those that have no season: what they give is not taken. One value after the other,
// since that is what the compiler makes vectors of.
SHUIBAO_LANES void encode(const PixelModel& __restrict m, const PixelTrack& __restrict t,
                          const HistoryTeller::Days& __restrict days, std::int32_t month,
                          Told& __restrict out) {
    using P = PixelHistory;
    constexpr double unit = 1.0 / static_cast<double>(feature_unit);
    constexpr std::size_t index = 1, brightness = 2;
    std::array<LaneInt, P::bytes> byte;
    for (std::size_t k = 0; k < season_terms; ++k)
        for (std::size_t l = 0; l < lane_count; ++l) byte[k][l] = P::coded_term(k, m.terms[0][k][l] * unit);
    std::array<std::array<double, lane_count>, P::kept_traits> trait;
    LaneInt soil, bare;  // its own soil is known; and it may be opened now
    for (std::size_t l = 0; l < lane_count; ++l) {
        soil[l] = m.soil_looks[l] > 0 ? -1 : 0;
        bare[l] = t.run[l] > 0 ? soil[l] : 0;
    }
    // In the order of PixelHistory::Trait.
    for (std::size_t l = 0; l < lane_count; ++l) trait[0][l] = m.soil[index][l] * unit;
    for (std::size_t l = 0; l < lane_count; ++l) trait[1][l] = m.soil[brightness][l] * unit;
    for (std::size_t l = 0; l < lane_count; ++l) trait[2][l] = (t.mean_index[l] - 100) / 100.0 - trait[0][l];
    for (std::size_t l = 0; l < lane_count; ++l)
        trait[3][l] =
            t.recent[brightness_lately][l] / static_cast<double>(PixelTrack::recent_unit[brightness_lately]) -
            trait[1][l];
    for (std::size_t k = 0; k < season_terms; ++k)
        for (std::size_t l = 0; l < lane_count; ++l)
            trait[3][l] += days.weights[k][l] * m.terms[brightness][k][l] * unit;
    for (std::size_t l = 0; l < lane_count; ++l)
        trait[4][l] = (t.mean_ndvi[l] - 100) / 100.0 - m.soil[0][l] * unit;
    for (std::size_t l = 0; l < lane_count; ++l) trait[5][l] = t.run[l];
    const std::array<const LaneInt*, P::kept_traits> told = {&soil, &soil, &bare, &soil, &bare, &bare};
    for (std::size_t k = 0; k < trait.size(); ++k)
        for (std::size_t l = 0; l < lane_count; ++l)
            byte[P::first_trait + k][l] = P::coded_trait(k, trait[k][l]) & (*told[k])[l];
    for (std::size_t l = 0; l < lane_count; ++l)
        byte[P::drop_byte][l] = P::coded_drop(bare[l] != 0 ? -trait[4][l] : 0.0, m.sown[l] > 0);
    for (std::size_t k = 0; k < P::lately; ++k)
        for (std::size_t l = 0; l < lane_count; ++l)
            byte[P::first_recent + k][l] =
                P::coded_recent(k, t.recent[k][l] / static_cast<double>(PixelTrack::recent_unit[k]));
    for (std::size_t p = 0; p < P::first_month_plane; ++p)
        for (std::size_t l = 0; l < lane_count; ++l) out[p][l] = P::pair(byte[2 * p][l], byte[2 * p + 1][l]);

    std::array<LaneInt, P::months> green;
    for (std::size_t back = 0; back < P::months; ++back) {
        const auto of = static_cast<std::int32_t>(back);
        const auto k = static_cast<std::size_t>((month - of) % static_cast<std::int32_t>(P::months));
        for (std::size_t l = 0; l < lane_count; ++l)
            green[back][l] = of >= days.months_ago[l] ? t.greenest[k / 4][l] >> 4 * (k % 4) & 15 : 0;
    }
    for (std::size_t k = 0; k < P::months; k += 4)
        for (std::size_t l = 0; l < lane_count; ++l)
            out[P::first_month_plane + k / 4][l] =
                P::four_months(green[k][l], green[k + 1][l], green[k + 2][l], green[k + 3][l]);
}

}  // namespace

// An exponential mean over τ days turns e^iωt into e^iωt / (1 + iωτ).
void HistoryTeller::know(std::int32_t day) {
    m_day = day;
    m_months_ago = std::max(0, m_month - (day > 0 ? months_of(Date(day)) : 0));
    m_weights[0] = 1;
    for (int k = 1; k <= 2; ++k) {
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
