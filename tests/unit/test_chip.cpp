// SPDX-License-Identifier: Apache-2.0
// Pictures before and after: the looks that are set side by side, and one stretch for both.
#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/chip.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

ChipLook look(const char* day, double clear) {
    return {Date::parse(day).value(), clear};
}

// Three bands of one value each, physical = stored / 10 000.
Image flat(std::int64_t side, std::array<std::uint16_t, 3> blue_green_red) {
    Image image;
    image.bands = {Band::blue, Band::green, Band::red};
    image.scaling.assign(3, {1e-4F, 0});
    image.pixels = Block<std::uint16_t>({0, 0, side, side}, 3);
    for (int b = 0; b < 3; ++b)
        std::fill(image.pixels.plane(b).begin(), image.pixels.plane(b).end(),
                  blue_green_red[static_cast<std::size_t>(b)]);
    std::fill(image.pixels.quality().begin(), image.pixels.quality().end(), Quality::clear);
    return image;
}

}  // namespace

TEST_CASE("chips: the same season wins over the nearest date, a clear look over both") {
    const std::vector<ChipLook> after = {look("2024-05-20", 1)};
    const std::vector<ChipLook> before = {look("2023-05-25", 1), look("2023-11-30", 1),
                                          look("2024-02-10", 1)};
    auto choice = choose_looks(before, after);
    CHECK(choice.before == 0);  // 5 days of season + 261/12 of age, against 165 + 6 and 100
    CHECK(choice.after == 0);
    // A quarter of the picture under cloud costs 91 days: more than the season of February.
    const std::vector<ChipLook> cloudy = {look("2023-05-25", 0.6), look("2023-11-30", 1),
                                          look("2024-02-10", 1)};
    CHECK(choose_looks(cloudy, after).before == 2);
}

TEST_CASE(
    "chips: the newest of equal looks, none that shows nothing, and one side alone where the other lacks") {
    const std::vector<ChipLook> before = {look("2023-06-01", 0), look("2022-06-01", 0.5)};
    const std::vector<ChipLook> after = {look("2024-06-01", 1), look("2024-06-07", 1)};
    auto choice = choose_looks(before, after);
    CHECK(choice.before == 1);
    CHECK(choice.after == 0);  // 6 days of season are dearer than 6 days of age
    choice = choose_looks({}, after);
    CHECK_FALSE(choice.before.has_value());
    CHECK(choice.after == 1);
    choice = choose_looks(before, {});
    CHECK(choice.before == 1);
    CHECK_FALSE(choice.after.has_value());
    const std::vector<ChipLook> blind = {look("2024-06-01", 0)};
    choice = choose_looks(blind, blind);
    CHECK_FALSE(choice.before.has_value());
    CHECK_FALSE(choice.after.has_value());
}

TEST_CASE("chips: true colour, else near infrared, else one band in grey") {
    const std::vector<Band> all = {Band::blue, Band::green, Band::red, Band::nir},
                            no_blue = {Band::green, Band::red, Band::nir}, pan = {Band::pan},
                            red = {Band::red};
    const auto natural = chip_bands(all, all);
    REQUIRE(natural);
    CHECK(natural->natural);
    CHECK(natural->bands == std::array<Band, 3>{Band::red, Band::green, Band::blue});
    CHECK(natural->distinct() == std::vector<Band>{Band::blue, Band::green, Band::red});
    const auto infrared = chip_bands(all, no_blue);
    REQUIRE(infrared);
    CHECK_FALSE(infrared->natural);
    CHECK(infrared->bands == std::array<Band, 3>{Band::nir, Band::red, Band::green});
    const auto grey = chip_bands(red, all);
    REQUIRE(grey);
    CHECK(grey->grey);
    CHECK(grey->distinct() == std::vector<Band>{Band::red});
    CHECK_FALSE(chip_bands(pan, red).has_value());
}

