// SPDX-License-Identifier: Apache-2.0
// Published algorithms on a real Landsat pair against values that other programs gave (oracles O10 and O11),
// and masks that people and agencies drew.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "support/shared_data.hpp"
#include "support/stage_run.hpp"
#include <shuibao/algorithms/irmad.hpp>
#include <shuibao/algorithms/masks.hpp>
#include <shuibao/io/raster.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;
using Eigen::Index;

namespace {

Eigen::MatrixXd image(const std::string& path) {
    const auto info = io::describe_raster(path);
    Eigen::MatrixXd m(static_cast<Index>(info.cols) * info.rows, info.bands);
    for (int b = 0; b < info.bands; ++b) {
        const auto band = io::read_whole_band(path, b + 1);
        for (std::size_t i = 0; i < band.size(); ++i)
            m(static_cast<Index>(i), b) = static_cast<double>(band[i]);
    }
    return m;
}

Eigen::VectorXd distances(const MadTransform& t, const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) {
    Eigen::VectorXd z(x.rows());
    for (Index i = 0; i < z.size(); ++i) z[i] = t.chi2(x.row(i).transpose(), y.row(i).transpose());
    return z;
}

template <std::size_t N>
void same_rho(const MadTransform& t, const std::array<double, N>& want, double tolerance) {
    REQUIRE(t.rho.size() == static_cast<Index>(N));
    for (std::size_t i = 0; i < N; ++i) {
        CAPTURE(i);
        CHECK(std::abs(t.rho[static_cast<Index>(i)] - want[i]) <= tolerance);
    }
}

}  // namespace

TEST_CASE("O10 and O11: MAD of OTB 8.1.1 and IR-MAD on the Nanjing pair") {
    if (!have_shared("landsat_nanjing")) return;
    gdal_ready();
    const auto x = image(shared("landsat_nanjing/20000503_L5_DN.tif").string()),
               y = image(shared("landsat_nanjing/20020712_L5_DN.tif").string());
    REQUIRE(x.rows() == 640000);
    REQUIRE(x.cols() == 6);

    // O10: correlations as OTB prints them (six digits), standard deviations and range of its bands.
    const auto mad = ir_mad(x, y, {.max_iterations = 0, .regularisation = 0});
    same_rho(mad, std::array{0.855428, 0.747092, 0.52242, 0.372576, 0.288086, 0.175335}, 1e-6);
    const std::array sd{0.5377199, 0.7112063, 0.9773218, 1.1201993, 1.1932416, 1.2842615};
    const Eigen::MatrixXd bands =
        (x.rowwise() - mad.mean_x.transpose()) * mad.a - (y.rowwise() - mad.mean_y.transpose()) * mad.b;
    for (Index k = 0; k < 6; ++k) {
        CAPTURE(k);
        const double mean = bands.col(k).mean(),
                     deviation = std::sqrt((bands.col(k).array() - mean).square().sum() / 640000);
        CHECK(std::abs(mean) < 1e-10);
        CHECK(deviation == doctest::Approx(sd[static_cast<std::size_t>(k)]).epsilon(2e-6));
        CHECK(deviation == doctest::Approx(std::sqrt(2 * (1 - mad.rho[k]))).epsilon(1e-9));
    }
    const double low = bands.col(5).minCoeff(), high = bands.col(5).maxCoeff();
    // The sign of a variate is a convention.
    CHECK(std::min(low, -high) == doctest::Approx(-14.943).epsilon(5e-5));
    CHECK(std::max(high, -low) == doctest::Approx(14.943).epsilon(5e-5));
    CHECK(std::min(high, -low) == doctest::Approx(11.734).epsilon(5e-5));

    // O11: one and ten reweightings, and the fixed point.
    same_rho(ir_mad(x, y, {.max_iterations = 1, .tolerance = 0, .regularisation = 0}),
             std::array{0.93562209, 0.88915114, 0.70306912, 0.49289752, 0.41251213, 0.31627168}, 1e-6);
    same_rho(ir_mad(x, y, {.max_iterations = 10, .tolerance = 0, .regularisation = 0}),
             std::array{0.98851123, 0.98719361, 0.91644502, 0.66553418, 0.64358996, 0.51168778}, 1e-6);
    const auto fixed = ir_mad(x, y, {.max_iterations = 200, .tolerance = 1e-6, .regularisation = 0});
    CHECK(std::abs(fixed.iterations - 115) <= 1);
    // It stopped when ρ moved by less than 1e-6 a step; the oracle did so by its own count.
    same_rho(fixed, std::array{0.99267186, 0.99052373, 0.93561613, 0.68783767, 0.66142539, 0.50766698}, 5e-6);
    Eigen::VectorXd z = distances(fixed, x, y);
    std::sort(z.data(), z.data() + z.size());
    CHECK((z[319999] + z[320000]) / 2 == doctest::Approx(32.480700).epsilon(1e-4));
    double above = 0, unchanged = 0;
    for (Index i = 0; i < z.size(); ++i) {
        above += z[i] > 27.8563 ? 1 : 0;  // χ²₆ at 0.9999 (O16)
        unchanged += chi2_survival(z[i], 6) > 0.95 ? 1 : 0;
    }
    CHECK(above / 640000 == doctest::Approx(0.551739).epsilon(1e-4));
    CHECK(unchanged / 640000 == doctest::Approx(0.002697).epsilon(2e-3));

    // The ridge that keeps repeated bands apart leaves a real pair as it was.
    const auto ridged = ir_mad(x, y, {.max_iterations = 1, .tolerance = 0});
    same_rho(ridged, std::array{0.93562209, 0.88915114, 0.70306912, 0.49289752, 0.41251213, 0.31627168},
             2e-4);
}

