// SPDX-License-Identifier: Apache-2.0
// The form of objects against known figures, and rules of types: order, what is not known, what is refused.
#include <cmath>
#include <functional>
#include <numbers>
#include <queue>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "../../pipeline/stages/type_rules.hpp"
#include "../support/scratch.hpp"
#include <shuibao/algorithms/object_type.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

Segment drawn(std::int64_t size, const std::function<bool(double, double)>& in) {
    Segment s;
    for (std::int64_t row = 0; row < size; ++row)
        for (std::int64_t col = 0; col < size; ++col) {
            if (!in(static_cast<double>(col) + 0.5, static_cast<double>(row) + 0.5)) continue;
            if (!s.runs.empty() && s.runs.back().row == row && s.runs.back().end == col)
                ++s.runs.back().end;
            else
                s.runs.push_back({row, col, col + 1, 0, 1});
            ++s.pixels;
        }
    return s;
}

// Turned by an angle about the middle of a square.
std::function<bool(double, double)> rectangle(double size, double along, double across, double angle) {
    return [=](double x, double y) {
        const double dx = x - size / 2, dy = y - size / 2;
        const double u = dx * std::cos(angle) + dy * std::sin(angle),
                     v = -dx * std::sin(angle) + dy * std::cos(angle);
        return std::abs(u) <= along / 2 && std::abs(v) <= across / 2;
    };
}

TypeRules two_rules() {
    TypeRules r;
    r.rules.push_back({"road", "long and narrow", {{"elongation", 5, {}}, {"width_m", {}, 40}}, {}});
    r.rules.push_back({"field", "all of it tilled", {{"tilled", 0.9, {}}}, 0.35});
    r.otherwise = "undetermined";
    return r;
}

}  // namespace

TEST_CASE("object_type: a rectangle along the axes has the form it was drawn with") {
    const auto s = shape_of(drawn(40, [](double x, double y) { return x > 5 && x < 25 && y > 5 && y < 15; }));
    CHECK(s.fill == doctest::Approx(1));
    CHECK(s.convexity == doctest::Approx(1));
    CHECK(s.widest == doctest::Approx(9));  // from the middle of the rows beside it, less a pixel
    // From corner to corner: nine steps aside and ten along.
    CHECK(s.length == doctest::Approx((9 * 7 + 10 * 5) / 5.0 + 1));
    CHECK(s.width == doctest::Approx(200 / s.length));
    CHECK(s.elongation == doctest::Approx(s.length / s.width));
}

TEST_CASE("object_type: strips keep length and width whichever way they lie") {
    for (int k = 0; k < 18; ++k) {
        const double angle = std::numbers::pi * k / 18;
        const auto s = shape_of(drawn(220, rectangle(220, 180, 4, angle)));
        CAPTURE(k);
        CHECK(s.length >= 0.98 * 181);  // by steps of 5 and 7
        CHECK(s.length <= 1.08 * 181);
        CHECK(s.width == doctest::Approx(4).epsilon(0.12));
        CHECK(s.widest == doctest::Approx(4).epsilon(0.45));
        CHECK(s.elongation > 35);
    }
}

TEST_CASE("object_type: a road that bends is as long as its middle line") {
    // Three quarters of a ring of radius 60, 3 wide: its ends lie 85 apart.
    const auto s = shape_of(drawn(140, [](double x, double y) {
        const double dx = x - 70, dy = y - 70;
        return std::abs(std::hypot(dx, dy) - 60) <= 1.5 && !(dx > 0 && dy > 0);
    }));
    CHECK(s.length == doctest::Approx(1.5 * std::numbers::pi * 60).epsilon(0.06));
    CHECK(s.width == doctest::Approx(3).epsilon(0.12));
    CHECK(s.convexity < 0.12);
}

