// SPDX-License-Identifier: Apache-2.0
// Rules §3 as a table: measured facts → verdict and flags. Thresholds are those of
// configs/rules/2023-03-01.yaml; every one of them is tried on both sides.
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/rules.hpp"
#include <shuibao/algorithms/compliance.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using shuibao::test::shipped_rules;

namespace {

Date day(const char* text) {
    return *Date::parse(text);
}

// Two hectares drawn by a person, wholly inside a range approved before the work began.
Facts inside() {
    Facts f;
    f.area = 20000;
    f.overlap_ratio = 1;
    f.linked = true;
    f.approved = day("2020-03-01");
    f.project_area = 100000;
    f.onset_from = day("2021-01-01");
    f.onset_to = day("2021-06-01");
    return f;
}

// The same, far from every range.
Facts away() {
    Facts f = inside();
    f.overlap_ratio = 0;
    f.outside = f.outside_tolerant = f.area;
    f.linked = false;
    f.approved.reset();
    f.project_area = 0;
    return f;
}

Facts from(Facts f, const std::function<void(Facts&)>& change) {
    change(f);
    return f;
}

struct Row {
    const char* what;
    Facts facts;
    Verdict verdict;
    std::string flags;
};

std::string codes(const Judgement& j) {
    std::string list;
    for (const auto& f : j.flags) list += (list.empty() ? "" : ",") + f.code;
    return list;
}

const auto compliant = Verdict::compliant, unapproved = Verdict::unapproved, exceeds = Verdict::exceeds,
           early = Verdict::before_approval, pending = Verdict::pending;

Facts of_area(double area) {
    return from(away(), [&](Facts& f) { f.area = f.outside = f.outside_tolerant = area; });
}
Facts outside(double raw, double tolerant, double of_project = 0) {
    return from(inside(), [&](Facts& f) {
        f.outside = raw;
        f.outside_tolerant = tolerant;
        f.overlap_ratio = 1 - raw / f.area;
        f.project_outside = of_project > 0 ? of_project : tolerant;
    });
}
Facts times(const char* approved, const char* onset_from, const char* onset_to) {
    return from(inside(), [&](Facts& f) {
        const auto set = [](const char* t) {
            return *t != 0 ? std::optional<Date>(day(t)) : std::optional<Date>();
        };
        f.approved = set(approved);
        f.onset_from = set(onset_from);
        f.onset_to = set(onset_to);
    });
}

}  // namespace

