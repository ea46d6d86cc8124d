// SPDX-License-Identifier: Apache-2.0
// A pixel's history drawn: what was seen, what was expected, the statistic and the decision over time.
#pragma once

#include <string>

#include "history.hpp"
#include <shuibao/algorithms/figure.hpp>

namespace shuibao::pipeline {

struct FigureWords {
    std::string place;     ///< where: tile, pixel, map position; ASCII
    std::string decision;  ///< what the change map of the batch says; ASCII
};

[[nodiscard]] algorithms::Figure figure_of(const PixelHistory& history, const FigureWords& words);

}  // namespace shuibao::pipeline
