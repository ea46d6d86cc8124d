// SPDX-License-Identifier: Apache-2.0
// What the overlay stands on: the index against looking at all, circles against geometry, slopes against
// planes.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../pipeline/stages/terrain.hpp"
#include "support/boxes.hpp"
#include "support/stage_run.hpp"
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/box_index.hpp>

using namespace shuibao;
using namespace shuibao::test;

TEST_CASE("the index finds what looking at every box finds, in order") {
    std::mt19937 random(3);
    const auto number = [&](double most) { return static_cast<double>(random()) / 4294967296.0 * most; };
    std::vector<Bounds> boxes;
    for (int i = 0; i < 3000; ++i) {
        const double x = std::floor(number(1000)), y = std::floor(number(1000));  // many touch
        boxes.push_back({x, y, x + std::floor(number(30)), y + std::floor(number(30))});
    }
    boxes[17] = boxes[2000] = Bounds{};
    const io::BoxIndex index(boxes);
    std::size_t hits = 0;
    for (int i = 0; i < 300; ++i) {
        const double x = std::floor(number(1000)), y = std::floor(number(1000)),
                     margin = std::floor(number(20));
        const Bounds b{x, y, x + std::floor(number(40)), y + std::floor(number(40))};
        std::vector<std::size_t> all;
        for (std::size_t k = 0; k < boxes.size(); ++k)
            if (!boxes[k].empty() && boxes[k].min_x <= b.max_x + margin &&
                b.min_x - margin <= boxes[k].max_x && boxes[k].min_y <= b.max_y + margin &&
                b.min_y - margin <= boxes[k].max_y)
                all.push_back(k);
        hits += all.size();
        REQUIRE(index.near(b, margin) == all);
    }
    CHECK(hits > 1000);
    CHECK(index.near({}, 1e9).empty());
    CHECK(io::BoxIndex({}).near({0, 0, 1, 1}, 1e9).empty());
}

TEST_CASE("a circle fits where geometry says so, to a hundredth of its radius") {
    const auto fits = [](const io::Geometry& g, double radius) {
        CHECK(g.holds_circle(radius * 0.98));
        CHECK_FALSE(g.holds_circle(radius * 1.011));
    };
    fits(box(0, 0, 400, 30), 15);
    fits(box(0, 0, 50, 50), 25);
    fits(boxes("0 0 100 100 - 40 40 60 60", 0, 0),
         40 * std::sqrt(2.0) / (1 + std::sqrt(2.0)));                  // in a corner, at the hole's
    fits(io::Geometry::from_wkt("POLYGON((0 0,30 0,0 40,0 0))"), 10);  // 3-4-5: (a + b - c) / 2
    fits(boxes("0 0 10 100; 0 0 100 10; 500 0 524 24", 0, 0), 12);     // the part that holds the most
    CHECK_FALSE(io::Geometry().holds_circle(1e-9));
}

TEST_CASE("length of strips, and who moved where: one to one, same owner before nearer") {
    using algorithms::strip_length;
    CHECK(strip_length(200 * 10, 2 * 210) == doctest::Approx(200));
    CHECK(strip_length(100, 40) == doctest::Approx(10));
    CHECK(strip_length(3.15, 6.29) == doctest::Approx(6.29 / 4));  // rounder than any rectangle
    const auto pair = [](std::size_t d, std::size_t p, double distance, double ratio, bool owner) {
        return algorithms::RelocationPair{d, p, {"P" + std::to_string(p), "", distance, ratio, owner}};
    };
    const auto matched = algorithms::match_one_to_one({pair(0, 0, 100, 1, false), pair(0, 1, 900, 1, true),
                                                       pair(1, 0, 200, 1, false), pair(2, 0, 150, 1, false),
                                                       pair(2, 1, 50, 1, false), pair(3, 2, 300, 4, false),
                                                       pair(4, 2, 300, 0.5, false)});
    REQUIRE(matched.size() == 3);
    CHECK((matched[0].disturbance == 0 && matched[0].project == 1));  // its owner's, though farther
    CHECK((matched[1].disturbance == 2 && matched[1].project == 0));  // nearer than 1
    CHECK((matched[2].disturbance == 4 && matched[2].project == 2));  // half is likelier than four times
}

