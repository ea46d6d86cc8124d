// SPDX-License-Identifier: Apache-2.0
// The overlay of rules §3, measured by the stage itself on shapes whose answer can be worked out by hand.
// Every case stands 6 km from the next on a central meridian of a CGCS2000 zone, where a metre of the map is
// a metre of the ground; then all of them again 135 km beside it, where the projection stretches by a known
// scale.
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/boxes.hpp"
#include "support/stage_run.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

struct Range {
    std::string project, boxes;
    std::string type = "防治责任范围";
    std::string approved = "2020-03-01";
    double hectares = 0;  // DAREA
};

struct Expected {
    std::string verdict, flags;
    double outside = 0, tolerant = 0;  // m²
    std::string project = {}, others = {};
};

struct ScreenCase {
    std::string what;
    std::vector<std::string> disturbances;
    std::vector<Range> ranges;
    std::vector<Expected> expected;  // one per resulting case, in order
    std::optional<double> sample = {};
    std::string onset_from = "2021-01-01", onset_to = "2021-06-01";
};

const std::string schematic = "示意性范围";

// GEOS draws a quarter circle with 16 segments: the buffer's round corners are those of a 64-gon.
double corners(double radius) {
    return 32 * std::sin(2 * std::numbers::pi / 64) * radius * radius;
}

