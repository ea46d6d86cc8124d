// SPDX-License-Identifier: Apache-2.0
// Lineage (rules §5) on graphs small enough to see the answer, and calibration against its own defining
// equation.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "support/rules.hpp"
#include <shuibao/algorithms/calibration.hpp>
#include <shuibao/algorithms/lineage.hpp>
#include <shuibao/algorithms/scores.hpp>

using namespace shuibao::algorithms;
using shuibao::test::shipped_rules;

namespace {

LineageNode node(double hectares, double x = 0) {
    return {hectares * 1e4, 0, 0, x, 0};
}
const auto unrelated = [](std::size_t, std::size_t) { return false; };

}  // namespace

TEST_CASE("rules §5: growth beyond max(δ·perimeter, 0.1 hm², 5 %)") {
    const auto rules = shipped_rules();
    struct Row {
        double before, after, perimeter, tolerance;
        Growth want;
    };
    for (const auto& r :
         std::vector<Row>{{10000, 11000, 0, 0, Growth::same},         // 0.1 hm² is not beyond 0.1 hm²
                          {10000, 11001, 0, 0, Growth::grown},        //
                          {10000, 8999, 0, 0, Growth::shrunk},        //
                          {100000, 105000, 0, 0, Growth::same},       // 5 %
                          {100000, 105001, 0, 0, Growth::grown},      //
                          {10000, 14000, 400, 10, Growth::same},      // 10 m along 400 m
                          {10000, 14001, 400, 10, Growth::grown},     //
                          {10000, 6000, 400, 10, Growth::same},       //
                          {10000, 5999, 400, 10, Growth::shrunk}}) {  //
        CAPTURE(r.after);
        CHECK(growth_code(growth_between(r.before, {r.after, r.perimeter, r.tolerance, 0, 0}, rules)) ==
              growth_code(r.want));
    }
}

TEST_CASE("a predecessor shares more than 10 % of the smaller polygon") {
    const auto rules = shipped_rules();
    CHECK(trace_lineage({node(1)}, {node(5)}, {{0, 0, 1000}}, unrelated, rules).after[0].growth ==
          Growth::appeared);
    const auto linked = trace_lineage({node(1)}, {node(5)}, {{0, 0, 1001}}, unrelated, rules);
    CHECK(linked.after[0].heir_of == 0);
    CHECK(linked.after[0].growth == Growth::grown);
    CHECK(linked.after[0].gained == 40000);
    CHECK(linked.after[0].limit == 1000);  // m²: more than 5 % of 1 hm², and no tolerance
    CHECK(linked.after[0].limit_by == "change_area_m2");
}

TEST_CASE("a split: the greater part goes on, the other comes from it, and nothing shrank") {
    const auto l = trace_lineage({node(3)}, {node(1, 5), node(2)}, {{0, 0, 10000}, {0, 1, 20000}}, unrelated,
                                 shipped_rules());
    CHECK_FALSE(l.after[0].heir_of);
    CHECK(l.after[0].parents == std::vector<std::size_t>{0});
    CHECK(l.after[1].heir_of == 0);
    CHECK(l.after[0].growth == Growth::same);
    CHECK(l.after[1].growth == Growth::same);
    CHECK_FALSE(l.merged_into[0]);
}

TEST_CASE(
    "a merger: the greater one goes on, the other ends in it; what was split off counts for its origin") {
    const auto rules = shipped_rules();
    const std::vector<LineageOverlap> shared = {{0, 0, 10000}, {1, 0, 20000}};
    const auto plain = trace_lineage({node(1), node(2)}, {node(3)}, shared, unrelated, rules);
    CHECK(plain.after[0].heir_of == 1);
    CHECK(plain.merged_into[0] == 0);
    CHECK_FALSE(plain.merged_into[1]);
    CHECK(plain.after[0].growth == Growth::same);
    // 1 was once split off from 0: the whole is 0 again.
    const auto again = trace_lineage(
        {node(1), node(2)}, {node(3)}, shared, [](std::size_t a, std::size_t b) { return a == 1 && b == 0; },
        rules);
    CHECK(again.after[0].heir_of == 0);
    CHECK(again.merged_into[1] == 0);
}

TEST_CASE("halves: the place decides, not the order and not a millimetre") {
    const auto rules = shipped_rules();
    const auto heir_at = [&](double first, double second, double a, double b) {
        const auto l = trace_lineage({node(2)}, {node(1, first), node(1, second)}, {{0, 0, a}, {0, 1, b}},
                                     unrelated, rules);
        return l.after[0].heir_of ? first : second;
    };
    CHECK(heir_at(100, 200, 10000, 10000) == 100);
    CHECK(heir_at(200, 100, 10000, 10000) == 100);
    CHECK(heir_at(100, 200, 10000, 10000.3) == 100);
    CHECK(heir_at(200, 100, 10000.3, 10000) == 100);
}

