// SPDX-License-Identifier: Apache-2.0
// The published methods through the detector's interface. Oracle: a landscape whose history is known, forest
// that stays forest, a double-cropped field, and forest opened to subsoil on 2022-05-20; and for `cold` the
// pure algorithm of the same paper on the same numbers.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/series_pixels.hpp"
#include <shuibao/algorithms/cold.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

const Date watched = day("2021-01-01"), opened = day("2022-05-20"), green_again = day("2022-10-01");

enum Kind : std::size_t { a_forest, a_field, a_site, a_reverted, a_rock, kinds };

Spectrum forest(Date) {
    return mixed(field_soil, leaves, 0.95);
}

// 20 pixels: one block of 16 lanes and a rest.
Landscape landscape() {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2023-11-20");
    for (int copy = 0; copy < 4; ++copy) {
        land.pixels.emplace_back(forest);
        land.pixels.emplace_back(
            [](Date d) { return mixed(field_soil, leaves, std::min(double_crop(d), 1.0)); });
        land.pixels.emplace_back([](Date d) { return d < opened ? forest(d) : subsoil; });
        land.pixels.emplace_back([](Date d) { return d < opened || d >= green_again ? forest(d) : subsoil; });
        land.pixels.emplace_back([](Date) { return rock; });
    }
    return land;
}

const std::array methods{"cold", "mosum", "season"};

bool is_site(std::uint16_t evidence) {
    return evidence != Change::unobserved && evidence >= Change::evidence_zero;
}

