// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <shuibao/algorithms/normalisation.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::size_t fewest_pixels = 1000;
constexpr double invariant_share = 0.5;
constexpr int rounds = 6;

struct Moments {
    double mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0;
};

Moments moments(const std::vector<float>& x, const std::vector<float>& y,
                const std::vector<std::size_t>& chosen) {
    Moments m;
    for (const auto i : chosen) m.mx += static_cast<double>(x[i]), m.my += static_cast<double>(y[i]);
    const auto n = static_cast<double>(chosen.size());
    m.mx /= n;
    m.my /= n;
    for (const auto i : chosen) {
        const double dx = static_cast<double>(x[i]) - m.mx, dy = static_cast<double>(y[i]) - m.my;
        m.sxx += dx * dx / n;
        m.sxy += dx * dy / n;
        m.syy += dy * dy / n;
    }
    return m;
}

}  // namespace

std::vector<RadiometricLine> relative_normalisation(const Image& fixed, const Image& moving) {
    const auto planes = static_cast<std::size_t>(std::min(fixed.pixels.planes(), moving.pixels.planes()));
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < fixed.pixels.pixels(); ++i)
        if (usable(fixed.pixels.quality()[i]) && usable(moving.pixels.quality()[i])) at.push_back(i);
    if (at.size() < fewest_pixels) return {};
    std::vector<std::vector<float>> x(planes), y(planes);
    for (std::size_t b = 0; b < planes; ++b)
        for (const auto i : at) {
            x[b].push_back(static_cast<float>(moving.pixels.plane(static_cast<int>(b))[i]) *
                               moving.scaling[b].scale +
                           moving.scaling[b].offset);
            y[b].push_back(static_cast<float>(fixed.pixels.plane(static_cast<int>(b))[i]) *
                               fixed.scaling[b].scale +
                           fixed.scaling[b].offset);
        }
    std::vector<std::size_t> chosen(at.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
    std::vector<RadiometricLine> lines(planes);
    std::vector<float> misfit(at.size());
    for (int round = 0; round <= rounds; ++round) {
        std::fill(misfit.begin(), misfit.end(), 0.0F);
        for (std::size_t b = 0; b < planes; ++b) {
            const Moments m = moments(x[b], y[b], chosen);
            if (m.sxy <= 0.2 * std::sqrt(m.sxx * m.syy)) return {};
            // Orthogonal regression: neither image is free of noise.
            const double d = m.syy - m.sxx;
            lines[b].gain = (d + std::sqrt(d * d + 4 * m.sxy * m.sxy)) / (2 * m.sxy);
            lines[b].offset = m.my - lines[b].gain * m.mx;
            const double scale =
                std::max(1e-12, m.syy + lines[b].gain * lines[b].gain * m.sxx - 2 * lines[b].gain * m.sxy);
            for (std::size_t i = 0; i < misfit.size(); ++i) {
                const double r = static_cast<double>(y[b][i]) - lines[b].gain * static_cast<double>(x[b][i]) -
                                 lines[b].offset;
                misfit[i] += static_cast<float>(r * r / scale);
            }
        }
        const auto keep = static_cast<std::size_t>(invariant_share * static_cast<double>(at.size()));
        std::vector<float> sorted = misfit;
        std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(keep), sorted.end());
        const float limit = sorted[keep];
        chosen.clear();
        for (std::size_t i = 0; i < misfit.size(); ++i)
            if (misfit[i] <= limit) chosen.push_back(i);
    }
    return lines;
}

}  // namespace shuibao::algorithms