TEST_CASE("clouds that a person drew: their grown rim is brighter than land and darker than cloud") {
    if (!have_shared("s2_cloudchip_adwp")) return;
    gdal_ready();
    const auto label = io::read_whole_band(shared("s2_cloudchip_adwp/cloud_label.tif").string(), 1),
               blue = io::read_whole_band(shared("s2_cloudchip_adwp/S2_L2A_10m.tif").string(), 1);
    REQUIRE(label.size() == 512 * 512);
    std::vector<Quality> q(label.size());
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = label[i] == 1 ? Quality::cloud : Quality::clear;
    const auto share = [&](Quality which) {
        return static_cast<double>(std::count(q.begin(), q.end(), which)) / static_cast<double>(q.size());
    };
    CHECK(share(Quality::cloud) == doctest::Approx(0.479).epsilon(2e-3));
    grow_masks(q, 512, 512, 5, 0);
    std::array<double, 9> sum{}, n{};
    for (std::size_t i = 0; i < q.size(); ++i) {
        sum[static_cast<std::size_t>(q[i])] += static_cast<double>(blue[i]);
        ++n[static_cast<std::size_t>(q[i])];
    }
    const auto mean = [&](Quality which) {
        return sum[static_cast<std::size_t>(which)] / n[static_cast<std::size_t>(which)];
    };
    CHECK(share(Quality::cloud) == doctest::Approx(0.479).epsilon(2e-3));  // the cloud itself stays cloud
    CHECK(share(Quality::guard) > 0.01);
    CHECK(mean(Quality::clear) < mean(Quality::guard));
    CHECK(mean(Quality::guard) < mean(Quality::cloud));
}

TEST_CASE("scene classification of a series over a mine: masked pixels are those that look masked") {
    if (!have_shared("s2ts_cil_mine_1")) return;
    gdal_ready();
    const auto scl = shared("s2ts_cil_mine_1/S2_L2A_SCL.tif").string(),
               b02 = shared("s2ts_cil_mine_1/S2_L2A_B02.tif").string(),
               b11 = shared("s2ts_cil_mine_1/S2_L2A_B11.tif").string();
    const auto info = io::describe_raster(scl);
    REQUIRE(info.bands == 107);
    std::array<std::vector<float>, 9> blue, swir;
    for (int band = 1; band <= info.bands; band += 6) {
        const auto code = io::read_whole_band(scl, band), b = io::read_whole_band(b02, band),
                   s = io::read_whole_band(b11, band);
        for (std::size_t i = 0; i < code.size(); ++i) {
            if (b[i] <= 0) continue;
            const auto q = static_cast<std::size_t>(quality_of_scl(static_cast<std::uint16_t>(code[i])));
            blue[q].push_back(b[i]);
            swir[q].push_back(s[i]);
        }
    }
    const auto median = [](std::vector<float>& v) {
        REQUIRE(v.size() > 100);
        std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
        return v[v.size() / 2];
    };
    const auto clear = static_cast<std::size_t>(Quality::clear),
               cloud = static_cast<std::size_t>(Quality::cloud),
               shadow = static_cast<std::size_t>(Quality::shadow);
    CHECK(blue[clear].size() > blue[cloud].size());
    CHECK(median(blue[cloud]) > 2 * median(blue[clear]));
    CHECK(median(swir[shadow]) < median(swir[clear]));
}
