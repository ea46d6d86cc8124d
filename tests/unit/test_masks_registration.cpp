// SPDX-License-Identifier: Apache-2.0
// Mask codes, rims, and oracle O17: known sub-pixel shifts are found to 0.05 px under 20 % cloud.
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "support/fourier_scene.hpp"
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

TEST_CASE("O17: shifts of 0.1 to 0.9 px are recovered within 0.05 px with 20 % cloud") {
    const int n = 256;
    for (int step = 1; step <= 9; step += 2) {
        std::vector<TiePoint> points;
        const double dx = 0.1 * step, dy = -0.1 * step + 0.05;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const test::FourierScene scene(seed);
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
        points.push_back(phase_correlation(test::FourierScene(seed).image(64, 0, 0),
                                           test::FourierScene(seed + 100).image(64, 0, 0), 64));
    CHECK_FALSE(combine_tie_points(points, 3).reliable);
}
