// SPDX-License-Identifier: Apache-2.0
// What the stages before would leave to a stage, as their checks foresee it.
#pragma once

#include <optional>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {

/// Filled by the checks of `catalog` and `tile`, so that a later check knows what would be done and what it
/// costs.
struct Prospect {
    std::vector<engine::Scene> scenes;  ///< of `catalog`, without what hashing and masks tell
    std::optional<Grid> grid;
    std::vector<io::Acquisition> acquisitions;  ///< of `tile`, if no scene fails
};

}  // namespace shuibao::pipeline
