// SPDX-License-Identifier: Apache-2.0
// How objects are made of change maps, for those who make them without a run.
#pragma once

#include <filesystem>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/settings.hpp>

namespace shuibao::pipeline {

/// Levels and areas of `delineate`, in pixels of this grid; `ndvi_alone`: of looks that tell nothing else.
[[nodiscard]] algorithms::SegmentationOptions segmentation_options(const engine::Settings& settings,
                                                                   const Grid& grid, bool ndvi_alone);
/// `delineate.objects`, or shuibao's own.
[[nodiscard]] std::filesystem::path object_model_file(const engine::Settings& settings);

}  // namespace shuibao::pipeline
