// SPDX-License-Identifier: Apache-2.0
// Trend and yearly harmonics fitted to all bands of a pixel at once, from sums alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace shuibao::algorithms {

/// Bands are computed side by side; what a pixel does not have is zero and stays zero.
inline constexpr int series_lanes = 8;
inline constexpr int harmonic_terms = 8;
using Lanes = std::array<double, series_lanes>;
using HarmonicRow = std::array<double, harmonic_terms>;  ///< 1, years, cos ωt, sin ωt, cos 2ωt, … sin 3ωt

/// The model terms of every acquisition day: computed once, shared by all pixels. ω = 2π/365.25 per day.
/// Time is in years since the first day, so that sums stay well conditioned; the phase of the harmonics is
/// that of the caller's day number (any epoch; coefficients compare only between equal epochs).
class HarmonicBasis {
  public:
    /// `days`: acquisition days, ascending. Equal days are allowed. O(dates).
    explicit HarmonicBasis(std::span<const std::int32_t> days);

    [[nodiscard]] std::size_t size() const { return m_rows.size(); }
    [[nodiscard]] const HarmonicRow& row(std::size_t date) const { return m_rows[date]; }
    [[nodiscard]] std::int32_t day(std::size_t date) const { return m_days[date]; }
    [[nodiscard]] std::int32_t first_day() const { return m_days.empty() ? 0 : m_days.front(); }

  private:
    std::vector<HarmonicRow> m_rows;
    std::vector<std::int32_t> m_days;
};

/// What a least-squares or Lasso fit needs to know of the observations: sums of products. Adding an
/// observation costs the same whatever came before.
struct HarmonicSums {
    double count = 0;
    std::array<HarmonicRow, harmonic_terms> xx{};  ///< Σ x_j x_k, lower triangle (k ≤ j)
    std::array<Lanes, harmonic_terms> xy{};        ///< Σ x_j y, by band
    Lanes yy{};                                    ///< Σ y²

    /// `y`: one value per band, in the unit of the images; every one must be seen and finite.
    void add(const HarmonicRow& x, const Lanes& y);
};

struct HarmonicFit {
    int terms = 0;
    std::array<Lanes, harmonic_terms> beta{};  ///< by term, then band; terms that were not asked for are 0
    Lanes rmse{};                              ///< sqrt(Σ r² / (n − terms))

    [[nodiscard]] Lanes predict(const HarmonicRow& x) const;
};

struct LassoOptions {
    double lambda = 20;  ///< unit of the bands: what a standardised coefficient loses (COLD: 20 on ρ·10⁴)
    double tolerance =
        1e-4;  ///< stop when a sweep moves no standardised coefficient by this share of the s.d.
    int max_sweeps = 10000;
};

/// Lasso fit of 2, 4, 6 or 8 terms: argmin 1/(2n) Σ (y − β₀ − Σ x_j β_j)² + λ Σ s_j |β_j|, s_j the standard
/// deviation of x_j; the intercept is free. Cyclic coordinate descent on the covariances (Friedman, Hastie &
/// Tibshirani 2010, J. Stat. Soft. 33(1), §2.2), all bands side by side until the slowest has settled;
/// tolerance and standardisation as in the glmnet of the published COLD core. A term without variance gets 0;
/// a band without variance gets its mean. `start`: an earlier fit to nearly the same sums, from where to
/// descend (nullptr: from 0); it saves sweeps and moves the result by no more than the tolerance. Requires
/// count > terms. O(sweeps · terms²), independent of the number of observations.
[[nodiscard]] HarmonicFit lasso_fit(const HarmonicSums& sums, int terms, const LassoOptions& options,
                                    const HarmonicFit* start = nullptr);

}  // namespace shuibao::algorithms
