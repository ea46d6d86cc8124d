// SPDX-License-Identifier: Apache-2.0
// Blocks of files: what is read never depends on what the cache holds, has let go of, or shares between
// threads, and what is written never on who encoded it. The oracle is a pattern that says where each pixel
// lies.
#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "../../pipeline/io/block_cache.hpp"
#include "support/scratch.hpp"
#include "support/stage_run.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/tile_archive.hpp>

using namespace shuibao;

namespace {

using Pixels = std::vector<std::uint16_t>;

constexpr int tile_size = 600;  // no multiple of a block of 256
const Grid grid = Grid::aligned_to("EPSG:32649", 600000, 3660000, 10, tile_size);

std::uint16_t pattern(std::int64_t col, std::int64_t row, int plane) {
    return static_cast<std::uint16_t>(1 + (col * 31 + row * 17 + plane * 7919 + col * row % 101) % 65000);
}

Pixels pattern_of(const Window& w, int plane) {
    Pixels out;
    for (auto r = w.row; r < w.row + w.rows; ++r)
        for (auto c = w.col; c < w.col + w.cols; ++c) out.push_back(pattern(c, r, plane));
    return out;
}

// Two bands over 3 × 3 tiles that begin in the middle of one.
std::string source(const std::filesystem::path& folder, const Window& w) {
    const Pixels a = pattern_of(w, 0), b = pattern_of(w, 1);
    const std::vector<io::GeoTiffBand> bands = {{"a", a}, {"b", b}};
    io::write_geotiff(folder / "source.tif", grid, w, bands, {.compression = "DEFLATE"});
    return folder / "source.tif";
}

io::Acquisition acquisition(const std::vector<TileId>& tiles) {
    io::Acquisition a;
    a.key = "20240101_x";
    a.date = Date::parse("2024-01-01").value();
    a.bands = {Band::red};
    a.scaling = {Scaling{}};
    a.tiles = tiles;
    return a;
}

void write_tile(const std::filesystem::path& root, TileId tile, int plane) {
    const auto a = acquisition({tile});
    const Window w = grid.window(tile);
    std::filesystem::create_directories(root / tile.str());
    io::TileWriter writer(io::TileArchive::tile_path(root, tile, a.key), grid, tile, a);
    for (std::int64_t row = 0; row < w.rows; row += io::TileWriter::strip_rows) {
        Image strip;
        strip.bands = a.bands;
        strip.scaling = a.scaling;
        strip.pixels = Block<std::uint16_t>(
            {w.col, w.row + row, w.cols, std::min(io::TileWriter::strip_rows, w.rows - row)}, 1);
        const Pixels values = pattern_of(strip.pixels.window(), plane);
        std::copy(values.begin(), values.end(), strip.pixels.plane(0).begin());
        std::fill(strip.pixels.quality().begin(), strip.pixels.quality().end(), Quality::clear);
        writer.write(strip);
    }
    writer.finish();
}

// A block of memory, and how often it was filled.
struct Counted {
    io::BlockCache cache;
    std::size_t decoded = 0;
    std::uint16_t read(std::uint64_t block) {
        const auto p = cache.get({{1, 2, 3}, block}, 100, [&](std::span<std::uint16_t> out) {
            ++decoded;
            std::fill(out.begin(), out.end(), static_cast<std::uint16_t>(block));
        });
        return std::accumulate(p->begin(), p->end(), 0U) == 100 * block ? p->front() : 65535;
    }
};

}  // namespace

TEST_CASE("A block stays until its last reader has passed, and not longer") {
    Counted c;
    CHECK(c.read(7) == 7);
    CHECK(c.read(7) == 7);
    CHECK(c.decoded == 1);
    c.cache.passed({{1, 2, 3}, 7}, 2);
    CHECK(c.read(7) == 7);
    CHECK(c.decoded == 1);
    c.cache.passed({{1, 2, 3}, 7}, 2);
    CHECK(c.read(8) == 8);  // in the memory of the other
    CHECK(c.read(7) == 7);
    CHECK(c.decoded == 3);
}

TEST_CASE("The cache keeps to its limit, the longest unused go first") {
    Counted c;
    c.cache.set_limit(3 * 200);
    for (const std::uint64_t b : {1U, 2U, 3U, 1U, 4U}) CHECK(c.read(b) == b);
    CHECK(c.decoded == 4);
    CHECK(c.read(1) == 1);
    CHECK(c.decoded == 4);
    CHECK(c.read(2) == 2);
    CHECK(c.decoded == 5);
    c.cache.set_limit(0);
    CHECK(c.read(9) == 9);
    CHECK(c.read(9) == 9);
    CHECK(c.decoded == 7);
}

