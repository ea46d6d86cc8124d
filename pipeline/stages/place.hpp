// SPDX-License-Identifier: Apache-2.0
// One pixel, named the way people have it: a map position, a tile and pixel, or a disturbance.
#pragma once

#include <string>

#include <shuibao/core/grid.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// The pixel that `text` names on the grid: `x,y` in `crs`, `X0003_Y0004/col,row` with col and row counted
/// from the tile's upper left pixel, or the case_id (or the number in the batch) of a disturbance, of which
/// the pixel with the most evidence is taken. Settles the batch in `context`. Throws Error(usage) for
/// anything else.
[[nodiscard]] Window pixel_of(RunContext& context, const Grid& grid, const std::string& text,
                              const std::string& crs);

}  // namespace shuibao::pipeline
