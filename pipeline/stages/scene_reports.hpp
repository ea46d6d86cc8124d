// SPDX-License-Identifier: Apache-2.0
// What the tile stage knows of each scene before it cuts: its shift, and whether its radiometry is believed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "scene_check.hpp"
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What of a scene the things made from it depend on: its files and how they are read.
[[nodiscard]] std::string scene_key(const engine::Scene& scene);

/// A text without what has no place in a file name.
[[nodiscard]] std::string letters_and_digits(const std::string& text);

/// One report per scene, in their order, from `<store>/scenes/`, where those that are out of date are made
/// first: registration against `reference` (or the first scene of the same place), then what the neighbours
/// in time say. `frames` are the scenes' extents in the grid's CRS. Refused scenes are added to the run's
/// problems.
[[nodiscard]] std::vector<SceneReport> check_scenes(RunContext& context,
                                                    const std::vector<engine::Scene>& scenes,
                                                    const std::vector<Bounds>& frames,
                                                    const engine::Scene& reference, const Grid& grid);

}  // namespace shuibao::pipeline
