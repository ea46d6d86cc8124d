// SPDX-License-Identifier: Apache-2.0
// Says of single pixels of a change map what a method that tells histories says of all.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <shuibao/core/change.hpp>

namespace shuibao::test {

inline auto at_pixel(PixelHistory& h, std::size_t i) {
    return [&h, i](std::size_t plane, std::uint16_t v) { h.values[plane][i] = v; };
}
inline void put_recent(PixelHistory& h, std::size_t i,
                       const std::array<double, PixelHistory::lately>& recent) {
    PixelHistory::encode_recent(recent, at_pixel(h, i));
}
inline void put_season(PixelHistory& h, std::size_t i, const std::array<double, PixelHistory::terms>& season,
                       double drop, bool tilled) {
    PixelHistory::encode_season(season, drop, tilled, at_pixel(h, i));
    put_recent(h, i, {});
}
/// NaN: unknown.
inline void put_traits(PixelHistory& h, std::size_t i,
                       const std::array<double, PixelHistory::kept_traits>& traits) {
    std::array<bool, PixelHistory::kept_traits> told{};
    for (std::size_t k = 0; k < told.size(); ++k) told[k] = !std::isnan(traits[k]);
    PixelHistory::encode_traits(traits, told, at_pixel(h, i));
}
inline void put_greenest(PixelHistory& h, std::size_t i, const PixelHistory::Greenest& classes) {
    std::array<int, PixelHistory::months> wide{};
    for (std::size_t k = 0; k < wide.size(); ++k) wide[k] = classes[k];
    PixelHistory::encode_greenest(wide, at_pixel(h, i));
}

}  // namespace shuibao::test