TEST_CASE("any graph: nobody has two heirs or is heir twice, what ends is somewhere, areas balance") {
    const auto rules = shipped_rules();
    std::mt19937 random(11);
    const auto real = [&](double to) { return std::uniform_real_distribution<>(0, to)(random); };
    const auto pick = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    for (int round = 0; round < 300; ++round) {
        std::vector<LineageNode> before(1 + pick(6)), after(1 + pick(6));
        for (auto* list : {&before, &after})
            for (auto& n : *list) n = node(0.2 + real(5), real(1000));
        std::map<std::pair<std::size_t, std::size_t>, double> shared;
        for (std::size_t k = pick(12); k > 0; --k)
            shared[{pick(before.size()), pick(after.size())}] = real(2e4);
        std::vector<LineageOverlap> overlaps;
        for (const auto& [at, area] : shared) overlaps.push_back({at.first, at.second, area});
        const auto l = trace_lineage(before, after, overlaps, unrelated, rules);
        std::vector<int> heirs(before.size());
        for (const auto& s : l.after) {
            if (s.heir_of) ++heirs[*s.heir_of];
            CHECK((s.growth == Growth::appeared) == s.parents.empty());
        }
        for (std::size_t b = 0; b < before.size(); ++b) {
            CHECK(heirs[b] <= 1);
            const bool linked = std::any_of(l.after.begin(), l.after.end(), [&](const Succession& s) {
                return std::find(s.parents.begin(), s.parents.end(), b) != s.parents.end();
            });
            CHECK(linked == (heirs[b] == 1 || l.merged_into[b].has_value()));
        }
        // The order of the list of overlaps means nothing.
        std::shuffle(overlaps.begin(), overlaps.end(), random);
        const auto other = trace_lineage(before, after, overlaps, unrelated, rules);
        for (std::size_t a = 0; a < after.size(); ++a) CHECK(other.after[a].heir_of == l.after[a].heir_of);
        CHECK(other.merged_into == l.merged_into);
    }
}

TEST_CASE("calibration: no cases, no change; the penalised likelihood has its top where it says") {
    CHECK(calibrate({})(0.37) == 0.37);
    std::mt19937 random(5);
    std::vector<Checked> cases;
    for (int i = 0; i < 400; ++i) {
        const double c = std::uniform_real_distribution<>(0.05, 0.999)(random);
        const double z = -1.2 + 0.6 * std::log(c / (1 - c));  // the truth that is to be found again
        cases.push_back({c, std::uniform_real_distribution<>(0, 1)(random) < 1 / (1 + std::exp(-z))});
    }
    const auto fit = calibrate(cases);
    CHECK(fit.a == doctest::Approx(-1.2).epsilon(0.25));
    CHECK(fit.b == doctest::Approx(0.6).epsilon(0.25));
    // Written down again from the definition (Platt 1999; normal priors), not from the code under test.
    const auto objective = [&](double a, double b) {
        double sum = -a * a / (2 * 1.5 * 1.5) - (b - 1) * (b - 1) / (2 * 0.5 * 0.5);
        for (const auto& k : cases) {
            const double p = 1 / (1 + std::exp(-(a + b * std::log(k.confidence / (1 - k.confidence)))));
            sum += std::log(k.real ? p : 1 - p);
        }
        return sum;
    };
    const double top = objective(fit.a, fit.b);
    for (const double step : {1e-3, 1e-2, 0.1, 1.0})
        for (const auto& [da, db] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}})
            CHECK(objective(fit.a + step * da, fit.b + step * db) < top);

    Reliability before, after;
    const auto unseen = cross_calibrated(cases);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        before.add(cases[i].confidence, cases[i].real);
        after.add(unseen[i], cases[i].real);
    }
    CHECK(after.brier() < before.brier() - 0.03);

    // Everything said and found the wrong way round: the order of confidences still never turns.
    std::vector<Checked> turned;
    for (int i = 0; i < 500; ++i) turned.push_back({i % 2 == 0 ? 0.9 : 0.1, i % 2 != 0});
    CHECK(calibrate(turned).b == 0);
    CHECK(calibrate(turned)(0.9) >= calibrate(turned)(0.1));
    // Two checks move little.
    CHECK(calibrate({{0.9, false}, {0.9, true}})(0.9) > 0.6);
}
