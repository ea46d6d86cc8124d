// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/io/geometry.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

// '#' grows, '*' seeds, '?' was not seen.
Change change_of(const std::vector<std::string>& rows, std::int64_t col = 0, std::int64_t row = 0) {
    Change c(
        {col, row, static_cast<std::int64_t>(rows.front().size()), static_cast<std::int64_t>(rows.size())});
    for (std::size_t i = 0; i < c.evidence.size(); ++i) {
        const char ch = rows[i / rows.front().size()][i % rows.front().size()];
        c.evidence[i] = Change::no_evidence;
        if (ch == '?') c.evidence[i] = Change::unobserved;
        if (ch == '#' || ch == '*') {
            c.set(i, ch == '*' ? 1.0 : -1.0, 5);
            c.onset_from[i] = 100;
            c.onset_to[i] = 200;
            c.kind[i] = ChangeKind::surface;
        }
    }
    return c;
}

double area_of(const MultiPolygon& m) {
    double sum = 0;
    const auto ring = [](const Ring& r) {
        double a = 0;
        for (std::size_t i = 0; i + 1 < r.size(); ++i) a += r[i].x * r[i + 1].y - r[i + 1].x * r[i].y;
        return a / 2;
    };
    for (const auto& p : m) {
        CHECK(ring(p.outer) > 0);
        sum += ring(p.outer);
        for (const auto& h : p.holes) {
            CHECK(ring(h) < 0);
            sum += ring(h);
        }
    }
    return sum;
}

std::vector<Segment> segments_of(const Change& c, std::int64_t min_pixels = 1) {
    const SegmentationOptions o{.min_pixels = min_pixels};
    const std::vector<RunStrip> strips = {extract_runs(c, o)};
    return connect(strips, o);
}

}  // namespace

TEST_CASE("objects need a seed, grow through corners and are named by their first pixel") {
    const auto s = segments_of(change_of({
        "##...#..",
        "..*...#.",
        "........",
        "#*....*#",
    }));
    REQUIRE(s.size() == 3);
    CHECK(s[0].pixels == 3);
    CHECK(s[1].runs.front().col == 0);
    CHECK(s[2].runs.front().col == 6);
    CHECK(s[0].onset_from == 100);
    CHECK(s[0].onset_to == 200);
    CHECK(s[0].kind == ChangeKind::surface);
    CHECK(s[0].magnitude == doctest::Approx(5));
    // The more certain half of {1, −1, −1} is {1, −1}.
    CHECK(s[0].confidence == doctest::Approx((1 / (1 + std::exp(-1.0)) + 1 / (1 + std::exp(1.0))) / 2));
}

TEST_CASE("two epochs cannot say more than their most, and the less the smaller the object") {
    const Change c = change_of({"***...*", "***....", "......."});
    SegmentationOptions o{.min_pixels = 1};
    const std::vector<RunStrip> strips = {extract_runs(c, o)};
    const auto plain = connect(strips, o);
    o.most_confidence = 0.5;
    o.half_pixels = 3;
    const auto s = connect(strips, o);
    REQUIRE(s.size() == 2);
    CHECK(s[0].confidence == doctest::Approx(plain[0].confidence * 0.5 * 6 / 9));
    CHECK(s[1].confidence == doctest::Approx(plain[1].confidence * 0.5 * 1 / 4));
    CHECK(s[0].pixels == plain[0].pixels);  // what is found does not depend on it
}

TEST_CASE("the minimum mapping unit and what was not seen") {
    CHECK(segments_of(change_of({"***.", "....", "*..."}), 3).size() == 1);
    CHECK(segments_of(change_of({"**?**"})).size() == 2);
}

