// SPDX-License-Identifier: Apache-2.0
// Soil loss against the test values of domain.md §6, the published equations, and slopes whose length is
// known.
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/rules.hpp"
#include <shuibao/algorithms/erosion.hpp>
#include <shuibao/algorithms/risk.hpp>
#include <shuibao/algorithms/terrain.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using shuibao::test::shipped_rules;

namespace {

constexpr double degree = std::numbers::pi / 180;

ErosionLimits shipped_limits(const std::string& region) {
    const auto rules = shipped_rules();
    return {rules("erosion_tolerable_" + region),
            {rules("erosion_light_below"), rules("erosion_moderate_below"), rules("erosion_strong_below"),
             rules("erosion_very_strong_to")}};
}

// Heights on square cells, drawn by a function of column and row.
struct Hill {
    int cols, rows;
    std::vector<double> z, side;
    std::vector<std::uint8_t> valid;
    template <class F>
    Hill(int c, int r, double cell, F height) : cols(c), rows(r), side(static_cast<std::size_t>(r), cell) {
        for (int y = 0; y < r; ++y)
            for (int x = 0; x < c; ++x) {
                z.push_back(height(x, y));
                valid.push_back(1);
            }
    }
    [[nodiscard]] Heights heights() const { return {cols, rows, z, valid, side, side}; }
};

}  // namespace

TEST_CASE("domain.md 6.1: slope factor of CSLE, with its step at 10°") {
    for (const auto& [slope, factor] :
         {std::pair{3.0, 0.5952}, std::pair{5.0, 0.9642}, std::pair{10.0, 2.8429}, std::pair{15.0, 4.7081},
          std::pair{25.0, 8.2953}})
        CHECK(csle_slope_factor(slope) == doctest::Approx(factor).epsilon(1e-4));
    CHECK(csle_slope_factor(0) == doctest::Approx(0.03));
    // "Jump of 0.43 at 10° is genuine": the equation of gentler slopes gives 16.8 sin 10° − 0.5 there.
    CHECK(csle_slope_factor(10) - csle_slope_factor(9.999999) == doctest::Approx(0.4256).epsilon(1e-3));
}

TEST_CASE("domain.md 6.1: length factor at 60 m, and that pieces of a slope have the mean of the whole") {
    for (const auto& [slope, factor] :
         {std::pair{1.0, 1.2208}, std::pair{3.0, 1.3488}, std::pair{5.0, 1.4903}, std::pair{6.0, 1.6466}})
        CHECK(slope_length_factor(0, 60, slope_length_exponent(slope), {22.13, 300}) ==
              doctest::Approx(factor).epsilon(1e-4));
    CHECK(slope_length_exponent(1.01) == 0.3);
    CHECK(slope_length_exponent(3.01) == 0.4);
    for (const double m : {0.2, 0.5, -0.57})
        for (const double length : {30.0, 95.0, 100.0, 107.0, 400.0})
            for (const int pieces : {1, 3, 17}) {
                double sum = 0;
                for (int i = 0; i < pieces; ++i)
                    sum += slope_length_factor(i * length / pieces, length / pieces, m, {20, 100});
                CAPTURE(m);
                CAPTURE(length);
                CHECK(sum / pieces ==
                      doctest::Approx(std::pow(std::min(length, 100.0) / 20, m)).epsilon(1e-9));
            }
}

TEST_CASE("domain.md 6.1: soil loss of CSLE at R 4000, K 0.004, 60 m") {
    for (const auto& [slope, modulus] : {std::pair{3.0, 1285.0}, std::pair{8.0, 4843.0},
                                         std::pair{15.0, 12404.0}, std::pair{25.0, 21854.0}}) {
        const double ls =
            slope_length_factor(0, 60, slope_length_exponent(slope), {22.13, 300}) * csle_slope_factor(slope);
        CHECK(std::abs(soil_loss(4000, 0.004, ls, 1, 1, 1) - modulus) < 0.5);  // given without decimals
        CHECK(soil_loss(4000, 0.004, ls, 0.5, 0.4, 0.3) ==
              doctest::Approx(soil_loss(4000, 0.004, ls, 1, 1, 1) * 0.06));
    }
}

