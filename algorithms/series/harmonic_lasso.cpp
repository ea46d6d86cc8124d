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
    std::array<std::array<double, slopes>, slopes> corr{};
    std::array<Lanes, slopes> g{};  // gradient: cov(z_j, y) − Σ corr_jk a_k
    std::array<Lanes, slopes> a{};  // standardised coefficients
    Lanes stop{};                   // largest step that counts as none
};

template <std::size_t P>
void descend(Problem& s, const LassoOptions& o) {
    const double lambda = o.lambda;
    for (int sweep = 0; sweep < o.max_sweeps; ++sweep) {
        Lanes largest{};
        for (std::size_t j = 0; j < P; ++j) {
            Lanes step;
            for (std::size_t b = 0; b < series_lanes; ++b) {
                const double u = s.g[j][b] + s.a[j][b];
                const double next = std::max(u - lambda, 0.0) + std::min(u + lambda, 0.0);  // soft threshold
                step[b] = next - s.a[j][b];
                s.a[j][b] = next;
                largest[b] = std::max(largest[b], std::abs(step[b]));
            }
            for (std::size_t k = 0; k < P; ++k)
                for (std::size_t b = 0; b < series_lanes; ++b) s.g[k][b] -= s.corr[j][k] * step[b];
        }
        int moving = 0;
        for (std::size_t b = 0; b < series_lanes; ++b) moving += largest[b] > s.stop[b];
        if (moving == 0) return;
    }
}

void descend(Problem& s, std::size_t p, const LassoOptions& o) {
    switch (p) {
        case 1:
            return descend<1>(s, o);
        case 3:
            return descend<3>(s, o);
        case 5:
            return descend<5>(s, o);
        default:
            return descend<7>(s, o);
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

HarmonicFit lasso_fit(const HarmonicSums& sums, int terms, const LassoOptions& o, const HarmonicFit* start) {
    Problem s;
    const std::size_t p = static_cast<std::size_t>(terms) - 1;
    const double n = sums.count;
    std::array<double, slopes> mean{}, inverse{}, deviation{};
    for (std::size_t j = 0; j < p; ++j) {
        mean[j] = sums.xx[j + 1][0] / n;
        const double square = sums.xx[j + 1][j + 1] / n, variance = square - mean[j] * mean[j];
        if (variance <= 1e-12 * square) continue;
        deviation[j] = std::sqrt(variance);
        inverse[j] = 1 / deviation[j];
    }
    for (std::size_t j = 0; j < p; ++j) {
        for (std::size_t k = 0; k < j; ++k)
            s.corr[j][k] = s.corr[k][j] =
                (sums.xx[j + 1][k + 1] / n - mean[j] * mean[k]) * inverse[j] * inverse[k];
        s.corr[j][j] = 1;
    }
    Lanes centre{}, variance{};
    for (std::size_t b = 0; b < series_lanes; ++b) {
        centre[b] = sums.xy[0][b] / n;
        variance[b] = std::max(0.0, sums.yy[b] / n - centre[b] * centre[b]);
        s.stop[b] = o.tolerance * std::sqrt(variance[b]);
    }
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t b = 0; b < series_lanes; ++b)
            s.g[j][b] = (sums.xy[j + 1][b] / n - mean[j] * centre[b]) * inverse[j];
    const auto covariance = s.g;
    if (start != nullptr) {
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t b = 0; b < series_lanes; ++b) s.a[j][b] = start->beta[j + 1][b] * deviation[j];
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < p; ++k)
                for (std::size_t b = 0; b < series_lanes; ++b) s.g[k][b] -= s.corr[j][k] * s.a[j][b];
    }
    descend(s, p, o);

    HarmonicFit fit;
    fit.terms = terms;
    fit.beta[0] = centre;
    for (std::size_t b = 0; b < series_lanes; ++b) {
        double left = variance[b];
        for (std::size_t j = 0; j < p; ++j) left -= s.a[j][b] * (covariance[j][b] + s.g[j][b]);
        fit.rmse[b] = std::sqrt(std::max(0.0, left) * n / (n - terms));
    }
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t b = 0; b < series_lanes; ++b) {
            fit.beta[j + 1][b] = s.a[j][b] * inverse[j];
            fit.beta[0][b] -= fit.beta[j + 1][b] * mean[j];
        }
    return fit;
}

}  // namespace shuibao::algorithms
