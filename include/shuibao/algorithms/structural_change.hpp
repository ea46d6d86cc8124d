// SPDX-License-Identifier: Apache-2.0
// Monitoring of one index series against its own stable history: bfastmonitor with OLS-MOSUM or OLS-CUSUM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <shuibao/algorithms/look.hpp>

namespace shuibao::algorithms {

/// Which sum of residuals is watched.
enum class Fluctuation {
    mosum,  ///< sum of the residuals of a moving window (Chu, Hornik & Kuan 1995, Biometrika 82:603)
    cusum,  ///< sum of all residuals so far (Chu, Stinchcombe & White 1996, Econometrica 64:1045)
};

/// Which looks before the monitoring period the model is fitted to.
enum class History {
    all,     ///< everything before the monitoring period
    stable,  ///< from where a CUSUM run backwards leaves its boundary (ROC; Pesaran & Timmermann 2002)
};

/// The defaults are those of bfastmonitor (Verbesselt et al. 2012).
struct MonitoringOptions {
    Fluctuation process = Fluctuation::mosum;
    History history = History::stable;
    double window = 0.25;  ///< MOSUM: share of the history in the moving window; 0.25, 0.5 or 1
    double level = 0.05;   ///< probability of a false alarm in a monitoring period ten times the history;
                           ///< MOSUM: 0.001 to 0.05
};

/// What one series shows; indices count dates from 0.
struct MonitoringResult {
    std::size_t history_first = 0;          ///< first date of the history that was used
    std::size_t history_looks = 0;          ///< clear looks in it
    double sigma = 0;                       ///< residual s.d. of the history, n − terms degrees of freedom
    Eigen::VectorXd coefficients;           ///< one per column of the design, in the unit of the values
    std::vector<std::size_t> dates;         ///< the clear dates of the monitoring period …
    std::vector<double> process, boundary;  ///< … with the process, in σ√n, and its boundary at each
    std::optional<std::size_t> break_date;  ///< first date on which |process| exceeds the boundary
    double magnitude = 0;  ///< median of observed − expected over the monitoring period; 0 when there is none
};

/// Columns 1, trend (when asked for; the number of the date, 1-based), cos 2πkt/365.25 for k = 1…order, then
/// the sines: bfast's `trend + harmon`. `days`: any epoch; rows = dates. Requires 0 ≤ order ≤ 6.
[[nodiscard]] Eigen::MatrixXd season_trend_design(std::span<const std::int32_t> days, int order, bool trend);

/// Fits the looks before date `monitoring_from` and follows the rest (Verbesselt, Zeileis & Herold 2012,
/// RSE 123:98). `design`: dates × terms; `values`, `looks`: one per date; only clear looks count, the rest of
/// the values is not read. Throws Error(input) when the history has not more clear looks than twice the
/// terms, and Error(usage) for sizes that differ, or a window or level without critical value. O(dates ·
/// terms²).
[[nodiscard]] MonitoringResult monitor_series(const Eigen::MatrixXd& design, std::span<const double> values,
                                              std::span<const Look> looks, std::size_t monitoring_from,
                                              const MonitoringOptions& options);

/// The same without an error for a short history, which many pixels of an image have; `history`, when given,
/// receives the clear looks that there are.
[[nodiscard]] std::optional<MonitoringResult> try_monitor_series(
    const Eigen::MatrixXd& design, std::span<const double> values, std::span<const Look> looks,
    std::size_t monitoring_from, const MonitoringOptions& options, std::size_t* history = nullptr);

/// Standardised one-step-ahead prediction errors (Brown, Durbin & Evans 1975, JRSS B 37:149), one per row
/// that does not raise the rank of the rows before it. By Givens rotations, so that a poor start does not
/// spoil the rest. O(rows · terms²).
[[nodiscard]] std::vector<double> recursive_residuals(const Eigen::MatrixXd& design,
                                                      const Eigen::VectorXd& values);

/// First row of the longest stable stretch that ends with the last row: recursive CUSUM from the end
/// backwards; 0 when it stays stable at `level`.
[[nodiscard]] std::size_t stable_from(const Eigen::MatrixXd& design, const Eigen::VectorXd& values,
                                      double level);

/// Process over a whole series, in σ√n: CUSUM starts with 0 and has rows + 1 values, MOSUM one value per full
/// window of floor(window · rows) rows. Recursive CUSUM has one value per recursive residual, after 0.
[[nodiscard]] std::vector<double> ols_process(const Eigen::MatrixXd& design, const Eigen::VectorXd& values,
                                              Fluctuation kind, double window = 0.25);
[[nodiscard]] std::vector<double> recursive_cusum(const Eigen::MatrixXd& design,
                                                  const Eigen::VectorXd& values);

/// Largest |process| relative to the boundary 1 + 2t of the recursive CUSUM; `process` starts with 0 at t =
/// 0.
[[nodiscard]] double recursive_cusum_statistic(std::span<const double> process);

/// P(a larger statistic | no change): Brownian bridge, and Brownian motion against 1 + 2t.
[[nodiscard]] double ols_cusum_p_value(double statistic);
[[nodiscard]] double recursive_cusum_p_value(double statistic);

/// Critical values of the monitoring boundaries. CUSUM: closed form, root of 2(1 − Φ(c) + cφ(c)) = level.
/// MOSUM: simulated by the authors of strucchange (Zeileis et al. 2005, J. Appl. Econometrics 20:99) for a
/// monitoring period up to ten times the history; linear between tabulated levels. Error(usage) outside the
/// table.
[[nodiscard]] double monitoring_critical_value(Fluctuation kind, double window, double level);
/// Critical value of the recursive CUSUM at `level`.
[[nodiscard]] double recursive_cusum_critical_value(double level);

/// Boundary after `looks` clear looks when the history had `history` of them.
[[nodiscard]] double monitoring_boundary(Fluctuation kind, double critical_value, double looks,
                                         double history);

}  // namespace shuibao::algorithms
