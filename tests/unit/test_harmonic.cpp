// SPDX-License-Identifier: Apache-2.0
// The series detector through its interface: ground that does what it always did stays without evidence,
// opened ground gets it with the true day in its interval, and batches leave no trace (`algorithms.md` O18).
#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/series_pixels.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

const Date watched = day("2021-01-01"), opened = day("2022-05-20"), green_again = day("2022-09-10");

Spectrum forest(Date) {
    return mixed(field_soil, leaves, 0.95);
}
Spectrum field(Date d) {
    return mixed(field_soil, leaves, std::min(double_crop(d), 1.0));
}
// No wheat from autumn 2021 to June 2022.
Spectrum fallow(Date d) {
    const bool skipped = d >= day("2021-10-01") && d < day("2022-06-20");
    return mixed(field_soil, leaves, std::min(double_crop(d, !skipped), 1.0));
}

enum Kind : std::size_t {
    a_field,
    a_forest,
    a_rock,
    a_lake,
    a_fallow,
    a_site,
    a_site_in_field,
    a_reverted,
    kinds
};

// Each kind in `copies` pixels, with clouds and noise of their own.
Landscape landscape(std::size_t copies = 5) {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2023-11-20");
    const std::array<Ground, kinds> grounds = {
        field,
        forest,
        [](Date) { return rock; },
        [](Date) { return lake; },
        fallow,
        [](Date d) { return d < opened ? forest(d) : subsoil; },
        [](Date d) { return d < opened ? field(d) : subsoil; },
        [](Date d) { return d < opened || d >= green_again ? forest(d) : subsoil; }};
    for (std::size_t c = 0; c < copies; ++c)
        land.pixels.insert(land.pixels.end(), grounds.begin(), grounds.end());
    return land;
}

std::vector<std::string> dates(std::initializer_list<const char*> list) {
    return {list.begin(), list.end()};
}

std::size_t kind_of(std::size_t pixel) {
    return pixel % kinds;
}

void check_same(const Change& a, const Change& b) {
    CHECK(a.window == b.window);
    CHECK(a.evidence == b.evidence);
    CHECK(a.confidence == b.confidence);
    CHECK(a.magnitude == b.magnitude);
    CHECK(a.onset_from == b.onset_from);
    CHECK(a.onset_to == b.onset_to);
    CHECK(a.kind == b.kind);
    CHECK(a.history.values == b.history.values);
}

bool any_evidence(const Change& c) {
    return std::any_of(c.evidence.begin(), c.evidence.end(),
                       [](auto e) { return e != Change::unobserved && e > Change::evidence_zero; });
}

std::vector<std::size_t> parts(std::size_t looks, std::size_t n) {
    std::vector<std::size_t> ends;
    for (std::size_t i = 1; i <= n; ++i) ends.push_back(looks * i / n);
    return ends;
}

}  // namespace

TEST_CASE("harmonic: ground that does what it always did has next to no evidence on any day") {
    const auto land = landscape();
    const Follower f(watched);
    REQUIRE(f.detector != nullptr);
    for (const char* text :
         {"2021-04-20", "2021-10-20", "2022-06-10", "2022-12-31", "2023-06-15", "2023-11-20"}) {
        CAPTURE(text);
        const Change c = f.seen_on(land, day(text));
        for (std::size_t p = 0; p < land.pixels.size(); ++p)
            if (kind_of(p) <= a_lake) {
                CAPTURE(p);
                // One of the statistic: a third of what is watched.
                CHECK(c.evidence[p] < Change::stored(-1.4));
            }
    }
}

TEST_CASE("harmonic: a field that lies fallow for a season is no site") {
    const auto land = landscape();
    const Follower f(watched);
    for (const char* text :
         {"2022-01-20", "2022-03-20", "2022-05-01", "2022-06-10", "2022-09-01", "2023-11-20"}) {
        CAPTURE(text);
        const Change c = f.seen_on(land, day(text));
        for (std::size_t p = a_fallow; p < land.pixels.size(); p += kinds) {
            CAPTURE(p);
            CHECK(c.evidence[p] != Change::unobserved);
            // Not suspected, which begins at 4 of the statistic: alone it is nothing, beside ground of the
            // same field it may speak.
            CHECK(c.evidence[p] < Change::stored(-1.12));
        }
    }
}