std::vector<ScreenCase> table() {
    return {
        {"inside", {"50 50 250 150"}, {{"A", "0 0 300 300"}}, {{"compliant", "", 0, 0, "A"}}},
        {"the range itself", {"0 0 200 100"}, {{"A", "0 0 200 100"}}, {{"compliant", "", 0, 0, "A"}}},
        {"inside along the boundary",
         {"0 0 200 100"},
         {{"A", "0 0 300 300"}},
         {{"compliant", "", 0, 0, "A"}}},
        {"1 mm outside", {"0 0 200 100.001"}, {{"A", "0 0 200 100"}}, {{"compliant", "", 0.2, 0, "A"}}},
        {"touches from outside",
         {"0 0 200 100"},
         {{"A", "200 0 300 100"}},
         {{"unapproved", "REPORT_FORM", 20000, 19000}}},
        {"1 mm inside",
         {"0 0 200 100"},
         {{"A", "199.999 0 300 100"}},
         {{"unapproved", "REPORT_FORM", 19999.9, 18999.9}}},
        {"touches in a corner",
         {"0 0 200 100"},
         {{"A", "200 100 300 200"}},
         {{"unapproved", "REPORT_FORM", 20000, 20000 - corners(10) / 4}}},
        {"0.9 % inside",
         {"0 0 1000 100"},
         {{"A", "991 0 1200 100"}},
         {{"unapproved", "REPORT_BOOK", 99100, 98100}}},
        {"1.1 % inside",
         {"0 0 1000 100"},
         {{"A", "989 0 1200 100"}},
         {{"exceeds", "OUTSIDE,ART16_2", 98900, 97900, "A"}}},
        {"half outside",
         {"0 0 200 100"},
         {{"A", "0 0 100 100", "防治责任范围", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 10000, 9000, "A"}}},
        {"sliver of 9 m, tolerance 10 m",
         {"0 0 1000 109"},
         {{"A", "0 0 1000 100"}},
         {{"compliant", "", 9000, 0, "A"}}},
        {"part of 29 m: 19 m beyond tolerance hold no circle of 10 m",
         {"0 0 1000 129"},
         {{"A", "0 0 1000 100"}},
         {{"compliant", "", 29000, 0, "A"}}},
        {"part of 31 m: a circle of 10.5 m fits",
         {"0 0 1000 131"},
         {{"A", "0 0 1000 100", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 31000, 21000, "A"}}},
        {"sliver of 9 m, tolerance 2 m",
         {"0 0 1000 109"},
         {{"A", "0 0 1000 100", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 9000, 7000, "A"}},
         1.0},
        {"5.9 m at 0.5 m ground sample: 3.9 m hold no circle of 2 m",
         {"0 0 1000 105.9"},
         {{"A", "0 0 1000 100"}},
         {{"compliant", "", 5900, 0, "A"}},
         0.5},
        {"tolerance of a 30 m sensor",
         {"0 0 1000 170"},
         {{"A", "0 0 1000 100"}},
         {{"compliant", "", 70000, 0, "A"}},
         30.0},
        {"960 m² beyond tolerance",
         {"0 0 200 32"},
         {{"A", "0 0 160 32"}},
         {{"compliant", "", 1280, 960, "A"}}},
        {"1040 m² beyond tolerance",
         {"0 0 202.5 32"},
         {{"A", "0 0 160 32", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 1360, 1040, "A"}}},
        {"a hole in the range",
         {"50 50 350 350"},
         {{"A", "0 0 400 400 - 100 100 300 300", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 40000, 32400, "A"}}},
        {"a hole of 15 m closes within tolerance",
         {"50 50 350 350"},
         {{"A", "0 0 400 400 - 100 100 115 300"}},
         {{"compliant", "", 3000, 0, "A"}}},
        {"another project fills the hole",
         {"110 110 290 290"},
         {{"A", "0 0 400 400 - 100 100 300 300"}, {"B", "100 100 300 300"}},
         {{"compliant", "", 0, 0, "B"}}},
        {"parts that meet",
         {"0 0 200 100"},
         {{"A", "0 0 90 100"}, {"A", "90 0 200 100"}},
         {{"compliant", "", 0, 0, "A"}}},
        {"parts with a gap of 1 m",
         {"0 0 200 100"},
         {{"A", "0 0 90 100"}, {"A", "91 0 200 100"}},
         {{"compliant", "", 100, 0, "A"}}},
        {"parts that overlap",
         {"0 0 200 100"},
         {{"A", "0 0 150 100"}, {"A", "50 0 200 100"}},
         {{"compliant", "", 0, 0, "A"}}},
        {"two projects, half each",
         {"0 0 200 100"},
         {{"A", "0 0 100 100"}, {"B", "100 0 200 100"}},
         {{"compliant", "", 0, 0, "A"}, {"compliant", "", 0, 0, "B"}}},
        {"two projects, 79 and 21 %",
         {"0 0 200 100"},
         {{"A", "0 0 158 100"}, {"B", "158 0 200 100"}},
         {{"compliant", "", 0, 0, "A"}, {"compliant", "", 0, 0, "B"}}},
        {"two projects, 81 and 19 %",
         {"0 0 200 100"},
         {{"A", "0 0 162 100"}, {"B", "162 0 200 100"}},
         {{"compliant", "", 0, 0, "A", "B"}}},
        {"the smaller number first in the file is not the greater overlap",
         {"0 0 200 100"},
         {{"A", "0 0 38 100"}, {"B", "38 0 200 100"}},
         {{"compliant", "", 0, 0, "B", "A"}}},
        {"two holders, a third project and a rest: the rest goes to the nearest piece",
         {"0 0 302 100"},
         {{"A", "0 0 120 100"}, {"B", "120 0 240 100", "", "2020-03-01", 100}, {"C", "240 0 270 100"}},
         {{"compliant", "", 0, 0, "A"}, {"exceeds", "OUTSIDE", 3200, 2200, "B", "C"}}},
        {"one holder was approved after the work began",
         {"0 0 200 100"},
         {{"A", "0 0 100 100"}, {"B", "100 0 200 100", "", "2022-05-01"}},
         {{"compliant", "", 0, 0, "A"}, {"before_approval", "ART26", 0, 0, "B"}}},
        {"two projects approved for the same ground",
         {"50 50 150 150"},
         {{"A", "0 0 200 200"}, {"B", "0 0 200 200"}},
         {{"compliant", "", 0, 0, "A", "B"}}},
        {"only a schematic range, 499 m away",
         {"0 0 200 100"},
         {{"S", "699 0 800 100", schematic}},
         {{"pending", "SCHEMATIC,REPORT_FORM", 20000, 20000}}},
        {"only a schematic range, 501 m away",
         {"0 0 200 100"},
         {{"S", "701 0 800 100", schematic}},
         {{"unapproved", "REPORT_FORM", 20000, 20000}}},
        {"inside a schematic range",
         {"0 0 200 100"},
         {{"S", "-50 -50 400 400", schematic}},
         {{"pending", "SCHEMATIC,REPORT_FORM", 20000, 20000}}},
        {"exact and schematic together",
         {"0 0 200 100"},
         {{"A", "0 0 200 100"}, {"S", "0 0 300 300", schematic}},
         {{"compliant", "", 0, 0, "A"}}},
        {"a schematic part never proves that there is no exceedance",
         {"0 0 200 100"},
         {{"A", "0 0 100 100", "", "2020-03-01", 100}, {"A", "100 0 200 100", schematic, "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 10000, 9000, "A"}}},
        {"5 m from a range: near, but not in it",
         {"0 0 200 100"},
         {{"A", "205 0 300 100"}},
         {{"unapproved", "REPORT_FORM", 20000, 19500}}},
        {"no range far and wide", {"0 0 200 100"}, {}, {{"unapproved", "REPORT_FORM", 20000, 20000}}},
        {"0.49 hm²", {"0 0 70 70"}, {}, {{"unapproved", "LT05", 4900, 4900}}},
        {"5 hm²", {"0 0 500 101"}, {}, {{"unapproved", "REPORT_BOOK", 50500, 50500}}},
        {"below 0.1 hm²", {"0 0 30 33"}, {}, {{"pending", "SMALL,LT05", 990, 990}}},
        {"the range stands inside",
         {"0 0 300 300"},
         {{"A", "100 100 200 200", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 80000, 90000 - 10000 - 4000 - corners(10), "A"}}},
        {"in two parts, one of them outside",
         {"0 0 100 100; 400 0 500 100"},
         {{"A", "0 0 200 200", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 10000, 10000, "A"}}},
        {"a thick and a thin part outside: the thin one is dropped",
         {"0 0 300 100; 300 0 315 100; 0 100 300 160"},
         {{"A", "0 0 300 100", "", "2020-03-01", 100}},
         {{"exceeds", "OUTSIDE", 19500, 15000, "A"}}},
        {"two disturbances of one project share its 30 %",
         {"0 0 100 150", "200 0 300 150"},
         {{"A", "0 0 300 100", "", "2020-03-01", 2.6}},
         {{"exceeds", "OUTSIDE,ART16_2", 5000, 4000, "A"}, {"exceeds", "OUTSIDE,ART16_2", 5000, 4000, "A"}}},
        {"a tenth less than 30 %",
         {"0 0 100 150", "200 0 300 150"},
         {{"A", "0 0 300 100", "", "2020-03-01", 2.7}},
         {{"exceeds", "OUTSIDE", 5000, 4000, "A"}, {"exceeds", "OUTSIDE", 5000, 4000, "A"}}},
        {"DAREA missing: the area of the range stands for it",
         {"0 0 100 150"},
         {{"A", "0 0 130 100"}},
         {{"exceeds", "OUTSIDE,ART16_2", 5000, 4000, "A"}}},
        {"the earliest approval of the parts counts",
         {"0 0 200 100"},
         {{"A", "0 0 100 100", "", "2022-01-01"}, {"A", "100 0 200 100", "", "2019-12-31"}},
         {{"compliant", "", 0, 0, "A"}}},
        {"approved after the work began",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", "2021-06-02"}},
         {{"before_approval", "ART26", 0, 0, "A"}}},
        {"approved between two looks",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", "2021-06-01"}},
         {{"compliant", "ONSET_STRADDLES", 0, 0, "A"}}},
        {"approved more than three years before",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", "2020-03-31"}},
         {{"compliant", "ART18", 0, 0, "A"}},
         {},
         "2023-04-01",
         "2023-06-01"},
        {"the three years are those of the order of 2023: begun before it, there is no such term",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", "2017-12-31"}},
         {{"compliant", "", 0, 0, "A"}}},
        {"approved on 29 February, begun after 1 March three years on",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", "2020-02-29"}},
         {{"compliant", "ART18", 0, 0, "A"}},
         {},
         "2023-03-02",
         "2023-06-01"},
        {"no approval date",
         {"0 0 200 100"},
         {{"A", "0 0 200 100", "", ""}},
         {{"compliant", "NO_APPROVAL_DATE", 0, 0, "A"}}},
        {"no onset",
         {"0 0 200 100"},
         {{"A", "0 0 200 100"}},
         {{"compliant", "NO_ONSET", 0, 0, "A"}},
         {},
         "",
         ""},
    };
}

// Scale of a Gauss–Krüger projection at a distance from its central meridian (Snyder 1987, eq. 8-11, on the
// mean radius of curvature; the terms left out are below 1e-8 here).
double scale(double distance, double northing) {
    const double a = 6378137, f = 1 / 298.257222101, e2 = f * (2 - f);
    const double latitude = northing / 6367449,
                 s = std::sin(latitude);  // to 0.2 degrees, enough for the radius
    const double n = a / std::sqrt(1 - e2 * s * s), m = n * (1 - e2) / (1 - e2 * s * s);
    return 1 + distance * distance / (2 * m * n);
}

void try_all(double easting) {
    const auto cases = table();
    REQUIRE(cases.size() >= 50);
    const TemporaryFolder folder;
    const std::string crs = "EPSG:4546";
    using io::FieldType;
    io::LayerData found{
        "drawn",
        crs,
        {{"onset_from", FieldType::date}, {"onset_to", FieldType::date}, {"ground_sample", FieldType::real}},
        {},
        {}},
        approved{"ranges",
                 crs,
                 {{"PRID", FieldType::text},
                  {"vectype", FieldType::text},
                  {"SADT", FieldType::date},
                  {"DAREA", FieldType::real}},
                 {},
                 {}};
    const auto date = [](const std::string& text) {
        return text.empty() ? io::Value() : io::Value(*Date::parse(text));
    };
    double y = 2400000;
    for (std::size_t i = 0; i < cases.size(); ++i, y += 6000) {
        const auto& c = cases[i];
        for (const auto& d : c.disturbances)
            found.rows.push_back(
                {boxes(d, easting, y),
                 {date(c.onset_from), date(c.onset_to), c.sample ? io::Value(*c.sample) : io::Value()}});
        for (const auto& r : c.ranges)
            approved.rows.push_back({boxes(r.boxes, easting, y),
                                     {std::to_string(i) + r.project, r.type, date(r.approved),
                                      r.hectares > 0 ? io::Value(r.hectares) : io::Value()}});
    }
    io::write_geopackage(folder / "drawn.gpkg", std::span(&found, 1));
    io::write_geopackage(folder / "ranges.gpkg", std::span(&approved, 1));
    Bench bench(folder.path(),
                {{"screen.disturbances", folder / "drawn.gpkg"}, {"approvals.path", folder / "ranges.gpkg"}},
                "202406");
    bench.run("screen");
    for (const auto& p : bench.problems()) CHECK_MESSAGE(false, p.what);
    const auto rows = rows_by_case(folder / "store/batches/202406/screened.gpkg");

    std::size_t row = 0, seen = 0;
    y = 2400000;
    for (std::size_t i = 0; i < cases.size(); ++i, y += 6000) {
        const auto& c = cases[i];
        CAPTURE(c.what);
        // The middle of the boxes stands for all of them: over 1 km at 135 km the area scale moves by 7e-6.
        for (std::size_t k = 0; k < c.expected.size(); ++k) {
            const bool split = c.expected.size() > c.disturbances.size();
            char id[40];
            std::snprintf(id, sizeof id, split ? "202406-%05zu-%zu" : "202406-%05zu",
                          split ? row + 1 : row + k + 1, k + 1);
            CAPTURE(id);
            REQUIRE(rows.count(id) == 1);
            ++seen;
            const auto& r = rows.at(id);
            const auto& want = c.expected[k];
            CHECK(text_of(r, "verdict") == want.verdict);
            CHECK(text_of(r, "flags") == want.flags);
            const double middle = (r.shape.bounds().min_x + r.shape.bounds().max_x) / 2 - 500000,
                         stretch = std::pow(scale(middle, y), 2);
            const double close = easting == 500000 ? 1e-6 : 1e-5;
            const auto same = [&](double got, double expected) {
                // Two decimals are written.
                CHECK(std::abs(got - expected / stretch) <= 0.006 + close * expected);
            };
            same(number_of(r, "area_m2"), r.shape.area());
            same(number_of(r, "outside_m2"), want.outside);
            same(number_of(r, "outside_tolerant_m2"), want.tolerant);
            const auto prefixed = [&](const std::string& p) { return p.empty() ? p : std::to_string(i) + p; };
            CHECK(text_of(r, "approval_id") == prefixed(want.project));
            CHECK(text_of(r, "other_approvals") == prefixed(want.others));
        }
        row += c.disturbances.size();
    }
    CHECK(seen == rows.size());
}

}  // namespace

TEST_CASE("overlay of small shapes: verdict, flags, areas, links") {
    SUBCASE("on the central meridian") {
        try_all(500000);
    }
    SUBCASE("135 km beside it") {
        try_all(635000);
    }
}

TEST_CASE("the depth of what lies outside is measured to the range, however far the range is") {
    const TemporaryFolder folder;
    const auto crs = "EPSG:4546";
    io::LayerData found{"drawn", crs, {{"onset_to", io::FieldType::date}}, {}, {}},
        approved{"ranges", crs, {{"PRID", io::FieldType::text}}, {}, {}};
    const auto day = io::Value(*Date::parse("2021-06-01"));
    const double x = 500000, y = 3600000;
    found.rows.push_back({boxes("0 0 200 100", x, y), {day}});
    approved.rows.push_back({boxes("0 0 100 100", x, y), {std::string("A")}});
    // The nearest range of the far end lies beyond the disturbance's own surroundings.
    found.rows.push_back({boxes("0 10000 1000 10100", x, y), {day}});
    approved.rows.push_back({boxes("0 10000 100 10100", x, y), {std::string("B")}});
    approved.rows.push_back({boxes("900 10140 1000 10200", x, y), {std::string("B")}});
    io::write_geopackage(folder / "drawn.gpkg", std::span(&found, 1));
    io::write_geopackage(folder / "ranges.gpkg", std::span(&approved, 1));
    Bench bench(folder.path(),
                {{"screen.disturbances", folder / "drawn.gpkg"}, {"approvals.path", folder / "ranges.gpkg"}});
    bench.run("screen");
    const auto rows = rows_by_case(folder / "store/batches/202106/screened.gpkg");
    REQUIRE(rows.size() == 2);
    CHECK(number_of(rows.at("202106-00001"), "outside_depth_m") == doctest::Approx(100));
    // From (1000, 0) the part above is 140 m away, the one to the west 900 m.
    CHECK(number_of(rows.at("202106-00002"), "outside_depth_m") == doctest::Approx(140));
}

TEST_CASE("no layer of ranges: nothing is called unapproved") {
    const TemporaryFolder folder;
    io::LayerData found{"drawn", "EPSG:4546", {{"onset_to", io::FieldType::date}}, {}, {}};
    found.rows.push_back({boxes("0 0 400 400", 500000, 3600000), {*Date::parse("2021-06-01")}});
    io::write_geopackage(folder / "drawn.gpkg", std::span(&found, 1));
    Bench bench(folder.path(), {{"screen.disturbances", folder / "drawn.gpkg"}, {"approvals.path", "none"}});
    bench.run("screen");
    const auto rows = rows_by_case(folder / "store/batches/202106/screened.gpkg");
    REQUIRE(rows.size() == 1);
    CHECK(text_of(rows.at("202106-00001"), "verdict") == "pending");
    CHECK(text_of(rows.at("202106-00001"), "flags") == "NO_RANGE_LAYER,REPORT_BOOK");
}
