// SPDX-License-Identifier: Apache-2.0
// What harmonic tells of opened ground beside its own bare soil (PixelHistory::Trait).
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <support/pixel_history.hpp>

#include "support/series_pixels.hpp"

using namespace shuibao;
using namespace shuibao::test;
using Trait = PixelHistory::Trait;

namespace {

Ground opened(Date on, const Spectrum& soil) {
    return [=](Date d) { return d < on ? mixed(field_soil, leaves, double_crop(d)) : soil; };
}

constexpr Spectrum red_soil{0.06, 0.10, 0.24, 0.30, 0.42, 0.36};  // far from field_soil in all that is told

// Soil index (Rikimaru 2002) and ln brightness as algorithms/README defines them.
double index_of(const Spectrum& s) {
    return (s[4] + s[2] - s[3] - s[0]) / (s[4] + s[2] + s[3] + s[0]);
}
double brightness_of(const Spectrum& s) {
    return std::log((s[2] + s[3] + s[4]) / 3);
}
double ndvi_of(const Spectrum& s) {
    return (s[3] - s[2]) / (s[3] + s[2]);
}

double told(const PixelHistory& h, std::size_t i, Trait t) {
    const auto k = static_cast<std::size_t>(t);
    const int v = h.traits_of(i)[k];
    return v == 0 ? std::nan("")
                  : PixelHistory::trait_middle[k] + (v - PixelHistory::middle) * PixelHistory::trait_step[k];
}

}  // namespace

TEST_CASE("harmonic: opened ground is told beside the field's own soil") {
    const Date on = day("2023-05-20");
    Landscape land;
    land.dates = every(6, "2021-01-03", "2023-10-30");
    land.missed = 0;
    land.pixels = {opened(on, red_soil), opened(on, field_soil), opened(day("2030-01-01"), subsoil),
                   [](Date) { return leaves; }};
    const Follower f(day("2023-01-01"));
    constexpr double own = 0.07;  // its own soil is what looks with some green on it showed too
    const PixelHistory h = f.seen_on(land, day("2023-10-30")).history;

    CHECK(std::abs(told(h, 0, Trait::own_index) - index_of(field_soil)) < own);
    CHECK(std::abs(told(h, 0, Trait::own_brightness) - brightness_of(field_soil)) < 0.1);
    CHECK(std::abs(told(h, 0, Trait::index_above_own) - (index_of(red_soil) - index_of(field_soil))) < own);
    CHECK(std::abs(told(h, 0, Trait::brightness_above_own) -
                   (brightness_of(red_soil) - brightness_of(field_soil))) < 0.12);
    CHECK(std::abs(told(h, 0, Trait::green_above_own) - (ndvi_of(red_soil) - ndvi_of(field_soil))) < own);
    CHECK(told(h, 0, Trait::run_looks) >= 1);
    CHECK(told(h, 0, Trait::run_looks) <= 8);

    // Beside a field opened with its own soil, whose estimate of it is off by as much.
    CHECK(std::abs(told(h, 0, Trait::index_above_own) - told(h, 1, Trait::index_above_own) -
                   (index_of(red_soil) - index_of(field_soil))) < 0.03);
    CHECK(std::abs(told(h, 0, Trait::green_above_own) - told(h, 1, Trait::green_above_own) -
                   (ndvi_of(red_soil) - ndvi_of(field_soil))) < 0.03);

    // The same soil lies no higher than itself.
    CHECK(std::abs(told(h, 1, Trait::index_above_own)) < own);
    CHECK(std::abs(told(h, 1, Trait::brightness_above_own)) < 0.1);

    // A field that goes on has a soil; woods never showed one.
    CHECK(std::abs(told(h, 2, Trait::own_index) - index_of(field_soil)) < own);
    CHECK(h.known(3));
    for (std::size_t k = 0; k < PixelHistory::kept_traits; ++k) CHECK(h.traits_of(3)[k] == 0);
}

