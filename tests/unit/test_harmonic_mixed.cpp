// SPDX-License-Identifier: Apache-2.0
// A series whose looks differ: those without the short-wave infrared say what they can and nothing else.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "../../algorithms/detectors/harmonic_model.hpp"
#include "support/series_pixels.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

const Date watched = day("2021-01-01"), opened = day("2022-05-20");

Spectrum forest(Date) {
    return mixed(field_soil, leaves, 0.95);
}
Spectrum field(Date d) {
    return mixed(field_soil, leaves, std::min(double_crop(d), 1.0));
}

// Forest, field, a site in each, `copies` times.
Landscape landscape(std::size_t copies, std::size_t other_every) {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2023-11-20");
    land.other_every = other_every;
    for (std::size_t c = 0; c < copies; ++c) {
        land.pixels.emplace_back(forest);
        land.pixels.emplace_back(field);
        land.pixels.emplace_back([](Date d) { return d < opened ? forest(d) : subsoil; });
        land.pixels.emplace_back([](Date d) { return d < opened ? field(d) : subsoil; });
    }
    return land;
}

std::size_t sites_found(const Change& c) {
    std::size_t n = 0;
    for (std::size_t p = 0; p < c.evidence.size(); ++p)
        n += p % 4 >= 2 && c.evidence[p] != Change::unobserved && c.evidence[p] > Change::evidence_zero ? 1U
                                                                                                        : 0U;
    return n;
}

// Looks at one lane; an index of 2 stands where a look does not tell it.
struct Looks {
    std::vector<Moment> moments;
    std::vector<std::int16_t> values;

    void add(Date d, Date end, double ndvi, double index, double level, bool tells) {
        moments.push_back(moment_of(d));
        moments.back().years = static_cast<float>((d.days() - end.days()) / 365.25);
        moments.back().tells_index = tells;
        const std::size_t at = values.size();
        values.resize(at + feature_count * lane_count, not_seen);
        const std::array<double, feature_count> v = {ndvi, index, level};
        for (std::size_t f = 0; f < feature_count; ++f)
            values[at + f * lane_count] =
                static_cast<std::int16_t>(std::lround(v[f] * static_cast<double>(feature_unit)));
    }
    [[nodiscard]] PixelModel fitted() const {
        PixelModel m;
        fit_pixels(values.data(), moments, swir_features(), HarmonicOptions{}, m);
        return m;
    }
};

Looks two_years(double untold, bool all) {
    Looks looks;
    const Date end(19000);
    for (std::int32_t d = end.days() - 730, i = 0; d < end.days(); d += 10, ++i) {
        const double wave = std::cos(2 * 3.14159265358979 * d / 365.25);
        const bool tells = i % 3 != 1;
        if (tells || all)
            looks.add(Date(d), end, 0.5 + 0.25 * wave, tells ? 0.05 - 0.1 * wave : untold, -1.6, tells);
    }
    return looks;
}

}  // namespace

TEST_CASE("mixed series: a look without SWIR has the NDVI of one with it, and a brightness close to it") {
    for (const auto& ground : {leaves, field_soil, subsoil, mixed(field_soil, leaves, 0.5), rock}) {
        Landscape land;
        land.dates = every(6, "2020-01-01", "2020-01-10");
        land.cloud = land.missed = 0;
        land.pixels.emplace_back([&](Date) { return ground; });
        land.other_every = 2;
        LookStack stack;
        stack.reset(1, 2);
        stack.put(0, land.draw(0), swir_features());
        stack.put(1, land.draw(1), swir_features());
        CHECK(stack.tells_index(0));
        CHECK_FALSE(stack.tells_index(1));
        const auto feature = [&](std::size_t look, std::size_t f) {
            return stack.block(0)[look * feature_count * lane_count + f * lane_count] /
                   static_cast<double>(feature_unit);
        };
        CAPTURE(feature(0, 0));
        CHECK(std::abs(feature(0, 0) - feature(1, 0)) < 0.06);  // noise of two looks
        CHECK(std::abs(feature(0, 2) - feature(1, 2)) < 0.25);  // spread of opened ground: 0.32
    }
}

TEST_CASE("mixed series: what stands in place of an index that a look does not tell changes no model") {
    const auto a = two_years(2, true).fitted(), b = two_years(-1.5, true).fitted(),
               c = two_years(0, false).fitted();
    for (std::size_t f = 0; f < feature_count; ++f) {
        for (std::size_t i = 0; i < season_terms; ++i) CHECK(a.terms[f][i][0] == b.terms[f][i][0]);
        CHECK(a.spread[f][0] == b.spread[f][0]);
    }
    // The index is learnt from the looks that tell it, as if there were no others.
    for (std::size_t i = 0; i < season_terms; ++i)
        CHECK(std::abs(a.terms[1][i][0] - c.terms[1][i][0]) <= 0.01 * static_cast<double>(feature_unit));
    CHECK(a.terms[1][1][0] / static_cast<double>(feature_unit) == doctest::Approx(-0.1).epsilon(0.06));
    CHECK(a.looks[0] > c.looks[0]);
}

TEST_CASE("mixed series: an untold index is no evidence, whatever stands there") {
    const auto model = two_years(0, true).fitted();
    const auto after = [&](double index, bool tells) {
        Looks looks;
        for (int i = 0; i < 3; ++i) looks.add(Date(19010 + 20 * i), Date(19000), 0.14, index, -1.5, tells);
        PixelTrack t;
        t.last[0] = 18995;
        follow_pixels(looks.values.data(), looks.moments, swir_features(), HarmonicOptions{}, model, t);
        return t.material[0];
    };
    CHECK(after(0.16, false) == after(-0.9, false));
    CHECK(after(0.16, true) > after(-0.9, true));
    CHECK(after(0.16, true) > after(0.16, false));  // soil that says so is more than a dark look of low NDVI
    CHECK(after(0.16, false) > 0);
}

TEST_CASE(
    "mixed series: with every second or third look by another satellite, sites are found and ground is "
    "quiet") {
    const Follower f(watched);
    const auto pure = f.seen_on(landscape(10, 0), day("2023-11-20"));
    for (const std::size_t other : {std::size_t{2}, std::size_t{3}}) {
        CAPTURE(other);
        const auto land = landscape(10, other);
        const Change c = f.seen_on(land, day("2023-11-20"));
        CHECK(sites_found(c) == sites_found(pure));
        for (std::size_t p = 0; p < land.pixels.size(); ++p) {
            CAPTURE(p);
            if (p % 4 < 2) {
                CHECK((c.evidence[p] == Change::no_evidence || c.evidence[p] < Change::evidence_zero));
            } else {
                CHECK(c.onset_from[p] <= opened.days() + 30);
                CHECK(c.onset_to[p] >= opened.days());
            }
        }
    }
}

TEST_CASE("mixed series: looks of both satellites in any batches give the same bits") {
    const auto land = landscape(4, 3);
    const Follower f(watched);
    const std::size_t n = land.dates.size();
    const auto once = f.follow(land, {n});
    std::vector<std::size_t> one_by_one(n);  // batches of the other satellite alone among them
    for (std::size_t i = 0; i < n; ++i) one_by_one[i] = i + 1;
    for (const auto& ends : {one_by_one, std::vector<std::size_t>{n / 3, n / 2, n}}) {
        const auto state = f.follow(land, ends);
        for (std::size_t k = 0; k < state.planes.size(); ++k) {
            CAPTURE(f.detector->state_bands()[k]);
            CHECK(state.planes[k] == once.planes[k]);
        }
    }
}
