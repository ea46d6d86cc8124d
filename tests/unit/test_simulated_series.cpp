// SPDX-License-Identifier: Apache-2.0
// The simulated series keeps to what it says: climate and crops of algorithms.md §2.3 (clear views 0.13 and
// 0.36, dates of σ 12 days, 5–10 % of seasons skipped, 3 % of thin cloud and 2 % of shadow missed by the
// mask), truth that agrees with the pixels, and the same bytes whoever draws.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/masks.hpp>
#include <shuibao/algorithms/simulated_series.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::algorithms::simulated;

namespace {

Options small() {
    Options o;
    o.size = 256;
    o.seed = 5;
    o.sites = 14;
    o.old_sites = 4;
    return o;
}

// One plan and all of its pictures, drawn once for all cases.
struct Archive {
    Plan plan = make_plan(small());
    std::vector<Picture> pictures = draw_all(plan);
    static std::vector<Picture> draw_all(const Plan& plan) {
        std::vector<Picture> out(plan.looks.size());
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 2; ++t)
            threads.emplace_back([&plan, &out, t] {
                for (std::size_t i = t; i < out.size(); i += 2) out[i] = draw(plan, i);
            });
        for (auto& t : threads) t.join();
        return out;
    }
    static const Archive& get() {
        static const Archive archive;
        return archive;
    }
};

double reflectance(const Plan& plan, const Picture& p, std::size_t look, std::size_t band, std::size_t k) {
    return p.bands[band][k] / 10000.0 - (plan.looks[look].offset ? 0.1 : 0);
}

// The bare soil of algorithms.md §2.2: NDVI below 0.34 and BSI above 0.03.
bool bare_like(const Plan& plan, const Picture& p, std::size_t look, std::size_t k) {
    const auto r = [&](std::size_t b) { return reflectance(plan, p, look, b, k); };
    const double ndvi = (r(3) - r(2)) / (r(3) + r(2)),
                 bsi = ((r(4) + r(2)) - (r(3) + r(0))) / (r(4) + r(2) + r(3) + r(0));
    return ndvi < 0.34 && bsi > 0.03;
}

bool clear(const Picture& p, std::size_t k) {
    return usable(algorithms::quality_of_scl(p.scl[k]));
}

int day_in_year(int day) {
    const auto text = Date(day).iso();
    return day - Date::parse(text.substr(0, 4) + "-01-01")->days() + 1;
}

bool rainy(Date d) {
    const auto month_day = d.iso().substr(5);
    return month_day >= "06-01" && month_day <= "09-15";
}

}  // namespace

TEST_CASE("wheat is cut in early June, ± 12 days, and one season in ten to twenty is skipped") {
    const auto& land = Archive::get().plan.land;
    std::vector<double> harvests;
    double skipped = 0, all = 0;
    for (std::size_t i = 0; i < land.parcels.size(); ++i) {
        if (land.parcels[i].cover != Cover::double_crop) continue;
        for (const auto& s : land.seasons[i]) {
            const int doy = day_in_year(static_cast<int>(s.peak));
            if (doy < 60 || doy > 290) continue;  // the tillers of the wheat are no crop of their own
            ++all;
            skipped += s.skipped ? 1 : 0;
            if (!s.skipped && doy < 165) harvests.push_back(day_in_year(s.harvest));
        }
    }
    REQUIRE(harvests.size() > 500);
    double mean = 0, square = 0;
    for (const double h : harvests) mean += h / static_cast<double>(harvests.size());
    for (const double h : harvests) square += (h - mean) * (h - mean) / static_cast<double>(harvests.size());
    CHECK(mean > 150);
    CHECK(mean < 164);
    CHECK(std::sqrt(square) > 10);
    CHECK(std::sqrt(square) < 14);
    CHECK(skipped / all > 0.05);
    CHECK(skipped / all < 0.10);
}

