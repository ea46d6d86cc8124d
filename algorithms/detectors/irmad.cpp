// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <boost/math/special_functions/gamma.hpp>

#include <shuibao/algorithms/irmad.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct Covariance {
    VectorXd mx, my;
    MatrixXd s11, s22, s12;
};

// Two passes: subtracting large sums of squares from one another would cost digits.
Covariance covariance(const MatrixXd& x, const MatrixXd& y, const VectorXd& w) {
    const double total = w.sum();
    Covariance c;
    c.mx = x.transpose() * w / total;
    c.my = y.transpose() * w / total;
    const Index chunk = 4096, n = x.rows(), p = x.cols();
    c.s11 = c.s22 = c.s12 = MatrixXd::Zero(p, p);
    for (Index from = 0; from < n; from += chunk) {
        const Index m = std::min(chunk, n - from);
        const MatrixXd dx = x.middleRows(from, m).rowwise() - c.mx.transpose(),
                       dy = y.middleRows(from, m).rowwise() - c.my.transpose();
        const MatrixXd wx = w.segment(from, m).asDiagonal() * dx, wy = w.segment(from, m).asDiagonal() * dy;
        c.s11.noalias() += dx.transpose() * wx;
        c.s22.noalias() += dy.transpose() * wy;
        c.s12.noalias() += dx.transpose() * wy;
    }
    c.s11 /= total;
    c.s22 /= total;
    c.s12 /= total;
    return c;
}

MadTransform canonical(const Covariance& c, double regularisation) {
    const Index p = c.s11.rows();
    const auto ridge = [&](const MatrixXd& s) {
        return MatrixXd((1 - regularisation) * s +
                        regularisation * s.trace() / static_cast<double>(p) * MatrixXd::Identity(p, p));
    };
    const MatrixXd s11 = ridge(c.s11), s22 = ridge(c.s22);
    const Eigen::LLT<MatrixXd> l11(s11), l22(s22);
    if (l11.info() != Eigen::Success || l22.info() != Eigen::Success)
        throw Error(ErrorCode::input, "IR-MAD: a covariance matrix is singular; a band may be constant.",
                    "Leave out the band that holds one value only.");
    const MatrixXd half = l11.matrixL().solve(c.s12);       // L⁻¹ S12
    const MatrixXd m = half * l22.solve(half.transpose());  // L⁻¹ S12 S22⁻¹ S21 L⁻ᵀ
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(0.5 * (m + m.transpose()));
    MadTransform t;
    t.rho = eigen.eigenvalues().reverse().cwiseMax(0).cwiseMin(1 - 1e-12).cwiseSqrt();
    t.a = l11.matrixU().solve(MatrixXd(eigen.eigenvectors().rowwise().reverse()));
    t.b = l22.solve(c.s12.transpose() * t.a);
    for (Index i = 0; i < p; ++i) {
        t.b.col(i) /= std::sqrt(std::max(1e-300, t.b.col(i).dot(s22 * t.b.col(i))));
        // Σ corr(X, U) > 0 fixes the sign that the eigenproblem leaves open; aᵀS12b > 0 holds by
        // construction.
        const VectorXd corr = (s11 * t.a.col(i)).cwiseQuotient(s11.diagonal().cwiseSqrt());
        if (corr.sum() < 0) {
            t.a.col(i) *= -1;
            t.b.col(i) *= -1;
        }
    }
    t.mean_x = c.mx;
    t.mean_y = c.my;
    return t;
}

}  // namespace

double chi2_survival(double z, int k) {
    if (z <= 0) return 1;
    if (k % 2 == 0 && k <= 20) {  // closed form: e^(−z/2) Σ (z/2)^j / j!
        double term = 1, sum = 1;
        for (int j = 1; j < k / 2; ++j) sum += term *= z / 2 / j;
        return std::exp(-z / 2) * sum;
    }
    return boost::math::gamma_q(k / 2.0, z / 2);
}

double MadTransform::chi2(const VectorXd& x, const VectorXd& y) const {
    const VectorXd m = a.transpose() * (x - mean_x) - b.transpose() * (y - mean_y);
    return (m.array().square() / (2 * (1 - rho.array()))).sum();
}

MadTransform ir_mad(const MatrixXd& x, const MatrixXd& y, const MadOptions& o) {
    const Index n = x.rows(), p = x.cols();
    if (n < 10 * p || y.rows() != n || y.cols() != p)
        throw Error(ErrorCode::input, "IR-MAD: there are too few pixels that both dates see.",
                    "Use a larger area or clearer dates.");
    VectorXd w = VectorXd::Ones(n);
    MadTransform t = canonical(covariance(x, y, w), o.regularisation);
    for (int i = 0; i < o.max_iterations; ++i) {
        const VectorXd scale = (2 * (1 - t.rho.array())).inverse();
        const Eigen::RowVectorXd offset = t.mean_x.transpose() * t.a - t.mean_y.transpose() * t.b;
        const Index chunk = 4096;
        for (Index from = 0; from < n; from += chunk) {
            const Index m = std::min(chunk, n - from);
            const MatrixXd mad =
                ((x.middleRows(from, m) * t.a - y.middleRows(from, m) * t.b).rowwise() - offset)
                    .array()
                    .square();
            const VectorXd z = mad * scale;
            for (Index k = 0; k < m; ++k) w[from + k] = chi2_survival(z[k], static_cast<int>(p));
        }
        MadTransform next = canonical(covariance(x, y, w), o.regularisation);
        next.iterations = i + 1;
        const double moved = (next.rho - t.rho).cwiseAbs().maxCoeff();
        t = std::move(next);
        if (moved < o.tolerance) break;
    }
    return t;
}

}  // namespace shuibao::algorithms
