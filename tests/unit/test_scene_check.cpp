// SPDX-License-Identifier: Apache-2.0
// Which scenes others are compared with, and what the comparison finds: tie points that ask the mask (O17:
// known shifts), and the +0.1 jump of a forgotten offset laid at the door of the scene that made it.
#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "../../pipeline/stages/scene_check.hpp"
#include "../../pipeline/stages/scene_choice.hpp"
#include "../../pipeline/stages/scene_mask.hpp"
#include "support/fourier_scene.hpp"
#include "support/stage_run.hpp"
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/raster.hpp>

using namespace shuibao;
using namespace shuibao::pipeline;
using engine::MaskKind;
using engine::Scene;

namespace {

const Grid grid = Grid::aligned_to("EPSG:32649", 600000, 3660000, 10, 512);
constexpr std::int64_t side = 512;
const Bounds frame{600000, 3660000 - 10.0 * side, 600000 + 10.0 * side, 3660000};

Scene scene_of(const std::string& day, double clear, MaskKind mask = MaskKind::scl) {
    Scene s;
    s.id = day;
    s.date = Date::parse(day).value();
    s.reflectance = true;
    s.crs = "EPSG:32649";
    s.bounds = frame;
    s.mask = mask;
    s.clear = clear;
    return s;
}

using Pixels = std::vector<std::uint16_t>;

struct Archive {
    test::TemporaryFolder folder;
    test::Bench bench{folder.path(), {}};

    std::string write(const std::string& name, std::vector<io::GeoTiffBand> bands) const {
        io::write_geotiff(folder / name, grid, grid.window(frame), bands, {.compression = "DEFLATE"});
        return folder / name;
    }
    // Land of 0.2 ± 0.05 reflectance in four bands, moved by (dx, dy) and brighter by `jump`.
    [[nodiscard]] Scene scene(const std::string& day, double dx, double dy, double jump,
                              const std::function<void(Pixels&)>& spoil = {}) const {
        static const test::FourierScene land(7, 2 * side);
        const auto image = land.image(side, dx, dy);
        const auto [low, high] = std::minmax_element(image.begin(), image.end());
        Pixels numbers(image.size());
        for (std::size_t k = 0; k < image.size(); ++k)
            numbers[k] = static_cast<std::uint16_t>(1500 + 1000 * (image[k] - *low) / (*high - *low) +
                                                    static_cast<float>(1e4 * jump));
        if (spoil) spoil(numbers);
        Scene s = scene_of(day, 1, MaskKind::none);
        const auto file = write(
            day + ".tif",
            {{"blue", numbers, {}}, {"green", numbers, {}}, {"red", numbers, {}}, {"nir", numbers, {}}});
        int index = 0;
        for (const Band b : {Band::blue, Band::green, Band::red, Band::nir})
            s.bands.push_back({b, file, ++index, 10, 1e-4, 0, {}});
        return s;
    }
    void give_mask(Scene& s, const Pixels& codes) const {
        s.mask = MaskKind::masked_is_1;
        s.mask_href = write(s.id + "_mask.tif", {{"mask", codes, {}}});
    }
    SceneReport check(const Scene& s, const Scene& reference) {
        return check_scene(s, reference, grid, {}, bench.context().executor);
    }
    Accusation hear(const Scene& s, const std::vector<const Scene*>& neighbours) {
        return compare_with_neighbours(s, neighbours, grid, bench.context().executor);
    }
};

// Discs over two fifths of the frame, and what lies in them: the same in every image.
Pixels discs() {
    Pixels codes(side * side, 0);
    for (std::int64_t y = 0; y < side; ++y)
        for (std::int64_t x = 0; x < side; ++x) {
            const auto cx = x % 256 - 128, cy = y % 256 - 128;
            if (cx * cx + cy * cy < 92 * 92) codes[static_cast<std::size_t>(y * side + x)] = 1;
        }
    return codes;
}
void cover_with_cloud(Pixels& numbers, const Pixels& codes) {
    static const auto texture = test::FourierScene(11, 2 * side).image(side, 0, 0);
    const auto [low, high] = std::minmax_element(texture.begin(), texture.end());
    for (std::size_t k = 0; k < numbers.size(); ++k)
        if (codes[k] != 0)
            numbers[k] = static_cast<std::uint16_t>(4000 + 9000 * (texture[k] - *low) / (*high - *low));
}

}  // namespace

