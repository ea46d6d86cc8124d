// SPDX-License-Identifier: Apache-2.0
// Stratified area and accuracy estimates from a reference sample (Olofsson et al. 2014).
#pragma once

#include <vector>

#include <Eigen/Core>

namespace shuibao::algorithms {

/// Estimates for one class, or for the whole map.
struct AreaEstimate {
    double area = 0;                                  ///< unbiased area, in the unit of `mapped_area`
    double area_se = 0;                               ///< its standard error; ±1.96·se is the 95 % interval
    double users_accuracy = 0, users_se = 0;          ///< of the map class: 1 − commission
    double producers_accuracy = 0, producers_se = 0;  ///< of the reference class: 1 − omission
};

struct AreaEstimates {
    std::vector<AreaEstimate> classes;
    double overall_accuracy = 0, overall_se = 0;
};

/// `counts(i, j)`: sampled units mapped as class i whose reference is class j; strata are the map classes.
/// `mapped_area[i]`: area mapped as class i. REQUIRES a square matrix, at least 2 units in every stratum of
/// non-zero area; throws Error(input) that names the stratum otherwise.
/// Source: Olofsson et al. 2014, Remote Sensing of Environment 148:42–57, equations 5–11.
[[nodiscard]] AreaEstimates estimate_areas(const Eigen::MatrixXd& counts,
                                           const std::vector<double>& mapped_area);

}  // namespace shuibao::algorithms