std::size_t plane(const Follower& f, const std::string& name) {
    const auto names = f.detector->state_bands();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

TEST_CASE("published methods: forest that stays forest and rock are silent on every day") {
    auto land = landscape();
    for (const std::string method : methods) {
        CAPTURE(method);
        Follower f(watched, method);
        if (method == "mosum") {
            land.missed = 0;  // least squares take one cloud that the mask missed for a change
            f.options["level"] = 0.001;
        }
        for (const char* text : {"2021-04-20", "2022-06-10", "2023-11-20"}) {
            CAPTURE(text);
            const Change c = f.seen_on(land, day(text));
            for (std::size_t p = 0; p < land.pixels.size(); ++p)
                if (p % kinds == a_forest || p % kinds == a_rock) {
                    CAPTURE(p);
                    CHECK(c.evidence[p] != Change::unobserved);
                    CHECK_FALSE(is_site(c.evidence[p]));
                }
        }
    }
}

TEST_CASE("published methods: forest opened to subsoil is found with its day inside the interval") {
    auto land = landscape();
    land.missed = 0;  // a cloud missed in history is the least of its season, and hides the loss
    for (const std::string method : methods) {
        CAPTURE(method);
        const Follower f(watched, method);
        Change change;
        f.detector->report(f.follow(land, {land.dates.size()}), f.times, f.options, change);
        CHECK(change.evidence.size() == land.pixels.size());
        const Change before = f.seen_on(land, Date(opened.days() - 1)),
                     after = f.seen_on(land, day("2023-11-20"));
        const auto state = f.follow(land, {land.dates.size()});
        for (std::size_t p = a_site; p < land.pixels.size(); p += kinds) {
            CAPTURE(p);
            if (method != "mosum") CHECK_FALSE(is_site(before.evidence[p]));
            REQUIRE(is_site(after.evidence[p]));
            CHECK(after.confidence[p] >= 5000);
            CHECK(after.kind[p] == ChangeKind::vegetation_to_bare);
            CHECK(after.onset_from[p] < opened.days());
            CHECK(after.onset_to[p] >= opened.days());
            if (method == "mosum") continue;  // its interval is the moving window
            CHECK(after.onset_to[p] - after.onset_from[p] <= 60);
            const std::int32_t alarm = state.planes[plane(f, "alarm")][p];
            // Six or four clear looks of those every six days; what is left is cloud.
            CHECK(alarm >= opened.days() + 6 * (method == "cold" ? 5 : 3));
            CHECK(alarm <= opened.days() + 120);
        }
    }
}

TEST_CASE("season: what is green again is no site any more") {
    const auto land = landscape();
    const Follower f(watched, "season");
    const Change during = f.seen_on(land, day("2022-09-25")), after = f.seen_on(land, day("2023-11-20"));
    for (std::size_t p = a_reverted; p < land.pixels.size(); p += kinds) {
        CAPTURE(p);
        CHECK(is_site(during.evidence[p]));
        CHECK(after.evidence[p] == Change::no_evidence);
    }
}

TEST_CASE("cold: what is green again for good after a year is no site any more") {
    auto land = landscape();
    land.dates = every(6, "2019-01-03", "2026-12-20");
    const Date again = day("2024-10-01");  // a model of the open ground needs a year
    land.pixels = {[again](Date d) { return d < opened || d >= again ? forest(d) : subsoil; }};
    const Follower f(watched, "cold");
    CHECK(is_site(f.seen_on(land, day("2024-09-25")).evidence[0]));
    CHECK(f.seen_on(land, day("2026-12-20")).evidence[0] == Change::no_evidence);
}

TEST_CASE("season: a field that is bare when it always is, is not odd") {
    const auto land = landscape();
    const Follower f(watched, "season");
    for (const char* text : {"2021-06-20", "2021-11-01", "2022-06-20", "2023-11-20"}) {
        CAPTURE(text);
        const Change c = f.seen_on(land, day(text));
        for (std::size_t p = a_field; p < land.pixels.size(); p += kinds) CHECK_FALSE(is_site(c.evidence[p]));
    }
}

TEST_CASE("published methods: batches leave no trace, and a cloudy end says not observed") {
    auto land = landscape();
    land.all_cloud_from = day("2023-07-01");
    for (const std::string method : methods) {
        CAPTURE(method);
        const Follower f(watched, method);
        const std::size_t n = land.dates.size();
        const auto once = f.follow(land, {n}), twice = f.follow(land, {n / 2, n});
        CHECK(once.planes == twice.planes);
        CHECK(once.planes.size() * 2 == f.detector->needs().state_bytes_per_pixel);
        const Change c = f.report(once, day("2023-11-20"), 100);
        CHECK(std::all_of(c.evidence.begin(), c.evidence.end(),
                          [](auto e) { return e == Change::unobserved; }));
        const Change longer = f.report(once, day("2023-11-20"), 200);
        CHECK(is_site(longer.evidence[a_site]));
    }
}

TEST_CASE("cold: four bands are tested with the quantile of as many, and Tmask looks at near infrared") {
    auto land = landscape();
    land.four_bands = true;
    const Follower f(watched, "cold");
    const auto state = f.follow(land, {land.dates.size()});
    const Change c = f.report(state, land.dates.back());

    std::vector<std::int32_t> days;
    std::vector<float> values(4 * land.dates.size());
    std::vector<Look> looks;
    for (std::size_t i = 0; i < land.dates.size(); ++i) {
        const Image image = land.draw(i);
        days.push_back(image.date.days() + 719163);  // the core counts from the year 1
        looks.push_back(image.pixels.quality()[a_site] == Quality::clear ? Look::clear : Look::hidden);
        for (std::size_t b = 0; b < 4; ++b)
            values[b * land.dates.size() + i] =
                static_cast<float>(image.pixels.plane(static_cast<int>(b))[a_site]) - 1000;
    }
    ColdOptions o;
    o.test_bands = {1, 2, 3};
    o.tmask_bands = {1, 3};
    o.change_threshold = 11.3449;   // χ² of three at 0.99
    o.outlier_threshold = 25.9017;  // and at 1 − 10⁻⁵
    o.reflective_bands = 4;
    std::vector<ColdSegment> segments;
    Cold(days, 4, o).run(values, looks, segments);
    const auto it = std::find_if(segments.begin(), segments.end(), [](const ColdSegment& s) {
        return s.change_probability == 100 && s.break_day >= watched.days() + 719163;
    });
    REQUIRE(it != segments.end());
    CHECK(c.onset_to[a_site] == it->break_day - 719163);
    CHECK(c.onset_from[a_site] == it->last_day - 719163);
    CHECK(state.planes[plane(f, "alarm")][a_site] == it->confirmed_day - 719163);
}

TEST_CASE("cold: every break counts when the direction does not, but not what grows again") {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2023-11-20");
    // Forest that dries: redder, and not bare.
    land.pixels.emplace_back([](Date d) { return mixed(field_soil, leaves, d < opened ? 0.95 : 0.60); });
    land.pixels.emplace_back([](Date d) { return mixed(field_soil, leaves, d < opened ? 0.30 : 0.95); });
    Follower f(watched, "cold");
    const Change c = f.seen_on(land, day("2023-11-20"));
    CHECK(is_site(c.evidence[0]));
    CHECK(c.kind[0] == ChangeKind::surface);
    CHECK_FALSE(is_site(c.evidence[1]));
    f.options["direction"] = 1;
    CHECK_FALSE(is_site(f.seen_on(land, day("2023-11-20")).evidence[0]));
}

TEST_CASE("mosum: a window without a critical value is refused in words") {
    const auto land = landscape();
    Follower f(watched, "mosum");
    f.options["window"] = 0.3;
    CHECK_THROWS_WITH_AS(f.seen_on(land, day("2023-11-20")),
                         doctest::Contains("no critical value for a MOSUM window of 0.3"), Error);
}

TEST_CASE("mosum and season: without green, or blue and swir16, there is no index of bare ground") {
    const std::array red_nir{Band::red, Band::nir};
    for (const std::string method : {"mosum", "season"}) {
        const Follower f(watched, method);
        CHECK_THROWS_WITH_AS(static_cast<void>(f.detector->bands(red_nir)),
                             doctest::Contains("too few bands in common"), Error);
    }
}
