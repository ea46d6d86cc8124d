// SPDX-License-Identifier: Apache-2.0
// Oracles O6 (critical values) and O8 (Nile), and values computed with strucchange 1.5-3 (R 4.2) on the
// series below, which is nobody's: efp, sctest, recresid, and mefp/monitor with period 10.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/structural_change.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

// Annual flow of the Nile at Aswan 1871–1970, 10⁸ m³ (Cobb 1978, Biometrika 65:243; public record).
const std::vector<double> nile{
    1120, 1160, 963,  1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994, 1020, 960,  1180,
    799,  958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,  874, 694,  940,  833,
    701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,  1120, 1100, 832, 764,  821,  768,
    845,  864,  862,  698,  845,  744,  796,  1040, 759,  781,  865,  845,  944,  984, 897,  822,  1010,
    771,  676,  649,  846,  812,  742,  801,  1040, 860,  874,  848,  890,  744,  749, 838,  1050, 918,
    986,  797,  923,  975,  815,  1020, 906,  901,  1170, 912,  746,  919,  718,  714, 740};

struct Made {
    Eigen::MatrixXd design;
    std::vector<double> y;
    std::vector<Look> looks;
};

// Two seasonal terms, reproducible noise, an unstable beginning, a drop from row 112 on.
Made made() {
    std::vector<std::int32_t> days;
    Made m;
    for (int i = 0; i < 140; ++i) {
        const int day = 17000 + 12 * i + (i * 5) % 7;
        const double u = ((i * 7919 + 13) % 10007) / 10007.0 - 0.5,
                     w = 2 * 3.14159265358979324 * day / 365.25;
        days.push_back(day);
        m.y.push_back(0.62 + 0.18 * std::cos(w) - 0.07 * std::sin(w) + 0.03 * std::cos(2 * w) + 0.08 * u -
                      (i >= 112 ? 0.12 : 0) + (i < 30 ? 0.09 : 0));
    }
    m.design = season_trend_design(days, 2, true);
    m.looks.assign(140, Look::clear);
    return m;
}

Eigen::VectorXd head(const std::vector<double>& y, Eigen::Index n) {
    return Eigen::Map<const Eigen::VectorXd>(y.data(), n);
}

double largest(const std::vector<double>& process) {
    double m = 0;
    for (const double p : process) m = std::max(m, std::abs(p));
    return m;
}

}  // namespace

TEST_CASE("critical values of monitoring (O6)") {
    const auto mosum = [](double h, double a) { return monitoring_critical_value(Fluctuation::mosum, h, a); };
    CHECK(mosum(.25, .05) == doctest::Approx(1.341825).epsilon(1e-6));
    CHECK(mosum(.25, .01) == doctest::Approx(1.521645).epsilon(1e-6));
    CHECK(mosum(.25, .001) == doctest::Approx(1.745509).epsilon(1e-6));
    CHECK(mosum(.5, .05) == doctest::Approx(1.902003).epsilon(1e-6));
    CHECK(mosum(.5, .01) == doctest::Approx(2.209073).epsilon(1e-6));
    CHECK(mosum(.5, .001) == doctest::Approx(2.570255).epsilon(1e-6));
    CHECK(mosum(1, .05) == doctest::Approx(2.745928).epsilon(1e-6));
    CHECK(mosum(1, .01) == doctest::Approx(3.276932).epsilon(1e-6));
    CHECK(mosum(1, .001) == doctest::Approx(3.941029).epsilon(1e-6));
    CHECK(mosum(.25, .007) > mosum(.25, .01));
    CHECK(mosum(.25, .007) < mosum(.25, .005));
    const auto cusum = [](double a) { return monitoring_critical_value(Fluctuation::cusum, 0, a); };
    CHECK(cusum(.10) == doctest::Approx(2.500278).epsilon(1e-6));
    CHECK(cusum(.05) == doctest::Approx(2.795483).epsilon(1e-6));
    CHECK(cusum(.01) == doctest::Approx(3.368214).epsilon(1e-6));
    CHECK(recursive_cusum_critical_value(.10) == doctest::Approx(0.8499238).epsilon(1e-6));
    CHECK(recursive_cusum_critical_value(.05) == doctest::Approx(0.9478982).epsilon(1e-6));
    CHECK(recursive_cusum_critical_value(.01) == doctest::Approx(1.142974).epsilon(1e-6));
    CHECK(monitoring_boundary(Fluctuation::mosum, mosum(.25, .05), 100, 63) ==
          doctest::Approx(1.89762642).epsilon(1e-8));
    CHECK_THROWS_WITH_AS(static_cast<void>(mosum(.3, .05)),
                         "There is no critical value for a MOSUM window of 0.300000 at level 0.050000.",
                         Error);
    CHECK_THROWS_AS(static_cast<void>(mosum(.25, .2)), Error);
    CHECK_THROWS_AS(static_cast<void>(cusum(0)), Error);
}

