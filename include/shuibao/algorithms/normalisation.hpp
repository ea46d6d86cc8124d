// SPDX-License-Identifier: Apache-2.0
// Relative radiometric normalisation: the straight line per band that lays one image's values on another's.
#pragma once

#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

/// value in the reference's units = gain · value + offset (physical values, after each image's own scaling).
struct RadiometricLine {
    double gain = 1, offset = 0;
};

/// One line per plane of `moving`, by orthogonal regression over the half of the pixels that fit all bands
/// best, re-selected six times (pseudo-invariant pixels by rank, not by a p-value: on the Nanjing pair only
/// 0.27 % of the pixels pass p > 0.95, Canty & Nielsen 2008, RSE 112:1025). Both images hold the same planes
/// and window. Empty when fewer than 1000 pixels are usable in both or a band does not correlate.
[[nodiscard]] std::vector<RadiometricLine> relative_normalisation(const Image& fixed, const Image& moving);

}  // namespace shuibao::algorithms
