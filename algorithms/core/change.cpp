// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <shuibao/core/change.hpp>

namespace shuibao {
namespace {

std::uint16_t pair(long high, long low) {
    return static_cast<std::uint16_t>(high << 8 | low);
}

}  // namespace

void Change::set(std::size_t i, double log_odds, double deviations) {
    evidence[i] = static_cast<std::uint16_t>(
        std::clamp(std::lround(evidence_zero + evidence_per_unit * log_odds), 1L, 65534L));
    confidence[i] = static_cast<std::uint16_t>(std::lround(confidence_one / (1 + std::exp(-log_odds))));
    magnitude[i] = static_cast<std::uint16_t>(std::clamp(std::lround(deviations * 100), 0L, 65535L));
}

int Change::stored(double log_odds) {
    return static_cast<int>(std::ceil(evidence_zero + evidence_per_unit * log_odds - 1e-9));
}

void PixelHistory::set(std::size_t i, const std::array<double, terms>& season, double drop, bool tilled) {
    std::array<long, terms> t{};
    for (std::size_t k = 0; k < terms; ++k)
        t[k] = std::clamp(std::lround(season[k] / step) + (k == 0 ? 1 : middle), 1L, 255L);
    const long low = std::clamp(std::lround(drop / drop_step) + drop_middle, 0L, 127L) + (tilled ? 128 : 0);
    values[0][i] = pair(t[0], t[1]);
    values[1][i] = pair(t[2], t[3]);
    values[2][i] = pair(t[4], low);
    values[3][i] = values[4][i] = pair(middle, middle);
    for (std::size_t p = 5; p < planes; ++p) values[p][i] = 0;
}

void PixelHistory::set_greenest(std::size_t i, const Greenest& classes) {
    for (std::size_t k = 0; k < months; k += 4)
        values[8 + k / 4][i] = static_cast<std::uint16_t>(classes[k] | classes[k + 1] << 4 |
                                                          classes[k + 2] << 8 | classes[k + 3] << 12);
}

void PixelHistory::set_traits(std::size_t i, const std::array<double, kept_traits>& values_of) {
    std::array<long, kept_traits> t{};
    for (std::size_t k = 0; k < kept_traits; ++k)
        if (!std::isnan(values_of[k]))
            t[k] =
                std::clamp(std::lround((values_of[k] - trait_middle[k]) / trait_step[k]) + middle, 1L, 255L);
    for (std::size_t k = 0; k < kept_traits; k += 2) values[5 + k / 2][i] = pair(t[k], t[k + 1]);
}

PixelHistory::Traits PixelHistory::traits_of(std::size_t i) const {
    Traits t{};
    const KeptTraits kept = kept_traits_of(i);
    std::copy(kept.begin(), kept.end(), t.begin());
    if (!known(i)) return t;
    const Greenest g = greenest(i);
    t[static_cast<std::size_t>(Trait::greenest_4)] = greenest_of(g, 4);
    t[static_cast<std::size_t>(Trait::greenest_9)] = greenest_of(g, 9);
    // 0 would say that it is not known.
    t[static_cast<std::size_t>(Trait::since_green)] =
        static_cast<std::uint8_t>(months_since(g, green_class) + 1);
    return t;
}

void PixelHistory::set_recent(std::size_t i, const std::array<double, lately>& recent) {
    std::array<long, lately> r{};
    for (std::size_t k = 0; k < lately; ++k)
        r[k] = std::clamp(std::lround(recent[k] / recent_step[k]) + middle, 1L, 255L);
    values[3][i] = pair(r[0], r[1]);
    values[4][i] = pair(r[2], r[3]);
}

}  // namespace shuibao
