// SPDX-License-Identifier: Apache-2.0
// Images whose shift is known exactly.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

namespace shuibao::test {

// A random scene with the 1/f spectrum of land, shifted by its Fourier phase on a larger periodic field: the
// answer is known exactly.
struct FourierScene {
    int field;
    cv::Mat spectrum;
    explicit FourierScene(std::uint64_t seed, int size = 512) : field(size) {
        cv::Mat noise(field, field, CV_32F);
        for (int y = 0; y < field; ++y)
            for (int x = 0; x < field; ++x) {
                seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                noise.at<float>(y, x) =
                    static_cast<float>(static_cast<double>(seed >> 11) / 9007199254740992.0 - 0.5);
            }
        cv::dft(noise, spectrum, cv::DFT_COMPLEX_OUTPUT);
    }
    std::vector<float> image(int n, double dx, double dy) const {
        cv::Mat moved = spectrum.clone(), out;
        for (int y = 0; y < field; ++y)
            for (int x = 0; x < field; ++x) {
                const double fy = static_cast<double>(y < field / 2 ? y : y - field) / field,
                             fx = static_cast<double>(x < field / 2 ? x : x - field) / field;
                const double f = std::hypot(fx, fy), gain = f > 0 && f < 0.45 ? 1 / f : 0,
                             angle = -2 * 3.14159265358979 * (fx * dx + fy * dy);
                const auto v = moved.at<cv::Vec2f>(y, x);
                const double c = std::cos(angle), s = std::sin(angle);
                moved.at<cv::Vec2f>(y, x) = cv::Vec2f(static_cast<float>(gain * (v[0] * c - v[1] * s)),
                                                      static_cast<float>(gain * (v[0] * s + v[1] * c)));
            }
        cv::dft(moved, out, cv::DFT_INVERSE | cv::DFT_REAL_OUTPUT | cv::DFT_SCALE);
        std::vector<float> crop;
        for (int y = 0; y < n; ++y)
            for (int x = 0; x < n; ++x) crop.push_back(out.at<float>(y + field / 8, x + field / 8));
        return crop;
    }
};

}  // namespace shuibao::test
