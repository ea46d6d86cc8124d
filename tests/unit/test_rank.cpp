// SPDX-License-Identifier: Apache-2.0
// Rules §6, as far as the rule set holds it: severity is the sum of named items, tiers and hard rules follow,
// and the order of a list is total.
#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/rules.hpp"
#include <shuibao/algorithms/risk.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using shuibao::test::shipped_rules;

namespace {

struct Row {
    const char* what;
    RiskFacts facts;
    double severity;
    Tier tier;
    bool wait = false;
};

constexpr auto none = Tier::none, low = Tier::low, medium = Tier::medium, high = Tier::high;

RiskFacts facts(Verdict verdict, double hectares, double share = 0, const char* credit = "",
                double confidence = 1) {
    RiskFacts f;
    f.verdict = verdict;
    f.area = hectares * 1e4;
    f.offending_area = offending_area(verdict, f.area, f.area);
    f.exceed_share = share;
    f.credit = credit;
    f.confidence = confidence;
    return f;
}

}  // namespace

TEST_CASE("rules §6: facts → severity and tier") {
    using enum Verdict;
    const std::vector<Row> table = {
        {"compliant", facts(compliant, 20), 0, none},
        {"compliant, bad credit", facts(compliant, 20, 0, "D"), 8, none},
        {"pending", facts(pending, 20), 5, none},
        {"early", facts(before_approval, 20), 5, none},
        {"early, listed D", facts(before_approval, 20, 0, "D"), 13, none},
        {"unapproved, below 0.5 hm²", facts(unapproved, 0.49), 25, low},
        {"unapproved 0.5 hm²", facts(unapproved, 0.5), 30, low},
        {"unapproved below 2 hm²", facts(unapproved, 1.99), 30, low},
        {"unapproved 2 hm²", facts(unapproved, 2), 35, medium},
        {"unapproved 2 hm², C 0.5", facts(unapproved, 2, 0, "", 0.5), 35, medium},
        {"unapproved 2 hm², C 0.49", facts(unapproved, 2, 0, "", 0.49), 35, low},
        {"unapproved 5 hm²", facts(unapproved, 5), 40, medium},
        {"unapproved below 10 hm²", facts(unapproved, 9.99), 40, medium},
        {"hard rule: unapproved 10 hm²", facts(unapproved, 10), 45, high},
        {"hard rule, C 0.4", facts(unapproved, 10, 0, "", 0.4), 45, high},
        {"hard rule, C below 0.4 waits", facts(unapproved, 10, 0, "", 0.39), 45, low, true},
        {"spoil 10 hm²", facts(unapproved_spoil, 10), 50, high},
        {"spoil 1 hm²", facts(unapproved_spoil, 1), 35, medium},
        {"relocated 1 hm²", facts(relocated, 1), 25, low},
        {"relocated 10 hm²: no hard rule", facts(relocated, 10), 40, medium},
        {"exceeds by 9.9 %", facts(exceeds, 0.3, 0.099), 6, none},
        {"exceeds by 10 %", facts(exceeds, 0.3, 0.10), 12, none},
        {"exceeds by 10 %, 0.5 hm²", facts(exceeds, 0.5, 0.10), 17, low},
        {"exceeds by 29.9 %", facts(exceeds, 0.5, 0.299), 17, low},
        {"hard rule: exceeds by 30 %", facts(exceeds, 0.2, 0.30), 20, high},
        {"hard rule: exceeds by 30 %, unsure", facts(exceeds, 0.2, 0.30, "", 0.2), 20, low, true},
        {"a share without exceedance is no hard rule", facts(before_approval, 2, 0.5), 5, none},
        {"credit C", facts(unapproved, 1, 0, "C"), 34, low},
        {"credit D lifts to medium", facts(unapproved, 1, 0, "D"), 38, medium},
        {"credit A gives nothing", facts(unapproved, 1, 0, "A"), 30, low},
        {"unsure pending stays out", facts(pending, 5, 0, "", 0.1), 5, none, true},
        {"unsure small unapproved", facts(unapproved, 0.3, 0, "", 0.1), 25, low, true},
    };
    const auto rules = shipped_rules();
    for (const auto& row : table) {
        CAPTURE(row.what);
        const auto r = score(row.facts, rules);
        CHECK(r.severity == row.severity);
        CHECK(tier_code(r.tier) == tier_code(row.tier));
        CHECK(r.wait == row.wait);
        double sum = 0;
        for (const auto& item : r.items) {
            sum += item.points;
            CHECK(item.points == rules(item.rule));
            CHECK_FALSE(item.value.empty());
            CHECK_FALSE(item.source.empty());
        }
        CHECK(sum == r.severity);
        // Confidence never enters severity.
        auto unsure = row.facts;
        unsure.confidence = 0.05;
        CHECK(score(unsure, rules).severity == row.severity);
        CHECK(score(unsure, rules).tier <= low);
    }
}

