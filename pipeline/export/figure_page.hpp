// SPDX-License-Identifier: Apache-2.0
// A figure drawn onto a page: the third back end, in points and with fonts.
#pragma once

#include <shuibao/algorithms/figure.hpp>
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline {

/// Draws it with its upper left corner at x, y; `scale` points are one pixel of the figure.
void draw_figure(io::PageFile& page, const algorithms::Figure& figure, double x, double y, double scale);

}  // namespace shuibao::pipeline