TEST_CASE("A block that cannot be decoded is not kept") {
    Counted c;
    const auto fails = [](std::span<std::uint16_t>) { throw Error(ErrorCode::input, "damaged"); };
    CHECK_THROWS_AS(static_cast<void>(c.cache.get({{1, 2, 3}, 5}, 100, fails)), Error);
    CHECK(c.read(5) == 5);
}

TEST_CASE("A source reads the same strip by strip, tile by tile and from two threads") {
    const test::TemporaryFolder folder;
    const Window first = grid.window(grid.tile_at(60000, 634000));
    const Window w{first.col + 100, first.row + 200, 1500, 1400};
    const auto path = source(folder.path(), w);
    const auto tiles = grid.tiles(w);
    CHECK(tiles.size() == 9);
    std::size_t wrong = 0, outside = 0;
    const auto cut = [&](const std::vector<TileId>& list, std::size_t& bad, std::size_t& unknown) {
        for (const TileId t : list) {
            const Window tile = grid.window(t);
            for (std::int64_t row = 0; row < tile.rows; row += 256) {
                const Window part{tile.col, tile.row + row, tile.cols,
                                  std::min<std::int64_t>(256, tile.rows - row)};
                const auto end = part.row + part.rows;
                const io::Reading reading{end < tile.row + tile.rows ? end : io::Reading::end, 0};
                for (int plane = 0; plane < 2; ++plane) {
                    Pixels out(static_cast<std::size_t>(part.pixels()));
                    std::vector<std::uint8_t> valid(out.size());
                    io::read_band({path, plane + 1, {}, 0, 0, io::Resampling::bilinear, 1, 0, reading}, grid,
                                  part, out, valid);
                    const Pixels wanted = pattern_of(part, plane);
                    for (std::size_t k = 0; k < out.size(); ++k) {
                        const auto c = part.col + static_cast<std::int64_t>(k) % part.cols,
                                   r = part.row + static_cast<std::int64_t>(k) / part.cols;
                        const bool in = c >= w.col && c < w.col + w.cols && r >= w.row && r < w.row + w.rows;
                        unknown += (valid[k] != 0) != in;
                        bad += out[k] != (in ? wanted[k] : 0);
                    }
                }
            }
        }
    };
    std::size_t wrong2 = 0, outside2 = 0;
    std::thread other([&] { cut(tiles, wrong2, outside2); });
    auto reversed = tiles;
    std::reverse(reversed.begin(), reversed.end());
    cut(reversed, wrong, outside);
    other.join();
    io::forget_handles();
    CHECK(wrong + wrong2 == 0);
    CHECK(outside + outside2 == 0);
}

TEST_CASE("Tiles read back as written, across their edges, and their overview is every fourth pixel") {
    const test::TemporaryFolder folder;
    const TileId left = grid.tile_at(60000, 634000), right{left.x + 1, left.y};
    write_tile(folder.path(), left, 0);
    write_tile(folder.path(), right, 0);
    const io::TileArchive archive(folder.path(), grid, {acquisition({left, right})});
    const auto& a = archive.acquisitions().front();
    const std::vector<Band> bands = {Band::red};
    const Window l = grid.window(left), across{l.col + 500, l.row + 250, 200, 300};
    for (const bool once : {false, true, true}) {
        Image image;
        archive.read(a, across, bands, image,
                     once ? std::optional(io::Reading{io::Reading::end, 4}) : std::nullopt);
        const Pixels wanted = pattern_of(across, 0);
        CHECK(std::equal(wanted.begin(), wanted.end(), image.pixels.plane(0).begin()));
    }
    // Any step, whether the tiles keep an overview of it or not, and from any window on.
    for (const int step : {1, 2, 3, 4, 8})
        for (const Window& from : {l, Window{l.col + 501, l.row + 250, 205, 303}}) {
            CAPTURE(step);
            const Image sample = archive.sample(a, from, bands, step);
            const auto& s = sample.pixels.window();
            CHECK((s.col + s.cols) * step >= from.col + from.cols);
            CHECK((s.row + s.rows) * step >= from.row + from.rows);
            CHECK((s.col * step >= from.col && s.col * step < from.col + step));
            CHECK((s.row * step >= from.row && s.row * step < from.row + step));
            std::size_t wrong = 0;
            for (std::int64_t k = 0; k < s.pixels(); ++k) {
                const auto at = static_cast<std::size_t>(k);
                wrong += sample.pixels.plane(0)[at] !=
                             pattern((s.col + k % s.cols) * step, (s.row + k / s.cols) * step, 0) ||
                         sample.pixels.quality()[at] != Quality::clear;
            }
            CHECK(wrong == 0);
        }

    // A tile that is cut again is another file, whatever the cache still holds of the old one.
    write_tile(folder.path(), left, 1);
    const Window inside{l.col + 10, l.row + 10, 50, 50};
    const Image anew = archive.read(a, inside, bands);
    const Pixels wanted = pattern_of(inside, 1);
    CHECK(std::equal(wanted.begin(), wanted.end(), anew.pixels.plane(0).begin()));
}

