// SPDX-License-Identifier: Apache-2.0
// The parts of the series detector: elementary functions against the C++ library, features against their
// formulas (Rikimaru 2002 for BSI), the fit against the series that was put in.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "../../algorithms/detectors/harmonic_model.hpp"
#include "../../algorithms/detectors/lanes.hpp"
#include "../../algorithms/detectors/look_stack.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

constexpr std::size_t lookwise = feature_count * lane_count;

// An image of one row whose pixels all have these reflectances, stored as tiles store them.
Image image_of(std::int64_t cols, const std::vector<std::pair<Band, double>>& reflectance) {
    Image image;
    image.pixels = Block<std::uint16_t>(Window{0, 0, cols, 1}, static_cast<int>(reflectance.size()));
    for (const auto& [band, value] : reflectance) {
        image.bands.push_back(band);
        image.scaling.push_back({1e-4F, -0.1F});
        for (auto& v : image.pixels.plane(static_cast<int>(image.bands.size()) - 1))
            v = static_cast<std::uint16_t>(std::lround((value + 0.1) * 1e4));
    }
    for (auto& q : image.pixels.quality()) q = Quality::clear;
    return image;
}

double feature(const LookStack& s, std::size_t pixel, std::size_t look, std::size_t f) {
    return s.block(pixel / lane_count)[look * lookwise + f * lane_count + pixel % lane_count] /
           static_cast<double>(feature_unit);
}
bool seen(const LookStack& s, std::size_t pixel, std::size_t look) {
    return s.block(pixel / lane_count)[look * lookwise + pixel % lane_count] != not_seen;
}

// Looks at one block, every lane alike unless told otherwise.
struct Series {
    std::vector<Moment> moments;
    std::vector<std::int16_t> looks;

    explicit Series(int years_back, int every) {
        const std::int32_t end = 19000;
        for (std::int32_t d = end - years_back * 365; d < end; d += every) {
            moments.push_back(moment_of(Date(d)));
            moments.back().years = static_cast<float>((d - end) / 365.25);
        }
        looks.assign(moments.size() * lookwise, not_seen);
    }
    void put(std::size_t look, std::size_t lane, double ndvi, double index, double level) {
        const double v[feature_count]{ndvi, index, level};
        for (std::size_t f = 0; f < feature_count; ++f)
            looks[look * lookwise + f * lane_count + lane] =
                static_cast<std::int16_t>(std::lround(v[f] * feature_unit));
    }
    [[nodiscard]] PixelModel fitted() const {
        PixelModel m;
        fit_pixels(looks.data(), moments, swir_features(), HarmonicOptions{}, m);
        return m;
    }
    [[nodiscard]] double season(std::size_t look, double mean, double c1, double s1, double c2,
                                double s2) const {
        const auto& b = moments[look].basis;
        return mean + c1 * b[1] + s1 * b[2] + c2 * b[3] + s2 * b[4];
    }
};

double steps(std::int32_t v) {
    return v / static_cast<double>(feature_unit);
}

Ground ground_of(const PixelModel& m, std::size_t lane) {
    return static_cast<Ground>(m.ground[lane]);
}

}  // namespace

TEST_CASE("lane_exp is e^x within 2e-7 of it, and saturates") {
    double worst = 0;
    for (double x = -80; x <= 80; x += 0.00037) {
        const auto f = static_cast<float>(x);
        const double exact = std::exp(static_cast<double>(f));
        worst = std::max(worst, std::abs(static_cast<double>(lane_exp(f)) - exact) / exact);
    }
    CHECK(worst < 2e-7);
    CHECK(worst > 1e-9);  // single precision cannot be better: else nothing was compared
    CHECK(lane_exp(0.0F) == 1.0F);
    CHECK(lane_exp(-1e9F) == lane_exp(-80.0F));
    CHECK(lane_exp(1e9F) == lane_exp(80.0F));
    CHECK(std::isfinite(lane_exp(1e9F)));
    CHECK(lane_exp(-1e9F) > 0);
}

