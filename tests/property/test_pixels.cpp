// SPDX-License-Identifier: Apache-2.0
// What is done to pixels before a detector sees them, against the plainest way to compute the same.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "support/fourier_scene.hpp"
#include <shuibao/algorithms/composite.hpp>
#include <shuibao/algorithms/masks.hpp>
#include <shuibao/algorithms/normalisation.hpp>
#include <shuibao/algorithms/registration.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

TEST_CASE("mask growth is a dilation by squares") {
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        const auto cols = static_cast<int>(1 + random() % 40), rows = static_cast<int>(1 + random() % 40);
        const int cloud_px = static_cast<int>(random() % 9), shadow_px = static_cast<int>(random() % 9);
        const auto rare = 1 + random() % 200;
        std::vector<Quality> q(static_cast<std::size_t>(cols * rows));
        for (auto& v : q) v = random() % rare == 0 ? static_cast<Quality>(random() % 9) : Quality::clear;
        const auto before = q;
        grow_masks(q, static_cast<std::size_t>(cols), static_cast<std::size_t>(rows), cloud_px, shadow_px);
        const auto at = [&](int x, int y) { return before[static_cast<std::size_t>(y * cols + x)]; };
        for (int y = 0; y < rows; ++y)
            for (int x = 0; x < cols; ++x) {
                Quality want = at(x, y);
                for (int v = std::max(0, y - 8); usable(want) && v < std::min(rows, y + 9); ++v)
                    for (int u = std::max(0, x - 8); usable(want) && u < std::min(cols, x + 9); ++u) {
                        const int d = std::max(std::abs(u - x), std::abs(v - y));
                        const Quality other = at(u, v);
                        if ((d <= cloud_px && (other == Quality::cloud || other == Quality::cirrus)) ||
                            (d <= shadow_px && other == Quality::shadow))
                            want = Quality::guard;
                    }
                REQUIRE(q[static_cast<std::size_t>(y * cols + x)] == want);
            }
    }
}

TEST_CASE("composites are medians of what was seen, with the days of the first and last look") {
    std::mt19937 random(6);
    for (int round = 0; round < 60; ++round) {
        const Window window{-3, 8, static_cast<std::int64_t>(1 + random() % 20),
                            static_cast<std::int64_t>(1 + random() % 20)};
        const std::size_t n = 1 + random() % 9;
        const bool mixed = round % 3 == 0;
        std::vector<Image> images;
        for (std::size_t k = 0; k < n; ++k) {
            Image image{Date(static_cast<int>(18000 + 5 * k)), {Band::red, Band::nir}, {}, true, {window, 2}};
            // Every second image of a mixed series is stored twice as fine.
            const float scale = mixed && k % 2 == 1 ? 5e-5F : 1e-4F;
            image.scaling = {{scale, -0.1F}, {scale, -0.1F}};
            for (auto& q : image.pixels.quality())
                q = random() % 3 == 0 ? static_cast<Quality>(random() % 9) : Quality::clear;
            for (int p = 0; p < 2; ++p)
                for (auto& v : image.pixels.plane(p)) v = static_cast<std::uint16_t>(2 * (random() % 10000));
            images.push_back(std::move(image));
        }
        const auto c = composite(images);
        REQUIRE(c.image.date == images.back().date);
        const auto scaled = [](const Image& image, int p, std::size_t i) {
            const auto s = image.scaling[static_cast<std::size_t>(p)];
            return static_cast<double>(image.pixels.plane(p)[i]) * static_cast<double>(s.scale) +
                   static_cast<double>(s.offset);
        };
        for (std::size_t i = 0; i < c.image.pixels.pixels(); ++i) {
            std::vector<int> days;
            std::vector<double> red, nir;
            for (const auto& image : images)
                if (usable(image.pixels.quality()[i])) {
                    days.push_back(image.date.days());
                    red.push_back(scaled(image, 0, i));
                    nir.push_back(scaled(image, 1, i));
                }
            REQUIRE(usable(c.image.pixels.quality()[i]) == !days.empty());
            CHECK(c.first[i] == (days.empty() ? 0 : days.front()));
            CHECK(c.last[i] == (days.empty() ? 0 : days.back()));
            if (days.empty()) continue;
            std::sort(red.begin(), red.end());
            std::sort(nir.begin(), nir.end());
            const std::size_t middle = (red.size() - 1) / 2;
            // Half a stored step, where one was brought to the other's scaling.
            CHECK(std::abs(scaled(c.image, 0, i) - red[middle]) < 5.2e-5);
            CHECK(std::abs(scaled(c.image, 1, i) - nir[middle]) < 5.2e-5);
        }
    }
}

