// SPDX-License-Identifier: Apache-2.0
// `pair`: whitened change of the visible bands, smoothed, against an empirical null.
//
// Season and soil moisture move the infrared most; opened ground, spoil, roofs and paving move the visible
// albedo, so only blue, green and red are scored. On OSCD the best threshold in hindsight gives a mean F1 of
// 0.31 to the visible bands and 0.27–0.29 to all bands (method card: algorithms/README.md).
#include <algorithm>
#include <array>
#include <cmath>

#include <Eigen/Dense>

#include "lanes.hpp"
#include "pair_detector.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::array<Band, 3> scored = {Band::blue, Band::green, Band::red};
constexpr std::size_t channels = scored.size();
constexpr int radius = 4;
constexpr int taps = 2 * radius + 1;
using Kernel = std::array<float, taps>;

Kernel gaussian(double sigma) {
    std::array<double, taps> w{};
    double sum = 0;
    for (int i = 0; i < taps; ++i) {
        const double x = i - radius;
        w[static_cast<std::size_t>(i)] = std::exp(-0.5 * x * x / (sigma * sigma));
        sum += w[static_cast<std::size_t>(i)];
    }
    Kernel k{};
    for (std::size_t i = 0; i < taps; ++i) k[i] = static_cast<float>(w[i] / sum);
    return k;
}

// Both passes add their taps in one fixed order, so that a value does not depend on the strip it is computed
// in; the symmetric pairs are added first.
SHUIBAO_LANES void blur_row(const float* __restrict in, const float* __restrict k, float* __restrict out,
                            std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        out[i] = in[i + 4] * k[4] + (in[i + 3] + in[i + 5]) * k[3] + (in[i + 2] + in[i + 6]) * k[2] +
                 (in[i + 1] + in[i + 7]) * k[1] + (in[i] + in[i + 8]) * k[0];
}

SHUIBAO_LANES void blur_column(const float* __restrict in, std::size_t stride, const float* __restrict k,
                               float* __restrict out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        const float* p = in + i;
        out[i] = p[4 * stride] * k[4] + (p[3 * stride] + p[5 * stride]) * k[3] +
                 (p[2 * stride] + p[6 * stride]) * k[2] + (p[stride] + p[7 * stride]) * k[1] +
                 (p[0] + p[8 * stride]) * k[0];
    }
}

struct Line {
    float gain_after, gain_before,
        constant;  // u = gain_after·b − gain_before·a + constant, from stored values
};

SHUIBAO_LANES void whiten_row(const std::uint16_t* __restrict a, const std::uint16_t* __restrict b,
                              const float* __restrict weight, const Line line, float clip,
                              float* __restrict out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        float u = static_cast<float>(b[i]) * line.gain_after - static_cast<float>(a[i]) * line.gain_before +
                  line.constant;
        u = u > clip ? clip : u;
        u = u < -clip ? -clip : u;
        out[i] = u * weight[i];
    }
}

// 1 where both looks are usable, else 0; true when all are.
SHUIBAO_LANES bool weigh_row(const Quality* __restrict a, const Quality* __restrict b,
                             float* __restrict weight, std::size_t n) {
    static_assert(static_cast<int>(Quality::clear) == 1 && static_cast<int>(Quality::water) == 2);
    std::int32_t all = 1;
    for (std::size_t i = 0; i < n; ++i) {
        const auto u = static_cast<std::uint8_t>(static_cast<std::uint8_t>(a[i]) - 1),
                   v = static_cast<std::uint8_t>(static_cast<std::uint8_t>(b[i]) - 1);
        const std::int32_t both = (u < 2) & (v < 2);
        weight[i] = static_cast<float>(both);
        all &= both;
    }
    return all != 0;
}

struct Quadratic {
    std::array<float, 3> centre;
    std::array<float, 6> form;  // xx, yy, zz, 2xy, 2xz, 2yz of the inverse covariance
};

SHUIBAO_LANES void mahalanobis_row(const float* __restrict x, const float* __restrict y,
                                   const float* __restrict z, const float* __restrict weight,
                                   const Quadratic m, float* __restrict q, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        const float w = 1.0F / weight[i];
        const float a = x[i] * w - m.centre[0], b = y[i] * w - m.centre[1], c = z[i] * w - m.centre[2];
        q[i] = m.form[0] * a * a + m.form[1] * b * b + m.form[2] * c * c + m.form[3] * a * b +
               m.form[4] * a * c + m.form[5] * b * c;
    }
}

// Blurred, normalised features of one strip.
struct Strip {
    std::array<std::vector<float>, channels> sum;  // blurred u·w
    std::vector<float> weight;                     // blurred w, never 0 where the pixel itself is usable
};