TEST_CASE("harmonic: forest opened to bright subsoil is found, and the day lies in the interval") {
    const auto land = landscape();
    const Follower f(watched);
    const std::set<std::int32_t> looks = [&] {
        std::set<std::int32_t> s;
        for (const Date d : land.dates) s.insert(d.days());
        return s;
    }();
    for (const auto& text : dates({"2022-08-20", "2022-12-31", "2023-11-20"})) {
        CAPTURE(text);
        const Change c = f.seen_on(land, day(text));
        for (const Kind kind : {a_site, a_site_in_field})
            for (std::size_t p = kind; p < land.pixels.size(); p += kinds) {
                CAPTURE(p);
                CHECK(c.evidence[p] > Change::evidence_zero);
                CHECK(c.confidence[p] > 5000);
                // Standard deviations × 100; a field's two crops leave the model a wide spread.
                CHECK(c.magnitude[p] > (kind == a_site ? 300 : 150));
                CHECK(c.onset_from[p] < opened.days());
                CHECK(c.onset_to[p] >= opened.days());
                CHECK(looks.contains(c.onset_from[p]));
                CHECK(looks.contains(c.onset_to[p]));
                CHECK(c.onset_to[p] - c.onset_from[p] < 60);
                CHECK(c.kind[p] == ChangeKind::vegetation_to_bare);
            }
    }
    const Change before = f.seen_on(land, Date(opened.days() - 1));
    for (std::size_t p = a_site; p < land.pixels.size(); p += kinds)
        CHECK(before.evidence[p] == Change::no_evidence);
}

// The looks that an onset is weighed by are kept until the ground is confirmed.
TEST_CASE("harmonic: how soon ground is suspected does not change when it is said to have been opened") {
    const auto land = landscape();
    Follower soon(watched), late(watched);
    soon.options["suspect"] = 4;
    late.options["suspect"] = late.options["confirm"] - 0.1;
    const Change a = soon.seen_on(land, day("2023-11-20")), b = late.seen_on(land, day("2023-11-20"));
    const auto kept = [&](const Follower& f) {
        const auto names = f.detector->state_bands();
        const auto plane = std::find(names.begin(), names.end(), "skip_run") - names.begin();
        return f.follow(land, {land.dates.size()}).planes.at(static_cast<std::size_t>(plane));
    };
    const auto looks = kept(soon), all = kept(late);
    for (const Kind kind : {a_site, a_site_in_field})
        for (std::size_t p = kind; p < land.pixels.size(); p += kinds) {
            CAPTURE(p);
            CHECK(a.onset_from[p] == b.onset_from[p]);
            CHECK(a.onset_to[p] == b.onset_to[p]);
            CHECK((looks[p] & 255) == (all[p] & 255));
        }
}

TEST_CASE("harmonic: a site that is green again on two looks 15 days apart is none any more") {
    const auto land = landscape();
    const Follower f(watched);
    const Change during = f.seen_on(land, day("2022-09-01")), after = f.seen_on(land, day("2022-12-31"));
    for (std::size_t p = a_reverted; p < land.pixels.size(); p += kinds) {
        CAPTURE(p);
        CHECK(during.evidence[p] > Change::evidence_zero);
        CHECK(after.evidence[p] == Change::no_evidence);
        CHECK(after.confidence[p] == 0);
    }
}

