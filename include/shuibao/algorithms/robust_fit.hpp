// SPDX-License-Identifier: Apache-2.0
// Linear fit that outliers cannot pull: iteratively reweighted least squares with Tukey's bisquare.
#pragma once

#include <span>
#include <vector>

namespace shuibao::algorithms {

struct RobustOptions {
    double tuning = 4.685;  ///< residuals beyond tuning · σ weigh nothing; 95 % efficient on normal noise
    double mad_to_sigma = 0.6745;  ///< the median of |N(0,1)|
    int max_iterations = 100;      ///< reweightings at most; the Tmask paper stops after 5
    double tolerance = 1e-7;       ///< stop when no fitted value moves by more than this share of σ
    bool leverage = true;  ///< divide residuals by sqrt(1 − h), and leave the p−1 smallest out of the MAD
};

/// Reusable workspace; not safe for two threads at once. Street, Carroll & Ruppert 1988 (Am. Stat. 42:152),
/// in the variant of the GNU Scientific Library, which the published COLD core calls.
class BisquareFitter {
  public:
    static constexpr int max_terms = 8;

    explicit BisquareFitter(RobustOptions options = {}) : m_options(options) {}

    /// Fits y ≈ X β. `design`: observations × `terms`, row by row; `response`: one value per observation, all
    /// of them finite (there is no mask: leave out what was not seen). Starts from ordinary least squares.
    /// Linearly dependent columns get the coefficient 0. Throws Error(input) when there are not more
    /// observations than terms, or more than 8 terms. O(iterations · n · terms²).
    void fit(std::span<const double> design, std::span<const double> response, int terms);

    [[nodiscard]] std::span<const double> coefficients() const { return m_beta; }
    [[nodiscard]] std::span<const double> weights() const { return m_weights; }  ///< 0…1, one per observation
    [[nodiscard]] double sigma() const { return m_sigma; }  ///< robust scale, unit of the response
    [[nodiscard]] int iterations() const { return m_iterations; }

  private:
    void solve(std::span<const double> design, std::span<const double> response);
    void find_products(std::span<const double> design);
    void find_leverage(std::span<const double> design);
    double scale();

    RobustOptions m_options;
    std::vector<double> m_beta, m_weights, m_residuals, m_inflation, m_sorted, m_fitted, m_products;
    double m_normal[max_terms * max_terms] = {};
    double m_sigma = 0;
    int m_terms = 0, m_iterations = 0;
};

}  // namespace shuibao::algorithms
