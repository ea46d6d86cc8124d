// SPDX-License-Identifier: Apache-2.0
// From pixels to polygons, against a flood fill: the same objects however the map is cut, outlines that cover
// exactly their pixels, and generalised ones that stay valid, keep their area and never overlap.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/io/geometry.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

using Pixel = std::pair<std::int64_t, std::int64_t>;  // row, col

// Blobs of several sizes with ragged rims, noise, and what nobody saw.
Change random_map(std::mt19937& random, std::int64_t cols, std::int64_t rows, unsigned blobs,
                  unsigned noise) {
    Change c({static_cast<std::int64_t>(random() % 2000) - 1000,
              static_cast<std::int64_t>(random() % 2000) - 1000, cols, rows});
    std::fill(c.evidence.begin(), c.evidence.end(), Change::no_evidence);
    const auto put = [&](std::size_t i) {
        const auto what = random() % 20;
        if (what == 0) return;
        c.set(i,
              what < 4 ? 0.5 + static_cast<double>(random() % 100) / 20
                       : -1.2 + static_cast<double>(random() % 100) / 100,
              static_cast<double>(random() % 3000) / 100);
        c.onset_from[i] = static_cast<std::uint16_t>(15000 + random() % 300);
        c.onset_to[i] = static_cast<std::uint16_t>(15300 + random() % 300);
        c.kind[i] = static_cast<ChangeKind>(1 + random() % 5);
    };
    for (unsigned b = 0; b < blobs; ++b) {
        const auto x = static_cast<double>(random() % static_cast<unsigned>(cols)),
                   y = static_cast<double>(random() % static_cast<unsigned>(rows));
        const double rx = 1 + static_cast<double>(random() % 18), ry = 1 + static_cast<double>(random() % 18);
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t k = 0; k < cols; ++k) {
                const double d =
                    std::hypot((static_cast<double>(k) - x) / rx, (static_cast<double>(r) - y) / ry);
                if (d < 1 && (d < 0.8 || random() % 2 == 0)) put(static_cast<std::size_t>(r * cols + k));
            }
    }
    for (std::size_t i = 0; i < c.evidence.size(); ++i) {
        if (noise > 0 && random() % noise == 0) put(i);
        if (random() % 150 == 0) c.evidence[i] = Change::unobserved;
    }
    return c;
}

Change part_of(const Change& whole, const Window& w) {
    Change c(w);
    for (std::int64_t r = 0; r < w.rows; ++r)
        for (std::int64_t k = 0; k < w.cols; ++k) {
            const auto to = static_cast<std::size_t>(r * w.cols + k),
                       from = static_cast<std::size_t>((w.row + r - whole.window.row) * whole.window.cols +
                                                       w.col + k - whole.window.col);
            c.evidence[to] = whole.evidence[from];
            c.confidence[to] = whole.confidence[from];
            c.magnitude[to] = whole.magnitude[from];
            c.onset_from[to] = whole.onset_from[from];
            c.onset_to[to] = whole.onset_to[from];
            c.kind[to] = whole.kind[from];
        }
    return c;
}

struct Object {
    std::vector<Pixel> pixels;  // sorted
    double confidence = 0, magnitude = 0;
    std::uint16_t onset_from = 65535, onset_to = 0;
};

double probability(std::uint16_t evidence) {
    return 1 / (1 + std::exp((Change::evidence_zero - static_cast<double>(evidence)) /
                             Change::evidence_per_unit));
}

