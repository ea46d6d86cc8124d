// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include <Eigen/QR>

#include <shuibao/algorithms/structural_change.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

double normal_cdf(double x) {
    return std::erfc(-x / std::numbers::sqrt2) / 2;
}
double normal_density(double x) {
    return std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

// Root of a function that falls.
template <class F>
double where_falls_to(double level, F probability) {
    double low = 0, high = 10;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (probability(middle) > level ? low : high) = middle;
    }
    return (low + high) / 2;
}

struct Ols {
    VectorXd beta, residuals;
    double sigma = 0;
};

Ols ols(const MatrixXd& x, const VectorXd& y) {
    Ols fit;
    fit.beta = x.colPivHouseholderQr().solve(y);
    fit.residuals = y - x * fit.beta;
    fit.sigma = std::sqrt(fit.residuals.squaredNorm() / static_cast<double>(x.rows() - x.cols()));
    return fit;
}

struct MosumRow {
    double window;
    std::array<double, 9> critical;
};
constexpr std::array mosum_levels{0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.01, 0.005, 0.001};
constexpr std::array<MosumRow, 3> mosum_table{{
    {0.25,
     {1.3418245, 1.3688632, 1.4031877, 1.4238186, 1.4482361, 1.4805764, 1.5216450, 1.5979711, 1.7455095}},
    {0.50,
     {1.9020032, 1.9492073, 2.0069853, 2.0443879, 2.0828703, 2.1341942, 2.2090728, 2.3255218, 2.5702553}},
    {1.00,
     {2.7459276, 2.8242703, 2.9223400, 2.9800140, 3.0492886, 3.1454681, 3.2769325, 3.4742265, 3.9410292}},
}};

[[noreturn]] void no_critical_value(double window, double level) {
    throw Error(ErrorCode::usage,
                "There is no critical value for a MOSUM window of " + std::to_string(window) + " at level " +
                    std::to_string(level) + ".",
                "Use a window of 0.25, 0.5 or 1 and a level from 0.001 to 0.05.");
}

}  // namespace

MatrixXd season_trend_design(std::span<const std::int32_t> days, int order, bool trend) {
    const Index n = static_cast<Index>(days.size()), slope = trend ? 1 : 0;
    MatrixXd x(n, 1 + slope + 2 * order);
    for (Index i = 0; i < n; ++i) {
        x(i, 0) = 1;
        if (trend) x(i, 1) = static_cast<double>(i + 1);
        const double angle = 2 * std::numbers::pi * days[static_cast<std::size_t>(i)] / 365.25;
        for (int k = 1; k <= order; ++k) {
            x(i, slope + k) = std::cos(k * angle);
            x(i, slope + order + k) = std::sin(k * angle);
        }
    }
    return x;
}

std::vector<double> recursive_residuals(const MatrixXd& design, const VectorXd& values) {
    const Index p = design.cols();
    MatrixXd r = MatrixXd::Zero(p, p + 1);  // triangular factor and Qᵀy
    std::vector<double> out;
    Eigen::RowVectorXd row(p + 1);
    for (Index i = 0; i < design.rows(); ++i) {
        row.head(p) = design.row(i);
        row(p) = values(i);
        const double size = row.head(p).norm();
        bool raised = false;
        for (Index j = 0; j < p && !raised; ++j) {
            if (std::abs(row(j)) <= 1e-12 * size) continue;
            if (r(j, j) == 0) {
                r.row(j).tail(p + 1 - j) = row.tail(p + 1 - j) * (row(j) < 0 ? -1 : 1);
                raised = true;
                break;
            }
            const double length = std::hypot(r(j, j), row(j)), c = r(j, j) / length, s = row(j) / length;
            for (Index k = j; k <= p; ++k) {
                const double upper = r(j, k), lower = row(k);
                r(j, k) = c * upper + s * lower;
                row(k) = c * lower - s * upper;
            }
        }
        if (!raised) out.push_back(row(p));
    }
    return out;
}