class Whitener {
  public:
    Whitener(const PairView& view, const DetectorModel& model, const DetectorOptions& options)
        : m_view(view),
          m_kernel(gaussian(options.at("sigma"))),
          m_clip(static_cast<float>(options.at("clip"))) {
        const auto& median = model.values.at("difference_median");
        const auto& spread = model.values.at("difference_spread");
        for (std::size_t c = 0; c < channels; ++c) {
            const auto a = view.before.scaling[plane(view.before, c)],
                       b = view.after.scaling[plane(view.after, c)];
            const double s = spread[c];
            m_lines[c] = {
                static_cast<float>(static_cast<double>(b.scale) / s),
                static_cast<float>(static_cast<double>(a.scale) / s),
                static_cast<float>(
                    (static_cast<double>(b.offset) - static_cast<double>(a.offset) - median[c]) / s)};
        }
    }
    static std::size_t plane(const Image& image, std::size_t channel) {
        return static_cast<std::size_t>(image.plane_of(scored[channel]));
    }

    void operator()(std::int64_t first, std::int64_t rows, Strip& out) const {
        const auto& grown = m_view.before.pixels.window();
        const auto cols = static_cast<std::size_t>(m_view.window.cols), wide = cols + 2 * radius,
                   high = static_cast<std::size_t>(rows) + 2 * radius;
        const auto stride = static_cast<std::size_t>(grown.cols);
        const auto origin =
            static_cast<std::size_t>((m_view.window.row + first - radius - grown.row) * grown.cols +
                                     (m_view.window.col - radius - grown.col));
        thread_local std::vector<float> line, across, weights, masks;
        line.resize(wide);
        across.resize(cols * high);
        weights.resize(cols * high);
        masks.resize(wide * high);
        const auto qa = m_view.before.pixels.quality(), qb = m_view.after.pixels.quality();
        bool full = true;
        for (std::size_t y = 0; y < high; ++y)
            full = weigh_row(qa.data() + origin + y * stride, qb.data() + origin + y * stride,
                             masks.data() + y * wide, wide) &&
                   full;
        out.weight.resize(cols * static_cast<std::size_t>(rows));
        if (full) {
            // What blurring a mask of ones gives, computed the same way.
            const std::array<float, taps> ones{1, 1, 1, 1, 1, 1, 1, 1, 1};
            float once = 0;
            blur_row(ones.data(), m_kernel.data(), &once, 1);
            std::array<float, taps> column{};
            column.fill(once);
            float twice = 0;
            blur_column(column.data(), 1, m_kernel.data(), &twice, 1);
            std::fill(out.weight.begin(), out.weight.end(), twice);
        } else {
            for (std::size_t y = 0; y < high; ++y)
                blur_row(masks.data() + y * wide, m_kernel.data(), weights.data() + y * cols, cols);
            for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y)
                blur_column(weights.data() + y * cols, cols, m_kernel.data(), out.weight.data() + y * cols,
                            cols);
        }
        for (std::size_t c = 0; c < channels; ++c) {
            const auto a = m_view.before.pixels.plane(static_cast<int>(plane(m_view.before, c))),
                       b = m_view.after.pixels.plane(static_cast<int>(plane(m_view.after, c)));
            for (std::size_t y = 0; y < high; ++y) {
                whiten_row(a.data() + origin + y * stride, b.data() + origin + y * stride,
                           masks.data() + y * wide, m_lines[c], m_clip, line.data(), wide);
                blur_row(line.data(), m_kernel.data(), across.data() + y * cols, cols);
            }
            out.sum[c].resize(out.weight.size());
            for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y)
                blur_column(across.data() + y * cols, cols, m_kernel.data(), out.sum[c].data() + y * cols,
                            cols);
        }
    }

  private:
    const PairView& m_view;
    Kernel m_kernel;
    float m_clip;
    std::array<Line, channels> m_lines{};
};

Eigen::Matrix3d matrix_of(const std::vector<double>& v) {
    return Eigen::Map<const Eigen::Matrix3d>(v.data());
}