TEST_CASE("relative normalisation finds gain and offset though 30 % of the pixels changed") {
    std::mt19937 random(8);
    std::normal_distribution<double> normal;
    for (int round = 0; round < 25; ++round) {
        const Window window{0, 0, 90, 80};
        const int bands = 2 + round % 4;
        Image fixed, moving;
        fixed.pixels = Block<std::uint16_t>(window, bands);
        moving.pixels = Block<std::uint16_t>(window, bands);
        const std::size_t n = fixed.pixels.pixels();
        std::vector<double> gain, offset;
        std::vector<double> scene(n);
        for (auto& v : scene) v = normal(random);
        for (int b = 0; b < bands; ++b) {
            gain.push_back(0.7 + 0.6 * static_cast<double>(random() % 1000) / 1000);
            offset.push_back(-0.03 + 0.06 * static_cast<double>(random() % 1000) / 1000);
            const auto i = static_cast<std::size_t>(b);
            fixed.scaling.push_back({1e-4F, -0.1F});
            moving.scaling.push_back({2e-5F, -0.1F});
            for (std::size_t k = 0; k < n; ++k) {
                const double value = 0.2 + 0.03 * (b % 2 == 0 ? 1 : -0.8) * scene[k] + 0.01 * normal(random);
                double seen = (value - offset[i]) / gain[i] + 0.001 * normal(random);
                if (k % 10 < 3) seen += 0.08 + 0.03 * normal(random);  // new bare ground
                const auto stored = [](double v, Scaling s) {
                    return static_cast<std::uint16_t>(std::clamp(
                        std::lround((v - static_cast<double>(s.offset)) / static_cast<double>(s.scale)), 0L,
                        65535L));
                };
                fixed.pixels.plane(b)[k] = stored(value, fixed.scaling[i]);
                moving.pixels.plane(b)[k] = stored(seen, moving.scaling[i]);
            }
        }
        for (std::size_t k = 0; k < n; ++k) {
            fixed.pixels.quality()[k] = k % 17 == 0 ? Quality::cloud : Quality::clear;
            moving.pixels.quality()[k] = k % 23 == 0 ? Quality::guard : Quality::clear;
            // What lies under a mask is not data.
            if (k % 17 == 0)
                for (int b = 0; b < bands; ++b) fixed.pixels.plane(b)[k] = 60000;
        }
        const auto lines = relative_normalisation(fixed, moving);
        CAPTURE(round);
        REQUIRE(lines.size() == static_cast<std::size_t>(bands));
        for (std::size_t b = 0; b < lines.size(); ++b) {
            CHECK(std::abs(lines[b].gain / gain[b] - 1) < 0.01);
            // Where the data lie, the line is right to a thousandth of reflectance.
            const double middle = (0.2 - offset[b]) / gain[b];
            CHECK(std::abs(lines[b].gain * middle + lines[b].offset - 0.2) < 0.001);
        }
    }
}

TEST_CASE("relative normalisation gives nothing rather than a wrong line") {
    std::mt19937 random(9);
    const auto make = [&](std::int64_t size) {
        Image image;
        image.pixels = Block<std::uint16_t>({0, 0, size, size}, 1);
        image.scaling = {{1e-4F, 0}};
        for (auto& v : image.pixels.plane(0)) v = static_cast<std::uint16_t>(random() % 4000);
        for (auto& q : image.pixels.quality()) q = Quality::clear;
        return image;
    };
    CHECK(relative_normalisation(make(60), make(60)).empty());  // unrelated
    const auto small = make(31);                                // 961 pixels
    CHECK(relative_normalisation(small, small).empty());
    const auto enough = make(32);
    REQUIRE(relative_normalisation(enough, enough).size() == 1);
    CHECK(relative_normalisation(enough, enough)[0].gain == doctest::Approx(1));
    auto clouded = enough;
    for (std::size_t i = 0; i < 30; ++i) clouded.pixels.quality()[i] = Quality::cloud;
    CHECK(relative_normalisation(enough, clouded).empty());
}

TEST_CASE("O17: Fourier shifts in any direction are recovered within 0.05 px under 20 % cloud") {
    const int n = 256;
    std::mt19937 random(17);
    for (int step = 1; step <= 9; ++step) {
        const double size = 0.1 * step, angle = static_cast<double>(random() % 628) / 100;
        const double dx = size * std::cos(angle), dy = size * std::sin(angle);
        std::vector<TiePoint> points;
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const test::FourierScene scene(100 * seed + static_cast<std::uint64_t>(step));
            auto fixed = scene.image(n, 0, 0), moving = scene.image(n, dx, dy);
            double mean = 0;
            for (const float v : moving) mean += static_cast<double>(v) / (n * n);
            const int x0 = static_cast<int>(random() % 140), y0 = static_cast<int>(random() % 140);
            for (int y = y0; y < y0 + 115; ++y)
                for (int x = x0; x < x0 + 114; ++x)
                    moving[static_cast<std::size_t>(y * n + x)] = static_cast<float>(mean);
            const auto p = phase_correlation(fixed, moving, n);
            // One window alone is nearly as good.
            CHECK(std::hypot(p.dx - dx, p.dy - dy) < 0.1);
            points.push_back(p);
        }
        const Shift s = combine_tie_points(points, 3);
        CAPTURE(dx);
        CAPTURE(dy);
        CHECK(s.reliable);
        CHECK(std::abs(s.dx - dx) < 0.05);
        CHECK(std::abs(s.dy - dy) < 0.05);
    }
}

TEST_CASE("unrelated images have no reliable shift") {
    int believed = 0;
    for (std::uint64_t trial = 0; trial < 30; ++trial) {
        std::vector<TiePoint> points;
        for (std::uint64_t k = 0; k < 6; ++k) {
            const std::uint64_t seed = 1000 + 20 * trial + 2 * k;
            points.push_back(phase_correlation(test::FourierScene(seed, 128).image(64, 0, 0),
                                               test::FourierScene(seed + 1, 128).image(64, 0, 0), 64));
        }
        believed += combine_tie_points(points, 3).reliable ? 1 : 0;
    }
    CHECK(believed == 0);
}
