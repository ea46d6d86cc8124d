// SPDX-License-Identifier: Apache-2.0
// The Lasso is what its optimality conditions say (Friedman, Hastie & Tibshirani 2010, eq. 5), whatever
// solves it; with λ = 0 it is least squares.
#include <cmath>
#include <random>
#include <vector>

#include <Eigen/QR>
#include <doctest/doctest.h>

#include <shuibao/algorithms/harmonic_lasso.hpp>

using namespace shuibao::algorithms;

namespace {

struct Series {
    HarmonicBasis basis;
    std::vector<Lanes> y;
    HarmonicSums sums;
};

Series series(int n, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 1);
    std::vector<std::int32_t> days;
    for (int i = 0; i < n; ++i) days.push_back(735000 + 9 * i + i % 4);
    Series s{HarmonicBasis(days), {}, {}};
    for (std::size_t i = 0; i < days.size(); ++i) {
        const HarmonicRow& x = s.basis.row(i);
        Lanes y{};
        for (std::size_t b = 0; b < 7; ++b)
            y[b] = 500 + 300.0 * static_cast<double>(b) * x[2] - 90 * x[3] + 25 * x[5] + 40 * x[1] +
                   (20 + 10 * static_cast<double>(b)) * noise(random);
        s.y.push_back(y);
        s.sums.add(x, y);
    }
    return s;
}

double variance(const Series& s, std::size_t j, Eigen::VectorXd& centred) {
    centred.resize(static_cast<Eigen::Index>(s.y.size()));
    for (std::size_t i = 0; i < s.y.size(); ++i) centred(static_cast<Eigen::Index>(i)) = s.basis.row(i)[j];
    centred.array() -= centred.mean();
    return centred.squaredNorm() / static_cast<double>(s.y.size());
}

}  // namespace

TEST_CASE("harmonic Lasso: every band fulfils the optimality conditions") {
    for (const int terms : {2, 4, 6, 8})
        for (unsigned seed = 1; seed <= 10; ++seed) {
            const Series s = series(30 + 10 * static_cast<int>(seed), seed);
            const HarmonicFit fit = lasso_fit(s.sums, terms, {.tolerance = 1e-10});
            const auto n = static_cast<double>(s.y.size());
            int zeros = 0;
            for (std::size_t b = 0; b < 7; ++b) {
                CAPTURE(terms);
                CAPTURE(b);
                Eigen::VectorXd r(static_cast<Eigen::Index>(s.y.size()));
                for (std::size_t i = 0; i < s.y.size(); ++i)
                    r(static_cast<Eigen::Index>(i)) = s.y[i][b] - fit.predict(s.basis.row(i))[b];
                CHECK(std::abs(r.mean()) < 1e-6);
                CHECK(std::sqrt(r.squaredNorm() / (n - terms)) == doctest::Approx(fit.rmse[b]).epsilon(1e-9));
                for (std::size_t j = 1; j < static_cast<std::size_t>(terms); ++j) {
                    Eigen::VectorXd z;
                    const double sd = std::sqrt(variance(s, j, z));
                    const double gradient = z.dot(r) / n / sd;
                    if (fit.beta[j][b] == 0) {
                        ++zeros;
                        CHECK(std::abs(gradient) <= 20 + 1e-5);
                    } else {
                        CHECK(gradient == doctest::Approx(std::copysign(20, fit.beta[j][b])).epsilon(1e-6));
                    }
                }
                for (std::size_t j = static_cast<std::size_t>(terms); j < harmonic_terms; ++j)
                    CHECK(fit.beta[j][b] == 0);
            }
            if (terms == 8) CHECK(zeros > 0);  // else the test says nothing about them
        }
}

TEST_CASE("harmonic Lasso: λ = 0 is least squares") {
    const Series s = series(60, 5);
    const HarmonicFit fit = lasso_fit(s.sums, 6, {.lambda = 0, .tolerance = 1e-12, .max_sweeps = 100000});
    Eigen::MatrixXd x(60, 6);
    Eigen::VectorXd y(60);
    for (int i = 0; i < 60; ++i) {
        for (int j = 0; j < 6; ++j)
            x(i, j) = s.basis.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)];
        y(i) = s.y[static_cast<std::size_t>(i)][2];
    }
    const Eigen::VectorXd beta = x.colPivHouseholderQr().solve(y);
    for (int j = 0; j < 6; ++j)
        CHECK(fit.beta[static_cast<std::size_t>(j)][2] == doctest::Approx(beta(j)).epsilon(1e-6));
}

TEST_CASE("harmonic Lasso: an earlier fit as start saves sweeps, not accuracy") {
    Series s = series(60, 6);
    const LassoOptions options;
    const HarmonicFit before = lasso_fit(s.sums, 8, options);
    s.sums.add(s.basis.row(59), s.y[59]);
    const HarmonicFit cold = lasso_fit(s.sums, 8, options), warm = lasso_fit(s.sums, 8, options, &before);
    for (std::size_t b = 0; b < 7; ++b) {
        CHECK(warm.rmse[b] == doctest::Approx(cold.rmse[b]).epsilon(1e-4));
        CHECK(warm.predict(s.basis.row(30))[b] ==
              doctest::Approx(cold.predict(s.basis.row(30))[b]).epsilon(1e-3));
    }
    const HarmonicFit one = lasso_fit(s.sums, 8, {.max_sweeps = 1}, &before);
    CHECK(one.rmse[3] == doctest::Approx(cold.rmse[3]).epsilon(1e-3));
}

TEST_CASE("harmonic Lasso: a constant band is its mean") {
    HarmonicBasis basis(std::vector<std::int32_t>{0, 40, 90, 170, 260, 330, 400});
    HarmonicSums sums;
    for (std::size_t i = 0; i < basis.size(); ++i) sums.add(basis.row(i), Lanes{1234, 5});
    const HarmonicFit fit = lasso_fit(sums, 4, {});
    CHECK(fit.beta[0][0] == doctest::Approx(1234));
    CHECK(fit.beta[2][0] == 0);
    CHECK(fit.rmse[0] == doctest::Approx(0).scale(1));
}

TEST_CASE("harmonic basis: whole mean years repeat exactly") {
    const HarmonicBasis basis(std::vector<std::int32_t>{735040, 735040 + 1461, 735040 + 1461 * 5});
    for (std::size_t j = 2; j < harmonic_terms; ++j) {
        CHECK(basis.row(0)[j] == basis.row(1)[j]);
        CHECK(basis.row(0)[j] == basis.row(2)[j]);
    }
    CHECK(basis.row(1)[1] == 4);
    CHECK(basis.row(0)[2] ==
          doctest::Approx(std::cos(2 * 3.14159265358979324 * 735040 / 365.25)).epsilon(1e-9));
}
