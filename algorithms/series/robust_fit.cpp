// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include <shuibao/algorithms/robust_fit.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

constexpr int stride = BisquareFitter::max_terms;

constexpr std::size_t padded(std::size_t n) {
    return (n + 3) / 4 * 4;
}

// L Lᵀ in place, lower triangle. A pivot that is nothing but rounding makes its column zero, so that the
// coefficient becomes 0 instead of noise.
void cholesky(double* a, int p) {
    for (int j = 0; j < p; ++j) {
        double d = a[j * stride + j];
        const double size = d;
        for (int k = 0; k < j; ++k) d -= a[j * stride + k] * a[j * stride + k];
        const double pivot = d > 1e-13 * size ? std::sqrt(d) : 0;
        a[j * stride + j] = pivot;
        for (int i = j + 1; i < p; ++i) {
            double s = a[i * stride + j];
            for (int k = 0; k < j; ++k) s -= a[i * stride + k] * a[j * stride + k];
            a[i * stride + j] = pivot > 0 ? s / pivot : 0;
        }
    }
}

void forward(const double* l, int p, double* b) {
    for (int i = 0; i < p; ++i) {
        for (int k = 0; k < i; ++k) b[i] -= l[i * stride + k] * b[k];
        b[i] = l[i * stride + i] > 0 ? b[i] / l[i * stride + i] : 0;
    }
}

void backward(const double* l, int p, double* b) {
    for (int i = p - 1; i >= 0; --i) {
        for (int k = i + 1; k < p; ++k) b[i] -= l[k * stride + i] * b[k];
        b[i] = l[i * stride + i] > 0 ? b[i] / l[i * stride + i] : 0;
    }
}

}  // namespace

// The products of the design do not change from one reweighting to the next.
void BisquareFitter::find_products(std::span<const double> design) {
    const auto p = static_cast<std::size_t>(m_terms);
    const std::size_t n = m_weights.size(), width = padded(p * (p + 1) / 2);
    m_products.assign(n * width, 0);
    for (std::size_t i = 0; i < n; ++i) {
        const double* x = design.data() + i * p;
        double* product = m_products.data() + i * width;
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k <= j; ++k) *product++ = x[j] * x[k];
    }
}

void BisquareFitter::solve(std::span<const double> design, std::span<const double> response) {
    const auto p = static_cast<std::size_t>(m_terms);
    const std::size_t width = padded(p * (p + 1) / 2);
    double normal[40] = {};
    std::fill(m_beta.begin(), m_beta.end(), 0.0);
    for (std::size_t i = 0; i < response.size(); ++i) {
        const double w = m_weights[i], wy = w * response[i];
        if (w == 0) continue;
        const double *product = m_products.data() + i * width, *x = design.data() + i * p;
        for (std::size_t k = 0; k < width; k += 4)
            for (std::size_t l = 0; l < 4; ++l) normal[k + l] += w * product[k + l];
        for (std::size_t j = 0; j < p; ++j) m_beta[j] += wy * x[j];
    }
    const double* from = normal;
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t k = 0; k <= j; ++k) m_normal[j * stride + k] = *from++;
    cholesky(m_normal, m_terms);
    forward(m_normal, m_terms, m_beta.data());
    backward(m_normal, m_terms, m_beta.data());
}

void BisquareFitter::find_leverage(std::span<const double> design) {
    const auto p = static_cast<std::size_t>(m_terms);
    double z[max_terms];
    for (std::size_t i = 0; i < m_inflation.size(); ++i) {
        std::copy_n(design.data() + i * p, p, z);
        forward(m_normal, m_terms, z);
        double h = 0;
        for (std::size_t j = 0; j < p; ++j) h += z[j] * z[j];
        m_inflation[i] = 1 / std::sqrt(1 - std::min(h, 0.9999));
    }
}

double BisquareFitter::scale() {
    m_sorted.resize(m_residuals.size());
    std::transform(m_residuals.begin(), m_residuals.end(), m_sorted.begin(),
                   [](double r) { return std::abs(r); });
    const std::size_t skip = m_options.leverage ? static_cast<std::size_t>(m_terms - 1) : 0;
    const std::size_t left = m_sorted.size() - skip, upper = skip + left / 2;
    const auto middle = m_sorted.begin() + static_cast<std::ptrdiff_t>(upper);
    std::nth_element(m_sorted.begin(), middle, m_sorted.end());
    const double above = *middle;
    const double median = left % 2 == 1 ? above : (above + *std::max_element(m_sorted.begin(), middle)) / 2;
    return median / m_options.mad_to_sigma;
}

void BisquareFitter::fit(std::span<const double> design, std::span<const double> response, int terms) {
    const std::size_t n = response.size();
    if (terms < 1 || terms > max_terms || n <= static_cast<std::size_t>(terms) ||
        design.size() != n * static_cast<std::size_t>(terms))
        throw Error(
            ErrorCode::input,
            "A robust fit of " + std::to_string(terms) + " terms got " + std::to_string(n) + " observations.",
            "Give 1 to 8 terms, more observations than terms, and one row of the design per observation.");
    m_terms = terms;
    m_beta.assign(static_cast<std::size_t>(terms), 0);
    m_weights.assign(n, 1);
    m_inflation.assign(n, 1);
    m_residuals.resize(n);
    m_fitted.assign(n, 0);
    find_products(design);
    solve(design, response);
    if (m_options.leverage) find_leverage(design);

    // A fit that hits most points exactly has no scale of its own; the spread of the data keeps it above
    // zero.
    double mean = 0, spread = 0;
    for (const double y : response) mean += y / static_cast<double>(n);
    for (const double y : response) spread += (y - mean) * (y - mean) / static_cast<double>(n - 1);
    const double floor = spread > 0 ? 1e-6 * std::sqrt(spread) : 1;

    const auto p = static_cast<std::size_t>(terms);
    double before = floor;
    for (m_iterations = 0;; ++m_iterations) {
        double moved = 0;
        for (std::size_t i = 0; i < n; ++i) {
            double fitted = 0;
            for (std::size_t j = 0; j < p; ++j) fitted += design[i * p + j] * m_beta[j];
            moved = std::max(moved, std::abs(fitted - m_fitted[i]));
            m_fitted[i] = fitted;
            m_residuals[i] = (response[i] - fitted) * m_inflation[i];
        }
        if (m_iterations > 0 && moved <= m_options.tolerance * before) return;
        if (m_iterations == m_options.max_iterations) return;
        m_sigma = scale();
        before = std::max(m_sigma, floor);
        const double reach = 1 / (before * m_options.tuning);
        for (std::size_t i = 0; i < n; ++i) {
            const double u = m_residuals[i] * reach, v = std::max(0.0, 1 - u * u);
            m_weights[i] = v * v;
        }
        solve(design, response);
    }
}

}  // namespace shuibao::algorithms
