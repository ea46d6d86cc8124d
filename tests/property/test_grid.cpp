// SPDX-License-Identifier: Apache-2.0
// Every pixel has one address and lies in one tile, wherever it is and however the grid is cut.
#include <array>
#include <limits>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include <shuibao/core/grid.hpp>

using namespace shuibao;

namespace {

template <std::size_t N>
double pick(std::mt19937_64& random, const std::array<double, N>& list) {
    return list[random() % N];
}
std::int64_t between(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

Grid any_grid(std::mt19937_64& random) {
    const double gsd = pick(random, std::array{0.5, 0.8, 1.0, 2.1, 10.0, 16.0, 30.0});
    const int tile = static_cast<int>(between(random, 16, 700));
    const double left = static_cast<double>(between(random, 160'000, 840'000)) +
                        pick(random, std::array{0.0, 0.25, 5.0}),
                 top = static_cast<double>(between(random, 0, 9'000'000)) +
                       pick(random, std::array{0.0, 0.5, 7.5});
    return Grid::aligned_to("EPSG:32650", left, top, gsd, tile);
}

}  // namespace

TEST_CASE("windows survive the way over map coordinates") {
    std::mt19937_64 random(1);
    for (int round = 0; round < 5000; ++round) {
        const Grid g = any_grid(random);
        const Window w{between(random, -100'000, 2'000'000), between(random, -100'000, 2'000'000),
                       between(random, 1, 30'000), between(random, 1, 30'000)};
        REQUIRE(g.window(g.bounds(w)) == w);
        const Bounds b = g.bounds(w);
        CHECK(g.on_lattice(b.min_x, b.max_y, g.gsd(), g.gsd()));
        // A thousandth of a pixel counts as on the edge; a hundredth does not.
        const double e = 0.0005 * g.gsd(), f = 0.01 * g.gsd();
        CHECK(g.window({b.min_x - e, b.min_y - e, b.max_x + e, b.max_y + e}) == w);
        CHECK(g.window({b.min_x + e, b.min_y + e, b.max_x - e, b.max_y - e}) == w);
        CHECK(g.window({b.min_x - f, b.min_y - f, b.max_x + f, b.max_y + f}) == w.grown(1));
        CHECK(g.col_of_x(g.x_of_col(static_cast<double>(w.col))) ==
              doctest::Approx(static_cast<double>(w.col)));
    }
}

TEST_CASE("tiles cover a window exactly once, in row-major order") {
    std::mt19937_64 random(2);
    for (int round = 0; round < 1500; ++round) {
        const Grid g = any_grid(random);
        const Window w{between(random, -3000, 3000), between(random, -3000, 3000), between(random, 1, 2500),
                       between(random, 1, 2500)};
        const auto tiles = g.tiles(w);
        std::int64_t covered = 0;
        for (std::size_t i = 0; i < tiles.size(); ++i) {
            const Window part = g.window(tiles[i]).intersection(w);
            CHECK_FALSE(part.empty());
            covered += part.pixels();
            CHECK(g.window(tiles[i]).cols == g.tile_size());
            if (i > 0) CHECK(tiles[i - 1] < tiles[i]);
        }
        // Tiles of one size on one lattice are disjoint when their names differ: the sum proves the cover.
        CHECK(covered == w.pixels());
        const std::set<TileId> names(tiles.begin(), tiles.end());
        CHECK(names.size() == tiles.size());
        for (int k = 0; k < 8; ++k) {
            const auto col = between(random, w.col, w.col + w.cols - 1),
                       row = between(random, w.row, w.row + w.rows - 1);
            const TileId id = g.tile_at(col, row);
            CHECK(names.count(id) == 1);
            CHECK(g.window(id).intersection({col, row, 1, 1}).pixels() == 1);
        }
    }
}

TEST_CASE("tile names print and parse to themselves over the whole range") {
    std::mt19937_64 random(3);
    constexpr auto least = std::numeric_limits<std::int32_t>::min(),
                   most = std::numeric_limits<std::int32_t>::max();
    for (int round = 0; round < 20000; ++round) {
        const int bits = static_cast<int>(random() % 31) + 1;
        const auto any = [&] {
            return static_cast<std::int32_t>(
                between(random, -(std::int64_t{1} << bits), (std::int64_t{1} << bits) - 1));
        };
        const TileId id{any(), any()};
        REQUIRE(TileId::parse(id.str()) == id);
    }
    for (const TileId id : {TileId{least, most}, TileId{most, least}, TileId{0, -1}})
        CHECK(TileId::parse(id.str()) == id);
    CHECK_FALSE(TileId::parse("X2147483648_Y0000"));
    CHECK_FALSE(TileId::parse("X99999999999999999999_Y0000"));
    CHECK_FALSE(TileId::parse("X-0000_Y0000"));  // zero has one spelling
}

TEST_CASE("intersection and growth of windows agree with counting pixels") {
    std::mt19937_64 random(4);
    for (int round = 0; round < 400; ++round) {
        const auto any = [&] {
            return Window{between(random, -20, 20), between(random, -20, 20), between(random, 0, 25),
                          between(random, 0, 25)};
        };
        const Window a = any(), b = any(), c = a.intersection(b);
        std::int64_t common = 0;
        for (std::int64_t y = -25; y < 50; ++y)
            for (std::int64_t x = -25; x < 50; ++x) {
                const auto in = [&](const Window& w) {
                    return x >= w.col && x < w.col + w.cols && y >= w.row && y < w.row + w.rows;
                };
                common += in(a) && in(b) ? 1 : 0;
            }
        CHECK(c.pixels() == common);
        if (!a.empty()) CHECK(a.grown(3).pixels() == (a.cols + 6) * (a.rows + 6));
    }
}