TEST_CASE("domain.md 6.2: SL 773, worked by hand") {
    // sin 15° = 0.258819: e^(2.3 − 6.1 sin θ) = e^0.721204 = 2.056908; 17 / 3.056908 − 1.5 = 4.061175.
    CHECK(sl773_slope_factor(15) == doctest::Approx(4.061175).epsilon(1e-6));
    CHECK(sl773_slope_factor(0) == doctest::Approx(17 / (1 + std::exp(2.3)) - 1.5));
    // √(60 / 20) = 1.7320508; 100 · 4000 · 2.13 · 0.004 · 1.7320508 · 4.061175 = 23972.42 t/(km²·a).
    const double ls =
        slope_length_factor(0, 60, slope_length_exponent(15), {20, 100}) * sl773_slope_factor(15);
    CHECK(soil_loss(4000, shipped_rules()("turned_over_factor") * 0.004, ls, 1, 1, 1) ==
          doctest::Approx(23972.42).epsilon(1e-5));
    // A face: SIL 0.4, CLA 0.2, ρ 1.4: 0.004 e^0.978286 = 0.0106396; (10 / 5)^−0.57 = 0.673617;
    // 0.8 sin 45° + 0.38 = 0.945685; · 100 · 4000 = 2711.088.
    CHECK(cut_face_loss(4000, {0.4, 0.2, 1.4, 45, 10}, 100) == doctest::Approx(2711.088).epsilon(1e-4));
    CHECK(cut_face_loss(4000, {0.4, 0.2, 1.4, 45, 100}, 100) ==
          doctest::Approx(cut_face_loss(4000, {0.4, 0.2, 1.4, 45, 900}, 100)));
    // A heap: 0.92 · 0.05 e^(−3 · 0.3) · (30 / 25)^1.2 · (20 / 5)^0.6 · 100 · 4000
    // = 0.92 · 0.0203285 · 1.244565 · 2.297397 · 4e5 = 21389.78.
    CHECK(pile_loss(4000, {0.92, 0.05, -3, 0.3, 1.2, 0.6, 30, 20}, 100) ==
          doctest::Approx(21389.78).epsilon(1e-4));
}

TEST_CASE("SL 190: classes by modulus, with each region's tolerable loss") {
    using enum ErosionClass;
    const auto rock = shipped_limits("northern_rock"), loess = shipped_limits("loess");
    REQUIRE(rock.rise());
    CHECK_FALSE(ErosionLimits{2500, rock.above}.rise());
    CHECK_FALSE(ErosionLimits{0, rock.above}.rise());
    for (const auto& [modulus, intensity] :
         {std::pair{0.0, slight}, std::pair{199.9, slight}, std::pair{200.0, light}, std::pair{2499.9, light},
          std::pair{2500.0, moderate}, std::pair{4999.9, moderate}, std::pair{5000.0, strong},
          std::pair{7999.9, strong}, std::pair{8000.0, very_strong}, std::pair{15000.0, very_strong},
          std::pair{15000.1, severe}})
        CHECK(erosion_code(erosion_class(modulus, rock)) == erosion_code(intensity));
    CHECK(erosion_class(999, loess) == slight);
    CHECK(shipped_limits("black").tolerable == 200);
    CHECK(shipped_limits("southern_red").tolerable == 500);
    CHECK(shipped_limits("southwest_rock").tolerable == 500);
    CHECK(erosion_range(slight, loess) == "<1000");
    CHECK(erosion_range(light, loess) == "1000–2500");
    CHECK(erosion_range(strong, rock) == "5000–8000");
    CHECK(erosion_range(very_strong, rock) == "8000–15000");
    CHECK(erosion_range(severe, rock) == ">15000");
    for (const auto c : {slight, light, moderate, strong, very_strong, severe})
        CHECK(erosion_from_code(erosion_code(c)) == c);
    CHECK_FALSE(erosion_from_code("terrible"));
}