TEST_CASE("slopes of planes, in metres and in degrees; none where there is no height") {
    const TemporaryFolder folder;
    const double x = 500000, y = 3600000;
    const auto dem = [&](const std::string& name, const std::string& crs, double left, double top,
                         double step, const std::function<double(double, double)>& height) {
        std::string text = "ncols 40\nnrows 40\nxllcorner " + std::to_string(left) + "\nyllcorner " +
                           std::to_string(top - 40 * step) + "\ncellsize " + std::to_string(step) +
                           "\nNODATA_value -9999\n";
        char number[32];
        for (int r = 0; r < 40; ++r)
            for (int c = 0; c < 40; ++c) {
                std::snprintf(number, sizeof number, "%.6f ",
                              height(left + (c + 0.5) * step, top - (r + 0.5) * step));
                text += number;
            }
        put(folder / (name + ".asc"), text);
        std::snprintf(number, sizeof number, "%.9f, ", left);
        std::string place = std::string(number) + std::to_string(step) + ", 0, ";
        std::snprintf(number, sizeof number, "%.9f, ", top);
        place += std::string(number) + "0, -" + std::to_string(step);
        put(folder / (name + ".vrt"), "<VRTDataset rasterXSize=\"40\" rasterYSize=\"40\"><SRS>" + crs +
                                          "</SRS><GeoTransform>" + place +
                                          "</GeoTransform><VRTRasterBand dataType=\"Float64\" "
                                          "band=\"1\"><NoDataValue>-9999</NoDataValue>"
                                          "<SimpleSource><SourceFilename relativeToVRT=\"1\">" +
                                          name +
                                          ".asc</SourceFilename><SourceBand>1</SourceBand></SimpleSource></"
                                          "VRTRasterBand></VRTDataset>");
        return pipeline::TerrainModel(folder / (name + ".vrt"));
    };
    const double rise = std::tan(10 * std::acos(-1) / 180);
    const auto plane = dem("plane", "EPSG:4546", x, y, 10, [&](double px, double py) {
        return px - x > 300 ? -9999 : (px - x) * rise * 0.6 + (py - y) * rise * 0.8;
    });
    const auto at = [&](double a, double b, double c, double d) {
        return plane.under(box(x + a, y - b, x + c, y - d), "EPSG:4546", {.steep = 9.5});
    };
    const auto large = at(50, 350, 200, 100), tiny = at(102, 104, 103, 103), beyond = at(320, 200, 380, 100);
    REQUIRE(large);
    CHECK(large->slope == doctest::Approx(10).epsilon(1e-5));
    CHECK(large->share_steep == 1);
    REQUIRE(tiny);
    CHECK(tiny->slope == doctest::Approx(10).epsilon(1e-5));
    CHECK_FALSE(beyond);
    CHECK_FALSE(at(5000, 200, 5100, 100));
    CHECK(plane.under(box(x + 50, y - 350, x + 200, y - 100), "EPSG:4546", {.steep = 10.5})->share_steep ==
          0);
    // The same hill on a grid of degrees: 10 m of longitude and of latitude are not the same angle.
    const auto there = io::Transformation("EPSG:4546", "EPSG:4490")(Point{x, y});
    const io::Transformation back("EPSG:4490", "EPSG:4546");
    const auto turned = dem("turned", "EPSG:4490", there.x, there.y, 0.0001, [&](double lon, double lat) {
        const Point p = back(Point{lon, lat});
        return (p.x - x) * rise * 0.6 + (p.y - y) * rise * 0.8;
    });
    const auto s = turned.under(box(x + 50, y - 350, x + 200, y - 100), "EPSG:4546", {.steep = 9.5});
    REQUIRE(s);
    CHECK(s->slope == doctest::Approx(10).epsilon(1e-3));
    CHECK_THROWS_WITH_AS(pipeline::TerrainModel(folder / "nowhere.tif"), doctest::Contains("nowhere.tif"),
                         Error);
}
