// SPDX-License-Identifier: Apache-2.0
// Public reports and video clues (举报、视频线索): places with the number and day by which people find them.
#pragma once

#include <string>
#include <vector>

#include <shuibao/core/polygon.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

struct Clue {
    Point place;       ///< in the CRS asked for
    std::string name;  ///< number (else 第 n 行, the row of the layer) and day, as people read it
};

/// The layer `screen.clues`; none where no layer is named. Field names come from
/// configs/dictionaries/clues.yaml. A row without a place raises nothing: it is told with its row in
/// context.problems. Throws Error(input) for a layer that cannot be read.
[[nodiscard]] std::vector<Clue> read_clues(RunContext& context, const std::string& crs);

}  // namespace shuibao::pipeline