TEST_CASE("harmonic: of a run that is over nothing is kept, and of one that goes on all its looks") {
    const auto land = landscape();
    const Follower f(watched);
    const auto state = f.follow(land, {land.dates.size()});
    const auto names = f.detector->state_bands();
    const auto plane = [&](const std::string& name) -> const auto& {
        return state.planes.at(
            static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
    };
    std::size_t over = 0, on = 0;
    for (std::size_t p = 0; p < land.pixels.size(); ++p) {
        CAPTURE(p);
        const int run = plane("skip_run")[p] & 255;
        ++(run == 0 ? over : on);
        CHECK((plane("first")[p] == 0) == (run == 0));
        CHECK((plane("before")[p] == 0) == (run == 0));
        CHECK(((plane("brightness_spread_mean_index")[p] & 255) == 0 || run > 0));
        for (int k = 0; k < 8; ++k) {
            const auto look = plane("ring_" + std::to_string(k + 1))[p];
            CHECK((look == 0 || k < run));
            if (k > 0) CHECK(((look >> 8) > 0) == (k < run));  // days since the look before
        }
    }
    CHECK(over > 0);
    CHECK(on > 0);
}

TEST_CASE("harmonic: between two lessons looks alter no plane but those that say so") {
    const auto land = landscape();
    const Follower f(watched);
    const auto until = [&](const std::string& text) {
        return static_cast<std::size_t>(std::lower_bound(land.dates.begin(), land.dates.end(), day(text)) -
                                        land.dates.begin());
    };
    const auto early = f.follow(land, {until("2021-02-01")}), late = f.follow(land, {until("2021-11-01")});
    std::size_t altered = 0;
    for (std::size_t k = 0; k < late.planes.size(); ++k) {
        CAPTURE(f.detector->state_bands()[k]);
        if (f.detector->alters_with_looks(k))
            altered += early.planes[k] != late.planes[k] ? 1U : 0U;
        else
            CHECK(early.planes[k] == late.planes[k]);
    }
    CHECK(altered > 15);
}

TEST_CASE("harmonic O18: looks in 1, 2, 3 or 7 batches, or one by one, give the same bits") {
    for (const bool four_bands : {false, true}) {
        CAPTURE(four_bands);
        auto land = landscape(2);  // 16 pixels and, with the one below, 17: a full block and one lane
        land.pixels.push_back(field);
        land.four_bands = four_bands;
        const Follower f(watched);
        const std::size_t n = land.dates.size();
        const auto once = f.follow(land, {n});
        const Change said = f.report(once, land.dates.back());
        REQUIRE(any_evidence(said));
        for (const std::size_t batches : {std::size_t{2}, std::size_t{3}, std::size_t{7}, n}) {
            CAPTURE(batches);
            const auto state = f.follow(land, parts(n, batches));
            REQUIRE(state.planes.size() == once.planes.size());
            for (std::size_t k = 0; k < state.planes.size(); ++k) {
                CAPTURE(f.detector->state_bands()[k]);
                CHECK(state.planes[k] == once.planes[k]);
            }
            check_same(f.report(state, land.dates.back()), said);
        }
    }
}

TEST_CASE("harmonic O18: a cut on each side of a yearly renewal, and half a year without any look") {
    auto land = landscape(1);
    std::erase_if(land.dates, [](Date d) { return d >= day("2022-06-15") && d < day("2023-02-01"); });
    Follower f(watched);
    // With half a year of history the renewal of January 2023 has nothing to learn from.
    for (const double history : {3.0, 0.5}) {
        CAPTURE(history);
        f.options["history_years"] = history;
        const std::size_t n = land.dates.size();
        const auto once = f.follow(land, {n});
        const auto first_of = [&](const std::string& text) {
            return static_cast<std::size_t>(
                std::lower_bound(land.dates.begin(), land.dates.end(), day(text)) - land.dates.begin());
        };
        for (const auto& text :
             dates({"2020-06-01", "2021-01-01", "2021-01-08", "2023-02-01", "2023-02-10"})) {
            CAPTURE(text);
            for (const std::size_t cut : {first_of(text), first_of(text) + 1}) {
                const auto state = f.follow(land, {cut, n});
                for (std::size_t k = 0; k < state.planes.size(); ++k) {
                    CAPTURE(f.detector->state_bands()[k]);
                    CHECK(state.planes[k] == once.planes[k]);
                }
            }
        }
    }
}

TEST_CASE("harmonic O18: a batch of nothing but cloud leaves the state as it was") {
    auto land = landscape(2);
    land.all_cloud_from = day("2023-06-01");
    const Follower f(watched);
    const auto clear = static_cast<std::size_t>(
        std::lower_bound(land.dates.begin(), land.dates.end(), land.all_cloud_from) - land.dates.begin());
    auto state = f.follow(land, {clear});
    const auto planes = state.planes;
    f.advance(land, clear, land.dates.size(), state);
    CHECK(state.planes == planes);
    f.advance(land, land.dates.size(), land.dates.size(), state);  // nothing new at all
    CHECK(state.planes == planes);
    const Date before = land.dates[clear - 1];
    const Change then = f.report(state, before);
    CHECK(any_evidence(then));
    // Silence is not compliance: of a quarter of cloud nothing is said.
    const Change now = f.report(state, land.dates.back());
    CHECK(std::all_of(now.evidence.begin(), now.evidence.end(),
                      [](auto e) { return e == Change::unobserved; }));
    CHECK(std::all_of(now.confidence.begin(), now.confidence.end(), [](auto v) { return v == 0; }));
}

TEST_CASE("harmonic: what is told while looks are taken in is what the state says afterwards") {
    auto land = landscape(2);  // one vector of pixels, and one that is not full
    land.pixels.push_back(field);
    Follower f(watched);
    const std::size_t n = land.dates.size();
    const auto at = [&](const char* text) {
        return static_cast<std::size_t>(std::lower_bound(land.dates.begin(), land.dates.end(), day(text)) -
                                        land.dates.begin());
    };
    // Of the last looks some pixels, and in the very last weeks all, are under cloud.
    land.cloudy_pixel = a_site_in_field;
    land.cloudy_from = day("2022-08-01");
    land.all_cloud_from = day("2023-10-01");
    // History alone; on its first watched looks; in the middle of a site; many looks with a lesson between
    // them; nothing but cloud; nothing at all.
    for (const std::size_t cut : {at("2020-10-01"), at("2021-01-20"), at("2022-07-01"), at("2023-10-01"), n})
        for (const std::size_t from : {std::size_t{0}, at("2020-10-01"), at("2022-06-01"), cut}) {
            if (from > cut) continue;
            CAPTURE(cut);
            CAPTURE(from);
            auto state = f.follow(land, {from});
            f.times.report_to = land.dates[cut - 1];
            f.times.report_from = Date(f.times.report_to.days() - 119);
            Change told({0, 0, 3, 2});  // of another window: its memory is used again
            MemoryLooks looks(land, cut, from);
            f.detector->advance_and_report(looks, f.times, f.options, state, told);
            check_same(told, f.report(f.follow(land, {cut}), land.dates[cut - 1]));
        }
}

TEST_CASE("harmonic: a pixel without a clear look since report_from is unobserved, its neighbours are not") {
    auto land = landscape(1);
    land.cloudy_pixel = a_site;
    land.cloudy_from = day("2023-07-01");
    const Follower f(watched);
    const auto state = f.follow(land, {land.dates.size()});
    const Change c = f.report(state, land.dates.back());
    for (std::size_t p = 0; p < land.pixels.size(); ++p) {
        CAPTURE(p);
        CHECK((c.evidence[p] == Change::unobserved) == (p == a_site));
    }
    CHECK(c.onset_to[a_site] == 0);
    // The evidence is kept: asked since earlier, it is there.
    CHECK(f.report(state, land.dates.back(), 200).evidence[a_site] > Change::evidence_zero);
    // What was never seen, or too seldom, is not judged either.
    auto never = landscape(1);
    never.cloudy_pixel = a_forest;
    never.cloudy_from = day("2019-03-01");
    CHECK(f.seen_on(never, day("2023-11-20")).evidence[a_forest] == Change::unobserved);
    CHECK(f.seen_on(never, day("2023-11-20")).evidence[a_field] == Change::no_evidence);
}

TEST_CASE("harmonic: before it watches it says nothing, and learns nothing from what lies ahead") {
    const auto land = landscape(1);
    const Follower f(watched);
    const auto history = static_cast<std::size_t>(
        std::lower_bound(land.dates.begin(), land.dates.end(), watched) - land.dates.begin());
    const auto state = f.follow(land, {history});
    for (const auto& plane : state.planes)
        CHECK(std::all_of(plane.begin(), plane.end(), [](auto v) { return v == 0; }));
    const Change c = f.report(state, land.dates[history - 1]);
    CHECK(std::all_of(c.evidence.begin(), c.evidence.end(), [](auto e) { return e == Change::unobserved; }));
}

TEST_CASE("harmonic: the days of an onset are days of looks, however sparse and uncertain these are") {
    Landscape land;
    land.dates = every(37, "2016-01-03", "2023-11-20");
    land.cloud = 0.1;
    for (std::size_t p = 0; p < 400; ++p)  // sites that come and go: half opened, given back, opened again
        land.pixels.emplace_back([p](Date d) {
            const auto month = static_cast<std::uint64_t>(d.days() / (30 + static_cast<int>(p % 5) * 20));
            const double share = d < watched ? 0 : 0.9 * chance(month, 77 + p) * chance(p, 3);
            return mixed(p % 2 == 0 ? forest(d) : field(d), p % 3 == 0 ? field_soil : subsoil, share);
        });
    const Follower f(watched);
    std::set<std::int32_t> looks;
    for (const Date d : land.dates) looks.insert(d.days());
    std::size_t judged = 0;
    for (const auto& text : dates({"2021-12-01", "2022-08-01", "2023-11-20"})) {
        const Change c = f.seen_on(land, day(text));
        for (std::size_t p = 0; p < land.pixels.size(); ++p) {
            if (c.onset_to[p] == 0) continue;
            ++judged;
            CAPTURE(p);
            CAPTURE(text);
            CHECK(looks.contains(c.onset_from[p]));
            CHECK(looks.contains(c.onset_to[p]));
            CHECK(c.onset_from[p] < c.onset_to[p]);
        }
    }
    CHECK(judged > 100);
}

TEST_CASE("harmonic: a state of at most 100 bytes a pixel, two in each named plane") {
    const Follower f(watched);
    const auto names = f.detector->state_bands();
    CHECK(f.detector->needs().state_bytes_per_pixel == 2 * names.size());
    CHECK(f.detector->needs().state_bytes_per_pixel <= 100);
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    CHECK(std::none_of(names.begin(), names.end(), [](const auto& n) { return n.empty(); }));
}
