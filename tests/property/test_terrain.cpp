// SPDX-License-Identifier: Apache-2.0
// What is measured of an elevation model is a property of the ground: not of how it is cut into blocks, who
// measures it, in which order, or where the raster ends far away.
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <gdal_priv.h>

#include "../../pipeline/stages/terrain.hpp"
#include "support/boxes.hpp"
#include "support/stage_run.hpp"
#include <shuibao/algorithms/erosion.hpp>
#include <shuibao/algorithms/terrain.hpp>

using namespace shuibao;
using namespace shuibao::test;

namespace {

constexpr int cols = 180, rows = 150;
constexpr double nodata = -32768, west = 500000, north = 3600000;

// Hills of many sizes with some noise, so that ways meet and end everywhere, and a lake of missing heights.
std::vector<float> hills(unsigned seed) {
    std::mt19937 random(seed);
    const auto number = [&] { return static_cast<double>(random()) / 4294967296.0; };
    struct Wave {
        double a, b, phase, height;
    };
    std::vector<Wave> waves;
    for (int i = 0; i < 14; ++i) {
        const double length = 6 + number() * 120, turn = number() * 6.283;
        waves.push_back({6.283 * std::cos(turn) / length, 6.283 * std::sin(turn) / length, number() * 6.283,
                         length * 0.6});
    }
    std::vector<float> z;
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < cols; ++c) {
            double h = 300 + number() * 0.5;
            for (const auto& w : waves) h += w.height * std::sin(w.a * c + w.b * r + w.phase);
            const bool lake = std::hypot(c - 120, r - 40) < 6;
            z.push_back(static_cast<float>(lake ? nodata : h));
        }
    return z;
}

// A part of the hills as a GeoTIFF in its right place.
std::string write(const TemporaryFolder& folder, const std::string& name, const std::vector<float>& z,
                  const Window& part, double cell, const std::string& crs, double left, double top) {
    const auto path = folder / name;
    auto* driver = GetGDALDriverManager()->GetDriverByName("GTiff");
    const GDALDatasetUniquePtr d(driver->Create(path.c_str(), static_cast<int>(part.cols),
                                                static_cast<int>(part.rows), 1, GDT_Float32, nullptr));
    REQUIRE(d);
    double place[6] = {left + static_cast<double>(part.col) * cell, cell, 0,
                       top - static_cast<double>(part.row) * cell,  0,    -cell};
    d->SetGeoTransform(place);
    OGRSpatialReference srs;
    srs.SetFromUserInput(crs.c_str());
    d->SetSpatialRef(&srs);
    d->GetRasterBand(1)->SetNoDataValue(nodata);
    std::vector<float> line(z);
    REQUIRE(d->GetRasterBand(1)->RasterIO(
                GF_Write, 0, 0, static_cast<int>(part.cols), static_cast<int>(part.rows),
                line.data() + part.row * cols + part.col, static_cast<int>(part.cols),
                static_cast<int>(part.rows), GDT_Float32, 0, cols * GSpacing{4}, nullptr) == CE_None);
    return path;
}

pipeline::TerrainQuestion asking(int block) {
    pipeline::TerrainQuestion q;
    q.steep = 15;
    q.cap = 300;
    q.block = block;
    q.length_slope = [](double slope, double before, double piece) {
        return algorithms::slope_length_factor(before, piece, algorithms::slope_length_exponent(slope),
                                               {22.13, 300}) *
               algorithms::csle_slope_factor(slope);
    };
    return q;
}

bool same(const std::optional<pipeline::Terrain>& a, const std::optional<pipeline::Terrain>& b) {
    return a.has_value() == b.has_value() &&
           (!a ||
            (a->slope == b->slope && a->share_steep == b->share_steep && a->length_slope == b->length_slope));
}

std::vector<io::Geometry> shapes(unsigned seed, double unit) {
    std::mt19937 random(seed);
    const auto number = [&](double most) { return static_cast<double>(random()) / 4294967296.0 * most; };
    std::vector<io::Geometry> list;
    for (int i = 0; i < 24; ++i) {
        const double x = number(cols - 20.0), y = number(rows - 20.0), w = 1 + number(90), h = 1 + number(60);
        auto shape = box(x * unit, -(y + h) * unit, (x + w) * unit, -y * unit);
        if (i % 2 == 0)  // with a hole and a bay
            shape = shape
                        .difference(box((x + w / 3) * unit, -(y + h / 2) * unit, (x + w / 2) * unit,
                                        -(y + h / 4) * unit))
                        .difference(
                            box((x + w * 0.8) * unit, -(y + h) * unit, (x + w) * unit, -(y + h / 3) * unit));
        list.push_back(std::move(shape));
    }
    return list;
}

io::Geometry moved(const io::Geometry& shape, double x, double y) {
    auto polygons = shape.polygons();
    for (auto& p : polygons) {
        for (auto& v : p.outer) v = {v.x + x, v.y + y};
        for (auto& hole : p.holes)
            for (auto& v : hole) v = {v.x + x, v.y + y};
    }
    return io::Geometry(polygons);
}

}  // namespace