TEST_CASE("traits keep their values to a step, and what is beyond the scale to its end") {
    PixelHistory h;
    h.resize({0, 0, 2, 1});
    test::put_season(h, 1, {0.4, 0, 0, 0, 0}, 0, true);
    for (std::size_t k = 0; k < PixelHistory::kept_traits; ++k) CHECK(h.traits_of(1)[k] == 0);
    CHECK(std::isnan(told(h, 1, Trait::greenest_9)));
    CHECK(told(h, 1, Trait::since_green) == 12);
    test::put_greenest(h, 1, {0, 0, 3, 4, 9, 0, 7, 0, 2, 13, 1, 1});
    CHECK(told(h, 1, Trait::greenest_4) == doctest::Approx(0.275));
    CHECK(told(h, 1, Trait::greenest_9) == doctest::Approx(0.525));
    CHECK(told(h, 1, Trait::since_green) == 4);
    test::put_traits(h, 1, {0.11, -2.2, std::nan(""), -9, 9, 5});
    CHECK(std::abs(told(h, 1, Trait::own_index) - 0.11) <= 0.5 / 256);
    CHECK(std::abs(told(h, 1, Trait::own_brightness) + 2.2) <= 0.5 / 64);
    CHECK(std::isnan(told(h, 1, Trait::index_above_own)));
    CHECK(h.traits_of(1)[3] == 1);
    CHECK(h.traits_of(1)[4] == 255);
    CHECK(told(h, 1, Trait::run_looks) == 5);
    for (const int v : h.traits_of(0)) CHECK(v == 0);
}

TEST_CASE("harmonic: the greenest clear look of each month of a year is told, whatever the batches were") {
    Landscape land;
    land.dates = every(5, "2021-01-03", "2024-02-20");
    land.missed = 0;
    land.cloud = 0.6;
    land.pixels = {opened(day("2023-05-20"), red_soil), opened(day("2030-01-01"), subsoil),
                   [](Date) { return leaves; }, opened(day("2030-01-01"), subsoil)};
    land.cloudy_pixel = 3;
    land.cloudy_from = day("2023-09-10");
    const Follower f(day("2022-06-01"));
    for (const char* last : {"2022-06-20", "2023-03-31", "2023-12-31", "2024-02-20"}) {
        INFO(last);
        const Date end = day(last);
        std::vector<std::size_t> ends;
        for (std::size_t i = 0; i < land.dates.size() && land.dates[i] <= end; ++i)
            if (i % 37 == 36) ends.push_back(i + 1);
        const auto looks = static_cast<std::size_t>(
            std::upper_bound(land.dates.begin(), land.dates.end(), end) - land.dates.begin());
        if (ends.empty() || ends.back() != looks) ends.push_back(looks);
        const PixelHistory h = f.report(f.follow(land, ends), land.dates[looks - 1], 400).history;
        std::size_t told_of = 0;
        for (std::size_t p = 0; p < land.pixels.size(); ++p) {
            std::array<double, PixelHistory::months> most;
            most.fill(-9);
            const auto month_of = [](Date d) {
                return 12 * std::stoi(d.iso().substr(0, 4)) + std::stoi(d.iso().substr(5, 2));
            };
            for (std::size_t i = 0; i < looks; ++i) {
                const auto back =
                    static_cast<std::size_t>(month_of(land.dates[looks - 1]) - month_of(land.dates[i]));
                const Image image = land.draw(i);
                if (back >= most.size() || !usable(image.pixels.quality()[p])) continue;
                most[back] = std::max(most[back], f.detector->measure(image, p, image.bands)[0]);
            }
            const auto classes = h.greenest(p);
            for (std::size_t k = 0; k < most.size(); ++k) {
                const double above = (most[k] - PixelHistory::green_floor) / PixelHistory::green_step;
                if (most[k] < -1) {
                    CHECK(classes[k] == 0);
                } else if (std::abs(above - std::round(above)) > 1e-3) {
                    CHECK(int{classes[k]} == std::clamp(static_cast<int>(std::floor(above)) + 1, 1, 15));
                    ++told_of;
                }
            }
        }
        CHECK(told_of > 25);
    }
}
