// SPDX-License-Identifier: Apache-2.0
// IR-MAD: identities that hold for any pair of images (Nielsen 2007), and the table of χ² (oracle O16).
#include <cmath>
#include <random>

#include <Eigen/LU>
#include <doctest/doctest.h>

#include <shuibao/algorithms/irmad.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

struct Pair {
    MatrixXd x, y;
};

// Two looks at one scene: shared signal, noise of each, and a fifth of the pixels changed.
Pair make_pair(std::mt19937& random, Index pixels, Index bands) {
    std::normal_distribution<double> normal;
    const auto fill = [&](Index r, Index c) {
        return MatrixXd::NullaryExpr(r, c, [&] { return normal(random); });
    };
    Pair p;
    const MatrixXd scene = fill(pixels, bands);
    p.x = scene * fill(bands, bands) + 0.3 * fill(pixels, bands);
    p.y = scene * fill(bands, bands) + 0.3 * fill(pixels, bands);
    p.y.topRows(pixels / 5) += 4 * fill(pixels / 5, bands);
    return p;
}

MatrixXd invertible(std::mt19937& random, Index bands) {
    std::normal_distribution<double> normal;
    for (;;) {
        const MatrixXd m = MatrixXd::NullaryExpr(bands, bands, [&] { return normal(random); });
        const Eigen::FullPivLU<MatrixXd> lu(m);
        if (lu.isInvertible() && m.inverse().norm() * m.norm() < 200) return m;
    }
}

VectorXd distances(const MadTransform& t, const Pair& p) {
    VectorXd z(p.x.rows());
    for (Index i = 0; i < z.size(); ++i) z[i] = t.chi2(p.x.row(i).transpose(), p.y.row(i).transpose());
    return z;
}

}  // namespace

TEST_CASE("O11: no invertible affine map of either image changes IR-MAD") {
    std::mt19937 random(11);
    for (int round = 0; round < 24; ++round) {
        const Index bands = 2 + round % 5;
        const Pair p = make_pair(random, 1500, bands);
        const MadOptions o{.max_iterations = round % 12, .tolerance = 0, .regularisation = 0};
        const auto plain = ir_mad(p.x, p.y, o);
        Pair q = p;
        const VectorXd shift = 100 * VectorXd::Random(bands);
        q.x = (p.x * invertible(random, bands)).rowwise() + shift.transpose();
        if (round % 2 == 0) q.y = (p.y * (1e-4 * invertible(random, bands))).rowwise() - shift.transpose();
        const auto mapped = ir_mad(q.x, q.y, o);
        CAPTURE(round);
        CHECK(mapped.iterations == plain.iterations);
        CHECK((mapped.rho - plain.rho).cwiseAbs().maxCoeff() < 1e-8);
        const VectorXd a = distances(plain, p), b = distances(mapped, q);
        CHECK((a - b).cwiseAbs().cwiseQuotient(a.cwiseMax(1e-3)).maxCoeff() < 1e-6);
    }
}

TEST_CASE("O10: variates have unit variance, one correlation each, and differences of variance 2(1 − ρ)") {
    std::mt19937 random(10);
    for (int round = 0; round < 16; ++round) {
        const Index bands = 2 + round % 6, n = 1200;
        const Pair p = make_pair(random, n, bands);
        const auto t = ir_mad(p.x, p.y, {.max_iterations = 0, .regularisation = 0});
        CHECK(t.iterations == 0);
        const MatrixXd u = (p.x.rowwise() - t.mean_x.transpose()) * t.a,
                       v = (p.y.rowwise() - t.mean_y.transpose()) * t.b, mad = u - v;
        const auto dn = static_cast<double>(n);
        const MatrixXd uv = u.transpose() * v / dn;
        CHECK((u.transpose() * u / dn - MatrixXd::Identity(bands, bands)).cwiseAbs().maxCoeff() < 1e-9);
        CHECK((v.transpose() * v / dn - MatrixXd::Identity(bands, bands)).cwiseAbs().maxCoeff() < 1e-7);
        CHECK((uv - MatrixXd(t.rho.asDiagonal())).cwiseAbs().maxCoeff() < 1e-7);
        for (Index k = 0; k < bands; ++k) {
            CHECK(std::abs(mad.col(k).mean()) < 1e-10);
            const double sd = std::sqrt(mad.col(k).squaredNorm() / dn);
            CHECK(sd == doctest::Approx(std::sqrt(2 * (1 - t.rho[k]))).epsilon(1e-7));
            if (k > 0) CHECK(t.rho[k] <= t.rho[k - 1]);
        }
    }
}

