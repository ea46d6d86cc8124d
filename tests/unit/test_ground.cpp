// SPDX-License-Identifier: Apache-2.0
// Works that images show done (rules §5: bare share below 20 % on two dates → 完工), on pixels drawn by hand:
// what each one is stands in the test.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/rules.hpp"
#include "support/series_pixels.hpp"
#include <shuibao/algorithms/ground.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using shuibao::test::day;
using shuibao::test::mixed;
using shuibao::test::shipped_rules;
using shuibao::test::Spectrum;

namespace {

constexpr Spectrum concrete{0.20, 0.22, 0.23, 0.24, 0.22, 0.20};

// One row of pixels in the bands that are asked for.
Image drawn(const std::vector<Spectrum>& ground, const std::vector<Quality>& quality = {},
            const std::vector<Band>& bands = {Band::blue, Band::red, Band::nir, Band::swir16}) {
    Image image;
    image.bands = bands;
    image.scaling.assign(bands.size(), Scaling{1e-4F, -0.1F});
    image.pixels = Block<std::uint16_t>({0, 0, static_cast<std::int64_t>(ground.size()), 1},
                                        static_cast<int>(bands.size()));
    for (std::size_t i = 0; i < ground.size(); ++i) {
        image.pixels.quality()[i] = quality.empty() ? Quality::clear : quality[i];
        for (std::size_t b = 0; b < bands.size(); ++b) {
            const std::size_t at = bands[b] == Band::blue  ? 0
                                   : bands[b] == Band::red ? 2
                                   : bands[b] == Band::nir ? 3
                                                           : 4;
            image.pixels.plane(static_cast<int>(b))[i] =
                static_cast<std::uint16_t>((ground[i][at] + 0.1) * 1e4 + 0.5);
        }
    }
    return image;
}

std::string told(const std::vector<GroundCover>& covers) {
    std::string text;
    for (const auto c : covers) text += "-?ogb"[static_cast<int>(c)];
    return text;
}

std::string finished(const std::vector<GroundLook>& looks, GroundRecord before = {}) {
    const auto r = follow_ground(before, looks, shipped_rules());
    return (r.closed_since ? r.closed_since->iso() : "") + "/" + (r.finished_on ? r.finished_on->iso() : "") +
           (r.finished_on ? r.green ? " green" : " built" : "");
}

}  // namespace

TEST_CASE("what a look shows of ground that was opened once") {
    const auto grass = mixed(test::subsoil, test::leaves, 0.75),
               weeds = mixed(test::subsoil, test::leaves, 0.3);
    const std::vector<Spectrum> now = {test::leaves, test::subsoil, concrete,     weeds,
                                       grass,        test::leaves,  test::subsoil};
    const std::vector<Quality> sky = {Quality::clear, Quality::clear, Quality::clear, Quality::clear,
                                      Quality::clear, Quality::cloud, Quality::water};
    const std::vector<Spectrum> woods(now.size(), test::leaves), fallow(now.size(), test::field_soil);
    const auto rules = shipped_rules();
    // NDVI of the woods 0.83, of the grass 0.62, of weeds 0.35.
    const std::vector<Image> green = {drawn(woods), drawn(woods), drawn(woods)};
    CHECK(told(ground_cover(drawn(now, sky), green, rules)) == "goboo--");
    CHECK(told(ground_cover(drawn(now, sky), {}, rules)) == "gobog--");
    // Where the season was never green, bare says nothing; green and built say what they say.
    const std::vector<Image> bare = {drawn(fallow)};
    CHECK(told(ground_cover(drawn(now, sky), bare, rules)) == "g?b?g--");
    // A cloud in history is no history.
    const std::vector<Image> hidden = {drawn(woods, std::vector<Quality>(now.size(), Quality::cloud))};
    CHECK(told(ground_cover(drawn(now, sky), hidden, rules)) == "gobog--");
    // Without blue and swir16 nobody can tell concrete from soil.
    const std::vector<Band> two = {Band::red, Band::nir};
    CHECK(told(ground_cover(drawn(now, sky, two), {}, rules)) == "gooog--");
    CHECK(ground_bands(two) == two);
    // The index alone says what its two bands say.
    const auto index = test::Landscape::index_of(drawn(now, sky, two));
    CHECK(ground_bands(index.bands) == index.bands);
    CHECK(told(ground_cover(index, {}, rules)) == "gooog--");
    const std::vector<Image> past(3, test::Landscape::index_of(drawn(woods, {}, two)));
    CHECK(told(ground_cover(index, past, rules)) == "goooo--");
}

TEST_CASE("two looks 15 days apart finish a case, and what is not seen decides nothing") {
    const auto look = [](const char* date, double seen, double green, double built = 0) {
        return GroundLook{day(date), seen, green, built};
    };
    CHECK(finished({}) == "/");
    CHECK(finished({look("2024-05-01", 1, 0.9)}) == "2024-05-01/");
    CHECK(finished({look("2024-05-01", 1, 0.9), look("2024-05-15", 1, 0.9)}) == "2024-05-01/");
    CHECK(finished({look("2024-05-01", 1, 0.9), look("2024-05-16", 1, 0.9)}) ==
          "2024-05-01/2024-05-16 green");
    CHECK(finished({look("2024-05-01", 1, 0.3, 0.6), look("2024-05-16", 1, 0.1, 0.75)}) ==
          "2024-05-01/2024-05-16 built");
    // Exactly a fifth open is not less than a fifth.
    CHECK(finished({look("2024-05-01", 1, 0.75), look("2024-05-16", 1, 0.75)}) == "/");
    // A look between that shows it open begins anew; one that shows next to nothing does not.
    CHECK(finished({look("2024-05-01", 1, 0.9), look("2024-05-10", 1, 0.5), look("2024-05-16", 1, 0.9)}) ==
          "2024-05-16/");
    CHECK(finished({look("2024-05-01", 1, 0.9), look("2024-05-10", 0.59, 0), look("2024-05-16", 1, 0.9)}) ==
          "2024-05-01/2024-05-16 green");
    CHECK(finished({look("2024-05-01", 0.5, 1), look("2024-05-16", 0.5, 1)}) == "/");
    // Over two batches as in one; and done stays done.
    CHECK(finished({look("2024-07-02", 1, 0.9)}, {day("2024-05-01"), std::nullopt, false}) ==
          "2024-05-01/2024-07-02 green");
    CHECK(finished({look("2024-07-02", 1, 0)}, {day("2024-05-01"), day("2024-06-01"), true}) ==
          "2024-05-01/2024-06-01 green");
}

TEST_CASE("what finished works are taken for depends on what the ground was before") {
    const auto rules = shipped_rules();
    CHECK(completion_code(false, 0.9, rules) == "built");
    CHECK(completion_code(true, 0.5, rules) == "tilled");
    CHECK(completion_code(true, 0.49, rules) == "planted");
    CHECK(completion_code(true, std::nullopt, rules) == "green");
}