TEST_CASE("object_type: round and rectangular ground differ in what they fill, not in how convex they are") {
    for (const double angle : {0.0, 0.3, 0.8}) {
        const auto round =
            shape_of(drawn(60, [](double x, double y) { return std::hypot(x - 30, y - 30) <= 20; }));
        const auto flat = shape_of(drawn(60, rectangle(60, 40, 30, angle)));
        CHECK(round.fill == doctest::Approx(std::numbers::pi / 4).epsilon(0.04));
        CHECK(flat.fill > 0.92);
        CHECK(round.convexity > 0.94);
        CHECK(flat.convexity > 0.94);
        CHECK(round.elongation < 1.7);
    }
}

TEST_CASE("object_type: ways go around bays, as a plain search finds them") {
    std::mt19937 random(7);
    for (int trial = 0; trial < 20; ++trial) {
        std::vector<bool> in(400);
        for (auto&& v : in) v = random() % 10 < 7;
        const auto all = drawn(20, [&](double x, double y) {
            return in[static_cast<std::size_t>(y) * 20 + static_cast<std::size_t>(x)];
        });
        // Only what hangs together with the first pixel is an object.
        std::vector<std::int64_t> best(400, -1);
        const auto search = [&](std::size_t from) {
            std::fill(best.begin(), best.end(), -1);
            std::priority_queue<std::pair<std::int64_t, std::size_t>,
                                std::vector<std::pair<std::int64_t, std::size_t>>, std::greater<>>
                queue;
            queue.emplace(0, from);
            while (!queue.empty()) {
                const auto [cost, at] = queue.top();
                queue.pop();
                if (best[at] >= 0) continue;
                best[at] = cost;
                for (int dr = -1; dr <= 1; ++dr)
                    for (int dc = -1; dc <= 1; ++dc) {
                        const auto r = static_cast<int>(at / 20) + dr, c = static_cast<int>(at % 20) + dc;
                        const auto next = static_cast<std::size_t>(r * 20 + c);
                        if (r < 0 || c < 0 || r > 19 || c > 19 || !in[next] || (dr == 0 && dc == 0)) continue;
                        queue.emplace(cost + (dr != 0 && dc != 0 ? 7 : 5), next);
                    }
            }
        };
        const auto first = static_cast<std::size_t>(all.runs.front().row * 20 + all.runs.front().col);
        search(first);
        const auto reached = best;
        const auto one = drawn(20, [&](double x, double y) {
            return reached[static_cast<std::size_t>(y) * 20 + static_cast<std::size_t>(x)] >= 0;
        });
        std::int64_t most = 0, across = 0;
        for (const auto v : reached) most = std::max(most, v);
        for (std::size_t i = 0; i < 400; ++i)  // any of the farthest may have been taken
            if (reached[i] == most) {
                search(i);
                for (const auto v : best) across = std::max(across, v);
            }
        const auto s = shape_of(one);
        CAPTURE(trial);
        CHECK(s.length <= static_cast<double>(across) / 5 + 1 + 1e-9);
        CHECK(s.length >= static_cast<double>(most) / 5 + 1 - 1e-9);
    }
}

TEST_CASE("object_type: runs that an edge of a strip has cut give the same form") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        std::vector<bool> in(40 * 40);
        for (auto&& pixel : in) pixel = random() % 5 != 0;
        // A frame, so that it hangs together.
        auto whole = drawn(40, [&](double x, double y) {
            const auto c = static_cast<std::size_t>(x), r = static_cast<std::size_t>(y);
            return r % 4 == 0 || c == 0 || in[r * 40 + c];
        });
        auto cut = whole;
        cut.runs.clear();
        for (const Run& run : whole.runs)
            for (auto col = run.col; col < run.end;) {
                const auto end = std::min<std::int64_t>(run.end, col + 1 + static_cast<int>(random() % 5));
                cut.runs.push_back({run.row, col, end, 0, 1});
                col = end;
            }
        const auto a = shape_of(whole), b = shape_of(cut);
        CHECK(a.length == b.length);
        CHECK(a.widest == b.widest);
        CHECK(a.fill == b.fill);
        CHECK(a.convexity == b.convexity);
    }
}