TEST_CASE("rules §3: facts → verdict and flags") {
    const std::vector<Row> table = {
        {"inside", inside(), compliant, ""},
        // 1. what is not judged
        {"just below 0.1 hm²", from(inside(), [](Facts& f) { f.area = 999.99; }), pending, "SMALL"},
        {"0.1 hm² is judged", from(inside(), [](Facts& f) { f.area = 1000; }), compliant, ""},
        {"invalid", from(inside(), [](Facts& f) { f.valid = false; }), pending, "INVALID"},
        {"7 full pixels", from(inside(), [](Facts& f) { f.full_pixels = 7; }), pending, "UNRELIABLE"},
        {"8 full pixels", from(inside(), [](Facts& f) { f.full_pixels = 8; }), compliant, ""},
        {"no full pixel", from(inside(), [](Facts& f) { f.full_pixels = 0; }), pending, "UNRELIABLE"},
        {"digitised: no pixels to count", from(inside(), [](Facts& f) { f.full_pixels = -1; }), compliant,
         ""},
        {"61 % lost inwards", from(inside(), [](Facts& f) { f.core_share = 0.39; }), pending, "UNRELIABLE"},
        {"60 % lost inwards", from(inside(), [](Facts& f) { f.core_share = 0.4; }), compliant, ""},
        {"nothing left inwards", from(inside(), [](Facts& f) { f.core_share = 0; }), pending, "UNRELIABLE"},
        {"small and unreliable", from(inside(), [](Facts& f) { f.area = 500, f.full_pixels = 3; }), pending,
         "SMALL,UNRELIABLE"},
        {"small targets are never accused", of_area(900), pending, "SMALL,LT05"},
        {"unreliable targets are never accused", from(away(), [](Facts& f) { f.full_pixels = 5; }), pending,
         "UNRELIABLE,REPORT_FORM"},
        {"unreliable, outside and early: all flags stay",
         from(outside(5000, 4000),
              [](Facts& f) {
                  f.full_pixels = 5;
                  f.onset_to = day("2020-01-01");
                  f.onset_from = day("2019-01-01");
              }),
         pending, "UNRELIABLE,OUTSIDE,ART26"},
        {"no layer of ranges", from(away(), [](Facts& f) { f.ranges_known = false; }), pending,
         "NO_RANGE_LAYER,REPORT_FORM"},
        {"no layer of ranges, small", from(of_area(800), [](Facts& f) { f.ranges_known = false; }), pending,
         "SMALL,NO_RANGE_LAYER,LT05"},
        // 3. nothing approved there
        {"away from all ranges", away(), unapproved, "REPORT_FORM"},
        {"0.99 % inside", from(away(), [](Facts& f) { f.overlap_ratio = 0.0099; }), unapproved,
         "REPORT_FORM"},
        {"1 % inside", outside(19800, 19000), exceeds, "OUTSIDE"},
        {"below 0.5 hm²", of_area(4999), unapproved, "LT05"},
        {"0.5 hm²", of_area(5000), unapproved, "REPORT_FORM"},
        {"below 5 hm²", of_area(49999), unapproved, "REPORT_FORM"},
        {"5 hm²", of_area(50000), unapproved, "REPORT_BOOK"},
        {"schematic range near", from(away(), [](Facts& f) { f.schematic_near = true; }), pending,
         "SCHEMATIC,REPORT_FORM"},
        {"schematic range near, below 0.5 hm²",
         from(of_area(3000), [](Facts& f) { f.schematic_near = true; }), pending, "SCHEMATIC,LT05"},
        {"inside an exact range, a schematic one near",
         from(inside(), [](Facts& f) { f.schematic_near = true; }), compliant, ""},
        {"beyond an exact range, a schematic one near",
         from(outside(5000, 4000), [](Facts& f) { f.schematic_near = true; }), exceeds, "OUTSIDE"},
        {"what is not linked has no time to judge",
         from(away(), [](Facts& f) { f.onset_to = day("2001-01-01"); }), unapproved, "REPORT_FORM"},
        // 4. beyond the range
        {"exactly 0.1 hm² outside", outside(2000, 1000), compliant, ""},
        {"a little over 0.1 hm² outside", outside(2000, 1000.01), exceeds, "OUTSIDE"},
        {"outside only within tolerance", outside(5000, 0), compliant, ""},
        {"29.99 % of the project", outside(5000, 4000, 29990), exceeds, "OUTSIDE"},
        {"30 % of the project", outside(5000, 4000, 30000), exceeds, "OUTSIDE,ART16_2"},
        {"inside, but the project exceeds elsewhere", outside(0, 0, 40000), compliant, "ART16_2"},
        {"area of the project unknown",
         from(outside(5000, 4000, 40000), [](Facts& f) { f.project_area = 0; }), exceeds, "OUTSIDE"},
        {"exceeding comes before early work",
         from(outside(5000, 4000), [](Facts& f) { f.approved = day("2022-01-01"); }), exceeds,
         "OUTSIDE,ART26"},
        // 5. times
        {"seen a day before the approval", times("2020-03-01", "2019-08-01", "2020-02-29"), early, "ART26"},
        {"first seen on the day of approval", times("2020-03-01", "2020-01-01", "2020-03-01"), compliant,
         "ONSET_STRADDLES"},
        {"interval straddles the approval", times("2020-03-01", "2019-12-01", "2020-06-01"), compliant,
         "ONSET_STRADDLES"},
        {"undisturbed on the day of approval", times("2020-03-01", "2020-03-01", "2020-06-01"), compliant,
         ""},
        {"undisturbed the day before", times("2020-03-01", "2020-02-29", "2020-06-01"), compliant,
         "ONSET_STRADDLES"},
        {"no approval date", times("", "2021-01-01", "2021-06-01"), compliant, "NO_APPROVAL_DATE"},
        {"no onset", times("2020-03-01", "", ""), compliant, "NO_ONSET"},
        {"no earlier look, seen after approval", times("2020-03-01", "", "2020-06-01"), compliant, ""},
        {"no earlier look, seen before approval", times("2020-03-01", "", "2020-02-01"), early, "ART26"},
        {"three years to the day", times("2017-06-01", "2020-06-01", "2020-09-01"), compliant, ""},
        {"three years and a day", times("2017-06-01", "2020-06-02", "2020-09-01"), compliant, "ART18"},
        {"three years lie inside the interval", times("2017-06-01", "2020-05-01", "2020-09-01"), compliant,
         ""},
        {"approved on 29 February: 1 March three years on", times("2020-02-29", "2023-03-01", "2023-06-01"),
         compliant, ""},
        {"approved on 29 February: 2 March", times("2020-02-29", "2023-03-02", "2023-06-01"), compliant,
         "ART18"},
        {"approved on 28 February, leap year later", times("2021-02-28", "2024-02-29", "2024-06-01"),
         compliant, "ART18"},
        {"late and outside", from(outside(5000, 4000), [](Facts& f) { f.approved = day("2017-12-31"); }),
         exceeds, "OUTSIDE,ART18"},
        {"tiny overlap, early",
         from(outside(0, 0),
              [](Facts& f) {
                  f.onset_from = day("2018-01-01");
                  f.onset_to = day("2018-06-01");
              }),
         early, "ART26"},
    };
    REQUIRE(table.size() >= 50);
    const auto rules = shipped_rules();
    for (const auto& row : table) {
        CAPTURE(row.what);
        const auto j = judge(row.facts, rules);
        CHECK(verdict_code(j.verdict) == verdict_code(row.verdict));
        CHECK(codes(j) == row.flags);
        CHECK_FALSE(j.why.empty());
        for (const auto& f : j.flags) CHECK_FALSE(f.text.empty());
    }
}

