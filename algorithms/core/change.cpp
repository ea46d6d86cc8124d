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

}  // namespace shuibao
