// SPDX-License-Identifier: Apache-2.0
// The published methods on Sentinel-2 over a mine (s2ts_cil_mine_1, 107 looks without a green band). Oracle:
// `algorithms.md` §2.3, where COLD's own core alarms on 0.239 of the pixels that stay as green in autumn as
// they were; the choice of those pixels is a little wider here. Said and passed when the data is absent.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <gdal_priv.h>

#include "support/series_pixels.hpp"
#include "support/shared_data.hpp"
#include <shuibao/io/gdal_session.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

struct Cube final : LookSource {
    std::vector<Date> days;
    std::vector<Image> images;
    [[nodiscard]] std::span<const Date> dates() const override { return days; }
    [[nodiscard]] std::size_t applied() const override { return 0; }
    [[nodiscard]] const Image& read(std::size_t i) override { return images[i]; }
};

Cube mine() {
    Cube cube;
    std::ifstream list(shared("s2ts_cil_mine_1/dates.csv"));
    for (std::string line; std::getline(list, line);)
        if (const auto comma = line.find(','); comma != std::string::npos && line[0] != 'b')
            cube.days.push_back(day(line.substr(comma + 1, 10)));
    const std::array<std::pair<Band, const char*>, 5> bands{{{Band::blue, "B02"},
                                                             {Band::red, "B04"},
                                                             {Band::nir, "B08"},
                                                             {Band::swir16, "B11"},
                                                             {Band::swir22, "B12"}}};
    // Opened once: the files are compressed across their bands, so that every opening decodes them whole.
    const auto open = [](const std::string& band) {
        const auto path = shared("s2ts_cil_mine_1/S2_L2A_" + band + ".tif").string();
        GDALDatasetUniquePtr file(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER));
        REQUIRE(file != nullptr);
        return file;
    };
    const auto scl = open("SCL");
    const Window w{0, 0, scl->GetRasterXSize(), scl->GetRasterYSize()};
    const auto read = [&](GDALDataset& file, std::size_t look, std::span<std::uint16_t> out) {
        const int cols = file.GetRasterXSize(), rows = file.GetRasterYSize();
        REQUIRE(file.GetRasterBand(static_cast<int>(look) + 1)
                    ->RasterIO(GF_Read, 0, 0, cols, rows, out.data(), cols, rows, GDT_UInt16, 0, 0,
                               nullptr) == CE_None);
    };
    std::vector<GDALDatasetUniquePtr> files;
    for (const auto& band : bands) files.push_back(open(band.second));
    std::vector<std::uint16_t> codes(static_cast<std::size_t>(w.pixels()));
    for (std::size_t i = 0; i < cube.days.size(); ++i) {
        Image image;
        image.date = cube.days[i];
        image.scaling.assign(bands.size(), {1e-4F, 0});
        image.pixels.reset(w, static_cast<int>(bands.size()));
        for (std::size_t b = 0; b < bands.size(); ++b) {
            image.bands.push_back(bands[b].first);
            read(*files[b], i, image.pixels.plane(static_cast<int>(b)));
        }
        read(*scl, i, codes);
        const auto red = image.pixels.plane(1);
        for (std::size_t p = 0; p < codes.size(); ++p) {
            const int code = codes[p];
            image.pixels.quality()[p] = red[p] == 0                                        ? Quality::nodata
                                        : code == 6                                        ? Quality::water
                                        : code == 11                                       ? Quality::snow
                                        : code == 2 || code == 4 || code == 5 || code == 7 ? Quality::clear
                                                                                           : Quality::cloud;
        }
        cube.images.push_back(std::move(image));
    }
    return cube;
}

// Median NDVI from August to November of two years; negative when nothing was seen.
double autumn(const Cube& cube, std::size_t p, int year) {
    std::vector<double> v;
    for (const Image& image : cube.images) {
        const auto text = image.date.iso();
        const int y = std::stoi(text.substr(0, 4)), m = std::stoi(text.substr(5, 2));
        if ((y != year && y != year + 1) || m < 8 || m > 11 || !usable(image.pixels.quality()[p])) continue;
        const double red = image.pixels.plane(1)[p], nir = image.pixels.plane(2)[p];
        v.push_back((nir - red) / (nir + red));
    }
    if (v.empty()) return -1;
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
}

}  // namespace

TEST_CASE("cold, season and harmonic at a mine: alarms on what stayed green, as measured with the published core") {
    if (!have_shared("s2ts_cil_mine_1/dates.csv")) return;
    io::gdal_setup({});
    Cube cube = mine();
    REQUIRE(cube.days.size() == 107);
    const Window w = cube.images.front().pixels.window();
    std::vector<std::size_t> green;
    for (std::size_t p = 0; p < static_cast<std::size_t>(w.pixels()); ++p) {
        const double before = autumn(cube, p, 2019), after = autumn(cube, p, 2023);
        if (before > 0.40 && after > before - 0.10) green.push_back(p);
    }
    REQUIRE(green.size() > 500);
    const auto alarmed = [&](const std::string& method, double direction) {
        Follower f(day("2022-01-01"), method);
        if (method == "cold") f.options["direction"] = direction;
        DetectorState state;
        state.reset(w, f.detector->state_bands().size());
        f.detector->advance(cube, f.times, f.options, state);
        const Change c = f.report(state, cube.days.back(), 700);
        return static_cast<double>(std::count_if(green.begin(), green.end(),
                                                 [&](std::size_t p) {
                                                     return c.evidence[p] != Change::unobserved &&
                                                            c.evidence[p] >= Change::evidence_zero;
                                                 })) /
               static_cast<double>(green.size());
    };
    const double any = alarmed("cold", 0), soil = alarmed("cold", 1), season = alarmed("season", 0),
                 mosum = alarmed("mosum", 0), harmonic = alarmed("harmonic", 0);
    MESSAGE("of " << green.size() << " pixels that stayed green: cold " << any << ", to soil only " << soil
                  << ", mosum " << mosum << ", season " << season << ", harmonic " << harmonic);
    CHECK(any > 0.15);
    CHECK(any < 0.30);
    CHECK(soil < any);
    CHECK(season < 0.02);
    CHECK(harmonic < 0.02);  // `algorithms.md` §2.3: 0.004 to 0.013
}
