// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <opencv2/core.hpp>

#include <shuibao/algorithms/registration.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double least_reliability = 1.5;
constexpr double agreement = 1.0;  // px around the median
constexpr double low_pass = 0.22;  // cycles per pixel: finer detail is aliasing and resampling noise
constexpr int second_peak_distance = 4;

cv::Mat windowed(std::span<const float> pixels, int size) {
    double mean = 0;
    for (const float v : pixels) mean += v;
    mean /= static_cast<double>(pixels.size());
    cv::Mat out(size, size, CV_32F);
    for (int y = 0; y < size; ++y) {
        const double wy = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (y + 0.5) / size);
        for (int x = 0; x < size; ++x) {
            const double wx = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (x + 0.5) / size);
            out.at<float>(y, x) =
                static_cast<float>((pixels[static_cast<std::size_t>(y * size + x)] - mean) * wx * wy);
        }
    }
    return out;
}

// Continuous maximum of the correlation near (dx, dy): Newton on sum of w·cos(phase − 2π f·d). The
// three-point parabola is biased by up to 0.1 px here.
void refine(const cv::Mat& cross, double& dx, double& dy) {
    const int size = cross.rows;
    const auto frequency = [size](int k) {
        return 2 * std::numbers::pi * (k <= size / 2 ? k : k - size) / size;
    };
    std::vector<double> cos_x(static_cast<std::size_t>(size)), sin_x(cos_x.size());
    for (int round = 0; round < 4; ++round) {
        double gx = 0, gy = 0, hxx = 0, hxy = 0, hyy = 0;
        for (int x = 0; x < size; ++x) {
            cos_x[static_cast<std::size_t>(x)] = std::cos(frequency(x) * dx);
            sin_x[static_cast<std::size_t>(x)] = std::sin(frequency(x) * dx);
        }
        for (int y = 0; y < size; ++y) {
            const double fy = frequency(y), cos_y = std::cos(fy * dy), sin_y = std::sin(fy * dy);
            const auto* row = cross.ptr<cv::Vec2f>(y);
            for (int x = 0; x < size; ++x) {
                const double fx = frequency(x), cx = cos_x[static_cast<std::size_t>(x)],
                             sx = sin_x[static_cast<std::size_t>(x)];
                const double c = cx * cos_y - sx * sin_y, s = sx * cos_y + cx * sin_y;
                const double along = row[x][0] * c - row[x][1] * s, across = -(row[x][0] * s + row[x][1] * c);
                gx += fx * across;
                gy += fy * across;
                hxx -= fx * fx * along;
                hxy -= fx * fy * along;
                hyy -= fy * fy * along;
            }
        }
        const double determinant = hxx * hyy - hxy * hxy;
        if (hxx >= 0 || determinant <= 0) return;  // no maximum here: keep what we have
        const double sx = -(hyy * gx - hxy * gy) / determinant, sy = -(hxx * gy - hxy * gx) / determinant;
        if (std::abs(sx) > 1 || std::abs(sy) > 1) return;
        dx += sx;
        dy += sy;
    }
}

}  // namespace

TiePoint phase_correlation(std::span<const float> fixed, std::span<const float> moving, int size) {
    cv::Mat a, b;
    cv::dft(windowed(fixed, size), a, cv::DFT_COMPLEX_OUTPUT);
    cv::dft(windowed(moving, size), b, cv::DFT_COMPLEX_OUTPUT);
    for (int y = 0; y < size; ++y) {
        const double fy = static_cast<double>(y <= size / 2 ? y : y - size) / size;
        auto* pa = a.ptr<cv::Vec2f>(y);
        const auto* pb = b.ptr<cv::Vec2f>(y);
        for (int x = 0; x < size; ++x) {
            const double fx = static_cast<double>(x <= size / 2 ? x : x - size) / size;
            // moving × conj(fixed): the peak stands where the content of `moving` lies relative to `fixed`.
            const float re = pb[x][0] * pa[x][0] + pb[x][1] * pa[x][1],
                        im = pb[x][1] * pa[x][0] - pb[x][0] * pa[x][1];
            const float norm = std::hypot(re, im);
            const auto gain =
                norm > 1e-12F
                    ? static_cast<float>(std::exp(-(fx * fx + fy * fy) / (2 * low_pass * low_pass))) / norm
                    : 0.0F;
            pa[x] = {re * gain, im * gain};
        }
    }
    const cv::Mat cross = a.clone();
    cv::Mat surface;
    cv::dft(a, surface, cv::DFT_INVERSE | cv::DFT_REAL_OUTPUT | cv::DFT_SCALE);
    int px = 0, py = 0;
    float top = -1;
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            if (const float v = surface.at<float>(y, x); v > top) top = v, px = x, py = y;
    float second = 0;
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const int dx = std::min(std::abs(x - px), size - std::abs(x - px)),
                      dy = std::min(std::abs(y - py), size - std::abs(y - py));
            if (std::max(dx, dy) >= second_peak_distance) second = std::max(second, surface.at<float>(y, x));
        }
    TiePoint p;
    p.dx = px > size / 2 ? px - size : px;
    p.dy = py > size / 2 ? py - size : py;
    refine(cross, p.dx, p.dy);
    p.reliability = second > 0 ? top / second : 0;
    return p;
}

Shift combine_tie_points(std::span<const TiePoint> points, double max_shift) {
    Shift s;
    s.measured = static_cast<int>(points.size());
    std::vector<TiePoint> kept;
    for (const auto& p : points)
        if (p.reliability >= least_reliability && std::hypot(p.dx, p.dy) <= max_shift) kept.push_back(p);
    const auto median = [](std::vector<TiePoint> v, auto member) {
        std::sort(v.begin(), v.end(),
                  [&](const TiePoint& a, const TiePoint& b) { return a.*member < b.*member; });
        const auto n = v.size();
        return n % 2 != 0 ? v[n / 2].*member : 0.5 * (v[n / 2 - 1].*member + v[n / 2].*member);
    };
    if (kept.empty()) return s;
    const double mx = median(kept, &TiePoint::dx), my = median(kept, &TiePoint::dy);
    std::erase_if(kept, [&](const TiePoint& p) { return std::hypot(p.dx - mx, p.dy - my) > agreement; });
    if (kept.empty()) return s;
    s.dx = median(kept, &TiePoint::dx);
    s.dy = median(kept, &TiePoint::dy);
    for (const auto& p : kept) s.rmse += (p.dx - s.dx) * (p.dx - s.dx) + (p.dy - s.dy) * (p.dy - s.dy);
    s.rmse = std::sqrt(s.rmse / static_cast<double>(kept.size()));
    s.used = static_cast<int>(kept.size());
    s.reliable = s.used >= 3 && 10 * s.used >= 3 * s.measured;
    return s;
}

}  // namespace shuibao::algorithms
