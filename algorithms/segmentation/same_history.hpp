// SPDX-License-Identifier: Apache-2.0
// Whether two pixels were the same until now.
#pragma once

#include <array>
#include <cstddef>

#include <shuibao/core/change.hpp>

namespace shuibao::algorithms {

/// The curves of a year differ by less than `apart` steps, root mean square (Parseval: the mean, and half of
/// each wave).
inline bool same_season(const std::array<int, PixelHistory::terms>& p,
                        const std::array<int, PixelHistory::terms>& q, int apart) {
    int sum = 2 * (p[0] - q[0]) * (p[0] - q[0]);
    for (std::size_t k = 1; k < p.size(); ++k) sum += (p[k] - q[k]) * (p[k] - q[k]);
    return sum < 2 * apart * apart;
}

}  // namespace shuibao::algorithms