TEST_CASE("domain.md 6.3: the table of slope and cover, every cell and its edges") {
    // Rows from closed to open; l 轻度, m 中度, s 强烈, v 极强烈, x 剧烈.
    const std::vector<std::pair<double, std::string>> rows = {
        {0.70, "lllmm"}, {0.50, "llmms"}, {0.40, "lmmsv"}, {0.10, "mmsvx"}};
    const std::string letters = "-lmsvx";
    const auto letter = [&](double slope, double cover) {
        return letters.at(static_cast<std::size_t>(erosion_by_slope_and_cover(slope, cover)));
    };
    for (const auto& [cover, row] : rows) {
        std::string got;
        for (const double slope : {6.0, 10.0, 20.0, 30.0, 40.0}) got += letter(slope, cover);
        CHECK(got == row);
        CHECK(letter(4.9, cover) == '-');
    }
    CHECK(letter(60, 0.76) == '-');
    CHECK(letter(60, 0.75) == 'm');
    CHECK(letter(5, 0) == 'm');
    CHECK(letter(7.99, 0.30) == 'l');
    CHECK(letter(8, 0.2999) == 'm');
    CHECK(letter(14.99, 0.45) == 'l');
    CHECK(letter(15, 0.45) == 'm');
    CHECK(letter(25, 0.60) == 'm');
    CHECK(letter(35, 0) == 'x');
}

TEST_CASE("cover from NDVI, and what it holds back") {
    CHECK(cover_fraction(0.05, 0.1, 0.8) == 0);
    CHECK(cover_fraction(0.45, 0.1, 0.8) == doctest::Approx(0.5));
    CHECK(cover_fraction(0.9, 0.1, 0.8) == 1);
    // Cai et al. (2000): 1 where bare, 0.6508 − 0.3436 lg f, nothing from 78.3 % on.
    CHECK(vegetation_factor(CoverModel::cai, 0) == 1);
    CHECK(vegetation_factor(CoverModel::cai, 0.0005) == 1);
    CHECK(vegetation_factor(CoverModel::cai, 0.10) == doctest::Approx(0.3072));
    CHECK(vegetation_factor(CoverModel::cai, 0.40) == doctest::Approx(0.6508 - 0.3436 * std::log10(40.0)));
    CHECK(vegetation_factor(CoverModel::cai, 0.784) == 0);
    // domain.md 6.1: grass 0.49 bare, 0.006 at 0.9.
    CHECK(vegetation_factor(CoverModel::grass, 0) == doctest::Approx(0.49).epsilon(2e-3));
    CHECK(vegetation_factor(CoverModel::grass, 0.9) == doctest::Approx(0.0068).epsilon(1e-2));
    CHECK(vegetation_factor(CoverModel::shrub, 0) == doctest::Approx(1 / (1.17647 + 0.86242)));
}

TEST_CASE("rules §6: the points of erosion, in a table that adds up") {
    const auto rules = shipped_rules();
    for (const auto& [code, points] :
         {std::pair{"light", 2.0}, std::pair{"moderate", 4.0}, std::pair{"strong", 6.0},
          std::pair{"very_strong", 8.0}, std::pair{"severe", 10.0}}) {
        RiskFacts f;
        f.verdict = Verdict::unapproved;
        f.offending_area = f.area = 3000;
        f.erosion_rule = erosion_rule(*erosion_from_code(code));
        f.erosion_value = "some";
        f.erosion_source = "maps";
        const auto risk = score(f, rules);
        CHECK(risk.severity == 25 + points);
        REQUIRE(risk.items.size() == 2);
        CHECK(risk.items[1].item == "土壤侵蚀强度");
        CHECK(risk.items[1].value == "some");
        CHECK(risk.items[1].source == "maps");
        CHECK(risk.items[1].rule == std::string("points_erosion_") + code);
        f.verdict = Verdict::compliant;
        f.offending_area = 0;
        // What is approved keeps the points of its ground, and is on nobody's list for them.
        CHECK(score(f, rules).severity == points);
        CHECK(score(f, rules).tier == Tier::none);
    }
    CHECK(erosion_rule(ErosionClass::slight).empty());
}