TEST_CASE("Blocks as they are stored, encoded or taken from another file, give the bytes of rows of pixels") {
    const test::TemporaryFolder folder;
    const Window w = grid.window(grid.tile_at(60000, 634000));
    const std::vector<io::GeoTiffPlane> names = {
        {"one"}, {"two", {}, io::GeoTiffOptions::quick}, {"nothing"}};
    // By rows; by blocks; by blocks that another file holds.
    enum class From { rows, blocks, file };
    const auto write = [&](const char* name, From from) {
        std::optional<io::GeoTiffReader> other;
        if (from == From::file) other.emplace(folder.path() / "rows.tif");
        io::GeoTiffWriter writer(folder.path() / name, grid, w, names, {.sparse = true});
        for (std::int64_t row = 0; row < w.rows; row += 256) {
            const Window part{w.col, w.row + row, w.cols, std::min<std::int64_t>(256, w.rows - row)};
            std::vector<Pixels> planes = {pattern_of(part, 0), pattern_of(part, 1),
                                          Pixels(static_cast<std::size_t>(part.pixels()))};
            for (int p = 0; p < 3; ++p) {
                const auto& plane = planes[static_cast<std::size_t>(p)];
                if (from == From::rows) writer.write(p, row, plane);
                for (std::int64_t x = 0; x * 256 < w.cols && from != From::rows; ++x) {
                    const auto cols = std::min<std::int64_t>(256, w.cols - x * 256);
                    Pixels block(static_cast<std::size_t>(cols * part.rows));
                    for (std::int64_t y = 0; y < part.rows; ++y)
                        std::copy_n(plane.begin() + y * w.cols + x * 256, cols, block.begin() + y * cols);
                    io::PackedBlock packed;
                    if (from == From::file) {
                        Pixels read(block.size(), 7);
                        other->read_block(p, x, row / 256, packed, read);
                        CHECK(read == block);
                    } else {
                        writer.encode(p, block, cols, packed);
                    }
                    writer.write_block(p, x, row / 256, packed);
                }
            }
        }
        writer.metadata("LATE", "yes");
        writer.finish();
    };
    write("rows.tif", From::rows);
    write("blocks.tif", From::blocks);
    write("file.tif", From::file);
    CHECK(test::get(folder.path() / "rows.tif").size() > 600 * 600);
    CHECK(test::get(folder.path() / "rows.tif") == test::get(folder.path() / "blocks.tif"));
    CHECK(test::get(folder.path() / "rows.tif") == test::get(folder.path() / "file.tif"));
    const io::GeoTiffReader one(folder.path() / "rows.tif"), all(folder.path() / "blocks.tif");
    CHECK(all.metadata("LATE") == "yes");
    for (int p = 0; p < 3; ++p) {
        Pixels a(static_cast<std::size_t>(w.cols) * 300), b(a.size());
        one.read(p, 100, a);
        all.read(p, 100, b);
        CHECK(a == b);
        CHECK(a == (p < 2 ? pattern_of({w.col, w.row + 100, w.cols, 300}, p) : Pixels(a.size())));
    }
    Pixels beyond(static_cast<std::size_t>(w.cols) * 2);
    CHECK_THROWS_AS(all.read(0, w.rows - 1, beyond), Error);
    CHECK_THROWS_AS(all.read(3, 0, beyond), Error);
    io::PackedBlock packed;
    Pixels block(256 * 256);
    for (const auto& [plane, x, y] : {std::array{3, 0, 0}, std::array{0, 99, 0}, std::array{0, 0, 99}})
        CHECK_THROWS_AS(all.read_block(plane, x, y, packed, block), Error);
    block.pop_back();
    CHECK_THROWS_AS(all.read_block(0, 0, 0, packed, block), Error);
}
