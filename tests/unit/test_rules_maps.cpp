// SPDX-License-Identifier: Apache-2.0
// Rules §3 and §4 on small maps, one character for 25 m × 25 m of ground. The verdicts, flags and areas
// beside them were worked out by hand; then everything is drawn again in other ways that must change nothing.
// The signs are explained in support/rule_maps.hpp.
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/rule_maps.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

std::vector<MapCase> plain_table() {
    const char* spoil = "弃渣场";
    const char* borrow = "取土（石）场";
    return {
        // ---- where it lies
        {"inside", "AAAA/AaaA/AaaA/AAAA", {}, "compliant", "", 0},
        {"inside, along the edge", "aaAA/aaAA", {}, "compliant", "", 0},
        {"all of the range", "aaa/aaa", {}, "compliant", "", 0},
        {"one row outside: 15 m beyond tolerance hold no circle of 10 m",
         "aaaa/aaaa/####",
         {},
         "compliant",
         "",
         4},
        {"two rows outside", "aaaa/aaaa/####/####", {}, "exceeds", "OUTSIDE", 8},
        {"two rows outside, sensor of 30 m", "aaaa/aaaa/####/####", {.sample = 30}, "compliant", "", 8},
        {"one row outside, sensor of 2 m", "aaaa/aaaa/####", {.sample = 2}, "exceeds", "OUTSIDE", 4},
        {"a hole of one cell closes", "aaa/a#a/aaa", {}, "compliant", "", 1},
        {"a hole of four cells leaves 900 m²", "aaaa/a##a/a##a/aaaa", {}, "compliant", "", 4},
        {"a hole of nine cells", "aaaaa/a###a/a###a/a###a/aaaaa", {}, "exceeds", "OUTSIDE", 9},
        {"beside the range", "AA##/AA##", {}, "unapproved", "LT05", 4},
        {"touches in a corner", "AA../AA../..##/..##", {}, "unapproved", "LT05", 4},
        {"no range, nine cells", "###/###/###", {}, "unapproved", "REPORT_FORM", 9},
        {"no range, 81 cells",
         "#########/#########/#########/#########/#########/#########/#########/#########/#########",
         {},
         "unapproved",
         "REPORT_BOOK",
         81},
        {"too small to judge", "#", {}, "pending", "SMALL,LT05", 1},
        {"too small, inside", "AAA/AaA/AAA", {}, "pending", "SMALL", 0},
        {"two islands, one inside", "aa...##/aa...##", {}, "exceeds", "OUTSIDE", 4},
        {"an arm one cell wide reaches out", "AAAA..../aaaa####/AAAA....", {}, "exceeds", "OUTSIDE", 4},
        {"an arm one cell wide, sensor of 15 m: no circle",
         "AAAA..../aaaa####/AAAA....",
         {.sample = 15},
         "compliant",
         "",
         4},
        {"range in two parts", "aa.AA/aa.AA", {}, "compliant", "", 0},
        {"bridges two parts over a gap of one cell", "aa#aa/aa#aa", {}, "compliant", "", 2},
        {"bridges two parts over a gap of three cells", "aa###aa/aa###aa", {}, "exceeds", "OUTSIDE", 6},
        // ---- schematic ranges link and prove nothing
        {"in a schematic range", "ss/ss", {}, "pending", "SCHEMATIC,LT05", 4},
        {"beside a schematic range", "SS##/SS##", {}, "pending", "SCHEMATIC,LT05", 4},
        {"200 m from a schematic range", "SS../SS##/..##", {.east = 200}, "pending", "SCHEMATIC,LT05", 4},
        {"800 m from a schematic range", "SS../SS##/..##", {.east = 800}, "unapproved", "LT05", 4},
        {"half exact, half schematic: the exact part is exceeded",
         "aaass/aaass/aaass",
         {},
         "exceeds",
         "OUTSIDE",
         6},
        {"exact, with a schematic one beside", "aaS/aaS", {}, "compliant", "", 0},
        // ---- spoil and borrow (rules §3.2)
        {"spoil in its yard", "AAYY/AAyy", {.qtype = spoil}, "compliant", "", 0},
        {"spoil in the range, not in the yard",
         "AAAYY/aaAYY",
         {.qtype = spoil},
         "unapproved_spoil",
         "ART17",
         0},
        {"spoil away from every range",
         "AYY..##/AYY..##",
         {.qtype = spoil},
         "unapproved_spoil",
         "ART17,LT05",
         4},
        {"spoil without any range", "##/##", {.qtype = spoil}, "unapproved_spoil", "ART17,LT05", 4},
        {"spoil half in the yard, half in the range", "aayy/aayy", {.qtype = spoil}, "compliant", "", 0},
        {"spoil half in the yard, half beyond",
         "yyy###/yyy###/yyy###",
         {.qtype = spoil},
         "exceeds",
         "OUTSIDE",
         9},
        {"spoil too small", "AAYY/aAYY", {.qtype = spoil}, "pending", "SMALL,ART17", 0},
        {"spoil in a schematic yard", "zz/zz", {.qtype = spoil}, "pending", "SCHEMATIC,LT05", 4},
        {"spoil in a range that names no parts",
         "AAAA/AaaA",
         {.qtype = spoil, .parts = false},
         "compliant",
         "PARTS_UNKNOWN",
         0},
        {"spoil beside a range that names no parts",
         "AA..##/AA..##",
         {.qtype = spoil, .parts = false},
         "unapproved_spoil",
         "ART17,LT05",
         4},
        {"spoil called by another name",
         "AAAYY/aaAYY",
         {.qtype = "弃土（渣）场"},
         "unapproved_spoil",
         "ART17",
         0},
        {"no spoil: the yard does not matter", "AAAYY/aaAYY", {}, "compliant", "", 0},
        {"borrow in its yard", "AAQQ/AAqq", {.qtype = borrow}, "compliant", "", 0},
        {"borrow in the spoil yard", "AAYY/AAyy", {.qtype = borrow}, "unapproved", "BORROW_OUTSIDE", 0},
        {"borrow in the range, no yard", "AAAA/AaaA", {.qtype = borrow}, "unapproved", "BORROW_OUTSIDE", 0},
        {"borrow away from every range", "##/##", {.qtype = borrow}, "unapproved", "BORROW_OUTSIDE,LT05", 4},
        {"spoil in the borrow yard", "AAQQ/AAqq", {.qtype = spoil}, "unapproved_spoil", "ART17", 0},
        {"not of production", "##/##", {.qtype = "非生产建设项目"}, "pending", "NON_PRODUCTION,LT05", 4},
        {"not of production, inside", "aa/aa", {.qtype = "非生产建设项目"}, "pending", "NON_PRODUCTION", 0},
        {"gone at the next epoch", "##/##", {.vanished = true}, "pending", "VANISHED,LT05", 4},
        // ---- moved to another site
        {"empty range of a project under construction",
         "AA##/AA##",
         {.status = "施工", .east = 1000},
         "relocated",
         "RELOCATED_FROM,LT05",
         4},
        {"the same, more than 2 km away",
         "AA##/AA##",
         {.status = "施工", .east = 2100},
         "unapproved",
         "LT05",
         4},
        {"its status is not known", "AA##/AA##", {.east = 1000}, "unapproved", "LT05", 4},
        {"not begun", "AA##/AA##", {.status = "未开工", .east = 1000}, "unapproved", "LT05", 4},
        {"accepted", "AA##/AA##", {.status = "已验收", .east = 1000}, "unapproved", "LT05", 4},
        {"began before the approval",
         "AA##/AA##",
         {.status = "施工", .approved = "2023-10-01", .east = 1000},
         "unapproved",
         "LT05",
         4},
        {"onset unknown",
         "AA##/AA##",
         {.status = "施工", .onset_from = "", .onset_to = "", .east = 1000},
         "unapproved",
         "LT05",
         4},
        {"approval date unknown",
         "AA##/AA##",
         {.status = "施工", .approved = "", .east = 1000},
         "unapproved",
         "LT05",
         4},
        {"the range is at work", "ccAA##/ccAA##", {.status = "施工"}, "unapproved", "LT05", 4, "compliant"},
        {"another owner",
         "AA##/AA##",
         {.status = "施工", .owner = "甲", .builder = "乙", .east = 1000},
         "unapproved",
         "LT05",
         4},
        {"the same owner",
         "AA##/AA##",
         {.status = "施工", .owner = "甲", .builder = "甲", .east = 1000},
         "relocated",
         "RELOCATED_FROM,LT05",
         4},
        {"far too small for that range",
         "AAAAAA##/AAAAAA##/AAAAAA../AAAAAA../AAAAAA..",
         {.status = "施工", .east = 1000},
         "unapproved",
         "LT05",
         4},
        {"one range, two sites: the nearer one moved",
         "AA..##..xx/AA..##..xx",
         {.status = "施工"},
         "relocated",
         "RELOCATED_FROM,LT05",
         4,
         "unapproved"},
        {"spoil does not move",
         "AAY##/AAY##",
         {.qtype = spoil, .status = "施工", .east = 500},
         "unapproved_spoil",
         "ART17,LT05",
         4},
        {"a schematic range near as well",
         "SAA##/SAA##",
         {.status = "施工", .east = 100},
         "relocated",
         "RELOCATED_FROM,SCHEMATIC,LT05",
         4},
        // ---- key areas that the range has not
        {"the outside part enters a key area",
         "aaa###/aaa###/aaa###",
         {.zone = "key_prevention", .zone_map = "...ZZZ/...ZZZ/...ZZZ"},
         "exceeds",
         "OUTSIDE,ART16_1",
         9},
        {"the range lies in the key area too",
         "aaa###/aaa###/aaa###",
         {.zone = "key_treatment", .zone_map = "ZZZZZZ/ZZZZZZ/ZZZZZZ"},
         "exceeds",
         "OUTSIDE",
         9},
        {"a river range is no key area",
         "aaa###/aaa###/aaa###",
         {.zone = "river", .zone_map = "...ZZZ/...ZZZ/...ZZZ"},
         "exceeds",
         "OUTSIDE",
         9},
        {"the key area is touched by less than 0.1 hm²",
         "aaa###/aaa###/aaa###",
         {.zone = "key_prevention", .zone_map = "....../....../.....Z"},
         "exceeds",
         "OUTSIDE",
         9},
        {"unapproved in a key area",
         "##/##",
         {.zone = "key_prevention", .zone_map = "ZZ/ZZ"},
         "unapproved",
         "LT05",
         4},
        {"inside, in a key area",
         "aa/aa",
         {.zone = "key_prevention", .zone_map = "ZZ/ZZ"},
         "compliant",
         "",
         0},
        // ---- industries (rules §4)
        {"a tower of a power line is judged", "AAA/AaA/AAA", {.type = "输变电工程"}, "compliant", "", 0},
        {"the same of a road is too small", "AAA/AaA/AAA", {.type = "公路工程"}, "pending", "SMALL", 0},
        {"an arm of 950 m² by itself", "aa##", {.sample = 12}, "compliant", "", 2},
        {"two towers, 950 m² outside each: judged together",
         "aa##..ccxx",
         {.type = "输变电工程", .sample = 12},
         "exceeds",
         "OUTSIDE",
         2,
         "exceeds"},
        {"two arms of a road, 950 m² each",
         "aa##..ccxx",
         {.type = "公路工程", .sample = 12},
         "compliant",
         "",
         2,
         "compliant"},
        {"a pit steps over its edge", "aa##", {.type = "露天煤矿", .sample = 12}, "compliant", "PIT_EDGE", 2},
        {"a pit within its edge", "AaaA/AaaA", {.type = "露天煤矿"}, "compliant", "", 0},
        {"a pit far over its edge", "aaa###/aaa###/aaa###", {.type = "露天金属矿"}, "exceeds", "OUTSIDE", 9},
        {"a pipeline still bare after four seasons",
         "aaaa",
         {.type = "油气管道工程",
          .approved = "2019-03-01",
          .onset_from = "2020-03-01",
          .onset_to = "2020-06-01"},
         "compliant",
         "NOT_REVEGETATED",
         0},
        {"a pipeline of last year", "aaaa", {.type = "油气管道工程"}, "compliant", "", 0},
        {"a road still bare after four seasons",
         "aaaa",
         {.type = "公路工程", .approved = "2019-03-01", .onset_from = "2020-03-01", .onset_to = "2020-06-01"},
         "compliant",
         "",
         0},
        {"a reservoir falls",
         "aaaa",
         {.type = "水利枢纽工程", .kind = "water_to_bare"},
         "pending",
         "DRAWDOWN",
         0},
        {"a reservoir's works on land",
         "aaaa",
         {.type = "水利枢纽工程", .kind = "vegetation_to_bare"},
         "compliant",
         "",
         0},
        {"water became bare at a road",
         "aaaa",
         {.type = "公路工程", .kind = "water_to_bare"},
         "compliant",
         "",
         0},
        {"water became bare in no range",
         "####",
         {.type = "水利枢纽工程", .kind = "water_to_bare"},
         "unapproved",
         "LT05",
         4},
        // ---- times
        {"after acceptance", "aaaa", {.accepted = "2023-01-01"}, "compliant", "AFTER_ACCEPTANCE", 0},
        {"undisturbed on the day of acceptance",
         "aaaa",
         {.accepted = "2023-06-01"},
         "compliant",
         "AFTER_ACCEPTANCE",
         0},
        {"accepted between two looks", "aaaa", {.accepted = "2023-07-01"}, "compliant", "", 0},
        {"accepted later", "aaaa", {.accepted = "2024-01-01"}, "compliant", "", 0},
        {"approved more than three years before",
         "aaaa",
         {.approved = "2020-05-31"},
         "compliant",
         "ART18",
         0},
        {"three years to the day", "aaaa", {.approved = "2020-06-01"}, "compliant", "", 0},
        {"before the order of 2023 no term of three years",
         "aaaa",
         {.approved = "2017-01-01", .onset_from = "2022-06-01", .onset_to = "2023-02-28"},
         "compliant",
         "",
         0},
        {"on its first day it is in force",
         "aaaa",
         {.approved = "2017-01-01", .onset_from = "2022-06-01", .onset_to = "2023-03-01"},
         "compliant",
         "ART18",
         0},
        {"early", "aaaa", {.approved = "2023-09-02"}, "before_approval", "ART26", 0},
        {"early and outside",
         "aaa###/aaa###/aaa###",
         {.approved = "2023-09-02"},
         "exceeds",
         "OUTSIDE,ART26",
         9},
        {"between two looks", "aaaa", {.approved = "2023-09-01"}, "compliant", "ONSET_STRADDLES", 0},
        {"early spoil outside its yard",
         "AAAYY/aaAYY",
         {.qtype = spoil, .approved = "2023-09-02"},
         "unapproved_spoil",
         "ART17,ART26",
         0},
    };
}

