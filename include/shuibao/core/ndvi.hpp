// SPDX-License-Identifier: Apache-2.0
// The vegetation index (Rouse 1974), wherever it is asked for: of the two bands it is made of, or as an
// archive holds it.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao {

/// Bands that tell NDVI, ascending: red and nir, else the index itself; none where it cannot be told.
[[nodiscard]] inline std::vector<Band> ndvi_bands(std::span<const Band> available) {
    const auto has = [&](Band b) {
        return std::find(available.begin(), available.end(), b) != available.end();
    };
    if (has(Band::red) && has(Band::nir)) return {Band::red, Band::nir};
    if (has(Band::ndvi)) return {Band::ndvi};
    return {};
}

/// NDVI of two reflectances; NaN where their sum is as good as zero, which land is nowhere: a pixel gone
/// wrong.
[[nodiscard]] inline double ndvi_of(double red, double nir) {
    constexpr double darkest = 1e-3;
    return red + nir < darkest ? std::numeric_limits<double>::quiet_NaN() : (nir - red) / (nir + red);
}

/// NDVI of a pixel (row-major index) of an image that holds ndvi_bands(); NaN as above. The mask is not
/// asked.
[[nodiscard]] inline double ndvi_of(const Image& image, std::size_t pixel) {
    const int red = image.plane_of(Band::red), nir = image.plane_of(Band::nir);
    if (red < 0 || nir < 0) return image.value(image.plane_of(Band::ndvi), pixel);
    return ndvi_of(image.value(red, pixel), image.value(nir, pixel));
}

}  // namespace shuibao
