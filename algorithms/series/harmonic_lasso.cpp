// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include <shuibao/algorithms/harmonic_lasso.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double year = 365.25;
constexpr std::size_t slopes = harmonic_terms - 1;

// Standardised problem: correlations of the terms, and their covariances with each band.
struct Problem {
    std::size_t p = 0;
    std::array<std::array<double, slopes>, slopes> corr{};
    std::array<Lanes, slopes> g{};  // gradient: cov(z_j, y) − Σ corr_jk a_k
    std::array<Lanes, slopes> a{};  // standardised coefficients
    Lanes stop{};                   // largest step² that counts as none
};

double soft(double u, double lambda) {
    const double v = std::abs(u) - lambda;
    return v > 0 ? std::copysign(v, u) : 0;
}

// One band by itself, in the order in which its terms became non-zero.
void descend_band(Problem& s, std::size_t b, const LassoOptions& o) {
    std::array<std::size_t, slopes> entered{};
    std::size_t count = 0;
    std::array<bool, slopes> in{};
    const auto step = [&](std::size_t j) {
        const double old = s.a[j][b], next = soft(s.g[j][b] + old, o.lambda);
        if (next == old) return 0.0;
        if (!in[j]) {
            in[j] = true;
            entered[count++] = j;
        }
        s.a[j][b] = next;
        const double del = next - old;
        for (std::size_t k = 0; k < s.p; ++k) s.g[k][b] -= s.corr[j][k] * del;
        return del * del;
    };
    bool full = true;
    for (int sweep = 0; sweep < o.max_sweeps; ++sweep) {
        double largest = 0;
        if (full)
            for (std::size_t j = 0; j < s.p; ++j) largest = std::max(largest, step(j));
        else
            for (std::size_t l = 0; l < count; ++l) largest = std::max(largest, step(entered[l]));
        const bool settled = largest < s.stop[b] || largest == 0;
        if (settled && full) return;
        full = settled;
    }
}

}  // namespace

HarmonicBasis::HarmonicBasis(std::span<const std::int32_t> days) : m_days(days.begin(), days.end()) {
    m_rows.reserve(days.size());
    for (const std::int32_t day : days) {
        HarmonicRow& x = m_rows.emplace_back();
        x[0] = 1;
        x[1] = (day - days.front()) / year;
        for (std::size_t h = 1; h <= 3; ++h) {
            // Whole quarter days keep the angle exact whatever the epoch.
            const double turn = static_cast<double>((4 * static_cast<std::int64_t>(h) * day) % 1461) / 1461;
            x[2 * h] = std::cos(2 * std::numbers::pi * turn);
            x[2 * h + 1] = std::sin(2 * std::numbers::pi * turn);
        }
    }
}

void HarmonicSums::add(const HarmonicRow& x, const Lanes& y) {
    count += 1;
    for (std::size_t j = 0; j < harmonic_terms; ++j) {
        for (std::size_t k = 0; k <= j; ++k) xx[j][k] += x[j] * x[k];
        for (std::size_t b = 0; b < series_lanes; ++b) xy[j][b] += x[j] * y[b];
    }
    for (std::size_t b = 0; b < series_lanes; ++b) yy[b] += y[b] * y[b];
}

Lanes HarmonicFit::predict(const HarmonicRow& x) const {
    Lanes y = beta[0];
    for (std::size_t j = 1; j < static_cast<std::size_t>(terms); ++j)
        for (std::size_t b = 0; b < series_lanes; ++b) y[b] += x[j] * beta[j][b];
    return y;
}

HarmonicFit lasso_fit(const HarmonicSums& sums, int terms, const LassoOptions& o) {
    Problem s;
    s.p = static_cast<std::size_t>(terms) - 1;
    const double n = sums.count;
    std::array<double, slopes> mean{}, inverse{};
    for (std::size_t j = 0; j < s.p; ++j) {
        mean[j] = sums.xx[j + 1][0] / n;
        const double square = sums.xx[j + 1][j + 1] / n, variance = square - mean[j] * mean[j];
        inverse[j] = variance > 1e-12 * square ? 1 / std::sqrt(variance) : 0;
    }
    for (std::size_t j = 0; j < s.p; ++j)
        for (std::size_t k = 0; k <= j; ++k)
            s.corr[j][k] = s.corr[k][j] =
                j == k ? 1 : (sums.xx[j + 1][k + 1] / n - mean[j] * mean[k]) * inverse[j] * inverse[k];
    Lanes centre{}, variance{};
    for (std::size_t b = 0; b < series_lanes; ++b) {
        centre[b] = sums.xy[0][b] / n;
        variance[b] = std::max(0.0, sums.yy[b] / n - centre[b] * centre[b]);
        s.stop[b] = o.tolerance * variance[b];
    }
    for (std::size_t j = 0; j < s.p; ++j)
        for (std::size_t b = 0; b < series_lanes; ++b)
            s.g[j][b] = (sums.xy[j + 1][b] / n - mean[j] * centre[b]) * inverse[j];
    const auto start = s.g;
    for (std::size_t b = 0; b < series_lanes; ++b) descend_band(s, b, o);

    HarmonicFit fit;
    fit.terms = terms;
    fit.beta[0] = centre;
    const double freedom = n - terms;
    for (std::size_t b = 0; b < series_lanes; ++b) {
        double left = variance[b];
        for (std::size_t j = 0; j < s.p; ++j) left -= s.a[j][b] * (start[j][b] + s.g[j][b]);
        fit.rmse[b] = std::sqrt(std::max(0.0, left) * n / freedom);
    }
    for (std::size_t j = 0; j < s.p; ++j)
        for (std::size_t b = 0; b < series_lanes; ++b) {
            fit.beta[j + 1][b] = s.a[j][b] * inverse[j];
            fit.beta[0][b] -= fit.beta[j + 1][b] * mean[j];
        }
    return fit;
}

}  // namespace shuibao::algorithms
