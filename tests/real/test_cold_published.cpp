// SPDX-License-Identifier: Apache-2.0
// Oracles O1 and O3: what the published COLD core (pyxccd, commit e91af13) finds in its own test series.
// Dates and counts exactly; the core computes in single precision, so RMSE and coefficients to 2e-4
// (magnitudes: half a unit of 1/10 000, or 2e-4). The series stay outside the project: each case says so and
// passes when its file is absent. Besides the shared data, files are looked for in $SHUIBAO_ORACLE_DIR.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/cold.hpp>

using namespace shuibao::algorithms;

namespace {

// day, blue, green, red, NIR, SWIR1, SWIR2, thermal, Fmask (0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255
// fill)
bool published(const std::string& name, std::vector<ColdSegment>& out) {
    std::vector<std::filesystem::path> places{SHUIBAO_SHARED_DIR "/data/pixel_timeseries"};
    if (const char* own = std::getenv("SHUIBAO_ORACLE_DIR")) places.emplace_back(own);
    std::ifstream file;
    for (const auto& place : places)
        if (!file.is_open() && std::filesystem::exists(place / name)) file.open(place / name);
    if (!file.is_open()) {
        MESSAGE("skipped: " << name << " is neither in the shared data nor in $SHUIBAO_ORACLE_DIR");
        return false;
    }
    std::vector<std::int32_t> days;
    std::vector<Look> looks;
    std::vector<std::array<float, 6>> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
        if (line.empty() || line[0] < '0' || line[0] > '9') continue;  // header
        std::array<double, 9> field{};
        std::istringstream text(line);
        std::string item;
        for (double& f : field) {
            REQUIRE(std::getline(text, item, ','));
            f = std::stod(item);
        }
        if (field[8] == 255) continue;
        days.push_back(static_cast<std::int32_t>(field[0]));
        looks.push_back(field[8] < 2 ? Look::clear : field[8] == 3 ? Look::snow : Look::hidden);
        auto& row = rows.emplace_back();
        for (std::size_t b = 0; b < 6; ++b) row[b] = static_cast<float>(field[b + 1]);
    }
    std::vector<float> values;
    for (std::size_t b = 0; b < 6; ++b)
        for (const auto& row : rows) values.push_back(row[b]);
    Cold(days, 6).run(values, looks, out);
    return true;
}

void check_rmse(const ColdSegment& s, const std::array<double, 6>& wanted, double tolerance) {
    for (std::size_t b = 0; b < 6; ++b) {
        CAPTURE(b);
        CHECK(s.rmse[b] == doctest::Approx(wanted[b]).epsilon(tolerance));
    }
}

void check_magnitude(const ColdSegment& s, const std::array<double, 6>& wanted) {
    for (std::size_t b = 0; b < 6; ++b) {
        CAPTURE(b);
        CHECK(std::abs(s.magnitude[b] - wanted[b]) < std::max(0.05, 2e-4 * std::abs(wanted[b])));
    }
}

}  // namespace

TEST_CASE("COLD O1: clearing in a Landsat series, 2000–2019") {
    std::vector<ColdSegment> out;
    if (!published("spectral_336_3980_obs.csv", out)) return;
    REQUIRE(out.size() == 2);
    CHECK(out[0].first_day == 730632);
    CHECK(out[0].last_day == 735032);
    CHECK(out[0].break_day == 735040);
    CHECK(out[0].observations == 142);
    CHECK(out[0].category() == 8);
    check_rmse(out[0], {146.3745, 138.6765, 146.8760, 169.5035, 126.3415, 97.7175}, 2e-4);
    check_magnitude(out[0], {-8.66, -41.32, 53.09, -391.25, 823.37, 937.52});
    CHECK(out[0].coefficients[0][3] == doctest::Approx(-14770.69).epsilon(2e-4));
    CHECK(out[0].coefficients[1][3] * 1e4 == doctest::Approx(223.6295).epsilon(2e-4));
    CHECK(out[1].first_day == 735056);
    CHECK(out[1].last_day == 737368);
    CHECK(out[1].break_day == 737376);
    CHECK(out[1].change_probability == 16);
    CHECK(out[1].observations == 62);
    check_rmse(out[1], {75.5306, 74.6880, 94.0240, 193.9614, 182.3110, 170.1827}, 2e-4);
}

TEST_CASE("COLD O3: forest fire in an HLS series") {
    std::vector<ColdSegment> out;
    if (!published("pyxccd_1_hls_sc.csv", out)) return;
    REQUIRE(out.size() == 2);
    CHECK(out[0].break_day == 738968);
    CHECK(out[0].change_probability == 100);
    CHECK(out[0].observations == 472);
    check_rmse(out[0], {32.98, 46.94, 51.28, 134.50, 138.79, 92.00}, 2e-4);
    check_magnitude(out[0], {220.33, 170.39, 256.18, -920.62, 158.79, 771.65});
    CHECK(out[1].first_day == 738968);
    CHECK(out[1].category() == 24);
}

TEST_CASE("COLD O3: beetles, moths and logging that COLD does not see") {
    for (const auto& [name, observations] :
         {std::pair{"pyxccd_2_mpb_co_landsat.csv", 238}, std::pair{"pyxccd_2_sm_ma_landsat.csv", 210},
          std::pair{"pyxccd_7_logging_hls_w0.csv", 254}}) {
        CAPTURE(name);
        std::vector<ColdSegment> out;
        if (!published(name, out)) continue;
        REQUIRE(out.size() == 1);
        CHECK(out[0].break_day == 0);
        CHECK(out[0].change_probability == 0);
        CHECK(out[0].observations == observations);
    }
}
