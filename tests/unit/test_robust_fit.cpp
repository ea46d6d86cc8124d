// SPDX-License-Identifier: Apache-2.0
// Oracle O5: bisquare 4.685, MAD/0.6745, against a second implementation that shares no code with the first:
// orthogonal decompositions instead of normal equations, full sorts instead of selections.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <Eigen/QR>
#include <doctest/doctest.h>

#include <shuibao/algorithms/robust_fit.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using algorithms::BisquareFitter;
using algorithms::RobustOptions;

namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Sample {
    RowMatrix x;
    Eigen::VectorXd y;
    [[nodiscard]] std::span<const double> design() const {
        return {x.data(), static_cast<std::size_t>(x.size())};
    }
    [[nodiscard]] std::span<const double> response() const {
        return {y.data(), static_cast<std::size_t>(y.size())};
    }
};

// A seasonal curve with noise; every seventh value is a cloud.
Sample cloudy_year(int n, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 30);
    Sample s{RowMatrix(n, 5), Eigen::VectorXd(n)};
    for (int i = 0; i < n; ++i) {
        const double t = 2 * 3.14159265358979 * 8.5 * i / 365.25;
        s.x.row(i) << 1, std::cos(t), std::sin(t), std::cos(t / 2), std::sin(t / 2);
        s.y(i) = 900 + 120 * std::cos(t) - 60 * std::sin(t) + noise(random) + (i % 7 == 3 ? 2500 : 0);
    }
    return s;
}

Eigen::VectorXd textbook(const Sample& s, bool leverage) {
    const Eigen::Index n = s.x.rows(), p = s.x.cols();
    Eigen::VectorXd beta = s.x.colPivHouseholderQr().solve(s.y), inflate = Eigen::VectorXd::Ones(n);
    if (leverage) {
        const Eigen::HouseholderQR<Eigen::MatrixXd> qr(s.x);
        const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(n, p);
        inflate = (1 - q.rowwise().squaredNorm().array()).sqrt().inverse();
    }
    for (int k = 0; k < 200; ++k) {
        const Eigen::VectorXd r = (s.y - s.x * beta).cwiseProduct(inflate);
        std::vector<double> a(static_cast<std::size_t>(n));
        for (Eigen::Index i = 0; i < n; ++i) a[static_cast<std::size_t>(i)] = std::abs(r(i));
        std::sort(a.begin(), a.end());
        if (leverage) a.erase(a.begin(), a.begin() + (p - 1));
        const std::size_t m = a.size();
        const double sigma = (a[(m - 1) / 2] + a[m / 2]) / 2 / 0.6745;
        Eigen::VectorXd root(n);  // of the weights: (1 − u²), or nothing
        for (Eigen::Index i = 0; i < n; ++i) {
            const double u = r(i) / (4.685 * sigma);
            root(i) = std::abs(u) < 1 ? 1 - u * u : 0;
        }
        beta = (root.asDiagonal() * s.x).colPivHouseholderQr().solve(root.cwiseProduct(s.y));
    }
    return beta;
}

}  // namespace

TEST_CASE("robust fit: agrees with a plain implementation, and clouds do not pull it") {
    for (const bool leverage : {true, false})
        for (unsigned seed = 1; seed <= 20; ++seed) {
            CAPTURE(seed);
            CAPTURE(leverage);
            const Sample s = cloudy_year(40, seed);
            BisquareFitter fitter({.tolerance = 1e-12, .leverage = leverage});
            fitter.fit(s.design(), s.response(), 5);
            const Eigen::VectorXd wanted = textbook(s, leverage);
            for (std::size_t j = 0; j < 5; ++j)
                CHECK(fitter.coefficients()[j] == doctest::Approx(wanted(static_cast<int>(j))).epsilon(1e-7));
            for (int i = 0; i < 40; ++i) {
                double fitted = 0;
                for (int j = 0; j < 5; ++j) fitted += s.x(i, j) * wanted(j);
                CHECK(std::abs(fitted - (900 + 120 * s.x(i, 1) - 60 * s.x(i, 2))) < 75);  // a cloud adds 2500
            }
            for (std::size_t i = 3; i < 40; i += 7) CHECK(fitter.weights()[i] == 0);
            CHECK(fitter.sigma() > 10);
            CHECK(fitter.sigma() < 60);
        }
}

TEST_CASE("robust fit: a workspace carries nothing from one pixel to the next") {
    const Sample a = cloudy_year(40, 3), b = cloudy_year(23, 4);
    BisquareFitter used, fresh;
    used.fit(b.design(), b.response(), 5);
    used.fit(a.design(), a.response(), 5);
    fresh.fit(a.design(), a.response(), 5);
    for (std::size_t j = 0; j < 5; ++j) CHECK(used.coefficients()[j] == fresh.coefficients()[j]);
    CHECK(used.sigma() == fresh.sigma());
}

TEST_CASE("robust fit: exact data, repeated columns and too few observations") {
    BisquareFitter fitter;
    std::vector<double> x, y;
    for (int i = 0; i < 9; ++i) {
        x.insert(x.end(), {1.0, double(i), double(i)});  // the third column says nothing new
        y.push_back(5 + 2 * i);
    }
    fitter.fit(x, y, 3);
    CHECK(fitter.coefficients()[0] == doctest::Approx(5));
    CHECK(fitter.coefficients()[1] == doctest::Approx(2));
    CHECK(fitter.coefficients()[2] == 0);
    const std::span<const double> rows(x), values(y);
    CHECK_THROWS_WITH_AS(fitter.fit(rows.first(9), values.first(3), 3),
                         "A robust fit of 3 terms got 3 observations.", Error);
}
