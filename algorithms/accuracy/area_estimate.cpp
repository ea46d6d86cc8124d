// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <shuibao/algorithms/area_estimate.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {

AreaEstimates estimate_areas(const Eigen::MatrixXd& counts, const std::vector<double>& mapped_area) {
    const auto q = counts.rows();
    if (q == 0 || counts.cols() != q || static_cast<Eigen::Index>(mapped_area.size()) != q)
        throw Error(ErrorCode::input, "The confusion matrix must be square with one mapped area per class.");
    const double total = std::accumulate(mapped_area.begin(), mapped_area.end(), 0.0);
    if (!(total > 0)) throw Error(ErrorCode::input, "The mapped area is zero.");

    Eigen::VectorXd weight(q), n(q);
    Eigen::MatrixXd share(q, q);  // of the stratum's sample that has reference class j
    for (Eigen::Index i = 0; i < q; ++i) {
        weight[i] = mapped_area[static_cast<std::size_t>(i)] / total;
        n[i] = counts.row(i).sum();
        if (n[i] < 2 && weight[i] > 0)
            throw Error(ErrorCode::input, "Stratum " + std::to_string(i) + " has fewer than 2 sampled units.",
                        "Sample at least 2 units (better 50) of every class of the map.");
        share.row(i) = n[i] > 0 ? Eigen::RowVectorXd(counts.row(i) / n[i]) : Eigen::RowVectorXd::Zero(q);
    }
    const Eigen::MatrixXd p = weight.asDiagonal() * share;  // eq. 4
    // Contribution of stratum i to the variance of a proportion (n − 1 in the denominator, eq. 10).
    const auto variance = [&](Eigen::Index i, double s) { return n[i] > 1 ? s * (1 - s) / (n[i] - 1) : 0.0; };

    AreaEstimates out;
    out.classes.resize(static_cast<std::size_t>(q));
    double overall_variance = 0;
    for (Eigen::Index j = 0; j < q; ++j) {
        auto& c = out.classes[static_cast<std::size_t>(j)];
        const double column = p.col(j).sum();
        double area_variance = 0;
        for (Eigen::Index i = 0; i < q; ++i)
            area_variance += weight[i] * weight[i] * variance(i, share(i, j));
        c.area = total * column;                       // eq. 9
        c.area_se = total * std::sqrt(area_variance);  // eq. 10–11
        c.users_accuracy = share(j, j);
        c.users_se = std::sqrt(variance(j, share(j, j)));  // eq. 6
        out.overall_accuracy += p(j, j);
        overall_variance += weight[j] * weight[j] * variance(j, share(j, j));  // eq. 5
        if (column > 0) {
            c.producers_accuracy = p(j, j) / column;
            const double area_hat = total * column, pa = c.producers_accuracy;
            double v =
                std::pow(mapped_area[static_cast<std::size_t>(j)] * (1 - pa), 2) * variance(j, share(j, j));
            for (Eigen::Index i = 0; i < q; ++i)
                if (i != j)
                    v += pa * pa * std::pow(mapped_area[static_cast<std::size_t>(i)], 2) *
                         variance(i, share(i, j));
            c.producers_se = std::sqrt(v) / area_hat;  // eq. 7
        }
    }
    out.overall_se = std::sqrt(overall_variance);
    return out;
}

}  // namespace shuibao::algorithms
