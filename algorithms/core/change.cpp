// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <shuibao/core/change.hpp>

namespace shuibao {
void Change::set(std::size_t i, double log_odds, double deviations) {
    evidence[i] = static_cast<std::uint16_t>(
        std::clamp(std::lround(evidence_zero + evidence_per_unit * log_odds), 1L, 65534L));
    confidence[i] = static_cast<std::uint16_t>(std::lround(confidence_one / (1 + std::exp(-log_odds))));
    magnitude[i] = static_cast<std::uint16_t>(std::clamp(std::lround(deviations * 100), 0L, 65535L));
}

int Change::stored(double log_odds) {
    return static_cast<int>(std::ceil(evidence_zero + evidence_per_unit * log_odds - 1e-9));
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

}  // namespace shuibao