TEST_CASE("lane_log is ln x within 3e-7 of max(1, |ln x|) for normal numbers") {
    double worst = 0;
    for (double e = -87; e < 88; e += 0.00041) {
        const auto f = static_cast<float>(std::exp(e));
        const double exact = std::log(static_cast<double>(f));
        worst = std::max(worst,
                         std::abs(static_cast<double>(lane_log(f)) - exact) / std::max(1.0, std::abs(exact)));
    }
    CHECK(worst < 3e-7);
    CHECK(worst > 1e-9);
    CHECK(lane_log(1.0F) == 0.0F);
    CHECK(lane_log(std::numeric_limits<float>::min()) == doctest::Approx(-87.3365447505531).epsilon(3e-7));
    CHECK(lane_log(std::numeric_limits<float>::max()) == doctest::Approx(88.722839111673).epsilon(3e-7));
}

TEST_CASE("lane_round takes halves away from zero, as lround does") {
    for (int i = -4000; i <= 4000; ++i) {
        const float x = static_cast<float>(i) / 8;
        CHECK(lane_round(x) == std::lround(x));
    }
}

TEST_CASE("features with swir16: NDVI, BSI and ln brightness by hand") {
    // blue 0.08, red 0.16, NIR 0.24, SWIR 0.32: NDVI 0.08/0.40; BSI (0.48 − 0.32)/0.80; ln(0.72/3).
    const Image soil = image_of(
        40,
        {{Band::blue, 0.08}, {Band::green, 0.1}, {Band::red, 0.16}, {Band::nir, 0.24}, {Band::swir16, 0.32}});
    // blue 0.02, red 0.03, NIR 0.45, SWIR 0.15: 0.42/0.48; (0.18 − 0.47)/0.65; ln(0.63/3).
    const Image crop = image_of(
        40,
        {{Band::blue, 0.02}, {Band::green, 0.1}, {Band::red, 0.03}, {Band::nir, 0.45}, {Band::swir16, 0.15}});
    LookStack stack;
    stack.reset(40, 2);
    stack.put(0, soil, swir_features());
    stack.put(1, crop, swir_features());
    REQUIRE(stack.blocks() == 3);
    const double step = 1.0 / feature_unit;
    for (const std::size_t p : {0U, 15U, 16U, 39U}) {
        CAPTURE(p);
        CHECK(std::abs(feature(stack, p, 0, 0) - 0.2) < step);
        CHECK(std::abs(feature(stack, p, 0, 1) - 0.2) < step);
        CHECK(std::abs(feature(stack, p, 0, 2) - std::log(0.24)) < step);
        CHECK(std::abs(feature(stack, p, 1, 0) - 0.875) < step);
        CHECK(std::abs(feature(stack, p, 1, 1) + 0.446153846) < step);
        CHECK(std::abs(feature(stack, p, 1, 2) - std::log(0.21)) < step);
    }
    // Lanes behind the last pixel see nothing in any look.
    for (std::size_t p = 40; p < 48; ++p)
        for (std::size_t look = 0; look < 2; ++look) CHECK_FALSE(seen(stack, p, look));
}

TEST_CASE("a stack that is used again remembers nothing of the window before") {
    const std::size_t n = 1500;  // a chunk of 1024 and part of one
    const Image clear = image_of(
        n,
        {{Band::blue, 0.08}, {Band::green, 0.1}, {Band::red, 0.16}, {Band::nir, 0.24}, {Band::swir16, 0.32}});
    Image cloudy = clear;
    for (std::size_t p = 0; p < n; ++p)
        if (p != 1400) cloudy.pixels.quality()[p] = Quality::cloud;
    LookStack stack;
    stack.reset(n + 20, 3);
    for (std::size_t look = 0; look < 3; ++look) {
        Image all = image_of(n + 20, {{Band::blue, 0.08},
                                      {Band::green, 0.1},
                                      {Band::red, 0.16},
                                      {Band::nir, 0.24},
                                      {Band::swir16, 0.32}});
        stack.put(look, all, swir_features());
    }
    stack.reset(n, 2);
    stack.put(0, cloudy, swir_features());
    stack.put(1, clear, swir_features());
    for (std::size_t p = 0; p < stack.blocks() * lane_count; ++p) {
        REQUIRE(seen(stack, p, 0) == (p == 1400));
        REQUIRE(seen(stack, p, 1) == (p < n));
    }
}