TEST_CASE("a field is green in April, bare after the harvest and green again in August") {
    const auto& land = Archive::get().plan.land;
    int seen = 0;
    for (std::size_t i = 0; i < land.parcels.size() && seen < 50; ++i) {
        const auto& p = land.parcels[i];
        if (p.cover != Cover::double_crop) continue;
        const auto& list = land.seasons[i];
        for (std::size_t j = 0; j + 1 < list.size(); ++j) {
            const auto &wheat = list[j], &maize = list[j + 1];
            const int doy = day_in_year(static_cast<int>(wheat.peak));
            if (doy < 60 || doy > 165 || wheat.skipped || maize.skipped || wheat.fire > 0) continue;
            ++seen;
            CHECK(state_of(p, list, static_cast<int>(wheat.peak)).green > 0.5F * p.vigour);
            const auto stubble = state_of(p, list, wheat.harvest + 3);
            CHECK(stubble.green < 0.2F);
            CHECK(stubble.straw > 0.2F);
            CHECK(state_of(p, list, static_cast<int>(maize.peak)).green > 0.5F * p.vigour);
        }
    }
    CHECK(seen >= 50);
}

TEST_CASE("clear views by season, and the mistakes of the mask") {
    const auto& a = Archive::get();
    std::map<bool, std::pair<double, int>> share;
    double seen = 0, cloud = 0, shadow = 0, called = 0;
    for (std::size_t i = 0; i < a.pictures.size(); ++i) {
        const auto& p = a.pictures[i];
        auto& [sum, n] = share[rainy(a.plan.looks[i].date)];
        sum += static_cast<double>(p.clear + p.snow + p.false_cloud) / static_cast<double>(p.data);
        ++n;
        seen += static_cast<double>(p.clear);
        cloud += static_cast<double>(p.missed_cloud);
        shadow += static_cast<double>(p.missed_shadow);
        called += static_cast<double>(p.false_cloud);
        CHECK(p.clear == std::count_if(p.scl.begin(), p.scl.end(), [](std::uint16_t code) {
                  return usable(algorithms::quality_of_scl(code));
              }));
    }
    CHECK(share[true].first / share[true].second == doctest::Approx(0.13).epsilon(0.15));
    CHECK(share[false].first / share[false].second == doctest::Approx(0.36).epsilon(0.08));
    CHECK(cloud / seen > 0.02);
    CHECK(cloud / seen < 0.04);
    CHECK(shadow / seen > 0.013);
    CHECK(shadow / seen < 0.03);
    CHECK(called > 0);
}

TEST_CASE("ground is bare from the day the truth says, and was not before") {
    const auto& a = Archive::get();
    const auto n = static_cast<std::size_t>(a.plan.options.size);
    const int from = a.plan.options.from.days();
    double after = 0, bare_after = 0, before = 0, bare_before = 0, sites = 0;
    for (std::size_t s = 0; s < a.plan.sites.size(); ++s) {
        const auto& site = a.plan.sites[s];
        if (site.old || site.fate != Fate::open) continue;
        ++sites;
        for (const auto& run : site.segment.runs)
            for (auto x = run.col; x < run.end; ++x) {
                const auto k = static_cast<std::size_t>(run.row) * n + static_cast<std::size_t>(x);
                if (run.row < 2 || x < 2 || run.row + 2 >= a.plan.options.size ||
                    x + 2 >= a.plan.options.size)
                    continue;
                int last = 0, first = 32767;  // over the neighbourhood that a scene one pixel off shows
                bool inside = true;
                for (std::size_t j : {k - 2 * n, k - n, k, k + n, k + 2 * n})
                    for (std::size_t i = j - 2; i <= j + 2; ++i) {
                        inside = inside && a.plan.site[i] == static_cast<int>(s);
                        last = std::max<int>(last, a.plan.opened[i]);
                        first = std::min<int>(first, a.plan.opened[i]);
                    }
                if (!inside) continue;
                for (std::size_t i = 0; i < a.pictures.size(); ++i) {
                    const int day = a.plan.looks[i].date.days() - from;
                    if (!clear(a.pictures[i], k)) continue;
                    if (day >= last) {
                        ++after;
                        bare_after += bare_like(a.plan, a.pictures[i], i, k) ? 1 : 0;
                    } else if (day < first) {
                        ++before;
                        bare_before += bare_like(a.plan, a.pictures[i], i, k) ? 1 : 0;
                    }
                }
            }
    }
    REQUIRE(sites >= 2);
    REQUIRE(after > 100);
    // What is missing is thin cloud and shadow that the mask overlooked.
    CHECK(bare_after / after > 0.94);
    CHECK(bare_before / before < 0.75);
}

