// SPDX-License-Identifier: Apache-2.0
// `cva` and `mad`: the two published measures of change that users compare with, pixel by pixel, with the
// decision of the pair family.
#include <algorithm>
#include <array>
#include <cmath>

#include <Eigen/Dense>

#include "pair_detector.hpp"
#include <shuibao/algorithms/irmad.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {

// Index of pixel i of view.window in the images.
std::size_t at(const PairView& v, std::size_t i) {
    const auto &w = v.window, &grown = v.before.pixels.window();
    const auto row = static_cast<std::int64_t>(i) / w.cols, col = static_cast<std::int64_t>(i) % w.cols;
    return static_cast<std::size_t>((w.row + row - grown.row) * grown.cols + (w.col + col - grown.col));
}

double value(const Image& image, Band band, std::size_t k) {
    return image.value(image.plane_of(band), k);
}

// Change vector analysis (Malila 1980) on standardised differences: Σ ((d_b − m_b)/s_b)² over all common
// bands, with the median and 1.4826·MAD of the sample for m_b and s_b.
class ChangeVector final : public PairDetector {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Change vector of standardised differences, all common bands (Malila 1980)";
    }
    [[nodiscard]] DetectorNeeds needs() const override {
        auto n = PairDetector::needs();
        n.all_common = true;
        return n;
    }

  protected:
    [[nodiscard]] double even_odds() const override { return 12; }
    [[nodiscard]] int degrees_of_freedom(const DetectorModel& model) const override {
        return static_cast<int>(model.values.at("difference_median").size());
    }
    void learn(std::span<const SampleCell> cells, DetectorModel& model,
               const DetectorOptions& /*options*/) const override {
        for (const Band band : common_bands(cells.front().view.before, cells.front().view.after)) {
            std::vector<float> d;
            for (const auto& c : cells)
                for (const auto i : c.chosen) {
                    const auto k = at(c.view, i);
                    d.push_back(
                        static_cast<float>(value(c.view.after, band, k) - value(c.view.before, band, k)));
                }
            const double median = median_of(d);
            for (auto& v : d) v = std::abs(v - static_cast<float>(median));
            model.values["difference_median"].push_back(median);
            model.values["difference_spread"].push_back(std::max(1.4826 * median_of(d), 1e-12));
        }
    }
    void score(const PairView& v, std::int64_t first, std::int64_t rows, const DetectorModel& model,
               const DetectorOptions& /*options*/, std::span<float> q) const override {
        const auto bands = common_bands(v.before, v.after);
        const auto& median = model.values.at("difference_median");
        const auto& spread = model.values.at("difference_spread");
        const auto base = static_cast<std::size_t>(first * v.window.cols);
        const auto n = static_cast<std::size_t>(rows * v.window.cols);
        for (std::size_t i = 0; i < n; ++i) {
            const auto k = at(v, base + i);
            double sum = 0;
            for (std::size_t b = 0; b < bands.size(); ++b) {
                const double z =
                    (value(v.after, bands[b], k) - value(v.before, bands[b], k) - median[b]) / spread[b];
                sum += z * z;
            }
            q[i] = static_cast<float>(sum);
        }
    }
};

// IR-MAD (Nielsen 2007) on all common bands; the score is Σ MAD²/σ².
class Mad final : public PairDetector {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Iteratively reweighted multivariate alteration detection, all common bands (Nielsen 2007)";
    }
    [[nodiscard]] std::vector<Option> options() const override {
        auto list = PairDetector::options();
        list.push_back({.key = "max_iterations",
                        .type = OptionType::integer,
                        .fallback = "50",
                        .help = "Reweightings at most; 0 is plain MAD",
                        .min = 0,
                        .max = 1000});
        list.push_back({.key = "tolerance",
                        .type = OptionType::number,
                        .fallback = "0.001",
                        .help = "Largest change of a canonical correlation that ends the reweighting",
                        .min = 1e-9,
                        .max = 0.1});
        return list;
    }
    [[nodiscard]] DetectorNeeds needs() const override {
        auto n = PairDetector::needs();
        n.all_common = true;
        return n;
    }

  protected:
    [[nodiscard]] double even_odds() const override { return 12; }
    [[nodiscard]] int degrees_of_freedom(const DetectorModel& model) const override {
        return static_cast<int>(model.values.at("rho").size());
    }
    void learn(std::span<const SampleCell> cells, DetectorModel& model,
               const DetectorOptions& options) const override {
        const auto bands = common_bands(cells.front().view.before, cells.front().view.after);
        Eigen::Index n = 0;
        for (const auto& c : cells) n += static_cast<Eigen::Index>(c.chosen.size());
        Eigen::MatrixXd x(n, static_cast<Eigen::Index>(bands.size())), y = x;
        Eigen::Index row = 0;
        for (const auto& c : cells)
            for (const auto i : c.chosen) {
                const auto k = at(c.view, i);
                for (std::size_t b = 0; b < bands.size(); ++b) {
                    x(row, static_cast<Eigen::Index>(b)) = value(c.view.before, bands[b], k);
                    y(row, static_cast<Eigen::Index>(b)) = value(c.view.after, bands[b], k);
                }
                ++row;
            }
        const auto t = ir_mad(x, y,
                              {.max_iterations = static_cast<int>(options.at("max_iterations")),
                               .tolerance = options.at("tolerance")});
        const auto keep = [&](const char* name, const auto& m) {
            model.values[name] = std::vector<double>(m.data(), m.data() + m.size());
        };
        keep("a", t.a);
        keep("b", t.b);
        keep("rho", t.rho);
        keep("mean_before", t.mean_x);
        keep("mean_after", t.mean_y);
        model.values["iterations"] = {static_cast<double>(t.iterations)};
    }
    void score(const PairView& v, std::int64_t first, std::int64_t rows, const DetectorModel& model,
               const DetectorOptions& /*options*/, std::span<float> q) const override {
        const auto bands = common_bands(v.before, v.after);
        const auto p = static_cast<Eigen::Index>(bands.size());
        const auto vector = [&](const char* name) {
            return Eigen::Map<const Eigen::VectorXd>(model.values.at(name).data(), p).eval();
        };
        const auto matrix = [&](const char* name) {
            return Eigen::Map<const Eigen::MatrixXd>(model.values.at(name).data(), p, p).eval();
        };
        MadTransform t;
        t.a = matrix("a");
        t.b = matrix("b");
        t.rho = vector("rho");
        t.mean_x = vector("mean_before");
        t.mean_y = vector("mean_after");
        Eigen::VectorXd x(p), y(p);
        const auto base = static_cast<std::size_t>(first * v.window.cols);
        const auto n = static_cast<std::size_t>(rows * v.window.cols);
        for (std::size_t i = 0; i < n; ++i) {
            const auto k = at(v, base + i);
            for (Eigen::Index b = 0; b < p; ++b) {
                x[b] = value(v.before, bands[static_cast<std::size_t>(b)], k);
                y[b] = value(v.after, bands[static_cast<std::size_t>(b)], k);
            }
            q[i] = static_cast<float>(t.chi2(x, y));
        }
    }
};

const Registration<Detector, ChangeVector> change_vector{"cva", 20};
const Registration<Detector, Mad> mad{"mad", 30};

}  // namespace
}  // namespace shuibao::algorithms
