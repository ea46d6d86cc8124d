// SPDX-License-Identifier: Apache-2.0
// Oracle O7: five NDVI pixels of the nrt package (tests/data/X.csv and y.csv), 136 dates of which the first
// 100 are history; wanted values from R strucchange as kept there. The files stay outside the project: put
// them into $SHUIBAO_ORACLE_DIR as nrt_X.csv and nrt_y.csv; the case says so and passes when they are absent.
// They hold six decimals, which is what the tolerances allow for.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/structural_change.hpp>

using namespace shuibao::algorithms;

namespace {

std::vector<std::vector<double>> table(const std::string& name) {
    std::vector<std::vector<double>> rows;
    std::vector<std::filesystem::path> places{SHUIBAO_SHARED_DIR "/data/pixel_timeseries"};
    if (const char* own = std::getenv("SHUIBAO_ORACLE_DIR")) places.emplace_back(own);
    for (const auto& place : places) {
        if (!rows.empty() || !std::filesystem::exists(place / name)) continue;
        std::ifstream file(place / name);
        for (std::string line, item; std::getline(file, line);) {
            auto& row = rows.emplace_back();
            for (std::istringstream text(line); std::getline(text, item, ',');)
                row.push_back(item == "nan" ? std::nan("") : std::stod(item));
        }
    }
    if (rows.empty())
        MESSAGE("skipped: " << name << " is neither in the shared data nor in $SHUIBAO_ORACLE_DIR");
    return rows;
}

}  // namespace

TEST_CASE("monitoring O7: five pixels, CUSUM, MOSUM and stable history as in strucchange") {
    const auto x = table("nrt_X.csv"), y = table("nrt_y.csv");
    if (x.empty() || y.empty()) return;
    REQUIRE(x.size() == 136);
    REQUIRE(y.size() == 136);
    Eigen::MatrixXd design(136, 5);
    for (std::size_t i = 0; i < 136; ++i)
        for (std::size_t j = 0; j < 5; ++j)
            design(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = x[i][j];

    constexpr double cusum[5]{-2.08012374769, -1.12995172580, -2.15542212058, -0.79442012575, -0.58697646124},
        boundary[5]{2.18830071, 1.98733665, 2.04326468, 2.11813508, 2.22906619},
        sigma[5]{0.08456961513, 0.11149676074, 0.13391729122, 0.10534777083, 0.11774832129},
        mosum[5]{-1.69177611, -1.38607390, 0, -0.86981534, -0.87205523};
    constexpr std::size_t looks_in_history[5]{63, 68, 56, 61, 56}, stable_100[5]{1, 17, 1, 1, 1},
        stable_136[5]{1, 19, 46, 62, 1};
    for (std::size_t p = 0; p < 5; ++p) {
        CAPTURE(p);
        std::vector<double> values;
        std::vector<Look> looks;
        for (std::size_t i = 0; i < 136; ++i) {
            values.push_back(y[i][p]);
            looks.push_back(std::isnan(y[i][p]) ? Look::hidden : Look::clear);
        }
        const auto run = [&](Fluctuation kind) {
            return monitor_series(design, values, looks, 100, {.process = kind, .history = History::all});
        };
        const MonitoringResult c = run(Fluctuation::cusum), m = run(Fluctuation::mosum);
        CHECK(c.history_looks == looks_in_history[p]);
        CHECK(c.sigma == doctest::Approx(sigma[p]).epsilon(1e-5));
        CHECK(c.process.back() == doctest::Approx(cusum[p]).epsilon(1e-4));
        CHECK(c.boundary.back() == doctest::Approx(boundary[p]).epsilon(1e-6));
        if (p != 2) CHECK(m.process.back() == doctest::Approx(mosum[p]).epsilon(1e-4));
        CHECK(m.boundary.back() == doctest::Approx(1.89762642).epsilon(1e-6));
        // nrt stops the third pixel at its break; the process as such is the one of R.
        CHECK(m.break_date.has_value() == (p == 2));

        // Of the stable history O7 keeps the numbers of another version of the file; these are what
        // strucchange 1.5-3 gives for this one, over the first 100 dates and over all.
        for (const auto& [dates, wanted] :
             {std::pair{Eigen::Index{100}, stable_100[p]}, {136, stable_136[p]}}) {
            Eigen::MatrixXd rows(dates, 5);
            Eigen::VectorXd seen(dates);
            Eigen::Index n = 0;
            for (Eigen::Index i = 0; i < dates; ++i) {
                if (looks[static_cast<std::size_t>(i)] != Look::clear) continue;
                rows.row(n) = design.row(i);
                seen(n++) = values[static_cast<std::size_t>(i)];
            }
            CHECK(stable_from(rows.topRows(n), seen.head(n), 0.05) + 1 == wanted);
        }
    }
}