TEST_CASE("the reference is the clearest of the largest scenes, and later ones do not depose it") {
    std::vector<Scene> scenes = {scene_of("2021-01-01", 0.3), scene_of("2021-02-01", 0.7),
                                 scene_of("2021-03-01", 0.7), scene_of("2021-04-01", 0.99)};
    std::vector<Bounds> frames(4, frame);
    CHECK(default_reference(scenes, frames) == 3);
    scenes[3].clear = 0.7;
    CHECK(default_reference(scenes, frames) == 1);  // the earliest of equals
    scenes[2].clear = 0.91;
    scenes[3].clear = 1;
    CHECK(default_reference(scenes, frames) == 2);  // clear enough
    frames[2].max_x -= 2560;
    CHECK(default_reference(scenes, frames) == 3);  // half a scene
    for (auto& s : scenes) s.mask = MaskKind::none, s.clear = 1;
    frames[0].max_x -= 2560;
    CHECK(default_reference(scenes, frames) == 0);  // no mask at all: the first
}

TEST_CASE("neighbours are clear scenes of other days over the same ground, nearest first") {
    const std::vector<Scene> scenes = {scene_of("2021-01-01", 1),   scene_of("2021-01-11", 1),
                                       scene_of("2021-01-20", 0.4), scene_of("2021-01-21", 1),
                                       scene_of("2021-01-21", 1),   scene_of("2021-01-31", 0.5),
                                       scene_of("2021-02-05", 1),   scene_of("2021-06-01", 1)};
    std::vector<Bounds> frames(scenes.size(), frame);
    const auto days = [&](std::size_t i) {
        std::string text;
        for (const auto* s : neighbours_in_time(scenes, frames, i)) text += s->id + " ";
        return text;
    };
    CHECK(days(3) == "2021-01-11 2021-01-31 2021-02-05 2021-01-01 ");
    CHECK(days(7) == "2021-02-05 2021-01-31 2021-01-21 2021-01-21 ");
    frames[5] = {0, 0, 5120, 5120};
    CHECK(days(3) == "2021-01-11 2021-02-05 2021-01-01 2021-06-01 ");
}

TEST_CASE("the clear share counts the usable codes of the whole frame") {
    const Archive a;
    Scene s = scene_of("2021-01-01", 1);
    Pixels codes(side * side, 4);
    std::fill_n(codes.begin(), side * side / 4, std::uint16_t{9});                    // a quarter cloud
    std::fill_n(codes.begin() + side * side / 4, side * side / 8, std::uint16_t{0});  // an eighth no data
    s.mask_href = a.write("scl.tif", {{"scl", codes, {}}});
    CHECK(clear_share(s) == doctest::Approx(0.625).epsilon(0.02));
    CHECK(io::sample_codes(s.mask_href, 1) == io::sample_codes(s.mask_href, 1));
    CHECK_THROWS_WITH_AS(io::sample_codes(s.mask_href, 2), doctest::Contains("has no band 2"), Error);
    s.mask = MaskKind::none;
    CHECK(clear_share(s) == 1);
}

TEST_CASE("clouds that both masks know do not tie the scenes together") {
    Archive a;
    const auto codes = discs();
    const auto cloud = [&](Pixels& p) { cover_with_cloud(p, codes); };
    Scene fixed = a.scene("2021-01-01", 0, 0, 0, cloud), moving = a.scene("2021-01-06", 1.3, -0.8, 0, cloud);
    // Without masks the clouds, which stand still, are what is measured.
    const auto blind = a.check(moving, fixed);
    CHECK(std::hypot(blind.shift.dx - 1.3, blind.shift.dy + 0.8) > 1);
    a.give_mask(fixed, codes);
    a.give_mask(moving, codes);
    const auto seeing = a.check(moving, fixed);
    CHECK(seeing.decision == "shifted");
    CHECK(std::hypot(seeing.shift.dx - 1.3, seeing.shift.dy + 0.8) < 0.1);
}

TEST_CASE("where the mask leaves no window nothing is measured") {
    Archive a;
    Scene fixed = a.scene("2021-01-01", 0, 0, 0), moving = a.scene("2021-01-06", 1.3, -0.8, 0.1);
    a.give_mask(moving, Pixels(side * side, 1));
    const auto r = a.check(moving, fixed);
    CHECK(r.shift.measured == 0);
    CHECK(r.decision == "not reliable: not shifted");
    CHECK(r.jump_share == 0);
    CHECK(r.refused.empty());
}