TEST_CASE("features of four bands: NDVI, (R−G)/(R+G) and ln brightness by hand") {
    const Image image =
        image_of(1, {{Band::blue, 0.05}, {Band::green, 0.12}, {Band::red, 0.20}, {Band::nir, 0.30}});
    LookStack stack;
    stack.reset(1, 1);
    stack.put(0, image, visible_features());
    const double step = 1.0 / feature_unit;
    CHECK(std::abs(feature(stack, 0, 0, 0) - 0.2) < step);
    CHECK(std::abs(feature(stack, 0, 0, 1) - 0.25) < step);
    CHECK(std::abs(feature(stack, 0, 0, 2) - std::log(0.25)) < step);
}

TEST_CASE("only usable pixels are seen, and darkness below zero gives finite features") {
    Image image = image_of(
        9,
        {{Band::blue, 0.05}, {Band::green, 0.12}, {Band::red, 0.20}, {Band::nir, 0.30}, {Band::swir16, 0.3}});
    for (std::size_t q = 0; q < 9; ++q) image.pixels.quality()[q] = static_cast<Quality>(q);
    LookStack stack;
    stack.reset(9, 1);
    stack.put(0, image, swir_features());
    for (std::size_t q = 0; q < 9; ++q) CHECK(seen(stack, q, 0) == (q == 1 || q == 2));

    // Over-corrected water: reflectance −0.02 in every band counts as 0.001.
    const Image dark = image_of(1, {{Band::blue, -0.02},
                                    {Band::green, -0.02},
                                    {Band::red, -0.02},
                                    {Band::nir, -0.02},
                                    {Band::swir16, -0.02}});
    stack.reset(1, 1);
    stack.put(0, dark, swir_features());
    CHECK(feature(stack, 0, 0, 0) == 0.0);
    CHECK(feature(stack, 0, 0, 1) == 0.0);
    CHECK(feature(stack, 0, 0, 2) == -32767.0 / 8192);  // ln 0.001 = −6.9 lies outside what is stored
}

TEST_CASE("fit: terms and spread of a known series come back, with outliers and gaps") {
    // A field of two crops: mean, cos, sin, cos 2, sin 2 of each feature.
    constexpr double put[feature_count][season_terms]{
        {0.50, -0.10, 0.08, -0.15, 0.05}, {-0.15, 0.06, -0.05, 0.08, 0.02}, {-1.60, 0.05, 0.10, -0.08, 0.04}};
    constexpr double spread[feature_count]{0.06, 0.045, 0.09};
    // A fifth of all looks wrong this way or that; or one in twenty a cloud, which all look alike.
    // Reweighting that starts from least squares does not get over more than a tenth of the latter.
    for (const double cloud : {0.0, 0.05}) {
        CAPTURE(cloud);
        Series s(3, 10);
        std::mt19937 random(7);
        std::normal_distribution<double> noise(0, 1);
        std::uniform_real_distribution<double> uniform(0, 1);
        for (std::size_t i = 0; i < s.moments.size(); ++i)
            for (std::size_t l = 0; l < lane_count; ++l) {
                if (uniform(random) < 0.3) continue;  // what the mask hides
                double v[feature_count];
                for (std::size_t f = 0; f < feature_count; ++f) {
                    const auto& p = put[f];
                    v[f] = s.season(i, p[0], p[1], p[2], p[3], p[4]) + spread[f] * noise(random);
                }
                if (cloud > 0 && uniform(random) < cloud)
                    v[0] = 0.05, v[1] = -0.05, v[2] = -0.35;
                else if (cloud == 0 && uniform(random) < 0.2)
                    v[0] += 0.3 * noise(random), v[1] += 0.2 * noise(random), v[2] += 0.8 * noise(random);
                s.put(i, l, v[0], v[1], v[2]);
            }
        const PixelModel m = s.fitted();
        for (std::size_t l = 0; l < lane_count; ++l) {
            CAPTURE(l);
            CHECK(ground_of(m, l) == Ground::seasonal);
            for (std::size_t f = 0; f < feature_count; ++f) {
                CAPTURE(f);
                for (std::size_t i = 0; i < season_terms;
                     ++i)  // the worst of 240; half of them are below 0.35
                    CHECK(std::abs(steps(m.terms[f][i][l]) - put[f][i]) < 0.9 * spread[f]);
                CHECK(steps(m.spread[f][l]) > 0.65 * spread[f]);
                CHECK(steps(m.spread[f][l]) < (cloud > 0 ? 1.3 : 2.2) * spread[f]);
            }
            CHECK(m.looks[l] > 50);
            CHECK(m.looks[l] < 100);
        }
    }
}

