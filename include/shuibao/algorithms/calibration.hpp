// SPDX-License-Identifier: Apache-2.0
// What a confidence turned out to mean: logistic calibration from checked cases, with a prior.
#pragma once

#include <cstddef>
#include <vector>

namespace shuibao::algorithms {

/// One checked case: the confidence (0–1) it went out with, and whether there was what it claims.
struct Checked {
    double confidence = 0;
    bool real = false;
};

/// p = 1 / (1 + exp(−(a + b · logit c))); a = 0, b = 1 leaves a confidence as it is. Confidences are held in
/// [0.001, 0.999] for the logit.
struct Calibration {
    double a = 0, b = 1;
    std::size_t n = 0;  ///< cases it was learnt from
    [[nodiscard]] double operator()(double confidence) const;
};

/// Platt's two-parameter scaling (1999) on the log-odds, as the most probable one under normal priors
/// a ~ N(0, 1.5²) and b ~ N(1, 0.5²): without cases nothing is changed, with few little. The slope stays
/// ≥ 0, so that the order of confidences never turns. Newton's method on a strictly concave function;
/// deterministic, whatever the order of the cases up to rounding (sort them for the same bits).
[[nodiscard]] Calibration calibrate(const std::vector<Checked>& cases);

/// Each case judged by the calibration of the others (`folds` of them, every folds-th case): what it is worth
/// on cases it has not seen. Same length and order as `cases`.
[[nodiscard]] std::vector<double> cross_calibrated(const std::vector<Checked>& cases, std::size_t folds = 5);

}  // namespace shuibao::algorithms
