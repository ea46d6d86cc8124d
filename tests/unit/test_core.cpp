// SPDX-License-Identifier: Apache-2.0
// Dates, grid and tile names: the values every other layer trusts.
#include <stdexcept>

#include <doctest/doctest.h>

#include <shuibao/core/band.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/core/options.hpp>

using namespace shuibao;

TEST_CASE("dates parse what catalogues and approvals write, and nothing else") {
    CHECK(Date::parse("1970-01-01")->days() == 0);
    CHECK(Date::parse("2000-02-29")->iso() == "2000-02-29");
    CHECK(Date::parse("20161209")->iso() == "2016-12-09");
    CHECK(Date::parse("2016/12/09")->compact() == "20161209");
    CHECK(Date::parse("2016-12-09T03:00:00Z")->iso() == "2016-12-09");
    CHECK(Date::parse("2016-12-09T03:00:00.123+08:00")->iso() == "2016-12-08");  // 19:00 UTC the day before
    CHECK(Date::parse("2016-12-31T20:30:00-05:00")->iso() == "2017-01-01");
    for (const char* bad : {"", "2016", "2016-13-01", "2015-02-29", "2016-1-1", "20161232", "2016-12/09",
                            "2016-12-09X", "2016-12-09T25:00:00Z", "2016-12-09T03:00:00.Z", "二〇一六年"})
        CHECK_MESSAGE(!Date::parse(bad), bad);
}

TEST_CASE("every day from 1900 to 2100 survives printing and parsing") {
    for (int d = -25567; d < 47482; d += 1) REQUIRE(Date::parse(Date(d).iso()) == Date(d));
}

TEST_CASE("tile names have one spelling") {
    CHECK(TileId{3, 4}.str() == "X0003_Y0004");
    CHECK(TileId{-3, 12345}.str() == "X-0003_Y12345");
    for (const TileId id : {TileId{0, 0}, TileId{-1, -20}, TileId{99999, 7}})
        CHECK(TileId::parse(id.str()) == id);
    for (const char* bad :
         {"", "X0003", "X0003Y0004", "X3_Y4", "X0003_Y0004 ", "x0003_Y0004", "X00003_Y0004", "X+003_Y0004"})
        CHECK_MESSAGE(!TileId::parse(bad), bad);
    CHECK(TileId{9, 1} < TileId{0, 2});  // row-major
}

TEST_CASE("a place keeps its pixel address whatever the tile size") {
    const auto a = Grid::aligned_to("EPSG:32650", 668355, 3536235, 10, 64);
    const auto b = Grid::aligned_to("EPSG:32650", 668355, 3536235, 10, 512);
    CHECK(a.origin_x() == 5);
    CHECK(a.on_lattice(668355, 3536235, 10, 10));
    CHECK_FALSE(a.on_lattice(668350, 3536235, 10, 10));
    CHECK_FALSE(a.on_lattice(668355, 3536235, 20, 20));
    const Bounds box{668355, 3530000.4, 671234, 3536235};
    CHECK(a.window(box) == b.window(box));
    CHECK(a.bounds(a.window(box)).min_x == 668355);
    CHECK(a.bounds(a.window(box)).max_y == 3536235);
}

TEST_CASE("tiles cover a window exactly, also left of and above the origin") {
    const Grid g("EPSG:32650", 10, 64, 0, 10'000'000);
    const Window w{-70, 100, 200, 30};
    std::int64_t covered = 0;
    for (const auto id : g.tiles(w)) covered += g.window(id).intersection(w).pixels();
    CHECK(covered == w.pixels());
    CHECK(g.tiles(w).front() == TileId{-2, 1});
    CHECK(g.tiles({0, 0, 0, 5}).empty());
}

TEST_CASE("a grid refuses sizes that make no sense") {
    CHECK_THROWS_AS(Grid("EPSG:32650", 0, 512, 0, 0), Error);
    CHECK_THROWS_AS(Grid("EPSG:32650", 10, 8, 0, 0), Error);
}

TEST_CASE("bands print and parse to the same name") {
    for (int i = 0; i < band_count; ++i)
        CHECK(band_from_common_name(common_name(static_cast<Band>(i))) == static_cast<Band>(i));
    CHECK(band_from_common_name("rededge") == Band::rededge071);
    CHECK_FALSE(band_from_common_name("B04"));
}

TEST_CASE("the nearest key is offered only when it is near") {
    OptionTable t;
    t.add({.key = "detect.method", .help = ""}).add({.key = "grid.tile_size", .help = ""});
    CHECK(t.nearest("detect.metod") == "detect.method");
    CHECK(t.nearest("gird.tile_size") == "grid.tile_size");
    CHECK(t.nearest("completely.different.thing").empty());
    CHECK(t.find("grid.tile_size")->long_name == "tile-size");
    CHECK(edit_distance("ab", "ba") == 1);
    CHECK_THROWS_AS(t.add({.key = "detect.method"}), std::logic_error);
}
