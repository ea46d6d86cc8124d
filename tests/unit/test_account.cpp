// SPDX-License-Identifier: Apache-2.0
// The account of one pixel is detection's own: followed alone and look by look it ends with the bits of the
// pixel in its tile (`algorithms.md` O18: split runs equal one run), and what it says agrees with the change
// map.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/series_pixels.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

const Date watched = day("2021-01-01"), opened = day("2022-05-20"), grown = day("2022-09-20");

// Twenty pixels, more than one vector holds: woods, fields, sites in both, one that grows over again.
Landscape landscape() {
    Landscape land;
    land.dates = every(6, "2019-01-03", "2023-06-20");
    const auto wood = [](Date) { return mixed(field_soil, leaves, 0.95); };
    const auto field = [](Date d) { return mixed(field_soil, leaves, std::min(double_crop(d), 1.0)); };
    for (int i = 0; i < 4; ++i) {
        land.pixels.emplace_back(wood);
        land.pixels.emplace_back(field);
        land.pixels.emplace_back([=](Date d) { return d < opened ? wood(d) : subsoil; });
        land.pixels.emplace_back([=](Date d) { return d < opened ? field(d) : subsoil; });
        land.pixels.emplace_back([=](Date d) { return d < opened || d >= grown ? wood(d) : subsoil; });
    }
    return land;
}

// One pixel of a landscape as a window of its own.
class OnePixel final : public LookSource {
  public:
    OnePixel(const Landscape& land, std::size_t pixel) {
        for (std::size_t i = 0; i < land.dates.size(); ++i) {
            const Image all = land.draw(i);
            Image one = all;
            one.pixels = Block<std::uint16_t>(
                {all.pixels.window().col + static_cast<std::int64_t>(pixel), all.pixels.window().row, 1, 1},
                all.pixels.planes());
            one.pixels.quality()[0] = all.pixels.quality()[pixel];
            for (int p = 0; p < all.pixels.planes(); ++p) one.pixels.plane(p)[0] = all.pixels.plane(p)[pixel];
            m_images.push_back(std::move(one));
        }
        m_dates = land.dates;
    }
    [[nodiscard]] std::span<const Date> dates() const override { return std::span(m_dates).first(shown); }
    [[nodiscard]] std::size_t applied() const override { return taken; }
    [[nodiscard]] const Image& read(std::size_t i) override { return m_images[i]; }
    std::size_t taken = 0, shown = 0;

  private:
    std::vector<Image> m_images;
    std::vector<Date> m_dates;
};

}  // namespace

TEST_CASE("account: a pixel followed alone ends with the bits that it has in its tile (O18)") {
    const auto land = landscape();
    const Follower f(watched);
    const auto whole = f.follow(land, {land.dates.size()});
    const auto map = f.report(whole, land.dates.back());
    bool confirmed = false, finished = false;
    for (std::size_t p = 0; p < land.pixels.size(); ++p) {
        CAPTURE(p);
        OnePixel source(land, p);
        DetectorState alone;
        alone.reset({whole.window.col + static_cast<std::int64_t>(p), whole.window.row, 1, 1},
                    whole.planes.size());
        std::vector<std::string> states;
        SeriesAccount last;
        for (std::size_t i = 0; i < land.dates.size(); ++i) {
            source.taken = i;
            source.shown = i + 1;
            f.detector->advance(source, f.times, f.options, alone);
            last = f.detector->account(alone, 0, land.dates[i], {}, f.options);
            CHECK(last.learnt == (land.dates[i] >= watched));
            if (last.learnt && (states.empty() || states.back() != last.status))
                states.push_back(last.status);
        }
        for (std::size_t plane = 0; plane < whole.planes.size(); ++plane)
            CHECK(alone.planes[plane][0] == whole.planes[plane][p]);
        const auto in_tile = f.detector->account(whole, p, land.dates.back(), {}, f.options);
        CHECK(in_tile.statistic == last.statistic);
        CHECK(in_tile.status == last.status);
        if (map.evidence[p] != Change::no_evidence && map.evidence[p] != Change::unobserved) {
            Change stored(alone.window);
            stored.set(0, last.log_odds, 0);
            CHECK(stored.evidence[0] == map.evidence[p]);
            REQUIRE(last.onset_from);
            CHECK(last.onset_from->days() == map.onset_from[p]);
            CHECK(last.onset_to->days() == map.onset_to[p]);
        }
        confirmed = confirmed || last.status == "confirmed";
        finished = finished || std::count(states.begin(), states.end(), "finished") == 1;
    }
    CHECK(confirmed);
    CHECK(finished);  // woods that grew over again
}

