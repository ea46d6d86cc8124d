// SPDX-License-Identifier: Apache-2.0
// Mask codes, rims, and oracle O17: known sub-pixel shifts are found to 0.05 px under 20 % cloud.
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include <shuibao/algorithms/masks.hpp>
#include <shuibao/algorithms/registration.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

TEST_CASE("codes of the products' masks") {
    CHECK(quality_of_scl(4) == Quality::clear);
    CHECK(quality_of_scl(9) == Quality::cloud);
    CHECK(quality_of_scl(6) == Quality::water);
    CHECK(quality_of_scl(200) == Quality::nodata);
    CHECK(quality_of_qa_pixel(1) == Quality::nodata);
    CHECK(quality_of_qa_pixel(21824) == Quality::clear);   // USGS: clear land
    CHECK(quality_of_qa_pixel(21952) == Quality::water);   // USGS: clear water
    CHECK(quality_of_qa_pixel(22280) == Quality::cloud);   // USGS: high confidence cloud
    CHECK(quality_of_qa_pixel(23888) == Quality::shadow);  // USGS: high confidence shadow
    CHECK(quality_of_fmask(255) == Quality::nodata);
}

TEST_CASE("rims grow by their margin and never over data that is masked for another reason") {
    const std::size_t n = 11;
    std::vector<Quality> q(n * n, Quality::clear);
    q[5 * n + 5] = Quality::cloud;
    q[0] = Quality::shadow;
    q[5 * n + 6] = Quality::snow;
    grow_masks(q, n, n, 2, 1);
    CHECK(q[5 * n + 3] == Quality::guard);
    CHECK(q[3 * n + 3] == Quality::guard);
    CHECK(q[5 * n + 2] == Quality::clear);
    CHECK(q[5 * n + 6] == Quality::snow);
    CHECK(q[n + 1] == Quality::guard);
    CHECK(q[2] == Quality::clear);
}

namespace {

// A random scene with the 1/f spectrum of land, shifted by its Fourier phase on a larger periodic field: the
// answer is known exactly.
struct Scene {
    static constexpr int field = 512;
    cv::Mat spectrum;
    explicit Scene(std::uint64_t seed) {
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
            for (int x = 0; x < n; ++x) crop.push_back(out.at<float>(y + 64, x + 64));
        return crop;
    }
};

}  // namespace

TEST_CASE("O17: shifts of 0.1 to 0.9 px are recovered within 0.05 px with 20 % cloud") {
    const int n = 256;
    for (int step = 1; step <= 9; step += 2) {
        std::vector<TiePoint> points;
        const double dx = 0.1 * step, dy = -0.1 * step + 0.05;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const Scene scene(seed);
            auto fixed = scene.image(n, 0, 0), moving = scene.image(n, dx, dy);
            double mean = 0;
            for (const float v : moving) mean += v;
            mean /= n * n;
            for (int y = 20; y < 134; ++y)
                for (int x = 60; x < 175; ++x)
                    moving[static_cast<std::size_t>(y * n + x)] =
                        static_cast<float>(mean);        // 20 % of the window
            for (auto& v : moving) v = 1.3F * v + 5.0F;  // another sun
            points.push_back(phase_correlation(fixed, moving, n));
        }
        const Shift s = combine_tie_points(points, 3);
        CAPTURE(dx);
        CHECK(s.reliable);
        CHECK(std::abs(s.dx - dx) < 0.05);
        CHECK(std::abs(s.dy - dy) < 0.05);
    }
}

TEST_CASE("noise is not taken for a shift") {
    std::vector<TiePoint> points;
    for (std::uint64_t seed = 10; seed < 16; ++seed)
        points.push_back(
            phase_correlation(Scene(seed).image(64, 0, 0), Scene(seed + 100).image(64, 0, 0), 64));
    CHECK_FALSE(combine_tie_points(points, 3).reliable);
}