TEST_CASE("chips: one stretch for both dates, so that equal ground has equal colours") {
    Image dark = flat(10, {500, 1000, 1500}), bright = flat(10, {500, 3000, 1500});
    // One pixel of the same value in both; clouds do not stretch.
    bright.pixels.plane(1)[7] = 1000;
    dark.pixels.plane(1)[3] = 60000;
    dark.pixels.quality()[3] = Quality::cloud;
    dark.pixels.quality()[4] = Quality::nodata;
    const auto bands = chip_bands(dark.bands, bright.bands).value();
    const std::array<const Image*, 2> both = {&dark, &bright};
    const auto stretch = common_stretch(both, bands);
    CHECK(stretch.low[1] == doctest::Approx(0.1));
    CHECK(stretch.high[1] == doctest::Approx(0.3));
    const auto a = colours_of(dark, bands, stretch), b = colours_of(bright, bands, stretch);
    REQUIRE(a.size() == 300);
    CHECK(a[7 * 3 + 1] == 0);
    CHECK(b[7 * 3 + 1] == a[7 * 3 + 1]);  // the same ground
    CHECK(b[0 * 3 + 1] == 255);
    CHECK(a[3 * 3 + 1] == 255);  // a cloud is shown as it is
    CHECK(a[4 * 3] == a[4 * 3 + 2]);
    CHECK(a[4 * 3] == 224);  // no data
    const auto large = resized(a, 10, 10, 40, 40);
    CHECK(large.size() == 4800);
    CHECK(large[(20 * 40 + 36) * 3 + 1] == 0);
}

TEST_CASE("chips: a bright site does not leave the other date in the dark, nor does a cloud over it") {
    // Woods of 0.03 to 0.05, of which the later look shows half torn open to 0.25.
    constexpr std::size_t side = 40;
    Image woods = flat(side, {400, 400, 400}), site = flat(side, {400, 400, 400});
    for (int b = 0; b < 3; ++b)
        for (std::size_t i = 0; i < side * side; ++i) {
            woods.pixels.plane(b)[i] = static_cast<std::uint16_t>(300 + i * 7 % 200);
            site.pixels.plane(b)[i] = i % 2 == 0 ? woods.pixels.plane(b)[i] : 2500;
        }
    const auto bands = chip_bands(woods.bands, site.bands).value();
    const std::array<const Image*, 2> both = {&woods, &site};
    const auto stretch = common_stretch(both, bands);
    auto shades = colours_of(woods, bands, stretch);
    std::nth_element(shades.begin(), shades.begin() + static_cast<std::ptrdiff_t>(shades.size() / 2),
                     shades.end());
    CHECK(shades[shades.size() / 2] >= 70);  // of 255
    CHECK(stretch.exponent >= 0.4);
    // What a cloud leaves of the woods weighs as much as all of them did.
    for (std::size_t i = 0; i < side * side * 9 / 10; ++i) woods.pixels.quality()[i] = Quality::cloud;
    const auto clouded = common_stretch(both, bands);
    CHECK(clouded.low[0] == doctest::Approx(stretch.low[0]).epsilon(0.05));
    CHECK(clouded.high[0] == doctest::Approx(stretch.high[0]).epsilon(0.05));
    CHECK(clouded.exponent == doctest::Approx(stretch.exponent).epsilon(0.05));
}

TEST_CASE("chips: a small bright site keeps its shades, and the rest of the frame its place between them") {
    constexpr std::size_t side = 50;
    Image before = flat(side, {400, 400, 400}), after = flat(side, {400, 400, 400});
    std::vector<std::uint8_t> site(side * side, 0);
    for (std::size_t i = 0; i < 20; ++i) {  // 0.8 % of the frame, from 0.20 to 0.39
        site[100 + i] = 1;
        for (int b = 0; b < 3; ++b)
            after.pixels.plane(b)[100 + i] = static_cast<std::uint16_t>(2000 + 100 * i);
    }
    for (int b = 0; b < 3; ++b)
        for (std::size_t i = 0; i < side * side; ++i)
            if (site[i] == 0)
                before.pixels.plane(b)[i] = after.pixels.plane(b)[i] =
                    static_cast<std::uint16_t>(300 + i % 300);
    const auto bands = chip_bands(before.bands, after.bands).value();
    const std::array<const Image*, 2> both = {&before, &after};
    const auto shades = [&](const Stretch& stretch) {
        const auto rgb = colours_of(after, bands, stretch);
        std::set<int> found;
        for (std::size_t i = 0; i < site.size(); ++i)
            if (site[i] != 0) found.insert(rgb[3 * i]);
        return found.size();
    };
    CHECK(shades(common_stretch(both, bands)) == 1);  // what this is against
    const auto stretch = common_stretch(both, bands, site);
    CHECK(shades(stretch) >= 15);
    CHECK(stretch.high[0] == doctest::Approx(0.39).epsilon(0.03));
}