TEST_CASE("zones, spoil above others, growth, lists and clues: each its points, hard rules beside the sum") {
    const auto rules = shipped_rules();
    const auto points = [&](const RiskFacts& f) {
        std::string list;
        for (const auto& item : score(f, rules).items)
            list += (list.empty() ? "" : ",") + item.rule.substr(7);
        return list;
    };
    const auto in = [&](RiskFacts f, std::vector<std::pair<const char*, const char*>> zones) {
        for (const auto& [kind, rule] : zones) f.zones.push_back({kind, kind, rule});
        return f;
    };
    const auto small = facts(Verdict::unapproved, 0.4);
    const char *hazard = "points_zone_hazard", *grade_1 = "points_zone_grade_1", *steep = "points_zone_steep";
    CHECK(points(small) == "unapproved");
    CHECK(points(in(small, {{"river", hazard}})) == "unapproved,zone_hazard");
    CHECK(points(in(small, {{"steep", steep}, {"river", hazard}})) == "unapproved,zone_hazard,zone_second");
    CHECK(points(in(small, {{"key_prevention", grade_1}, {"key_prevention", grade_1}})) ==
          "unapproved,zone_grade_1");
    CHECK(points(in(small, {{"scope", ""}})) == "unapproved");
    const auto lawful = in(facts(Verdict::compliant, 5), {{"river", hazard}, {"steep", steep}});
    CHECK(points(lawful) == "zone_hazard,zone_second");  // told whatever the verdict
    CHECK(score(lawful, rules).tier == none);
    auto f = small;
    f.steep_by_dem = true;
    CHECK(points(f) == "unapproved,zone_steep");
    CHECK(score(f, rules).items.back().source.find("DEM") !=
          std::string::npos);  // never passed off as announced
    CHECK(points(in(f, {{"river", hazard}})) == "unapproved,zone_hazard,zone_second");
    f = small;
    f.below = {"某村"};
    CHECK(points(f) == "unapproved");  // no spoil
    f.type = GroundType::spoil;
    CHECK(points(f) == "unapproved,spoil_above");
    f.below.clear();
    f.slope = 4.9;
    CHECK(points(f) == "unapproved");
    f.slope = 5;
    CHECK(points(f) == "unapproved,spoil_above");
    f = small;
    f.grown = true;
    CHECK(points(f) == "unapproved,grown");
    f.pit_inside = true;
    CHECK(points(f) == "unapproved");
    f = small;
    f.clues = {"12345（2024-05-01）", "第 3 行"};
    f.credit = "listed";
    CHECK(points(f) == "unapproved,credit_listed,clue");
    CHECK(score(f, rules).items.back().value == "2 条：12345（2024-05-01）、第 3 行");

    const auto hard = [&](RiskFacts x) {
        x.confidence = 0.8;
        const auto r = score(x, rules);
        CHECK((r.tier == high) == !r.hard_rules.empty());
        x.confidence = 0.39;
        CHECK(score(x, rules).tier <= low);  // not even a hard rule accuses on a doubtful image
        return r.hard_rules.size();
    };
    auto spoil = facts(Verdict::unapproved_spoil, 0.4);
    CHECK(hard(spoil) == 0);
    spoil.in_river = true;
    CHECK(hard(spoil) == 1);
    spoil.settlement_below = true;
    CHECK(hard(spoil) == 2);
    auto dwelling = small;
    dwelling.in_river = dwelling.settlement_below = true;
    CHECK(hard(dwelling) == 0);
    dwelling.in_hazard = true;
    CHECK(hard(dwelling) == 1);
    auto harmless = facts(Verdict::compliant, 0.4);
    harmless.in_hazard = true;
    CHECK(hard(harmless) == 1);  // any disturbance in an announced area
    harmless.settled = true;     // but for what people looked at and found to be none
    CHECK(hard(harmless) == 0);
    CHECK(score(harmless, rules).tier == none);

    // Growth accuses where it came after the notice, and asks for a look where nobody knows.
    auto grown = small;
    grown.notice = "2024-05-10";
    grown.notice_between = true;
    CHECK(hard(grown) == 0);  // not grown
    grown.grown = true;
    CHECK(hard(grown) == 0);
    CHECK(points(grown) == "unapproved,grown");
    CHECK(score(grown, rules).items.back().value.find("2024-05-10") != std::string::npos);
    grown.after_notice = true;
    CHECK(hard(grown) == 1);
    CHECK(points(grown) == "unapproved,grown_after_notice");

    auto creeping = facts(Verdict::compliant, 0.4);
    creeping.crept = 1;
    CHECK(score(creeping, rules).tier == none);
    creeping.crept = 2;
    CHECK(score(creeping, rules).tier == low);
    CHECK(score(creeping, shipped_rules({{"crept_batches", 3}})).tier == none);
}