TEST_CASE("sites open in the monitored time, old ones before it, and grow as their dates say") {
    const auto& plan = Archive::get().plan;
    const int from = plan.options.from.days();
    std::size_t old = 0;
    for (std::size_t s = 0; s < plan.sites.size(); ++s) {
        const auto& site = plan.sites[s];
        old += site.old ? 1 : 0;
        CHECK((site.onset >= plan.options.monitor_from.days()) == !site.old);
        int first = 1 << 20, last = -(1 << 20);
        std::int64_t pixels = 0;
        for (const auto& run : site.segment.runs)
            for (auto x = run.col; x < run.end; ++x) {
                const auto k = static_cast<std::size_t>(run.row * plan.options.size + x);
                REQUIRE(plan.site[k] == static_cast<int>(s));
                first = std::min<int>(first, plan.opened[k] + from);
                last = std::max<int>(last, plan.opened[k] + from);
                ++pixels;
                if (site.old) CHECK(plan.land.cover[k] == Cover::old_site);
            }
        CHECK(first == site.onset);
        CHECK(last == site.complete);
        CHECK(pixels == site.segment.pixels);
        CHECK(site.complete <= plan.options.to.days());
        if (site.reverted) CHECK(*site.reverted > site.complete);
    }
    CHECK(old == 4);
    CHECK(plan.sites.size() == 18);
}

TEST_CASE("the same options give the same bytes; another seed does not") {
    const auto& a = Archive::get();
    const Plan again = make_plan(small());
    for (const std::size_t i : {std::size_t{3}, a.pictures.size() / 2, a.pictures.size() - 1}) {
        const auto p = draw(again, i);
        CHECK(p.bands == a.pictures[i].bands);
        CHECK(p.scl == a.pictures[i].scl);
    }
    Options other = small();
    other.seed = 6;
    CHECK(make_plan(other).land.cover != a.plan.land.cover);
}

TEST_CASE("offset, swath edge and the badly calibrated look are what the plan says they are") {
    Options o = small();
    o.size = 128;
    o.sites = o.old_sites = 0;
    o.offset_from = o.from;
    const Plan with = make_plan(o);
    o.offset_from = Date(o.to.days() + 1);
    const Plan without = make_plan(o);
    const auto a = draw(with, 7), b = draw(without, 7);
    // Both are truncated to whole numbers, and floats near 3000 hold a quarter of a thousandth.
    for (std::size_t k = 0; k < a.bands[2].size(); k += 37)
        CHECK(std::abs(a.bands[2][k] - b.bands[2][k] - 1000) <= 1);

    o.miscalibrated = true;
    const Plan wrong = make_plan(o);
    std::size_t found = wrong.looks.size();
    for (std::size_t i = 0; i < wrong.looks.size(); ++i)
        if (wrong.looks[i].miscalibrated) {
            CHECK(found == wrong.looks.size());
            found = i;
        }
    REQUIRE(found < wrong.looks.size());
    CHECK(wrong.looks[found].date >= o.monitor_from);
    CHECK(wrong.looks[found].clear > 0.9F);
    const auto right = draw(without, found), bad = draw(wrong, found);
    double difference = 0;
    for (std::size_t k = 0; k < right.bands[3].size(); ++k)
        difference += (bad.bands[3][k] - right.bands[3][k]) / static_cast<double>(right.bands[3].size());
    CHECK(difference == doctest::Approx(1000).epsilon(0.03));

    int cut = 0;
    for (std::size_t i = 0; i < with.looks.size(); ++i) {
        if (with.looks[i].swath_x <= 0) continue;
        ++cut;
        const auto p = draw(with, i);
        CHECK(p.data > 128 * 128 / 5);
        CHECK(p.data < 128 * 128 * 9 / 10);
        CHECK(std::count(p.scl.begin(), p.scl.end(), 0) == 128 * 128 - p.data);
        CHECK(std::count(p.bands[0].begin(), p.bands[0].end(), 0) == 128 * 128 - p.data);
    }
    CHECK(cut == 2);
}