TEST_CASE("a jump convicts the scene that its neighbours contradict, also when it is the reference") {
    Archive a;
    const Scene bad = a.scene("2021-01-06", 0, 0, 0.1), a1 = a.scene("2021-01-01", 0, 0, 0),
                b = a.scene("2021-01-11", 0, 0, 0), c = a.scene("2021-01-16", 0, 0, 0),
                summer = a.scene("2021-07-01", 0, 0, 0.04);
    // Against another season the difference is no jump of 0.1.
    CHECK(a.check(bad, summer).refused.empty());
    const auto r = a.hear(bad, {&a1, &b, &c});
    CHECK(r.refused ==
          "all bands differ from 2021-01-01, 2021-01-11, 2021-01-16 by +0.100 on at least 100 % of the "
          "pixels, as "
          "when the offset of -0.1 is missing or applied twice");
    CHECK(r.against == std::vector<std::string>{"2021-01-01", "2021-01-11", "2021-01-16"});
    // Two witnesses are not enough, nor is one that differs among those who agree.
    CHECK(a.hear(bad, {&a1, &b}).refused.empty());
    CHECK(a.hear(b, {&bad, &a1, &c}).refused.empty());

    std::vector<SceneReport> reports = {a.check(bad, bad), a.check(b, bad)};
    CHECK(reports[0].refused.empty());
    reports[0].refused = r.refused;  // as the neighbours say
    CHECK(reports[1].refused.starts_with("all bands differ from 2021-01-06 by -0.100 on 100 %"));
    CHECK(reports[0].decision == "reference");
    CHECK_FALSE(reports[0].refused.empty());
    CHECK(reports[1].against == std::vector<std::string>{"2021-01-06"});
    forgive_what_a_refused_reference_says(reports);
    CHECK_FALSE(reports[0].refused.empty());
    CHECK(reports[1].refused.empty());
    // A sound reference is believed.
    std::vector<SceneReport> pair = {a.check(a1, a1), a.check(bad, a1)};
    forgive_what_a_refused_reference_says(pair);
    CHECK(pair[1].refused.starts_with("all bands differ from 2021-01-01 by +0.100 on 100 %"));
}

TEST_CASE("a report comes back from its text with the scenes that speak against") {
    SceneReport r;
    r.id = "b";
    r.reference = "a";
    r.against = {"c", "d", "e"};
    r.refused = "because";
    const auto back = report_from(report_text(r));
    REQUIRE(back);
    CHECK(back->against == r.against);
    CHECK(back->refused == "because");
    const auto accusation = accusation_from(accusation_text({"because", {"c", "d"}}));
    REQUIRE(accusation);
    CHECK(accusation->refused == "because");
    CHECK(accusation->against == std::vector<std::string>{"c", "d"});
    CHECK_FALSE(accusation_from("{}"));
    CHECK_FALSE(accusation_from(""));
    CHECK_FALSE(report_from("{\"id\": \"b\"}"));
}

TEST_CASE("a scene that lies farther beside the reference than is corrected is refused, or the reference") {
    const auto report = [](const char* id, const char* decision) {
        SceneReport r;
        r.id = id;
        r.reference = std::string(decision) == "reference" ? "" : "a";
        r.decision = decision;
        if (r.decision == "misplaced") r.refused = "it lies elsewhere", r.against = {"a"};
        return r;
    };
    Archive a;
    const Scene fixed = a.scene("2021-01-01", 0, 0, 0), far = a.scene("2021-01-06", 7.4, -3.1, 0);
    const auto r = a.check(far, fixed);
    CHECK(r.decision == "misplaced");
    CHECK(r.refused.starts_with("it lies 80 m (+7.4, -3.1 px) beside 2021-01-01, as "));
    // One in three that lies beside it is misplaced itself; two in three say that of the reference.
    std::vector<SceneReport> one = {report("a", "reference"), report("b", "misplaced"),
                                    report("c", "aligned"), report("d", "shifted")},
                             two = {report("a", "reference"), report("b", "misplaced"),
                                    report("c", "aligned"), report("d", "misplaced")};
    for (auto* list : {&one, &two}) {
        accuse_misplaced_references(*list);
        forgive_what_a_refused_reference_says(*list);
    }
    CHECK(one[0].refused.empty());
    CHECK_FALSE(one[1].refused.empty());
    CHECK(two[0].refused == "2 of the 3 scenes that were compared with it lie elsewhere, b is one of them");
    CHECK(two[1].refused.empty());
    CHECK(two[3].decision == "not reliable: not shifted");
}

TEST_CASE("a scene with a band of one value everywhere was not measured") {
    Archive a;
    const Scene fixed = a.scene("2021-01-01", 0, 0, 0), dead = a.scene("2021-01-06", 0, 0, 0, [](Pixels&p) {
        std::fill(p.begin(), p.end(), std::uint16_t{1700});
    });
    const auto r = a.check(dead, fixed);
    CHECK(r.decision == "one value");
    CHECK(r.refused.find("holds nothing but ") != std::string::npos);
}
