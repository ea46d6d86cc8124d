// SPDX-License-Identifier: Apache-2.0
// The history of a suspect's pixel in one small panel, for pages: looks, expectation, onset interval.
#pragma once

#include <optional>

#include "history.hpp"
#include <shuibao/algorithms/figure.hpp>

namespace shuibao::pipeline {

/// First feature of a series with the expectation and twice its spread, the looks coloured by what was
/// thought of the pixel after them, and the onset interval. Nothing for a method that learns no series.
[[nodiscard]] std::optional<algorithms::Figure> series_figure(const PixelHistory& history);

}  // namespace shuibao::pipeline
