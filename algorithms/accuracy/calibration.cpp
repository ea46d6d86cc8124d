// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstddef>

#include <Eigen/Dense>

#include <shuibao/algorithms/calibration.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double sd_a = 1.5, sd_b = 0.5;

double log_odds(double c) {
    const double held = std::clamp(c, 1e-3, 1 - 1e-3);
    return std::log(held / (1 - held));
}
double chance(double z) {
    return 1 / (1 + std::exp(-z));
}

}  // namespace

double Calibration::operator()(double confidence) const {
    if (n == 0) return confidence;
    return chance(a + b * log_odds(confidence));
}

Calibration calibrate(const std::vector<Checked>& cases) {
    Calibration c;
    c.n = cases.size();
    Eigen::Vector2d w(c.a, c.b);
    const Eigen::Vector2d mean(0, 1), precision(1 / (sd_a * sd_a), 1 / (sd_b * sd_b));
    const auto loss = [&](const Eigen::Vector2d& v) {
        double sum = 0.5 * (v - mean).cwiseAbs2().dot(precision);
        for (const auto& k : cases) {
            const double z = v(0) + v(1) * log_odds(k.confidence);
            sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - (k.real ? z : 0);
        }
        return sum;
    };
    for (int round = 0; round < 100; ++round) {
        Eigen::Vector2d gradient = precision.cwiseProduct(w - mean);
        Eigen::Matrix2d curvature = precision.asDiagonal();
        for (const auto& k : cases) {
            const Eigen::Vector2d x(1, log_odds(k.confidence));
            const double p = chance(w.dot(x));
            gradient += (p - (k.real ? 1 : 0)) * x;
            curvature += p * (1 - p) * x * x.transpose();
        }
        Eigen::Vector2d step = curvature.ldlt().solve(gradient);
        const double now = loss(w);
        while (step.norm() > 1e-12 && loss(w - step) > now)
            step /= 2;  // Newton may overshoot far from the top
        w -= step;
        if (step.norm() < 1e-10) break;
    }
    c.a = w(0);
    c.b = std::max(w(1), 0.0);
    return c;
}

std::vector<double> cross_calibrated(const std::vector<Checked>& cases, std::size_t folds) {
    std::vector<double> out(cases.size());
    for (std::size_t fold = 0; fold < folds; ++fold) {
        std::vector<Checked> others;
        for (std::size_t i = 0; i < cases.size(); ++i)
            if (i % folds != fold) others.push_back(cases[i]);
        const auto c = calibrate(others);
        for (std::size_t i = fold; i < cases.size(); i += folds) out[i] = c(cases[i].confidence);
    }
    return out;
}

}  // namespace shuibao::algorithms