TEST_CASE("look-alikes lie inside the archive, on fields where fields are meant, and clear of sites") {
    const auto& plan = Archive::get().plan;
    std::map<std::string, int> kinds;
    for (const auto& l : look_alikes(plan)) {
        const std::string kind = l.kind;
        ++kinds[kind];
        CHECK(l.from >= plan.options.from.days());
        CHECK(l.to <= plan.options.to.days());
        CHECK(l.from < l.to);
        for (const auto& run : l.segment.runs) {
            const auto k = static_cast<std::size_t>(run.row * plan.options.size + run.col);
            CHECK((plan.site[k] < 0) == (kind != "old_site"));
            if (kind == "skipped_season" || kind == "fire" || kind == "idle")
                CHECK(is_field(plan.land.cover[k]));
        }
    }
    for (const char* kind : {"skipped_season", "idle", "fire", "greenhouse", "drawdown", "old_site"}) {
        INFO(kind);
        CHECK(kinds[kind] > 0);
    }
}

namespace {

// On days 100, 105, 110, 115.
Plan plan_of_four_looks() {
    Plan plan;
    for (int day : {100, 105, 110, 115}) {
        Look l;
        l.date = Date(day);
        plan.looks.push_back(l);
    }
    return plan;
}

}  // namespace

TEST_CASE("the first clear view counts half of the ground that was open by then, after the onset") {
    Plan plan = plan_of_four_looks();
    Site s;
    s.onset = 100;
    plan.sites.push_back(s);
    using View = Picture::SiteView;
    CHECK(first_clear(plan, 0, {{View{4, 4}}, {View{9, 4}}, {View{20, 10}}, {View{20, 20}}}) == Date(110));
    CHECK_FALSE(first_clear(plan, 0, {{View{4, 4}}, {View{9, 4}}, {View{20, 9}}, {View{20, 0}}}).has_value());
}

TEST_CASE("clear looks are counted over all pixels that a site has in the end") {
    Plan plan = plan_of_four_looks();
    Site s;
    s.segment.pixels = 20;
    plan.sites.push_back(s);
    s.reverted = 110;
    plan.sites.push_back(s);
    using View = Picture::SiteView;
    const std::vector<std::vector<View>> views = {
        {{4, 4}, {4, 4}}, {{9, 0}, {9, 9}}, {{20, 15}, {20, 20}}, {{20, 10}, {20, 0}}};
    CHECK(clear_looks(plan, 0, views) == 1.5);
    CHECK(clear_looks(plan, 1, views) == 0.7);  // 13 of 20
}

TEST_CASE("dates that leave nothing to simulate are refused with what to do") {
    Options o = small();
    o.monitor_from = Date(o.to.days() - 10);
    try {
        (void)make_plan(o);
        FAIL("accepted");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::usage);
        CHECK(std::string(e.what()) ==
              "Sites cannot begin to open on 2023-12-21 in an archive from 2021-01-01 to 2023-12-31.");
        CHECK(e.hint() == "Give simulate.monitor_from inside the archive, at least 46 days before its end.");
    }
}