// Hills and areas where plans are needed: as soon as one such layer exists, what lies outside is flagged.
std::vector<MapCase> scope_table() {
    const char* road = "AAAAAAAAAAAAAAAAAAAA/##########";
    const char* shorter = "AAAAAAAAAAAAAAAAAAAA/#####";
    const std::string hills =
        "ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/"
        "ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/"
        "ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/"
        "ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/"
        "ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ/ZZZZZZZZZZZZZZZZZZZZZZZZ";
    const Around moved{.type = "公路工程", .status = "施工", .south = 400, .zone = "hill", .zone_map = hills};
    const auto with = [](Around a, const std::function<void(Around&)>& change) {
        change(a);
        return a;
    };
    return {
        {"in scope", "##/##", {.zone = "scope", .zone_map = "ZZ/ZZ"}, "unapproved", "LT05", 4},
        {"out of scope", "##/##", {}, "unapproved", "LT05,OUTSCOPE", 4},
        {"inside a range the scope does not matter", "aa/aa", {}, "compliant", "", 0},
        {"half of a road's length, 375 m beside it", road, moved, "relocated",
         "RELOCATED_FROM,ART16_3,REPORT_FORM", 10},
        {"a quarter of its length", shorter, moved, "relocated", "RELOCATED_FROM,LT05", 5},
        {"a quarter of its length, by the notice before the order of 2023", shorter,
         with(moved,
              [](Around& a) {
                  a.approved = "2021-03-01", a.onset_from = "2022-01-01", a.onset_to = "2022-06-01";
              }),
         "relocated", "RELOCATED_FROM,ART16_3,LT05", 5},
        {"half of its length, but 250 m beside it only", road, with(moved, [](Around& a) { a.south = 275; }),
         "relocated", "RELOCATED_FROM,REPORT_FORM", 10},
        {"half of its length in the plain", road, with(moved, [](Around& a) { a.zone = "scope"; }),
         "relocated", "RELOCATED_FROM,REPORT_FORM", 10},
        {"half of its length, no linear works", road, with(moved, [](Around& a) { a.type = "房地产工程"; }),
         "relocated", "RELOCATED_FROM,REPORT_FORM", 10},
    };
}