TEST_CASE("an object holds so many seeds, in one run or in several, however the map is cut") {
    const std::vector<std::string> map = {
        "##*#....***",
        "#*......###",
        "*.........#",
    };
    for (const std::int64_t least : {1, 2, 3, 4}) {
        SegmentationOptions o{.least_seeds = least, .grow = -2, .min_pixels = 1};
        const Change all = change_of(map);
        const std::vector<RunStrip> whole = {extract_runs(all, o)};
        CHECK(connect(whole, o).size() == (least <= 3 ? 2 : 0));
        std::vector<RunStrip> rows;
        for (std::size_t r = 0; r < map.size(); ++r) {
            Change row = change_of({map[r]});
            row.window.row = static_cast<std::int64_t>(r);
            rows.push_back(extract_runs(row, o));
        }
        CHECK(connect(rows, o).size() == connect(whole, o).size());
    }
}

TEST_CASE("holes up to the limit are filled, larger ones stay") {
    const auto s = segments_of(change_of({
        "*******",
        "*.*...*",
        "*******",
    }));
    REQUIRE(s.size() == 1);
    CHECK(area_of(outline(s[0], 0, false)) == 17);
    CHECK(area_of(outline(s[0], 1, false)) == 18);
    CHECK(area_of(outline(s[0], 3, false)) == 21);
    CHECK(outline(s[0], 1, false)[0].holes.size() == 1);
}

TEST_CASE("pixels that touch in a corner give valid polygons") {
    const auto s = segments_of(change_of({
        "*.*.",
        ".*.*",
        "*.*.",
        ".**.",
    }));
    REQUIRE(s.size() == 1);
    for (const bool generalise : {false, true}) {
        const auto m = outline(s[0], 0, generalise);
        CHECK(area_of(m) == 8);
        CHECK(io::Geometry(m).valid());
        CHECK(io::Geometry(m).area() == doctest::Approx(8));
    }
}

TEST_CASE("stairs become slopes and keep their area") {
    const auto s = segments_of(change_of({
        "*.....",
        "**....",
        "***...",
        "****..",
        "*****.",
        "******",
    }));
    const auto m = outline(s[0], 0, true);
    CHECK(area_of(m) == 21);
    CHECK(m[0].outer.size() < 9);
}

TEST_CASE("property: any map gives valid polygons whose area is its pixels', in whatever strips it comes") {
    std::mt19937 random(20241);
    for (int round = 0; round < 150; ++round) {
        const auto rows = 3 + random() % 30, cols = 3 + random() % 30;
        std::vector<std::string> map(rows, std::string(cols, '.'));
        const auto density = 20 + random() % 70;
        for (auto& line : map)
            for (auto& c : line)
                if (random() % 100 < density) c = random() % 5 == 0 ? '*' : '#';
        const SegmentationOptions o{.min_pixels = 1 + static_cast<std::int64_t>(random() % 4)};
        const auto whole = change_of(map, -7, -11);
        const std::vector<RunStrip> one = {extract_runs(whole, o)};
        const auto segments = connect(one, o);
        std::vector<RunStrip> many;
        for (std::size_t r = 0; r < rows;) {
            const std::size_t n = std::min<std::size_t>(rows - r, 1 + random() % 5);
            many.push_back(extract_runs(change_of({map.begin() + static_cast<std::ptrdiff_t>(r),
                                                   map.begin() + static_cast<std::ptrdiff_t>(r + n)},
                                                  -7, -11 + static_cast<std::int64_t>(r)),
                                        o));
            r += n;
        }
        const auto again = connect(many, o);
        REQUIRE(again.size() == segments.size());
        for (std::size_t i = 0; i < segments.size(); ++i) {
            CHECK(segments[i].pixels == again[i].pixels);
            CHECK(segments[i].confidence == again[i].confidence);
            for (const bool generalise : {false, true}) {
                const auto m = outline(segments[i], 0, generalise);
                CHECK(m == outline(again[i], 0, generalise));
                const io::Geometry g(m);
                CHECK_MESSAGE(g.valid(), g.wkt());
                CHECK(area_of(m) == doctest::Approx(static_cast<double>(segments[i].pixels)));
                CHECK(g.area() == doctest::Approx(static_cast<double>(segments[i].pixels)));
            }
            CHECK(io::Geometry(outline(segments[i], 4, true)).valid());
        }
    }
}