std::vector<double> recursive_cusum(const MatrixXd& design, const VectorXd& values) {
    const std::vector<double> w = recursive_residuals(design, values);
    const auto n = static_cast<double>(w.size());
    double mean = 0, spread = 0;
    for (const double r : w) mean += r / n;
    for (const double r : w) spread += (r - mean) * (r - mean) / (n - 1);
    std::vector<double> process{0};
    double sum = 0;
    for (const double r : w) process.push_back((sum += r) / std::sqrt(spread * n));
    return process;
}

double recursive_cusum_statistic(std::span<const double> process) {
    const auto n = static_cast<double>(process.size() - 1);
    double largest = 0;
    for (std::size_t i = 1; i < process.size(); ++i)
        largest = std::max(largest, std::abs(process[i]) / (1 + 2 * static_cast<double>(i) / n));
    return largest;
}

std::size_t stable_from(const MatrixXd& design, const VectorXd& values, double level) {
    const std::vector<double> process = recursive_cusum(design.colwise().reverse(), values.reverse());
    if (process.size() < 3 || recursive_cusum_p_value(recursive_cusum_statistic(process)) >= level) return 0;
    // The boundary of bfast is the one at 0.05, whatever the level of the test.
    const double critical = recursive_cusum_critical_value(0.05), n = static_cast<double>(process.size() - 1);
    for (std::size_t i = 1; i < process.size(); ++i)
        if (std::abs(process[i]) > critical * (1 + 2 * static_cast<double>(i) / n)) return process.size() - i;
    return 0;
}

std::vector<double> ols_process(const MatrixXd& design, const VectorXd& values, Fluctuation kind,
                                double window) {
    const Ols fit = ols(design, values);
    const Index n = design.rows();
    const double unit = fit.sigma * std::sqrt(static_cast<double>(n));
    std::vector<double> process;
    if (kind == Fluctuation::cusum) {
        process.push_back(0);
        double sum = 0;
        for (Index i = 0; i < n; ++i) process.push_back((sum += fit.residuals(i)) / unit);
    } else {
        const auto k = static_cast<Index>(std::floor(window * static_cast<double>(n)));
        for (Index i = 0; i + k <= n; ++i) process.push_back(fit.residuals.segment(i, k).sum() / unit);
    }
    return process;
}

double ols_cusum_p_value(double x) {
    if (x < 0.1) return 1;
    double p = 0;
    for (int j = 1; j <= 100; ++j) p += (j % 2 == 1 ? 2 : -2) * std::exp(-2.0 * j * j * x * x);
    return std::clamp(p, 0.0, 1.0);
}

double recursive_cusum_p_value(double x) {
    if (x < 0.3) return 1 - 0.1465 * x;
    return 2 * (1 - normal_cdf(3 * x) + std::exp(-4 * x * x) * (normal_cdf(x) + normal_cdf(5 * x) - 1) -
                std::exp(-16 * x * x) * (1 - normal_cdf(x)));
}

double recursive_cusum_critical_value(double level) {
    return where_falls_to(level, recursive_cusum_p_value);
}

double monitoring_critical_value(Fluctuation kind, double window, double level) {
    if (kind == Fluctuation::cusum) {
        if (!(level > 0 && level < 1))
            throw Error(ErrorCode::usage, "A test level of " + std::to_string(level) + " is no probability.",
                        "Use a level between 0 and 1, such as 0.05.");
        return where_falls_to(level,
                              [](double c) { return 2 * (1 - normal_cdf(c) + c * normal_density(c)); });
    }
    for (const auto& [size, critical] : mosum_table) {
        if (std::abs(size - window) > 1e-9) continue;
        for (std::size_t i = 0; i + 1 < mosum_levels.size(); ++i)
            if (level <= mosum_levels[i] && level >= mosum_levels[i + 1]) {
                const double share = (mosum_levels[i] - level) / (mosum_levels[i] - mosum_levels[i + 1]);
                return critical[i] + share * (critical[i + 1] - critical[i]);
            }
    }
    no_critical_value(window, level);
}

double monitoring_boundary(Fluctuation kind, double critical, double looks, double history) {
    const double x = looks / history;
    if (kind == Fluctuation::mosum) return critical * std::sqrt(2 * (x <= std::numbers::e ? 1 : std::log(x)));
    return std::sqrt(x * (x - 1) * (critical * critical + std::log(x / (x - 1))));
}

