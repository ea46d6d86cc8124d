// SPDX-License-Identifier: Apache-2.0
// Injected sites: drawn as documented (injection.hpp), laid in as the mean of what was and soil, by open
// share.
#include <algorithm>
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include <shuibao/algorithms/injection.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

InjectionOptions options() {
    return {.seed = 4, .first = *Date::parse("2023-01-01"), .last = *Date::parse("2023-12-31")};
}

Image meadow(const Window& w, Date day) {
    Image image;
    image.date = day;
    image.bands = {Band::blue, Band::red, Band::nir, Band::cirrus};
    image.scaling.assign(4, {1e-4F, -0.1F});
    image.pixels = Block<std::uint16_t>(w, 4);
    const std::array<std::uint16_t, 4> stored = {1400, 1500, 5000, 1020};
    for (int b = 0; b < 4; ++b)
        for (auto& v : image.pixels.plane(b)) v = stored[static_cast<std::size_t>(b)];
    std::fill(image.pixels.quality().begin(), image.pixels.quality().end(), Quality::clear);
    return image;
}

}  // namespace

TEST_CASE(
    "injection: sizes are log-uniform, shapes in their shares, onsets in the period, and numbers do not "
    "depend on order") {
    const auto o = options();
    std::map<SiteShape, int> shapes;
    int small = 0, grown_at_once = 0;
    constexpr int n = 1500;
    for (int i = 0; i < n; ++i) {
        const auto s = draw_site(o, static_cast<std::uint64_t>(i));
        ++shapes[s.shape];
        CHECK(s.onset >= o.first);
        CHECK(s.onset <= o.last);
        CHECK(s.growth >= 0);
        CHECK(s.growth <= o.longest_growth);
        CHECK(s.area > 0.6 * o.min_area);
        CHECK(s.area < 1.5 * o.max_area);
        small += s.area < 10'000 ? 1 : 0;  // half of the logarithm's range
        grown_at_once += s.growth == 0 ? 1 : 0;
        // All is open at the end, a part at the beginning, none before.
        double before = 0, start = 0, end = 0;
        for (std::size_t p = 0; p < static_cast<std::size_t>(s.cols * s.rows); ++p) {
            before += static_cast<double>(s.share(p, Date(s.onset.days() - 1)));
            start += static_cast<double>(s.share(p, s.onset));
            end += static_cast<double>(s.share(p, Date(s.onset.days() + s.growth)));
        }
        CHECK(before == 0);
        CHECK(start > 0);
        CHECK(start <= end);
        CHECK(end * o.gsd * o.gsd == doctest::Approx(s.area));
    }
    CHECK(shapes[SiteShape::compact] == doctest::Approx(0.45 * n).epsilon(0.12));
    CHECK(shapes[SiteShape::platform] == doctest::Approx(0.35 * n).epsilon(0.12));
    CHECK(shapes[SiteShape::strip] == doctest::Approx(0.20 * n).epsilon(0.2));
    CHECK(small == doctest::Approx(0.5 * n).epsilon(0.12));
    CHECK(grown_at_once < n / 20);
    const auto again = draw_site(o, 7);
    CHECK(again.opens == draw_site(o, 7).opens);
    auto other = o;
    other.seed = 5;
    CHECK(again.opens != draw_site(other, 7).opens);
}

TEST_CASE("injection: a pixel becomes the mean by open share; masks, cirrus and what lies outside stay") {
    const auto site = draw_site(options(), 3);
    const Window w{100, 200, site.cols + 6, site.rows + 6};
    const Date end(site.onset.days() + site.growth);
    const Image was = meadow(w, end);
    Image is = was;
    is.pixels.quality()[5] = Quality::cloud;
    lay_into(site, w.col + 3, w.row + 3, is);
    CHECK(is.pixels.quality()[5] == Quality::cloud);
    CHECK(std::equal(is.pixels.plane(3).begin(), is.pixels.plane(3).end(), was.pixels.plane(3).begin()));
    int full = 0, mixed = 0;
    for (std::int64_t y = 0; y < w.rows; ++y)
        for (std::int64_t x = 0; x < w.cols; ++x) {
            const auto i = static_cast<std::size_t>(y * w.cols + x);
            const bool in = x >= 3 && y >= 3 && x < site.cols + 3 && y < site.rows + 3;
            const float open =
                in ? site.share(static_cast<std::size_t>((y - 3) * site.cols + x - 3), end) : 0.0F;
            const double red = is.pixels.plane(1)[i] * 1e-4 - 0.1, nir = is.pixels.plane(2)[i] * 1e-4 - 0.1;
            if (open == 0) {
                CHECK(is.pixels.plane(1)[i] == was.pixels.plane(1)[i]);
            } else {
                // One factor for wetness and roughness in all bands: solve it from red, predict near
                // infrared.
                const double soil =
                    (red - (1 - static_cast<double>(open)) * 0.05) / static_cast<double>(open);
                const double factor = soil / static_cast<double>(site.soil[2]);
                CHECK(factor > 0.5);
                CHECK(factor < 1.3);
                const double wanted = (1 - static_cast<double>(open)) * 0.4 +
                                      static_cast<double>(open) * factor * static_cast<double>(site.soil[3]);
                CHECK(nir == doctest::Approx(wanted).epsilon(0.02));
                ++(open == 1 ? full : mixed);
            }
        }
    CHECK(full > 0);
    CHECK(mixed > 0);
    Image early = meadow(w, Date(site.onset.days() - 1));
    const Image before = early;
    lay_into(site, w.col + 3, w.row + 3, early);
    CHECK(std::equal(early.pixels.plane(1).begin(), early.pixels.plane(1).end(),
                     before.pixels.plane(1).begin()));
}

TEST_CASE("injection: land by the NDVI of its looks") {
    CHECK(land_stratum({}) == LandStratum::unseen);
    CHECK(land_stratum({0.1, 0.2, 0.15, 0.3}) == LandStratum::open);
    CHECK(land_stratum({0.7, 0.65, 0.8, 0.72, 0.6}) == LandStratum::evergreen);
    CHECK(land_stratum({0.2, 0.7, 0.8, 0.25, 0.6, 0.75}) == LandStratum::field);
    CHECK(land_stratum({0.38, 0.7, 0.8, 0.42, 0.6, 0.75}) == LandStratum::other);
}