TEST_CASE("account: what a wood is expected to look like is what it looks like, and a site leaves the band") {
    const auto land = landscape();
    const Follower f(watched);
    const auto state = f.follow(land, {land.dates.size()});
    const auto image = land.draw(land.dates.size() - 1);
    REQUIRE(f.detector->features(image.bands) == std::vector<std::string>{"NDVI", "BSI", "ln brightness"});
    std::size_t woods = 0, sites = 0;
    for (std::size_t p = 0; p < land.pixels.size(); ++p) {
        const auto seen = f.detector->measure(image, p, image.bands);
        CHECK(seen.empty() == !usable(image.pixels.quality()[p]));
        if (seen.empty() || (p % 5 != 0 && p % 5 != 2)) continue;
        const auto a = f.detector->account(state, p, image.date, image.bands, f.options);
        REQUIRE(a.expected.size() == 3);
        CHECK(a.judged);
        CHECK(a.history_looks > 40);
        const double off = std::abs(seen[0] - a.expected[0]) / a.spread[0];
        CHECK((p % 5 == 0 ? off < 3 : off > 5));
        ++(p % 5 == 0 ? woods : sites);
    }
    CHECK(woods > 0);
    CHECK(sites > 0);
    // NDVI of the first pixel from its own stored numbers.
    const auto first = f.detector->measure(image, 0, image.bands);
    if (!first.empty()) {
        const auto value = [&](Band b) { return image.pixels.plane(image.plane_of(b))[0] * 1e-4 - 0.1; };
        CHECK(first[0] ==
              doctest::Approx((value(Band::nir) - value(Band::red)) / (value(Band::nir) + value(Band::red)))
                  .epsilon(1e-3));
    }
}

TEST_CASE("account: the levels are the options'") {
    Follower f(watched);
    f.options["confirm"] = 9;
    std::vector<std::string> names;
    double below = 0;
    for (const auto& l : f.detector->levels(f.options)) {
        names.push_back(l.name);
        CHECK(l.value == f.options.at(l.name));
        CHECK(l.value >= below);
        below = l.value;
    }
    CHECK(names == std::vector<std::string>{"watch", "suspect", "confirm", "even_level"});
}

TEST_CASE("power: as many opened pixels of woods count as sites as it says, look after look") {
    // 400 pixels of woods, all opened on one day, each with clouds and soil of its own.
    Landscape land;
    SUBCASE("all bands") {}
    SUBCASE("NDVI alone") {
        land.ndvi_alone = true;
    }
    land.dates = every(7, "2019-01-03", "2022-11-20");
    const auto bands = land.draw(0).bands;
    for (int i = 0; i < 400; ++i) {
        const double shade = 0.8 + 0.4 * chance(77, static_cast<std::uint64_t>(i));
        land.pixels.emplace_back([=](Date d) {
            if (d < opened) return mixed(field_soil, leaves, 0.95);
            Spectrum s = subsoil;
            for (double& v : s) v *= shade;
            return s;
        });
    }
    const Follower f(watched);
    const auto first = static_cast<std::size_t>(
        std::lower_bound(land.dates.begin(), land.dates.end(), opened) - land.dates.begin());
    auto state = f.follow(land, {first});
    std::vector<std::vector<Date>> clear(land.pixels.size());
    double worst = 0;
    for (std::size_t i = first; i < first + 24; ++i) {
        f.advance(land, i, i + 1, state);
        const auto image = land.draw(i);
        const auto map = f.report(state, land.dates[i], 400);
        double said = 0, is = 0;
        for (std::size_t p = 0; p < clear.size(); ++p) {
            if (usable(image.pixels.quality()[p])) clear[p].push_back(land.dates[i]);
            said += f.detector->power(clear[p], bands, f.options);
            is += map.evidence[p] >= Change::evidence_zero && map.evidence[p] != Change::unobserved ? 1 : 0;
        }
        const auto n = static_cast<double>(clear.size());
        MESSAGE(land.dates[i].iso() << " said " << said / n << " is " << is / n);
        worst = std::max(worst, std::abs(said - is) / n);
    }
    CHECK(worst < 0.12);
    CHECK(f.detector->power({}, bands, f.options) == 0);
}