TEST_CASE("reasons and notices carry the numbers that decided") {
    const auto rules = shipped_rules();
    auto j = judge(outside(15000, 12345, 40000), rules);
    CHECK(j.why.find("1.23 hm²") != std::string::npos);
    REQUIRE(j.flags.size() == 2);
    CHECK(j.flags[1].text.find("40 %") != std::string::npos);
    CHECK(j.flags[1].text.find("第十六条") != std::string::npos);
    j = judge(times("2020-03-01", "2019-08-01", "2020-02-29"), rules);
    CHECK(j.flags[0].text.find("2020-02-29") != std::string::npos);
    CHECK(j.flags[0].text.find("2020-03-01") != std::string::npos);
    // "No range in our layer" is worded apart from "not approved".
    j = judge(from(away(), [](Facts& f) { f.ranges_known = false; }), rules);
    CHECK(j.flags[0].text.find("不等于未批复") != std::string::npos);
}

TEST_CASE("numbers of the rule set decide, not constants in the code") {
    const auto strict = shipped_rules({{"exceed_area_m2", 10},
                                       {"min_area_m2", 100},
                                       {"plan_validity_years", 1},
                                       {"min_full_pixels", 3},
                                       {"major_change_share", 0.01}});
    CHECK(judge(outside(2000, 900), strict).verdict == exceeds);
    CHECK(codes(judge(outside(2000, 900, 1000), strict)) == "OUTSIDE,ART16_2");
    CHECK(judge(from(inside(), [](Facts& f) { f.area = 500; }), strict).verdict == compliant);
    CHECK(judge(from(inside(), [](Facts& f) { f.full_pixels = 4; }), strict).verdict == compliant);
    CHECK(codes(judge(times("2020-03-01", "2021-03-02", "2021-06-01"), strict)) == "ART18");
}

TEST_CASE("tolerance is one ground sample, never below 2 m") {
    const auto rules = shipped_rules();
    CHECK(tolerance(10.0, rules) == 10);
    CHECK(tolerance(30.0, rules) == 30);
    CHECK(tolerance(0.8, rules) == 2);
    CHECK(tolerance(std::nullopt, rules) == 10);
    CHECK(tolerance(4.0, shipped_rules({{"range_error_m", 3}})) == doctest::Approx(5).epsilon(1e-12));
    CHECK(tolerance(std::nullopt, shipped_rules({{"digitised_sample_m", 2.5}})) == 2.5);
}

TEST_CASE("verdict codes print and parse to the same") {
    for (const auto v :
         {compliant, unapproved, exceeds, Verdict::relocated, Verdict::unapproved_spoil, early, pending})
        CHECK(verdict_from_code(verdict_code(v)) == v);
    CHECK_FALSE(verdict_from_code("合规"));
    CHECK_FALSE(verdict_from_code(""));
}
