// SPDX-License-Identifier: Apache-2.0
// Numbers as layers and reports hold them.
#pragma once

#include <cmath>

namespace shuibao::pipeline {

/// To the nearest of `per_unit` steps in a unit; by default four decimals.
[[nodiscard]] inline double rounded(double v, double per_unit = 1e4) {
    return std::round(v * per_unit) / per_unit;
}

}  // namespace shuibao::pipeline