TEST_CASE("Nile (O8)") {
    const Eigen::MatrixXd mean = Eigen::MatrixXd::Ones(100, 1);
    const Eigen::VectorXd y = head(nile, 100);
    const double statistic = largest(ols_process(mean, y, Fluctuation::cusum));
    CHECK(statistic == doctest::Approx(2.951766103).epsilon(1e-9));
    CHECK(ols_cusum_p_value(statistic) == doctest::Approx(5.4086e-8).epsilon(1e-4));
    CHECK(recursive_cusum_statistic(recursive_cusum(mean, y)) == doctest::Approx(2.066921).epsilon(1e-6));
    CHECK(largest(ols_process(mean, y, Fluctuation::mosum, 0.15)) == doctest::Approx(1.530927).epsilon(1e-6));
}

TEST_CASE("fluctuation tests on a seasonal series, against strucchange") {
    const Made m = made();
    const Eigen::VectorXd all = head(m.y, 140), past = head(m.y, 100);
    const auto process = ols_process(m.design, all, Fluctuation::cusum);
    CHECK(process.size() == 141);
    CHECK(largest(process) == doctest::Approx(1.84934331596).epsilon(1e-9));
    CHECK(ols_cusum_p_value(largest(process)) == doctest::Approx(0.00213990419152).epsilon(1e-8));
    const auto moving = ols_process(m.design, all, Fluctuation::mosum, 0.15);
    CHECK(moving.size() == 120);
    CHECK(largest(moving) == doctest::Approx(2.2362724987).epsilon(1e-9));
    CHECK(recursive_cusum_statistic(recursive_cusum(m.design, all)) ==
          doctest::Approx(1.32007159431).epsilon(1e-9));
    const auto w = recursive_residuals(m.design.topRows(100), past);
    CHECK(w.size() == 94);
    CHECK(w[0] == doctest::Approx(-0.00447694623085).epsilon(1e-7));
    CHECK(w[3] == doctest::Approx(0.0290965577532).epsilon(1e-8));
    CHECK(w[93] == doctest::Approx(0.0220664362713).epsilon(1e-9));
    CHECK(stable_from(m.design.topRows(100), past, 0.05) == 16);  // 17 in R
    CHECK(stable_from(m.design.topRows(100), past, 0.001) == 0);  // p is 0.00303
}

