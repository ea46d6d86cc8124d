// SPDX-License-Identifier: Apache-2.0
// Says of single pixels of a change map what a method that tells histories says of all.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <shuibao/core/change.hpp>

namespace shuibao::test {

inline void put_byte(PixelHistory& h, std::size_t i, std::size_t byte, int v) {
    auto& both = h.values[byte / 2][i];
    both = byte % 2 == 0 ? PixelHistory::pair(v, both & 255) : PixelHistory::pair(both >> 8, v);
}
inline void put_recent(PixelHistory& h, std::size_t i,
                       const std::array<double, PixelHistory::lately>& recent) {
    for (std::size_t k = 0; k < recent.size(); ++k)
        put_byte(h, i, PixelHistory::first_recent + k, PixelHistory::coded_recent(k, recent[k]));
}
inline void put_season(PixelHistory& h, std::size_t i, const std::array<double, PixelHistory::terms>& season,
                       double drop, bool tilled) {
    for (std::size_t k = 0; k < season.size(); ++k) put_byte(h, i, k, PixelHistory::coded_term(k, season[k]));
    put_byte(h, i, PixelHistory::drop_byte, PixelHistory::coded_drop(drop, tilled));
    put_recent(h, i, {});
}
/// NaN: unknown.
inline void put_traits(PixelHistory& h, std::size_t i,
                       const std::array<double, PixelHistory::kept_traits>& traits) {
    for (std::size_t k = 0; k < traits.size(); ++k)
        put_byte(h, i, PixelHistory::first_trait + k,
                 std::isnan(traits[k]) ? 0 : PixelHistory::coded_trait(k, traits[k]));
}
inline void put_greenest(PixelHistory& h, std::size_t i, const PixelHistory::Greenest& g) {
    for (std::size_t k = 0; k < g.size(); k += 4)
        h.values[PixelHistory::first_month_plane + k / 4][i] =
            PixelHistory::four_months(g[k], g[k + 1], g[k + 2], g[k + 3]);
}

}  // namespace shuibao::test