MonitoringResult monitor_series(const MatrixXd& design, std::span<const double> values,
                                std::span<const Look> looks, std::size_t monitoring_from,
                                const MonitoringOptions& options) {
    std::size_t history = 0;
    if (auto result = try_monitor_series(design, values, looks, monitoring_from, options, &history))
        return *std::move(result);
    throw Error(ErrorCode::input,
                "The history has " + std::to_string(history) + " clear looks for a model of " +
                    std::to_string(design.cols()) + " terms.",
                "Give a longer history, fewer harmonics, or no trend.");
}

std::optional<MonitoringResult> try_monitor_series(const MatrixXd& design, std::span<const double> values,
                                                   std::span<const Look> looks, std::size_t monitoring_from,
                                                   const MonitoringOptions& options, std::size_t* history) {
    const auto dates = static_cast<std::size_t>(design.rows());
    if (values.size() != dates || looks.size() != dates || monitoring_from > dates)
        throw Error(ErrorCode::usage,
                    "A series of " + std::to_string(values.size()) + " values and " +
                        std::to_string(looks.size()) + " looks came with a design of " +
                        std::to_string(dates) + " dates.",
                    "Give one value, one look and one row of the design per date.");
    const double critical = monitoring_critical_value(options.process, options.window, options.level);
    std::vector<std::size_t> seen;
    for (std::size_t i = 0; i < dates; ++i)
        if (looks[i] == Look::clear) seen.push_back(i);
    const auto past =
        static_cast<std::size_t>(std::lower_bound(seen.begin(), seen.end(), monitoring_from) - seen.begin());
    const auto terms = static_cast<std::size_t>(design.cols());
    const auto rows = [&](std::size_t from, std::size_t to) {
        std::pair<MatrixXd, VectorXd> xy(MatrixXd(static_cast<Index>(to - from), design.cols()),
                                         VectorXd(static_cast<Index>(to - from)));
        for (std::size_t i = from; i < to; ++i) {
            xy.first.row(static_cast<Index>(i - from)) = design.row(static_cast<Index>(seen[i]));
            xy.second(static_cast<Index>(i - from)) = values[seen[i]];
        }
        return xy;
    };
    const auto enough = [&](std::size_t count) {
        if (history != nullptr) *history = count;
        return count > 2 * terms;
    };
    if (!enough(past)) return std::nullopt;
    std::size_t first = 0;
    if (options.history == History::stable) {
        const auto [x, y] = rows(0, past);
        first = stable_from(x, y, options.level);
        if (!enough(past - first)) return std::nullopt;
    }

    MonitoringResult result;
    const auto [x, y] = rows(first, past);
    const Ols fit = ols(x, y);
    result.history_first = seen[first];
    result.history_looks = past - first;
    result.sigma = fit.sigma;
    result.coefficients = fit.beta;

    const double n = static_cast<double>(past - first), unit = fit.sigma * std::sqrt(n);
    const auto window = static_cast<std::size_t>(std::floor(options.window * n));
    std::vector<double> residuals(fit.residuals.begin(), fit.residuals.end()), departures;
    double sum = fit.residuals.sum();
    for (std::size_t i = past; i < seen.size(); ++i) {
        const double r = values[seen[i]] - design.row(static_cast<Index>(seen[i])).dot(fit.beta);
        residuals.push_back(r);
        departures.push_back(r);
        double process = sum += r;
        if (options.process == Fluctuation::mosum) {
            process = 0;
            for (std::size_t k = residuals.size() - window; k < residuals.size(); ++k)
                process += residuals[k];
        }
        result.dates.push_back(seen[i]);
        result.process.push_back(process / unit);
        result.boundary.push_back(
            monitoring_boundary(options.process, critical, static_cast<double>(residuals.size()), n));
        if (!result.break_date && std::abs(result.process.back()) > result.boundary.back())
            result.break_date = seen[i];
    }
    if (!departures.empty()) {
        const auto middle = departures.begin() + static_cast<std::ptrdiff_t>(departures.size() / 2);
        std::nth_element(departures.begin(), middle, departures.end());
        result.magnitude = departures.size() % 2 == 1
                               ? *middle
                               : (*middle + *std::max_element(departures.begin(), middle)) / 2;
    }
    return result;
}

}  // namespace shuibao::algorithms
