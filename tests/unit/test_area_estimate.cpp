// SPDX-License-Identifier: Apache-2.0
// Oracle O15: the worked example of Olofsson et al. 2014 (RSE 148:42–57, section 5).
#include <array>

#include <doctest/doctest.h>

#include <shuibao/algorithms/area_estimate.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;

TEST_CASE("Olofsson 2014, worked example") {
    Eigen::MatrixXd n(4, 4);
    n << 66, 0, 5, 4, 0, 55, 8, 12, 1, 0, 153, 11, 2, 1, 9, 313;
    const double pixel_ha = 0.09;
    const auto e = algorithms::estimate_areas(
        n, {200000 * pixel_ha, 150000 * pixel_ha, 3200000 * pixel_ha, 6450000 * pixel_ha});
    const std::array area{21158., 11686., 285770., 581386.}, ci{6158., 3756., 15510., 16282.};
    const std::array ua{.880, .733, .927, .963}, pa{.749, .847, .935, .962};
    for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(e.classes[i].area == doctest::Approx(area[i]).epsilon(1e-4));
        CHECK(1.96 * e.classes[i].area_se == doctest::Approx(ci[i]).epsilon(1e-3));
        CHECK(e.classes[i].users_accuracy == doctest::Approx(ua[i]).epsilon(1e-3));
        CHECK(e.classes[i].producers_accuracy == doctest::Approx(pa[i]).epsilon(1e-3));
    }
    CHECK(e.overall_accuracy == doctest::Approx(.9465).epsilon(1e-4));
    CHECK(e.overall_se == doctest::Approx(.0094).epsilon(1e-2));
}

TEST_CASE("too small a sample is refused, not divided by") {
    Eigen::MatrixXd n(2, 2);
    n << 1, 0, 0, 30;
    CHECK_THROWS_AS(static_cast<void>(algorithms::estimate_areas(n, {1, 1})), Error);
}
