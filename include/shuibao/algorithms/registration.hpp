// SPDX-License-Identifier: Apache-2.0
// Co-registration: how far one image lies beside another, to a fraction of a pixel, and whether to believe
// it.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace shuibao::algorithms {

/// Shift measured in one window. Positive x: the content of `moving` lies east of where `fixed` has it.
struct TiePoint {
    double dx = 0, dy = 0;   ///< pixels, east and south
    double reliability = 0;  ///< height of the correlation peak over the second peak
};

/// Phase correlation of two windows of size × size pixels (row-major; a power of two is fastest). Unusable
/// pixels hold the window's mean. Hann window, whitened cross spectrum with a Gaussian low-pass (Kuglin &
/// Hines 1975), maximum found to a fraction of a pixel by Newton steps on the continuous correlation.
[[nodiscard]] TiePoint phase_correlation(std::span<const float> fixed, std::span<const float> moving,
                                         int size);

/// Shift of a whole scene from its tie points.
struct Shift {
    double dx = 0, dy = 0;  ///< pixels, east and south; move the scene by (−dx, −dy)
    double rmse = 0;        ///< of the tie points kept, px
    int used = 0, measured = 0;
    bool reliable = false;  ///< enough tie points agree
};

/// Median of the tie points with reliability >= 1.5 and |shift| <= max_shift, then of those within 1 px of
/// it. Reliable when at least 3 and at least 30 % of the measured points remain.
[[nodiscard]] Shift combine_tie_points(std::span<const TiePoint> points, double max_shift);

}  // namespace shuibao::algorithms
