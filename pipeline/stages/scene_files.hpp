// SPDX-License-Identifier: Apache-2.0
// The files of a scene: looked at, and found usable or not.
#pragma once

#include <set>
#include <string>

#include <shuibao/engine/scene.hpp>

namespace shuibao::pipeline {

class SceneCache;

/// Images and mask, each once, sorted.
[[nodiscard]] std::set<std::string> files_of(const engine::Scene& scene);

/// Opens every file of a scene and fills in what only they say (CRS, extent, pixel sizes, clear share);
/// throws engine::Refusal when the scene cannot be used. One whose files are those that the cache knows is
/// not opened. Without a cache only headers, the first and the last blocks are read.
void examine(engine::Scene& scene, SceneCache* cache);

}  // namespace shuibao::pipeline