std::vector<Object> flood_fill(const Change& c, const SegmentationOptions& o) {
    const auto level = [](double v) { return Change::evidence_zero + Change::evidence_per_unit * v; };
    const auto cols = c.window.cols, rows = c.window.rows;
    const auto grows = [&](std::int64_t i) {
        const auto e = c.evidence[static_cast<std::size_t>(i)];
        return e != Change::unobserved && e >= level(o.grow);
    };
    std::vector<char> done(c.evidence.size(), 0);
    std::vector<Object> list;
    for (std::int64_t start = 0; start < cols * rows; ++start) {
        if (done[static_cast<std::size_t>(start)] != 0 || !grows(start)) continue;
        std::vector<std::int64_t> stack = {start}, all;
        done[static_cast<std::size_t>(start)] = 1;
        bool seed = false;
        while (!stack.empty()) {
            const auto i = stack.back();
            stack.pop_back();
            all.push_back(i);
            seed = seed || c.evidence[static_cast<std::size_t>(i)] >= level(o.seed);
            for (std::int64_t dy = -1; dy <= 1; ++dy)
                for (std::int64_t dx = -1; dx <= 1; ++dx) {
                    const auto x = i % cols + dx, y = i / cols + dy, k = y * cols + x;
                    if (x < 0 || y < 0 || x >= cols || y >= rows || done[static_cast<std::size_t>(k)] != 0 ||
                        !grows(k))
                        continue;
                    done[static_cast<std::size_t>(k)] = 1;
                    stack.push_back(k);
                }
        }
        if (!seed || static_cast<std::int64_t>(all.size()) < o.min_pixels) continue;
        Object object;
        std::vector<double> p;
        std::vector<std::pair<std::uint16_t, std::uint16_t>> opened;  // to, from
        for (const auto i : all) {
            const auto k = static_cast<std::size_t>(i);
            object.pixels.emplace_back(c.window.row + i / cols, c.window.col + i % cols);
            object.magnitude += c.magnitude[k] / 100.0 / static_cast<double>(all.size());
            opened.emplace_back(c.onset_to[k], c.onset_from[k]);
            p.push_back(probability(c.evidence[k]));
        }
        // The first tenth to be opened, at least eight pixels, dates the object.
        std::sort(opened.begin(), opened.end());
        opened.resize(std::min(opened.size(), std::max<std::size_t>(8, opened.size() / 10)));
        object.onset_to = opened.back().first;
        for (const auto& [to, from] : opened) object.onset_from = std::min(object.onset_from, from);
        std::sort(object.pixels.begin(), object.pixels.end());
        std::sort(p.rbegin(), p.rend());
        p.resize((p.size() + 1) / 2);
        for (const double v : p) object.confidence += v / static_cast<double>(p.size());
        list.push_back(std::move(object));
    }
    return list;
}

std::vector<Pixel> pixels_of(const Segment& s) {
    std::vector<Pixel> list;
    for (const auto& run : s.runs)
        for (auto c = run.col; c < run.end; ++c) list.emplace_back(run.row, c);
    return list;
}

// Pixels whose centre lies inside, by crossings to the left; lattice coordinates as outline() gives them.
std::set<Pixel> covered(const MultiPolygon& shape) {
    std::map<std::int64_t, std::vector<double>> crossings;
    const auto take = [&](const Ring& ring) {
        for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
            const Point a = ring[i], b = ring[i + 1];
            if (a.y == b.y) continue;
            const double top = std::max(a.y, b.y), bottom = std::min(a.y, b.y);
            for (auto row = static_cast<std::int64_t>(std::floor(-top));
                 row <= static_cast<std::int64_t>(std::ceil(-bottom)); ++row) {
                const double y = -static_cast<double>(row) - 0.5;
                if (y > bottom && y < top)
                    crossings[row].push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
            }
        }
    };
    for (const auto& p : shape) {
        take(p.outer);
        for (const auto& h : p.holes) take(h);
    }
    std::set<Pixel> out;
    for (auto& [row, xs] : crossings) {
        std::sort(xs.begin(), xs.end());
        REQUIRE(xs.size() % 2 == 0);
        for (std::size_t i = 0; i < xs.size(); i += 2)
            for (auto c = static_cast<std::int64_t>(std::ceil(xs[i] - 0.5));
                 static_cast<double>(c) + 0.5 < xs[i + 1]; ++c)
                out.emplace(row, c);
    }
    return out;
}

}  // namespace

TEST_CASE("objects are those of a flood fill, whatever tiles or strips the map is cut into") {
    std::mt19937 random(31);
    for (int round = 0; round < 10; ++round) {
        const auto cols = static_cast<std::int64_t>(150 + random() % 450),
                   rows = static_cast<std::int64_t>(150 + random() % 450);
        const Change map = random_map(random, cols, rows, 40, round % 2 == 0 ? 12 : 0);
        const SegmentationOptions o{.min_pixels = static_cast<std::int64_t>(1 + random() % 12)};
        const auto want = flood_fill(map, o);
        REQUIRE(want.size() > 3);
        for (const auto& [across, down] : std::vector<std::pair<std::int64_t, std::int64_t>>{
                 {cols, rows}, {cols, 64}, {cols, 1}, {64, 64}, {100, 100}, {512, 512}, {1, 40}}) {
            CAPTURE(across);
            CAPTURE(down);
            std::vector<RunStrip> strips;
            for (std::int64_t y = 0; y < rows; y += down)
                for (std::int64_t x = 0; x < cols; x += across)
                    strips.push_back(extract_runs(
                        part_of(map,
                                Window{map.window.col + x, map.window.row + y, across, down}.intersection(
                                    map.window)),
                        o));
            if (across < cols) std::shuffle(strips.begin(), strips.end(), random);
            const auto got = connect(strips, o);
            REQUIRE(got.size() == want.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
                REQUIRE(pixels_of(got[i]) == want[i].pixels);
                CHECK(got[i].pixels == static_cast<std::int64_t>(want[i].pixels.size()));
                CHECK(got[i].confidence == doctest::Approx(want[i].confidence).epsilon(1e-12));
                CHECK(got[i].magnitude == doctest::Approx(want[i].magnitude).epsilon(1e-9));
                CHECK(got[i].onset_from == want[i].onset_from);
                CHECK(got[i].onset_to == want[i].onset_to);
            }
        }
    }
}

