// SPDX-License-Identifier: Apache-2.0
// Which scenes the others are compared with.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <shuibao/engine/scene.hpp>

namespace shuibao::pipeline {

/// Index of the scene that the others are laid on, unless somebody names one: the clearest by its mask among
/// those that cover the most area (to a hundredth), the earliest of equals. From a clear share of 0.9 on all
/// are equals: then scenes that come later do not depose the reference, and the tiles cut so far stay. Where
/// no scene has a mask: the first. `frames` are the scenes' bounds in one CRS; scenes are sorted by date and
/// id and not empty.
[[nodiscard]] std::size_t default_reference(std::span<const engine::Scene> scenes,
                                            std::span<const Bounds> frames);

/// Up to four other days' scenes that saw the ground of scene `i`, nearest in time first (the earlier of
/// equals): at least half clear, and sharing a quarter of its frame. A scene of the same day is none: it went
/// through the same processing and would repeat its mistake.
[[nodiscard]] std::vector<const engine::Scene*> neighbours_in_time(std::span<const engine::Scene> scenes,
                                                                   std::span<const Bounds> frames,
                                                                   std::size_t i);

}  // namespace shuibao::pipeline