void try_table(const std::vector<MapCase>& cases) {
    const auto got = judged(cases, {}, true);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(std::string(cases[i].what));
        CHECK(got[2 * i].verdict == cases[i].verdict);
        CHECK(got[2 * i].flags == cases[i].flags);
        CHECK(got[2 * i + 1].verdict == cases[i].second);
        CHECK(got[2 * i].second_verdict ==
              (std::string(cases[i].verdict) == "relocated" ? "unapproved" : ""));
    }
    const std::vector<std::pair<const char*, Drawing>> drawings = {
        {"every vertex of the ranges moved by up to 1 mm", {.jitter = 0.001}},
        {"ranges cut into cells", {.cells_apart = true}},
        {"input in another order", {.shuffled = true}},
        {"ranges in degrees", {.ranges_crs = "EPSG:4490"}},
        {"ranges in UTM", {.ranges_crs = "EPSG:32649"}},
        {"ranges in zone 37 with its prefix", {.ranges_crs = "EPSG:4525"}},
        {"ranges in zone 38", {.ranges_crs = "EPSG:4526", .zones_crs = "EPSG:4490"}},
        {"disturbances in degrees", {.found_crs = "EPSG:4490", .zones_crs = "EPSG:32649"}},
    };
    for (const auto& [what, drawing] : drawings) {
        CAPTURE(std::string(what));
        const auto again = judged(cases, drawing, false);
        for (std::size_t i = 0; i < got.size(); ++i) {
            CAPTURE(std::string(cases[i / 2].what));
            CHECK(again[i].verdict == got[i].verdict);
            CHECK(again[i].flags == got[i].flags);
        }
    }
}

}  // namespace

TEST_CASE("rules §3 and §4 on maps: where, what, whose, when; drawn in nine ways") {
    const auto cases = plain_table();
    REQUIRE(cases.size() >= 95);
    try_table(cases);
}

TEST_CASE("areas where plans are needed, and linear works in hills; drawn in nine ways") {
    try_table(scope_table());
}
