// SPDX-License-Identifier: Apache-2.0
// What one date shows of one pixel of a series.
#pragma once

#include <cstdint>

namespace shuibao::algorithms {

enum class Look : std::uint8_t {
    hidden = 0,  ///< cloud, shadow, no data: its value is never used as ground
    clear = 1,   ///< land or water
    snow = 2,    ///< used only where nearly every look is snow
};

}  // namespace shuibao::algorithms
