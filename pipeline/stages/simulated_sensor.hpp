// SPDX-License-Identifier: Apache-2.0
// A simulated look as another satellite would have taken it: four bands, other numbers, larger pixels.
#pragma once

#include <cstdint>
#include <vector>

#include <shuibao/algorithms/simulated_series.hpp>

namespace shuibao::pipeline {

/// How the other satellite stores: reflectance = number · scale + offset.
inline constexpr float other_scale = 5e-5F, other_offset = -0.015F;

/// Keeps blue, green, red and nir, each a little brighter or darker than the first satellite has it, averages
/// `coarser` × `coarser` pixels (what has no data does not count; a rim that is left over makes a pixel of its
/// own) and takes the class of the one in their middle. `offset` is that of the picture (1e-4 a step).
[[nodiscard]] algorithms::simulated::Picture by_other_sensor(algorithms::simulated::Picture picture,
                                                             std::int64_t size, std::int64_t coarser,
                                                             double offset);

}  // namespace shuibao::pipeline
