// SPDX-License-Identifier: Apache-2.0
// A real elevation model (Slovenia, 10 m): slopes against those of GDAL's own `gdaldem slope`, and lengths
// that are the same however the model is cut.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <gdal_priv.h>
#include <gdal_utils.h>

#include "../../pipeline/stages/terrain.hpp"
#include "support/boxes.hpp"
#include "support/shared_data.hpp"
#include "support/stage_run.hpp"
#include <shuibao/algorithms/erosion.hpp>
#include <shuibao/io/raster.hpp>

using namespace shuibao;
using namespace shuibao::test;

namespace {

// Slopes as GDAL has them, degrees; −9999 on the rim.
std::vector<float> slopes_of_gdal(const std::string& dem, const std::string& out) {
    const GDALDatasetUniquePtr source(GDALDataset::Open(dem.c_str()));
    REQUIRE(source);
    GDALDEMProcessingOptions* options = GDALDEMProcessingOptionsNew(nullptr, nullptr);
    int wrong = 0;
    GDALClose(GDALDEMProcessing(out.c_str(), GDALDataset::ToHandle(source.get()), "slope", nullptr, options,
                                &wrong));
    GDALDEMProcessingOptionsFree(options);
    REQUIRE(wrong == 0);
    return io::read_whole_band(out, 1);
}

}  // namespace

TEST_CASE("real ground: slopes are those of gdaldem, lengths do not depend on blocks") {
    if (!have_shared("s2_eolearn_slovenia")) return;
    const TemporaryFolder folder;
    const auto dem = (shared("s2_eolearn_slovenia") / "dem_m.tif").string();
    const auto info = io::describe_raster(dem);
    const auto theirs = slopes_of_gdal(dem, folder / "slope.tif");
    const pipeline::TerrainModel model(dem);
    pipeline::TerrainQuestion q;
    q.steep = 15;
    q.cap = 100;
    q.length_slope = [](double slope, double before, double piece) {
        return algorithms::slope_length_factor(before, piece, algorithms::slope_length_exponent(slope),
                                               {20, 100}) *
               algorithms::sl773_slope_factor(slope);
    };
    double steepest = 0, flattest = 90;
    for (int r0 = 5; r0 + 15 < info.rows - 5; r0 += 20)
        for (int c0 = 5; c0 + 15 < info.cols - 5; c0 += 20) {
            double sum = 0;
            int steep = 0;
            for (int r = r0; r < r0 + 15; ++r)
                for (int c = c0; c < c0 + 15; ++c) {
                    const double slope =
                        theirs[static_cast<std::size_t>(r) * static_cast<std::size_t>(info.cols) +
                               static_cast<std::size_t>(c)];
                    REQUIRE(slope >= 0);
                    sum += slope;
                    steep += slope >= 15 ? 1 : 0;
                }
            const auto shape = box(info.left + c0 * info.gsd_x, info.top - (r0 + 15) * info.gsd_y,
                                   info.left + (c0 + 15) * info.gsd_x, info.top - r0 * info.gsd_y);
            const auto t = model.under(shape, info.crs, q);
            REQUIRE(t);
            CHECK(t->slope == doctest::Approx(sum / 225).epsilon(1e-5));
            CHECK(t->share_steep == doctest::Approx(steep / 225.0).epsilon(0.01));
            steepest = std::max(steepest, t->slope);
            flattest = std::min(flattest, t->slope);
            // Between no length at all and 100 m on the steepest ground there is.
            CHECK(t->length_slope > 0);
            CHECK(t->length_slope < 1.5 * std::sqrt(5.0) * algorithms::sl773_slope_factor(90));
            for (const int block : {4, 9}) {
                q.block = block;
                const auto again = model.under(shape, info.crs, q);
                REQUIRE(again);
                CHECK(again->length_slope == t->length_slope);
                CHECK(again->slope == t->slope);
            }
            q.block = 512;
        }
    MESSAGE("mean slopes from " << flattest << "° to " << steepest << "°");
    CHECK(steepest > 1.5 * flattest);  // there are hills to be right about
}