TEST_CASE("monitoring, against mefp and monitor of strucchange") {
    const Made m = made();
    struct Wanted {
        Fluctuation kind;
        double window, level;
        std::size_t found;
        double last[3], boundary;
    };
    for (const Wanted& wanted : {Wanted{Fluctuation::mosum,
                                        .25,
                                        .05,
                                        16 + 105,
                                        {-4.74053384192, -4.73528025621, -4.49242315852},
                                        1.89762642047},
                                 Wanted{Fluctuation::cusum,
                                        .25,
                                        .05,
                                        16 + 104,
                                        {-5.39721727065, -5.68339060476, -5.77482989488},
                                        2.50772063383},
                                 Wanted{Fluctuation::mosum,
                                        .5,
                                        .01,
                                        16 + 113,
                                        {-4.84646173052, -5.3439839603, -5.59802900029},
                                        3.1241007539}}) {
        // The level of the history test is the one of the monitoring; 0.01 also rejects (p = 0.00303).
        const MonitoringResult r = monitor_series(m.design, m.y, m.looks, 100,
                                                  {.process = wanted.kind,
                                                   .history = History::stable,
                                                   .window = wanted.window,
                                                   .level = wanted.level});
        CHECK(r.history_first == 16);
        CHECK(r.history_looks == 84);
        CHECK(r.sigma == doctest::Approx(0.0342931218528).epsilon(1e-9));
        CHECK(r.coefficients(0) == doctest::Approx(0.683541705989).epsilon(1e-9));
        CHECK(r.coefficients(1) == doctest::Approx(-0.000838932658093).epsilon(1e-8));
        CHECK(r.coefficients(5) == doctest::Approx(-0.00196745519871).epsilon(1e-7));
        REQUIRE(r.process.size() == 40);
        for (std::size_t k = 0; k < 3; ++k)
            CHECK(r.process[37 + k] == doctest::Approx(wanted.last[k]).epsilon(1e-8));
        CHECK(r.boundary.back() == doctest::Approx(wanted.boundary).epsilon(1e-7));
        REQUIRE(r.break_date);
        CHECK(*r.break_date == wanted.found);
        CHECK(r.magnitude == doctest::Approx(-0.0567744784856).epsilon(1e-8));
    }
}

TEST_CASE("monitoring: what was not seen does not count, whatever stands there") {
    const Made m = made();
    std::vector<std::size_t> kept;
    Made holes = m;
    for (std::size_t i = 0; i < 140; ++i)
        if (i % 5 == 2) {
            holes.looks[i] = i % 2 == 0 ? Look::hidden : Look::snow;
            holes.y[i] = i % 3 == 0 ? std::nan("") : 1e9;
        } else {
            kept.push_back(i);
        }
    Made shorter;
    shorter.design.resize(static_cast<Eigen::Index>(kept.size()), m.design.cols());
    for (const std::size_t i : kept) {
        shorter.design.row(static_cast<Eigen::Index>(shorter.y.size())) =
            m.design.row(static_cast<Eigen::Index>(i));
        shorter.y.push_back(m.y[i]);
        shorter.looks.push_back(Look::clear);
    }
    const MonitoringOptions options{.history = History::all};
    const auto a = monitor_series(holes.design, holes.y, holes.looks, 100, options);
    const auto b = monitor_series(shorter.design, shorter.y, shorter.looks, 80, options);
    CHECK(a.history_looks == 80);
    CHECK(a.process == b.process);
    REQUIRE(a.break_date);
    REQUIRE(b.break_date);
    CHECK(*a.break_date == kept[*b.break_date]);
}

TEST_CASE("monitoring: an unchanged series stays quiet, a short history is refused") {
    Made m = made();
    for (std::size_t i = 0; i < 140; ++i) m.y[i] += i >= 112 ? 0.12 : i < 30 ? -0.09 : 0;
    const auto r = monitor_series(m.design, m.y, m.looks, 100, {.history = History::stable, .level = 0.01});
    CHECK_FALSE(r.break_date);
    for (std::size_t i = 12; i < 100; ++i) m.looks[i] = Look::hidden;
    CHECK_THROWS_WITH_AS(static_cast<void>(monitor_series(m.design, m.y, m.looks, 100,
                                                          {.history = History::all, .level = 0.05})),
                         "The history has 12 clear looks for a model of 6 terms.", Error);
    m.y.pop_back();
    CHECK_THROWS_AS(static_cast<void>(monitor_series(m.design, m.y, m.looks, 100, {})), Error);
}