TEST_CASE("what nobody saw is outlined whole, within the area asked for") {
    std::mt19937 random(32);
    for (int round = 0; round < 40; ++round) {
        const Change map = random_map(random, 40, 30, 3, 0);
        const Window area = Window{map.window.col + 5, map.window.row - 4, 30, 25};
        std::set<Pixel> want, got;
        for (std::int64_t i = 0; i < 40 * 30; ++i) {
            const Pixel p{map.window.row + i / 40, map.window.col + i % 40};
            if (map.evidence[static_cast<std::size_t>(i)] == Change::unobserved && p.second >= area.col &&
                p.second < area.col + area.cols && p.first < area.row + area.rows)
                want.insert(p);
        }
        const std::vector<RunStrip> strips = {extract_unobserved(map.evidence, map.window, area)};
        for (const auto& s : connect(strips, {.min_pixels = 1}))
            for (const auto& p : pixels_of(s)) CHECK(got.insert(p).second);
        CHECK(got == want);
    }
}

TEST_CASE("outlines cover exactly their pixels and the holes that were to be filled") {
    std::mt19937 random(33);
    for (int round = 0; round < 40; ++round) {
        const Change map = random_map(random, 80, 70, 8, static_cast<unsigned>(2 + random() % 10));
        const SegmentationOptions o{.min_pixels = 1};
        const std::vector<RunStrip> strips = {extract_runs(map, o)};
        for (const auto& s : connect(strips, o)) {
            const auto pixels = pixels_of(s);
            const std::set<Pixel> own(pixels.begin(), pixels.end());
            REQUIRE(covered(outline(s, 0, false)) == own);
            for (const std::int64_t max_hole : {1, 5}) {
                const auto filled = covered(outline(s, max_hole, false));
                std::set<Pixel> more;
                std::set_difference(filled.begin(), filled.end(), own.begin(), own.end(),
                                    std::inserter(more, more.end()));
                CHECK(filled.size() == own.size() + more.size());
                // Each filled hole is 4-connected, closed in and no larger than allowed.
                while (!more.empty()) {
                    std::vector<Pixel> stack = {*more.begin()};
                    more.erase(more.begin());
                    std::int64_t size = 0;
                    while (!stack.empty()) {
                        const auto [r, c] = stack.back();
                        stack.pop_back();
                        ++size;
                        for (const Pixel& n :
                             {Pixel{r - 1, c}, Pixel{r + 1, c}, Pixel{r, c - 1}, Pixel{r, c + 1}}) {
                            if (more.erase(n) > 0) stack.push_back(n);
                            CHECK(filled.count(n) == 1);
                        }
                    }
                    CHECK(size <= max_hole);
                }
            }
        }
    }
}

TEST_CASE(
    "generalised outlines are valid, keep their area, stay within a pixel and never overlap a neighbour") {
    std::mt19937 random(34);
    std::size_t neighbours = 0;
    for (int round = 0; round < 24; ++round) {
        const Change map = random_map(random, 90, 90, 12, static_cast<unsigned>(4 + random() % 12));
        const SegmentationOptions o{.min_pixels = 1};
        const std::vector<RunStrip> strips = {extract_runs(map, o)};
        std::vector<io::Geometry> shapes;
        for (const auto& s : connect(strips, o))
            for (const std::int64_t max_hole : {0, 5}) {
                const io::Geometry plain(outline(s, max_hole, false)), smooth(outline(s, max_hole, true));
                REQUIRE_MESSAGE(smooth.valid(), smooth.wkt());
                CHECK(plain.valid());
                CHECK(smooth.area() == doctest::Approx(plain.area()).epsilon(1e-12));
                CHECK(smooth.difference(plain.buffered(1)).area() < 1e-9);
                CHECK(plain.difference(smooth.buffered(1)).area() < 1e-9);
                if (max_hole == 5) shapes.push_back(smooth);
            }
        for (std::size_t i = 0; i < shapes.size(); ++i)
            for (std::size_t k = i + 1; k < shapes.size(); ++k) {
                const Bounds a = shapes[i].bounds(), b = shapes[k].bounds();
                if (!a.intersects(b)) continue;
                ++neighbours;
                CHECK(shapes[i].intersection(shapes[k]).area() < 1e-9);
            }
    }
    CHECK(neighbours > 50);
}