TEST_CASE(
    "object_type: the first rule whose conditions hold decides, and what spoke against the others is kept") {
    const auto rules = two_rules();
    const auto road = decide_type(rules, {{"elongation", 5.0}, {"width_m", 40.0}, {"tilled", 1.0}});
    CHECK(road.type == "road");
    CHECK(road.rule == &rules.rules[0]);
    CHECK(road.failed.empty());
    const auto field = decide_type(rules, {{"elongation", 8.0}, {"width_m", 40.1}, {"tilled", 0.95}});
    CHECK(field.type == "field");
    REQUIRE(field.failed.size() == 1);
    CHECK(field.failed[0]->input == "width_m");
    CHECK(field.rule->most_confidence == 0.35);
}

TEST_CASE("object_type: what is not known fulfils no condition") {
    const auto rules = two_rules();
    const auto none = decide_type(rules, {{"elongation", 9.0}});
    CHECK(none.type == "undetermined");
    CHECK(none.rule == nullptr);
    REQUIRE(none.failed.size() == 2);
    CHECK(none.failed[0]->input == "width_m");
    CHECK(none.failed[1]->input == "tilled");
}

TEST_CASE("object_type: a fire while it turned bare makes it burnt where nobody tills, and where that is known") {
    const auto rules = pipeline::load_type_rules(engine::config_file("objects/types.yaml"));
    const auto type = [&](const TypeInputs& inputs) { return decide_type(rules, inputs); };
    const auto burnt = type({{"hotspots", 1}, {"tilled", 0.2}, {"synchrony", 0.5}});
    CHECK(burnt.type == "burnt");
    REQUIRE(burnt.rule != nullptr);
    REQUIRE(burnt.rule->most_confidence);
    CHECK(*burnt.rule->most_confidence < 0.4);  // below it a polygon waits for the next batch (rules §6)
    CHECK(type({{"hotspots", 0}, {"tilled", 0.2}, {"synchrony", 0.5}}).type == "together");
    CHECK(type({{"hotspots", 3}, {"tilled", 0.3}}).type == rules.otherwise);
    CHECK(type({{"tilled", 0}}).type == rules.otherwise);
    CHECK(type({{"hotspots", 1}}).type == rules.otherwise);
}

TEST_CASE("object_type: the rules that come with shuibao can be read, and name every type in a word") {
    const auto rules = pipeline::load_type_rules(engine::config_file("objects/types.yaml"));
    CHECK(rules.rules.size() >= 5);
    CHECK(rules.words.contains(rules.otherwise));
    for (const auto& r : rules.rules) CHECK(!rules.words.at(r.type).empty());
    // Nothing known: nothing is taken for anything.
    CHECK(decide_type(rules, {}).type == rules.otherwise);
}

TEST_CASE("object_type: rules that cannot be meant are refused with file and line") {
    const test::Scratch folder;
    const auto refused = [&](const std::string& text, const std::string& what) {
        const auto file = folder / "types.yaml";
        test::put(file, text);
        try {
            (void)pipeline::load_type_rules(file);
            FAIL("accepted: " << text);
        } catch (const Error& e) {
            CHECK_MESSAGE(std::string(e.what()).find(what) != std::string::npos, e.what());
            CHECK(e.hint().find("configs/objects/types.yaml") != std::string::npos);
        }
    };
    const std::string head = "types: {road: 线型, none: 无法判定}\notherwise: none\nrules:\n";
    refused("types: {}\n", "types.yaml:1: rules of types need");
    refused("types: {road: 线型}\notherwise: rood\nrules: []\n",
            "there is no type 'rood'; did you mean 'road'?");
    refused(head + "- {type: road, because: x, when: {elongatoin: {at_least: 5}}}\n",
            "types.yaml:4: there is no input 'elongatoin'; did you mean 'elongation'?");
    refused(head + "- {type: road, because: x, when: {}}\n", "would hold for everything");
    refused(head + "- {type: road, because: x, when: {fill: {at_least: much}}}\n", "this is no number");
    refused(head + "- {type: road, because: x, when: {fill: {above: 1}}}\n", "there is no bound 'above'");
    refused(head + "- {type: road, when: {fill: {at_least: 1}}}\n", "type, because and when");
    refused(head + "- {type: road, because: x, whne: 1, when: {fill: {at_least: 1}}}\n",
            "did you mean 'when'?");
}