TEST_CASE("fit: a trend does not leak into the seasons and is held at the end of history") {
    Series s(3, 8);
    for (std::size_t i = 0; i < s.moments.size(); ++i)
        for (std::size_t l = 0; l < lane_count; ++l)
            s.put(i, l,
                  0.6 + 0.05 * static_cast<double>(s.moments[i].years) +
                      0.1 * static_cast<double>(s.moments[i].basis[1]),
                  -0.2, -1.7);
    const PixelModel m = s.fitted();
    CHECK(steps(m.terms[0][0][3]) == doctest::Approx(0.6).epsilon(0.01));  // not 0.525, the mean
    CHECK(steps(m.terms[0][1][3]) == doctest::Approx(0.1).epsilon(0.02));
}

TEST_CASE("fit: where looks end early the trend is held at the last of them, not drawn through the gap") {
    Series s(3, 10);
    for (std::size_t i = 0; i < s.moments.size(); ++i) {
        const double years = static_cast<double>(s.moments[i].years);
        for (std::size_t l = 0; l < lane_count; ++l)
            if (l != 0 || years < -1) s.put(i, l, 0.5 + 0.1 * years, 0.05, -1.6 - 0.3 * years);
    }
    const auto m = s.fitted();
    CHECK(steps(m.terms[0][0][0]) == doctest::Approx(0.4).epsilon(0.03));
    CHECK(steps(m.terms[2][0][0]) == doctest::Approx(-1.3).epsilon(0.02));
    CHECK(steps(m.terms[0][0][1]) == doctest::Approx(0.5).epsilon(0.03));
    CHECK(steps(m.terms[2][0][1]) == doctest::Approx(-1.6).epsilon(0.02));
}

TEST_CASE("fit: ground is unknown, bare, water or seasonal") {
    Series s(3, 15);
    for (std::size_t i = 0; i < s.moments.size(); ++i) {
        const double wave = static_cast<double>(s.moments[i].basis[1]);
        if (i % 8 == 0) s.put(i, 0, 0.6, -0.2, -1.7);  // ten looks in three years
        if (i % 8 == 0 && i > 0) s.put(i, 1, 0.6, -0.2, -1.7);
        s.put(i, 2, 0.12, 0.05, -1.4);                            // rock
        s.put(i, 3, -0.2, -0.3, -3.2);                            // a lake
        s.put(i, 4, 0.5 - 0.3 * wave, -0.1 + 0.15 * wave, -1.6);  // a field
        s.put(i, 5, 0.8, -0.3, -1.8);                             // evergreen wood
        // A reservoir's rim: under water for two months a year, green otherwise.
        if (s.moments[i].month == 7 || s.moments[i].month == 8)
            s.put(i, 6, -0.1, -0.3, -3.0);
        else
            s.put(i, 6, 0.6, -0.2, -1.7);
        s.put(i, 7, i == 30 ? 0.6 : 0.12, 0.05, -1.4);  // rock, and one look that went wrong
    }
    const PixelModel m = s.fitted();
    CHECK(m.looks[0] == 10);
    CHECK(ground_of(m, 0) == Ground::seasonal);
    CHECK(m.looks[1] == 9);
    CHECK(ground_of(m, 1) == Ground::unknown);
    CHECK(ground_of(m, 2) == Ground::bare);
    CHECK(ground_of(m, 3) == Ground::water);
    CHECK(ground_of(m, 4) == Ground::seasonal);
    CHECK(ground_of(m, 5) == Ground::seasonal);
    CHECK(ground_of(m, 6) == Ground::water);
    CHECK(ground_of(m, 7) == Ground::bare);
    CHECK(ground_of(m, 8) == Ground::unknown);  // a lane that sees nothing
    CHECK(m.looks[8] == 0);
}

