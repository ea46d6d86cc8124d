// SPDX-License-Identifier: Apache-2.0
// How opened ground ends: built over, green again, sown again; and when it has not ended.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "support/series_pixels.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

const Date watched = day("2021-01-01"), opened = day("2022-02-10"), ended = day("2022-11-01");
constexpr Spectrum roof{0.20, 0.21, 0.22, 0.25, 0.20, 0.18};

Spectrum forest(Date) {
    return mixed(field_soil, leaves, 0.95);
}
Spectrum field(Date d) {
    return mixed(field_soil, leaves, std::min(double_crop(d), 1.0));
}

Landscape one(const Ground& ground) {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2024-06-20");
    for (int copy = 0; copy < 5; ++copy) land.pixels.push_back(ground);
    return land;
}

Ground site(const Ground& before, const Ground& after) {
    return [=](Date d) { return d < opened ? before(d) : d < ended ? subsoil : after(d); };
}

// Status and kind of each pixel on a day.
struct Seen {
    std::vector<std::string> status;
    Change change;
};
Seen on(const Landscape& land, const char* text) {
    const Follower f(watched);
    const auto n = static_cast<std::size_t>(
        std::upper_bound(land.dates.begin(), land.dates.end(), day(text)) - land.dates.begin());
    const auto state = f.follow(land, {n});
    Seen s{{}, f.report(state, land.dates[n - 1])};
    for (std::size_t p = 0; p < land.pixels.size(); ++p)
        s.status.push_back(f.detector->account(state, p, land.dates[n - 1], {}, f.options).status);
    return s;
}
std::size_t count(const Seen& s, const std::string& status) {
    return static_cast<std::size_t>(std::count(s.status.begin(), s.status.end(), status));
}

}  // namespace

TEST_CASE(
    "finished: ground that was soil and is built over for months is finished, and stays on the map as such") {
    const auto land = one(site(forest, [](Date) { return roof; }));
    const auto during = on(land, "2022-10-25");
    CHECK(count(during, "confirmed") == 5);
    for (const auto k : during.change.kind) CHECK(k == ChangeKind::vegetation_to_bare);
    // Four independent looks take 45 days at least.
    CHECK(count(on(land, "2022-12-14"), "finished") == 0);
    const auto after = on(land, "2023-05-20");
    CHECK(count(after, "finished") == 5);
    for (std::size_t p = 0; p < 5; ++p) {
        CHECK(after.change.kind[p] == ChangeKind::bare_to_built);
        CHECK(after.change.evidence[p] > Change::evidence_zero);
        CHECK(after.change.onset_to[p] == during.change.onset_to[p]);
    }
    // The next year's models are not learnt from it.
    CHECK(count(on(land, "2024-06-20"), "finished") == 5);
}

TEST_CASE("finished: ground that is opened again after it was built over is no longer finished") {
    const Date again = day("2023-08-01");
    const auto land = one(site(forest, [=](Date d) { return d < again ? roof : subsoil; }));
    CHECK(count(on(land, "2023-05-20"), "finished") == 5);
    const auto later = on(land, "2024-01-20");
    CHECK(count(later, "confirmed") == 5);
    for (const auto k : later.change.kind) CHECK(k != ChangeKind::bare_to_built);
}

TEST_CASE("finished: what was built without ever lying open is confirmed, not finished") {
    const auto land = one([](Date d) { return d < opened ? forest(d) : roof; });
    const auto after = on(land, "2023-05-20");
    CHECK(count(after, "confirmed") == 5);
    for (const auto k : after.change.kind) CHECK(k == ChangeKind::vegetation_to_built);
}

TEST_CASE("finished: green again where nobody tills is finished, on a field it may have been the field") {
    const auto woods = on(one(site(forest, forest)), "2023-05-20");
    CHECK(count(woods, "finished") == 5);
    for (const auto e : woods.change.evidence) CHECK(e < Change::evidence_zero);
    const auto sown = on(one(site(field, field)), "2023-05-20");
    CHECK(count(sown, "finished") == 0);
    CHECK(count(sown, "reverted") + count(sown, "stable") == 5);
}

TEST_CASE("finished: opened woods that are green before anything was confirmed were not works") {
    const Date soon = day("2022-02-28");
    const auto land = one([=](Date d) { return d >= opened && d < soon ? subsoil : forest(d); });
    CHECK(count(on(land, "2022-08-20"), "finished") == 0);
}

TEST_CASE("finished: batches leave no trace in what is finished") {
    const auto land = one(site(forest, [](Date) { return roof; }));
    const Follower f(watched);
    const std::size_t n = land.dates.size();
    const auto once = f.follow(land, {n});
    std::vector<std::size_t> ends(n);
    for (std::size_t i = 0; i < n; ++i) ends[i] = i + 1;
    CHECK(f.follow(land, ends).planes == once.planes);
}