TEST_CASE("terrain does not depend on blocks, threads or the far end of the raster") {
    const TemporaryFolder folder;
    struct Place {
        const char* crs;
        double cell, left, top;
    };
    for (const auto& at : {Place{"EPSG:4546", 12.5, west, north}, Place{"EPSG:4490", 0.0003, 112.1, 33.2}}) {
        CAPTURE(at.crs);
        const auto z = hills(7);
        const pipeline::TerrainModel whole(write(folder, std::string(at.crs + 5) + ".tif", z,
                                                 {0, 0, cols, rows}, at.cell, at.crs, at.left, at.top));
        std::vector<io::Geometry> list;
        for (const auto& s : shapes(3, at.cell)) list.push_back(moved(s, at.left, at.top));
        std::vector<std::optional<pipeline::Terrain>> once;
        double most = 0;
        for (const auto& s : list) {
            once.push_back(whole.under(s, at.crs, asking(512)));
            REQUIRE(once.back());
            most = std::max(most, once.back()->length_slope);
        }
        CHECK(most > 10);  // there is something to get wrong
        for (const int block : {1, 7, 16, 33, 100})
            for (std::size_t i = 0; i < list.size(); i += block == 1 ? 8 : 1)
                CHECK(same(whole.under(list[i], at.crs, asking(block)), once[i]));
        // Four threads at once, in different orders.
        std::vector<std::thread> threads;
        std::vector<int> wrong(4, 0);
        for (std::size_t t = 0; t < wrong.size(); ++t)
            threads.emplace_back([&, t] {
                for (std::size_t k = 0; k < list.size(); ++k) {
                    const auto i = (k * 5 + t * 7) % list.size();
                    wrong[t] += same(whole.under(list[i], at.crs, asking(20)), once[i]) ? 0 : 1;
                }
            });
        for (auto& t : threads) t.join();
        CHECK(wrong == std::vector<int>{0, 0, 0, 0});
        // A raster that ends 300 m (and a little) around the shape tells the same of it.
        const auto halo = algorithms::slope_reach(300, at.cell < 1 ? 27 : at.cell);
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto b = list[i].bounds();
            Window part{static_cast<std::int64_t>((b.min_x - at.left) / at.cell) - halo - 1,
                        static_cast<std::int64_t>((at.top - b.max_y) / at.cell) - halo - 1,
                        static_cast<std::int64_t>((b.max_x - b.min_x) / at.cell) + 2 * halo + 3,
                        static_cast<std::int64_t>((b.max_y - b.min_y) / at.cell) + 2 * halo + 3};
            part = part.intersection({0, 0, cols, rows});
            const pipeline::TerrainModel near(write(folder, "part" + std::to_string(i) + at.crs[5] + ".tif",
                                                    z, part, at.cell, at.crs, at.left, at.top));
            const auto got = near.under(list[i], at.crs, asking(512));
            REQUIRE(got);
            CHECK(got->slope == doctest::Approx(once[i]->slope).epsilon(1e-9));
            CHECK(got->length_slope == doctest::Approx(once[i]->length_slope).epsilon(1e-9));
        }
    }
}

TEST_CASE("a halo of slope_reach cells is enough, and one cell's worth of cap less is not") {
    const auto z = hills(11);
    const std::vector<double> metres(z.begin(), z.end());
    std::vector<std::uint8_t> valid;
    for (const double m : metres) valid.push_back(m == nodata ? 0 : 1);
    const std::vector<double> side(rows, 10);
    const algorithms::Heights all{cols, rows, metres, valid, side, side};
    const auto truth = algorithms::slope_places(all, 200);
    const auto differ = [&](int halo) {
        std::size_t n = 0;
        for (int r0 = 40; r0 < rows - 40; r0 += 9)
            for (int c0 = 40; c0 < cols - 40; c0 += 9) {
                const int side_px = 9 + 2 * halo;
                std::vector<double> part;
                std::vector<std::uint8_t> mask;
                for (int r = 0; r < side_px; ++r)
                    for (int c = 0; c < side_px; ++c) {
                        const auto i = all.at(c0 - halo + c, r0 - halo + r);
                        part.push_back(metres[i]);
                        mask.push_back(valid[i]);
                    }
                const std::vector<double> step(static_cast<std::size_t>(side_px), 10);
                const algorithms::Heights window{side_px, side_px, part, mask, step, step};
                const auto places = algorithms::slope_places(window, 200);
                for (int r = 0; r < 9; ++r)
                    for (int c = 0; c < 9; ++c)
                        n += places[window.at(halo + c, halo + r)].before !=
                             truth[all.at(c0 + c, r0 + r)].before;
            }
        return n;
    };
    CHECK(differ(algorithms::slope_reach(200, 10)) == 0);
    CHECK(differ(algorithms::slope_reach(100, 10)) > 0);  // the comparison can fail
}
