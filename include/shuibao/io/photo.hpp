// SPDX-License-Identifier: Apache-2.0
// Where a photograph was taken and which way it looks, as the camera wrote it.
#pragma once

#include <optional>
#include <string>

#include <shuibao/core/polygon.hpp>

namespace shuibao::io {

struct PhotoPlace {
    std::optional<Point> place;     ///< longitude, latitude, degrees (WGS 84)
    std::optional<double> azimuth;  ///< degrees from north, clockwise
};

/// EXIF position (GPSLatitude …) and GPSImgDirection of an image (CIPA DC-008, GPS attributes). What the
/// camera did not write, or wrote as nonsense, is absent. Throws Error(input) for a file that is no image.
[[nodiscard]] PhotoPlace photo_place(const std::string& path);

}  // namespace shuibao::io
