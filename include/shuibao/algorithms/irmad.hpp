// SPDX-License-Identifier: Apache-2.0
// Iteratively reweighted multivariate alteration detection (Nielsen 2007, IEEE TIP 16:463).
#pragma once

#include <Eigen/Core>

namespace shuibao::algorithms {

/// Canonical variates of two images: U = aᵀ(x − mean_x), V = bᵀ(y − mean_y), unit variances, columns in order
/// of descending correlation. The MAD variates U − V have variance 2(1 − ρ) under the weights that made them.
struct MadTransform {
    Eigen::MatrixXd a, b;  ///< bands × bands, one variate per column
    Eigen::VectorXd rho;   ///< canonical correlations, descending
    Eigen::VectorXd mean_x, mean_y;
    int iterations = 0;  ///< reweightings done

    /// Σ (U−V)²/(2(1−ρ)) of one pixel: χ² with `bands` degrees of freedom for unchanged pixels.
    [[nodiscard]] double chi2(const Eigen::VectorXd& x, const Eigen::VectorXd& y) const;
};

/// When reweighting ends, and what keeps covariances apart from singular ones.
struct MadOptions {
    int max_iterations = 50;       ///< reweightings at most; 0 = plain MAD
    double tolerance = 1e-3;       ///< on max |Δρ| (Canty's value; 1e-6 takes six times as long on Nanjing)
    double regularisation = 1e-6;  ///< × trace/bands on the diagonals, for bands that repeat one another
};

/// `x`, `y`: pixels × bands (same rows). Weights start at 1 and become P(χ² > Z). 0 iterations is plain MAD.
/// Throws Error(input) when there are fewer than 10 pixels per band or a covariance is singular.
[[nodiscard]] MadTransform ir_mad(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y,
                                  const MadOptions& options);

/// P(χ²_k > z).
[[nodiscard]] double chi2_survival(double z, int degrees_of_freedom);

}  // namespace shuibao::algorithms
