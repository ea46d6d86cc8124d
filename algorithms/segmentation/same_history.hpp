// SPDX-License-Identifier: Apache-2.0
// Whether two pixels were the same until now.
#pragma once

#include <array>
#include <cstddef>

#include <shuibao/core/change.hpp>

namespace shuibao::algorithms {

using Season = std::array<int, PixelHistory::terms>;

/// Twice the mean square by which the curves of a year differ, steps (Parseval: the mean, and half of each
/// wave).
inline int season_apart(const Season& p, const Season& q) {
    int sum = 2 * (p[0] - q[0]) * (p[0] - q[0]);
    for (std::size_t k = 1; k < p.size(); ++k) sum += (p[k] - q[k]) * (p[k] - q[k]);
    return sum;
}

/// They differ by less than `apart` steps, root mean square.
inline bool same_season(const Season& p, const Season& q, int apart) {
    return season_apart(p, q) < 2 * apart * apart;
}

}  // namespace shuibao::algorithms