class Pair final : public PairDetector {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Smoothed, whitened change of the visible bands against an empirical null (default)";
    }
    [[nodiscard]] std::vector<Option> options() const override {
        auto list = PairDetector::options();
        list.push_back({.key = "sigma",
                        .type = OptionType::number,
                        .fallback = "1.5",
                        .help = "Width of the Gaussian that lends a pixel its neighbours' evidence and bears "
                                "one pixel of misregistration",
                        .unit = "px",
                        .min = 0.3,
                        .max = 2});
        list.push_back({.key = "clip",
                        .type = OptionType::number,
                        .fallback = "12",
                        .help = "Largest influence of one pixel and band, so that one glint makes no site",
                        .unit = "null standard deviations",
                        .min = 3,
                        .max = 1000});
        return list;
    }
    [[nodiscard]] DetectorNeeds needs() const override {
        auto n = PairDetector::needs();
        n.required = {Band::blue, Band::green, Band::red, Band::nir};
        return n;
    }

  protected:
    [[nodiscard]] double even_odds() const override { return 28; }
    [[nodiscard]] int degrees_of_freedom(const DetectorModel& /*model*/) const override { return 3; }

    void learn(std::span<const SampleCell> cells, DetectorModel& model,
               const DetectorOptions& options) const override {
        learn_differences(cells, model);
        // Mahalanobis form of the smoothed differences, from the 90 % of ground that changed least.
        std::vector<Eigen::Vector3d> points;
        Strip strip;
        for (const auto& cell : cells) {
            Whitener(cell.view, model, options)(0, cell.view.window.rows, strip);
            for (const auto i : cell.chosen) {
                Eigen::Vector3d p;
                for (std::size_t c = 0; c < channels; ++c)
                    p[static_cast<Eigen::Index>(c)] = static_cast<double>(strip.sum[c][i] / strip.weight[i]);
                points.push_back(p);
            }
        }
        Eigen::Vector3d centre;
        for (Eigen::Index c = 0; c < 3; ++c) {
            std::vector<float> values;
            for (const auto& p : points) values.push_back(static_cast<float>(p[c]));
            centre[c] = median_of(values);
        }
        Eigen::Matrix3d inverse = Eigen::Matrix3d::Identity();
        std::vector<float> q(points.size(), 0.0F), sorted;
        float limit = 1;
        for (int round = 0; round < 10; ++round) {
            Eigen::Vector3d sum = Eigen::Vector3d::Zero();
            double n = 0;
            for (std::size_t i = 0; i < points.size(); ++i)
                if (q[i] < limit) {
                    sum += points[i];
                    ++n;
                }
            if (round > 0) centre = sum / n;
            Eigen::Matrix3d s = Eigen::Matrix3d::Zero();
            for (std::size_t i = 0; i < points.size(); ++i)
                if (q[i] < limit) s += (points[i] - centre) * (points[i] - centre).transpose();
            s /= n;
            s += Eigen::Matrix3d::Identity() * (1e-6 * s.trace() / 3 + 1e-12);
            inverse = s.inverse();
            for (std::size_t i = 0; i < points.size(); ++i)
                q[i] = static_cast<float>((points[i] - centre).dot(inverse * (points[i] - centre)));
            sorted = q;
            const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
            std::nth_element(sorted.begin(), at, sorted.end());
            limit = *at;
        }
        model.values["centre"] = {centre[0], centre[1], centre[2]};
        model.values["inverse_covariance"] =
            std::vector<double>(inverse.data(), inverse.data() + inverse.size());
    }

    void score(const PairView& view, std::int64_t first, std::int64_t rows, const DetectorModel& model,
               const DetectorOptions& options, std::span<float> q) const override {
        const auto& c = model.values.at("centre");
        const Eigen::Matrix3d m = matrix_of(model.values.at("inverse_covariance"));
        const auto f = [](double v) { return static_cast<float>(v); };
        const Quadratic quadratic{
            {f(c[0]), f(c[1]), f(c[2])},
            {f(m(0, 0)), f(m(1, 1)), f(m(2, 2)), f(2 * m(0, 1)), f(2 * m(0, 2)), f(2 * m(1, 2))}};
        thread_local Strip strip;
        Whitener(view, model, options)(first, rows, strip);
        mahalanobis_row(strip.sum[0].data(), strip.sum[1].data(), strip.sum[2].data(), strip.weight.data(),
                        quadratic, q.data(), q.size());
    }

  private:
    // Median and spread (1.4826·MAD) of each band's difference.
    static void learn_differences(std::span<const SampleCell> cells, DetectorModel& model) {
        auto& medians = model.values["difference_median"];
        auto& spreads = model.values["difference_spread"];
        for (const Band band : scored) {
            std::vector<float> d;
            for (const auto& cell : cells) {
                const auto &a = cell.view.before, &b = cell.view.after;
                const int pa = a.plane_of(band), pb = b.plane_of(band);
                const auto sa = a.scaling[static_cast<std::size_t>(pa)],
                           sb = b.scaling[static_cast<std::size_t>(pb)];
                const auto &w = cell.view.window, &grown = a.pixels.window();
                for (const auto i : cell.chosen) {
                    const auto k = static_cast<std::size_t>((w.row + i / w.cols - grown.row) * grown.cols +
                                                            (w.col + i % w.cols - grown.col));
                    d.push_back(static_cast<float>(b.pixels.plane(pb)[k]) * sb.scale + sb.offset -
                                static_cast<float>(a.pixels.plane(pa)[k]) * sa.scale - sa.offset);
                }
            }
            const double median = median_of(d);
            for (auto& v : d) v = std::abs(v - static_cast<float>(median));
            const double spread = 1.4826 * median_of(d);
            if (!(spread > 0))
                throw Error(ErrorCode::input,
                            "The two dates are equal in band '" + std::string(common_name(band)) +
                                "' over half of the land: nothing can be learnt from them.",
                            "Look whether one image was delivered under two dates.");
            medians.push_back(median);
            spreads.push_back(spread);
        }
    }
};

const Registration<Detector, Pair> registration{"pair", 10};

}  // namespace
}  // namespace shuibao::algorithms
