// SPDX-License-Identifier: Apache-2.0
// What a pixel is worth: the mask that travels with every image.
#pragma once

#include <cstdint>

namespace shuibao {

/// State of one pixel of one image. The codes are stored in the `quality` band of a tile.
enum class Quality : std::uint8_t {
    nodata = 0,    ///< outside the scene, or the sensor gave nothing
    clear = 1,     ///< usable land
    water = 2,     ///< usable, called water by the mask
    shadow = 3,    ///< cloud shadow
    cloud = 4,     ///< cloud, any probability
    cirrus = 5,    ///< thin cloud
    snow = 6,      ///< snow or ice
    guard = 7,     ///< clear, but inside the grown rim of cloud or shadow
    saturated = 8  ///< saturated or defective
};

[[nodiscard]] constexpr bool usable(Quality q) {
    return q == Quality::clear || q == Quality::water;
}

}  // namespace shuibao