TEST_CASE("an unchanged pair with independent noise follows χ², a changed one does not") {
    std::mt19937 random(12);
    std::normal_distribution<double> normal;
    const Index n = 20000, bands = 4;
    const MatrixXd scene = MatrixXd::NullaryExpr(n, bands, [&] { return normal(random); });
    Pair p;
    p.x = scene + 0.1 * MatrixXd::NullaryExpr(n, bands, [&] { return normal(random); });
    p.y = scene + 0.1 * MatrixXd::NullaryExpr(n, bands, [&] { return normal(random); });
    const auto t = ir_mad(p.x, p.y, {.max_iterations = 0, .regularisation = 0});
    const VectorXd z = distances(t, p);
    for (const double level : {0.5, 0.1, 0.01}) {
        double share = 0;
        for (Index i = 0; i < n; ++i)
            share += chi2_survival(z[i], static_cast<int>(bands)) < level ? 1.0 / n : 0;
        // Four standard errors of a binomial share.
        CHECK(std::abs(share - level) < 4 * std::sqrt(level * (1 - level) / n));
    }
}

TEST_CASE("what cannot be computed is refused") {
    std::mt19937 random(13);
    auto p = make_pair(random, 100, 3);
    CHECK_THROWS_AS(static_cast<void>(ir_mad(p.x.topRows(29), p.y.topRows(29), {})), Error);
    p.x.col(1).setConstant(7);
    CHECK_THROWS_AS(static_cast<void>(ir_mad(p.x, p.y, {.regularisation = 0})), Error);
}

TEST_CASE("O16: survival function of χ²") {
    struct Row {
        int dof;
        double survival, z;
    };
    for (const Row& r : {Row{5, .1, 9.2364}, Row{5, .01, 15.0863}, Row{5, .001, 20.5150},
                         Row{5, 1e-4, 25.7448}, Row{5, 1e-5, 30.8562}, Row{6, .01, 16.8119},
                         Row{6, 1e-4, 27.8563}, Row{2, 1e-4, 18.4207}, Row{4, .01, 13.2767}}) {
        CAPTURE(r.dof);
        CAPTURE(r.z);
        CHECK(chi2_survival(r.z, r.dof) == doctest::Approx(r.survival).epsilon(1e-4));
    }
    for (int k = 1; k <= 30; ++k) {
        CHECK(chi2_survival(0, k) == 1);
        CHECK(chi2_survival(-1, k) == 1);
        for (double z = 0.1; z < 60; z += 0.7) {
            CHECK(chi2_survival(z, k) <= chi2_survival(z - 0.05, k) + 1e-15);  // both are 1 but for rounding
            if (z > k) CHECK(chi2_survival(z, k) < chi2_survival(z - 0.05, k));
            // Q_{k+2}(z) = Q_k(z) + (z/2)^{k/2} e^{−z/2} / Γ(k/2 + 1)
            CHECK(chi2_survival(z, k + 2) ==
                  doctest::Approx(chi2_survival(z, k) +
                                  std::exp(k / 2.0 * std::log(z / 2) - z / 2 - std::lgamma(k / 2.0 + 1)))
                      .epsilon(1e-10));
        }
    }
}