TEST_CASE("fit: a pixel's own soil, and the half-months in which it is bare") {
    Series s(3, 6);
    for (std::size_t i = 0; i < s.moments.size(); ++i) {
        const bool bare = s.moments[i].month == 9;  // October
        s.put(i, 0, bare ? 0.16 : 0.6, bare ? 0.14 : -0.2, bare ? -1.3 : -1.7);
        s.put(i, 1, 0.7, -0.25, -1.7);
    }
    const PixelModel m = s.fitted();
    const int n = m.soil_looks[0];
    REQUIRE(n >= 12);
    REQUIRE(n <= 18);
    // Shrunk to fields in general by the weight of two looks.
    for (std::size_t f = 0; f < feature_count; ++f) {
        constexpr double own[feature_count]{0.16, 0.14, -1.3};
        const double general = static_cast<double>(swir_features().field_soil.mean[f]);
        CHECK(std::abs(steps(m.soil[f][0]) - (n * own[f] + 2 * general) / (n + 2)) < 2e-4);
        CHECK(std::abs(steps(m.soil[f][1]) - general) < 2e-4);
    }
    CHECK(m.soil_looks[1] == 0);
    CHECK(share_of(m.bare_share[18][0]) > 0.5F);  // first half of October
    CHECK(share_of(m.bare_share[19][0]) > 0.5F);
    CHECK(share_of(m.bare_share[6][0]) < 0.03F);  // April
    for (std::size_t b = 0; b < half_months; ++b) CHECK(share_of(m.bare_share[b][1]) < 0.03F);
}

TEST_CASE("fit: months that were never seen are predicted with a wider spread") {
    Series all(3, 8), summers(3, 8);
    for (std::size_t i = 0; i < all.moments.size(); ++i)
        for (std::size_t l = 0; l < lane_count; ++l) {
            all.put(i, l, 0.6, -0.2, -1.7);
            if (all.moments[i].month >= 3 && all.moments[i].month <= 8) summers.put(i, l, 0.6, -0.2, -1.7);
        }
    const PixelModel wide = summers.fitted(), even = all.fitted();
    CHECK(leverage_of(wide.leverage[0][0]) > 2 * leverage_of(even.leverage[0][0]));
    CHECK(leverage_of(wide.leverage[6][0]) < 2);
}

TEST_CASE("a lane is judged alike whatever its neighbours see") {
    Series s(3, 9), alone(3, 9);
    std::mt19937 random(3);
    std::normal_distribution<double> noise(0, 1);
    for (std::size_t i = 0; i < s.moments.size(); ++i)
        for (std::size_t l = 0; l < lane_count; ++l) {
            if (random() % 3 == 0) continue;
            const double e = noise(random);
            s.put(i, l, 0.5 + 0.2 * e, -0.1 - 0.1 * e, -1.6);
            if (l == 5) alone.put(i, l, 0.5 + 0.2 * e, -0.1 - 0.1 * e, -1.6);
        }
    const PixelModel a = s.fitted(), b = alone.fitted();
    for (std::size_t f = 0; f < feature_count; ++f) {
        for (std::size_t i = 0; i < season_terms; ++i) CHECK(a.terms[f][i][5] == b.terms[f][i][5]);
        CHECK(a.spread[f][5] == b.spread[f][5]);
        CHECK(a.soil[f][5] == b.soil[f][5]);
    }
    for (std::size_t k = 0; k < half_months; ++k) CHECK(a.bare_share[k][5] == b.bare_share[k][5]);
    for (std::size_t k = 0; k < month_count; ++k) CHECK(a.leverage[k][5] == b.leverage[k][5]);
}