TEST_CASE("slope lengths on planes, ridges and terraces are those of the map") {
    // A plane of 10° that falls to the east from a wall of nothing: the way to the top is known everywhere.
    Hill plane(40, 12, 10, [](int x, int) { return -x * 10 * std::tan(10 * degree); });
    auto places = slope_places(plane.heights(), 1000);
    for (int x = 2; x < 39; ++x) {
        CHECK(places[plane.heights().at(x, 6)].before == doctest::Approx((x - 1) * 10));
        CHECK(places[plane.heights().at(x, 6)].piece == doctest::Approx(10));
        CHECK(*slope_at(plane.heights(), x, 6) == doctest::Approx(10));
    }
    CHECK(slope_places(plane.heights(), 75)[plane.heights().at(30, 6)].before == 75);
    CHECK_FALSE(slope_at(plane.heights(), 39, 6));
    CHECK(places[plane.heights().at(39, 6)].piece == 0);
    // The mean of the length factor from the top is that of one slope so long (SL 773: (λ / 20)^m).
    double sum = 0;
    for (int x = 1; x <= 15; ++x) {
        const auto& p = places[plane.heights().at(x, 6)];
        sum += slope_length_factor(p.before, p.piece, 0.5, {20, 100});
    }
    CHECK(sum / 15 == doctest::Approx(std::sqrt(100.0 / 20)));

    // Diagonal: √2 of a cell at each step.
    const Hill diagonal(20, 20, 10, [](int x, int y) { return -(x + y) * 3.0; });
    const auto across = slope_places(diagonal.heights(), 1000);
    CHECK(across[diagonal.heights().at(9, 9)].before == doctest::Approx(8 * 10 * std::numbers::sqrt2));

    // A terrace less than half as steep starts anew; one that is a little gentler does not.
    for (const auto& [gentle, before] : {std::pair{0.05, 0.0}, std::pair{0.15, 90.0}}) {
        const Hill terrace(40, 8, 10,
                           [g = gentle](int x, int) { return x <= 10 ? -x * 2.0 : -20 - (x - 10) * 10 * g; });
        CHECK(slope_places(terrace.heights(), 1000)[terrace.heights().at(10, 4)].before ==
              doctest::Approx(before));
    }

    // A hollow ends the way, and missing heights do.
    Hill hollow(30, 9, 10, [](int x, int) { return -x * 2.0; });
    hollow.valid[hollow.heights().at(12, 4)] = 0;
    places = slope_places(hollow.heights(), 1000);
    CHECK(places[hollow.heights().at(12, 4)].piece == 0);
    CHECK_FALSE(slope_at(hollow.heights(), 13, 5));
    CHECK(*slope_at(hollow.heights(), 14, 5) == doctest::Approx(std::atan(0.2) / degree));
    CHECK(places[hollow.heights().at(13, 4)].before == 0);
    CHECK(places[hollow.heights().at(14, 4)].before == doctest::Approx(10));
}

TEST_CASE("a mean that does not ask for the order of its numbers") {
    std::vector<double> numbers;
    for (int i = 0; i < 1000; ++i) numbers.push_back(std::sin(i) * 90);
    OrderFreeMean forwards, backwards;
    double plain = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        forwards.add(numbers[i]);
        backwards.add(numbers[numbers.size() - 1 - i]);
        plain += numbers[i];
    }
    CHECK(forwards.mean() == backwards.mean());
    CHECK(forwards.mean() == doctest::Approx(plain / 1000).epsilon(1e-6));
    CHECK(OrderFreeMean().mean() == 0);
}