TEST_CASE("every hard rule and limit that was tried is told with its number") {
    const auto rules = shipped_rules();
    const auto r = score(facts(Verdict::unapproved, 1), rules);
    std::map<std::string, bool> asked;
    for (const auto& s : r.trace)
        if (!s.item.empty()) asked[s.item] = s.holds;
    CHECK(asked == std::map<std::string, bool>{{"spoil_distance_m", false},
                                               {"high_unapproved_m2", false},
                                               {"major_change_share", false},
                                               {"high_severity", false},
                                               {"high_confidence", true},
                                               {"medium_severity", false},
                                               {"medium_confidence", true},
                                               {"low_severity", true},
                                               {"report_form_m2", false},
                                               {"crept_batches", false},
                                               {"wait_confidence", false}});
}

TEST_CASE("severity is capped, and 60 points split by confidence at 0.7 and 0.4") {
    const auto rules = shipped_rules({{"points_unapproved", 70}});
    CHECK(score(facts(Verdict::unapproved, 1, 0, "", 0.7), rules).tier == high);
    CHECK(score(facts(Verdict::unapproved, 1, 0, "", 0.69), rules).tier == medium);
    CHECK(score(facts(Verdict::unapproved, 1, 0, "", 0.4), rules).tier == medium);
    CHECK(score(facts(Verdict::unapproved, 1, 0, "", 0.39), rules).tier == low);
    CHECK(
        score(facts(Verdict::unapproved, 10, 0, "D"), shipped_rules({{"points_unapproved", 95}})).severity ==
        100);
}

TEST_CASE("offending area: all of it when unapproved, the part outside when exceeding, else nothing") {
    for (const auto v : {Verdict::unapproved, Verdict::unapproved_spoil, Verdict::relocated})
        CHECK(offending_area(v, 500, 70) == 500);
    CHECK(offending_area(Verdict::exceeds, 500, 70) == 70);
    for (const auto v : {Verdict::compliant, Verdict::pending, Verdict::before_approval})
        CHECK(offending_area(v, 500, 70) == 0);
}

TEST_CASE("the order of a list is total: any shuffle sorts to the same list") {
    std::vector<RankKey> keys;
    std::mt19937 random(7);
    for (int i = 0; i < 300; ++i)
        keys.push_back({static_cast<Tier>(random() % 4), static_cast<double>(random() % 3) * 5,
                        static_cast<double>(random() % 3) * 100, "202403-" + std::to_string(10000 + i)});
    auto sorted = keys;
    std::sort(sorted.begin(), sorted.end(), ranks_before);
    for (int round = 0; round < 20; ++round) {
        std::shuffle(keys.begin(), keys.end(), random);
        std::sort(keys.begin(), keys.end(), ranks_before);
        for (std::size_t i = 0; i < keys.size(); ++i) REQUIRE(keys[i].case_id == sorted[i].case_id);
    }
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        const auto &a = sorted[i - 1], &b = sorted[i];
        CHECK(ranks_before(a, b));
        CHECK_FALSE(ranks_before(b, a));
        CHECK(a.tier >= b.tier);
        if (a.tier == b.tier) CHECK(a.severity >= b.severity);
        if (a.tier == b.tier && a.severity == b.severity) CHECK(a.offending_area >= b.offending_area);
    }
    CHECK_FALSE(ranks_before(sorted[0], sorted[0]));
}
