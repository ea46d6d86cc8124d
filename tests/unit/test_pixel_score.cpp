// SPDX-License-Identifier: Apache-2.0
// What is known of a pixel among others, against a direct count; the same however the map is cut.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <support/pixel_history.hpp>

#include <shuibao/algorithms/segmentation.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

constexpr double least = -1.5, quiet = -1.6;
const Date seen(20000);

// Fields of 9 × 7 pixels of three histories, some ground without one, changed here and there.
Change random_map(std::int64_t cols, std::int64_t rows, unsigned seed) {
    std::mt19937 random(seed);
    const auto chance = [&] { return std::uniform_real_distribution(0.0, 1.0)(random); };
    Change map(Window{40, -13, cols, rows});
    map.history.resize(map.window);
    for (std::int64_t y = 0; y < rows; ++y)
        for (std::int64_t x = 0; x < cols; ++x) {
            const auto i = static_cast<std::size_t>(y * cols + x);
            const auto field = x / 9 * 5 + y / 7 * 3;
            const bool like = field % 2 == 0;  // soil and months of one kind of field
            map.evidence[i] = chance() < 0.02 ? Change::unobserved : Change::no_evidence;
            if (map.evidence[i] != Change::unobserved && chance() < (field % 4 == 0 ? 0.8 : 0.15)) {
                map.set(i, -2 + 4 * chance(), 5 * chance());
                map.onset_to[i] = static_cast<std::uint16_t>(19800 + 150 * chance());
                map.onset_from[i] = static_cast<std::uint16_t>(map.onset_to[i] - 30 * chance());
            }
            if (chance() < 0.03) continue;
            test::put_season(map.history, i,
                             {0.3 + 0.1 * static_cast<double>(field % 3), 0.1, 0.05 * chance(), 0, 0},
                             0.1 * chance(), field % 2 == 0);
            test::put_recent(map.history, i, {chance() - 0.5, 0.1, chance() / 4, -0.1});
            test::put_traits(map.history, i,
                             {like ? 0.1 + 0.03 * chance() : chance() / 4, -1.5,
                              chance() < 0.3 ? std::nan("") : chance() / 4, 0.2, chance() / 4,
                              128 + std::floor(8 * chance())});
            PixelHistory::Greenest g{};
            for (std::size_t k = 0; k < g.size(); ++k) {
                const double green = like ? 3 + static_cast<double>((k + 2) % 5) + 2 * chance()
                                          : 1 + 12 * chance() * (field % 3 == 0 ? 0.4 : 1);
                g[k] = static_cast<std::uint8_t>(chance() < 0.3 ? 0 : green);
            }
            test::put_greenest(map.history, i, g);
        }
    return map;
}

// A part of a map, with planes of its own.
struct Part {
    Change change;
    Part(const Change& map, const Window& window) : change(window) {
        change.history.resize(window);
        std::size_t to = 0;
        for (auto r = window.row; r < window.row + window.rows; ++r)
            for (auto c = window.col; c < window.col + window.cols; ++c, ++to) {
                const auto from =
                    static_cast<std::size_t>((r - map.window.row) * map.window.cols + c - map.window.col);
                change.evidence[to] = map.evidence[from];
                change.magnitude[to] = map.magnitude[from];
                change.onset_from[to] = map.onset_from[from];
                change.onset_to[to] = map.onset_to[from];
                change.kind[to] = map.kind[from];
                for (std::size_t p = 0; p < PixelHistory::planes; ++p)
                    change.history.values[p][to] = map.history.values[p][from];
            }
    }
};

MapPart part_of(const Change& c) {
    return {c.evidence, c.magnitude, c.onset_from, c.onset_to, c.history, seen};
}

using Values = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>>;
Values values_of(const Change& map, const Window& window, const Forest* first = nullptr) {
    Values values;
    PixelScore(part_of(map), least, quiet)
        .visit(window, first, [&](std::int64_t row, std::int64_t col, std::span<const double> v) {
            values[{row, col}] = {v.begin(), v.end()};
        });
    return values;
}

std::size_t at(const char* name) {
    const auto& names = PixelScore::names_again();  // which begins with names()
    const auto it = std::find(names.begin(), names.end(), name);
    REQUIRE(it != names.end());
    return static_cast<std::size_t>(it - names.begin());
}

double evidence_of(const Change& map, std::size_t i) {
    const auto e = map.evidence[i];
    const bool none = e == Change::no_evidence || e == Change::unobserved;
    return ((none ? Change::stored(quiet) : int{e}) - Change::evidence_zero) / 256.0;
}

// Greenest class of the last months; 0 = no clear look.
int greenest_of(const Change& map, std::size_t i, std::size_t months) {
    const auto g = map.history.greenest(i);
    return *std::max_element(g.begin(), g.begin() + static_cast<std::ptrdiff_t>(months));
}

// Mean along a line through a place of by how much what `value` says is more than on both sides of it, the
// largest of sixteen directions; no more than `most` each, 0 where value() is NaN or the map ends.
template <class Value>
double line_through(std::int64_t row, std::int64_t col, double most, const Value& value) {
    double best = -1e9;
    for (int t = 0; t < 16; ++t) {
        const double angle = std::acos(-1.0) * t / 16, right = std::cos(angle), down = std::sin(angle);
        const double longer = std::max(std::abs(right), std::abs(down));
        const auto aside_r = std::lround(3 * right), aside_c = std::lround(-3 * down);
        const auto steps = std::lround(10 * longer);
        double sum = 0;
        for (auto k = -steps; k <= steps; ++k) {
            const auto r = row + std::lround(static_cast<double>(k) * down / longer),
                       c = col + std::lround(static_cast<double>(k) * right / longer);
            const double by =
                value(r, c) - std::max(value(r + aside_r, c + aside_c), value(r - aside_r, c - aside_c));
            const bool known = !std::isnan(value(r, c)) && !std::isnan(value(r + aside_r, c + aside_c)) &&
                               !std::isnan(value(r - aside_r, c - aside_c));
            if (known) sum += std::clamp(by, -most, most);
        }
        best = std::max(best, sum / static_cast<double>(2 * steps + 1));
    }
    return best;
}

// What peers tell of a pixel, place by place.
struct Peers {
    double all = 0, alike = 0, changed = 0, nearest = 16, soil_index = 0, month_3 = 0;
};

Peers peers_of(const Change& map, std::int64_t row, std::int64_t col) {
    const auto& w = map.window;
    const auto index = [&](std::int64_t r, std::int64_t c) {
        return static_cast<std::size_t>((r - w.row) * w.cols + c - w.col);
    };
    const auto known = [&](std::int64_t r, std::int64_t c) {
        return r >= w.row && r < w.row + w.rows && c >= w.col && c < w.col + w.cols &&
               map.history.known(index(r, c));
    };
    // Mean of `value` over the known of 3 × 3; NaN where there is none.
    const auto smooth = [&](std::int64_t r0, std::int64_t c0, const auto& value) {
        double s = 0, n = 0;
        for (auto r = r0 - 1; r <= r0 + 1; ++r)
            for (auto c = c0 - 1; c <= c0 + 1; ++c)
                if (known(r, c) && !std::isnan(value(index(r, c)))) s += value(index(r, c)), ++n;
        return s / n;
    };
    const auto soil = [&](std::size_t k) { return map.history.recent(k)[2] / 256.0; };
    const auto third = [&](std::size_t k) {
        const int c = map.history.greenest(k)[3];
        return c == 0 ? std::nan("") : 0.05 * c;
    };
    Peers p;
    if (!known(row, col)) return p;
    const auto i = index(row, col);
    const int ago = map.onset_from[i] > 0 ? seen.days() - map.onset_from[i] : 10000;
    const int before = std::min(9, 2 + static_cast<int>(ago / 30.44));
    double soils = 0, soil_weights = 0, months = 0, month_weights = 0;
    for (const int d : {4, 8, 12, 16, 19})
        for (int down = -1; down <= 1; ++down)
            for (int right = -1; right <= 1; ++right) {
                const auto r = row + d * down, c = col + d * right;
                if ((down == 0 && right == 0) || !known(r, c)) continue;
                const auto j = index(r, c);
                ++p.all;
                const auto a = map.history.season(i), b = map.history.season(j);
                double apart = std::pow(a[0] - b[0], 2);
                for (std::size_t k = 1; k < a.size(); ++k) apart += std::pow(a[k] - b[k], 2) / 2;
                apart /= 36;
                const auto t = map.history.traits_of(i), u = map.history.traits_of(j);
                if (t[0] > 0 && u[0] > 0) apart += std::pow((t[0] - u[0]) / 10.0, 2);
                if (t[1] > 0 && u[1] > 0) apart += std::pow((t[1] - u[1]) / 8.0, 2);
                double by = 0, n = 0;
                for (auto k = static_cast<std::size_t>(before); k < 12; ++k) {
                    const int x = map.history.greenest(i)[k], y = map.history.greenest(j)[k];
                    if (x > 0 && y > 0) by += std::pow(x - y, 2), ++n;
                }
                apart += n > 0 ? by / n : 1;
                p.nearest = std::min(p.nearest, apart);
                if (apart >= 16) continue;
                const double weight = std::exp(-apart / 2);
                p.alike += weight;
                if (map.evidence[j] != Change::unobserved && map.evidence[j] >= Change::stored(least))
                    p.changed += weight;
                soils += weight * (smooth(row, col, soil) - smooth(r, c, soil));
                soil_weights += weight;
                const double greener = smooth(row, col, third) - smooth(r, c, third);
                if (!std::isnan(greener)) months += weight * greener, month_weights += weight;
            }
    p.changed /= std::max(p.alike, 1e-12);
    p.soil_index = soils / (soil_weights + 0.3);
    p.month_3 = months / (month_weights + 0.3);
    return p;
}

Forest some_forest() {
    const auto index = [](const char* name) { return static_cast<std::uint8_t>(at(name)); };
    Forest f;
    f.base = -1;
    f.trees.push_back(
        {{{index("evidence"), 0.2, -1, 1}, {index("evidence_above_8"), 0.1, -2, -3}}, {-1.5, 0.25, 2}});
    f.trees.push_back({{{index("soil_index_above_region"), 0.01, -1, -2}}, {-0.7, 0.6}});
    f.trees.push_back({{{index("index_above_own"), 0.1, -1, -2}}, {-0.3, 0.4}});
    return f;
}

}  // namespace

// Asks what some_forest() said of the ground around.
Forest forest_again() {
    const auto index = [](const char* name) { return static_cast<std::uint8_t>(at(name)); };
    Forest f;
    f.base = 0.5;
    f.trees.push_back(
        {{{index("score_around"), -1.5, -1, 1}, {index("chance_mean_15"), 0.04, -2, -3}}, {-1, 0.5, 1.5}});
    f.trees.push_back({{{index("score_6_of_8_at_8"), -2, -1, -2}}, {-0.2, 0.3}});
    f.trees.push_back({{{index("evidence"), 0.3, -1, -2}}, {-0.1, 0.15}});
    return f;
}

TEST_CASE("names are told once each") {
    auto names = PixelScore::names_again();
    CHECK(names.size() <= 256);
    CHECK(std::equal(PixelScore::names().begin(), PixelScore::names().end(), names.begin()));
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("what is known of a pixel is what a direct count gives") {
    const Change map = random_map(70, 60, 1);
    const auto values = values_of(map, map.window);
    const auto& w = map.window;
    const auto index = [&](std::int64_t r, std::int64_t c) {
        return static_cast<std::size_t>((r - w.row) * w.cols + c - w.col);
    };
    std::size_t members = 0;
    for (const auto e : map.evidence)
        if (e != Change::unobserved && e >= Change::stored(least)) ++members;
    REQUIRE(members > 300);
    CHECK(values.size() == members);
    std::size_t compared = 0, with_peers = 0;
    for (const auto& [place, v] : values) {
        const auto [row, col] = place;
        const auto i = index(row, col);
        REQUIRE(v.size() == PixelScore::names().size());
        CHECK(v[at("evidence")] == doctest::Approx(evidence_of(map, i)));
        CHECK(v[at("age")] == seen.days() - map.onset_to[i]);
        CHECK(v[at("gap")] == map.onset_to[i] - map.onset_from[i]);
        const bool known = map.history.known(i);
        CHECK(v[at("tilled")] == (known ? (map.history.tilled(i) ? 1 : 0) : PixelScore::unknown));
        const int own = map.history.traits_of(i)[2];
        CHECK(v[at("index_above_own")] ==
              doctest::Approx(own == 0 ? PixelScore::unknown : (own - 128) / 256.0));
        const int green = known ? greenest_of(map, i, 4) : 0;
        CHECK(v[at("greenest_4")] ==
              doctest::Approx(green == 0 ? PixelScore::unknown : 0.10 + 0.05 * (green - 0.5)));
        if (known) {
            const auto g = map.history.greenest(i);
            double months = 0;
            while (months < 12 && g[static_cast<std::size_t>(months)] < 5) ++months;
            CHECK(v[at("months_since_030")] == months);
        }
        const auto inside = [&](std::int64_t r, std::int64_t c) {
            return r >= w.row && r < w.row + w.rows && c >= w.col && c < w.col + w.cols &&
                   map.history.known(index(r, c));
        };
        if ((row + col) % 5 == 0) {  // a line is slow to count
            CHECK(v[at("half_year_green_line")] ==
                  doctest::Approx(line_through(row, col, 20 / 256.0, [&](auto r, auto c) {
                      return inside(r, c) ? -map.history.recent(index(r, c))[1] / 256.0 : std::nan("");
                  })).epsilon(1e-6));
            CHECK(v[at("greenest_9_line")] ==
                  doctest::Approx(line_through(row, col, 0.15, [&](auto r, auto c) {
                      const int most = inside(r, c) ? greenest_of(map, index(r, c), 9) : 0;
                      return most == 0 ? std::nan("") : -0.05 * most;
                  })).epsilon(1e-6));
        }
        // Means over squares.
        double near_sum = 0, far_sum = 0, near_n = 0, far_n = 0, changed = 0;
        for (auto r = row - 20; r <= row + 20; ++r)
            for (auto c = col - 20; c <= col + 20; ++c) {
                if (r < w.row || r >= w.row + w.rows || c < w.col || c >= w.col + w.cols) continue;
                const auto k = index(r, c);
                const bool close = std::abs(r - row) <= 2 && std::abs(c - col) <= 2;
                if (std::abs(r - row) <= 3 && std::abs(c - col) <= 3)
                    changed +=
                        map.evidence[k] != Change::unobserved && map.evidence[k] >= Change::stored(least) ? 1
                                                                                                          : 0;
                if (!map.history.known(k)) continue;
                far_sum += evidence_of(map, k), ++far_n;
                if (close) near_sum += evidence_of(map, k), ++near_n;
            }
        CHECK(v[at("changed_around")] == changed);
        if (near_n > 0)
            CHECK(v[at("evidence_above_region")] == doctest::Approx(near_sum / near_n - far_sum / far_n));
        // Ground of the same history eight away.
        double sum = 0;
        int n = 0, there = 0;
        const auto smooth = [&](std::int64_t r0, std::int64_t c0) {
            double s = 0, count = 0;
            for (auto r = std::max(r0 - 1, w.row); r <= std::min(r0 + 1, w.row + w.rows - 1); ++r)
                for (auto c = std::max(c0 - 1, w.col); c <= std::min(c0 + 1, w.col + w.cols - 1); ++c)
                    if (map.history.known(index(r, c)))
                        s += map.history.recent(index(r, c))[2] / 256.0, ++count;
            return s / count;
        };
        for (int down = -1; down <= 1; ++down)
            for (int right = -1; right <= 1; ++right) {
                const auto r = row + 8 * down, c = col + 8 * right;
                if ((down == 0 && right == 0) || !known || r < w.row || r >= w.row + w.rows || c < w.col ||
                    c >= w.col + w.cols || !map.history.known(index(r, c)))
                    continue;
                ++there;
                const auto p = map.history.season(i), q = map.history.season(index(r, c));
                int apart = 2 * (p[0] - q[0]) * (p[0] - q[0]);
                for (std::size_t k = 1; k < p.size(); ++k) apart += (p[k] - q[k]) * (p[k] - q[k]);
                if (apart >= 2 * 8 * 8) continue;
                sum += smooth(row, col) - smooth(r, c), ++n;
            }
        if (n > 2) ++compared;
        CHECK(v[at("soil_index_above_8")] == doctest::Approx(sum / (n + 1)).epsilon(1e-9));
        CHECK(v[at("same_8")] == doctest::Approx(there > 0 ? static_cast<double>(n) / there : 0));
        if ((row + col) % 5 != 0) continue;
        const Peers peers = peers_of(map, row, col);
        if (peers.alike > 1) ++with_peers;
        CHECK(v[at("peers_alike")] == doctest::Approx(peers.alike / std::max(peers.all, 1.0)));
        CHECK(v[at("peers_changed")] == doctest::Approx(peers.changed));
        CHECK(v[at("peers_apart")] == doctest::Approx(peers.nearest));
        CHECK(v[at("soil_index_above_peers")] == doctest::Approx(peers.soil_index).epsilon(1e-9));
        CHECK(v[at("month_3_above_peers")] == doctest::Approx(peers.month_3).epsilon(1e-9));
    }
    CHECK(compared > 100);
    CHECK(with_peers > 50);
}

TEST_CASE("a road stands out as a line across fields, a field does not") {
    Change map(Window{0, 0, 60, 60});
    map.history.resize(map.window);
    const auto road = [](std::int64_t x, std::int64_t y) { return std::abs(x - (10 + y / 2)) <= 1; };
    for (std::int64_t y = 0; y < 60; ++y)
        for (std::int64_t x = 0; x < 60; ++x) {
            const auto i = static_cast<std::size_t>(y * 60 + x);
            map.set(i, 0, 1);
            test::put_season(map.history, i, {0.4, 0, 0, 0, 0}, 0, true);
            const double field = (x / 15 + y / 12) % 2 == 0 ? 0.1 : -0.1;
            test::put_recent(map.history, i, {0, road(x, y) ? -0.3 : field, 0, 0});
        }
    const auto values = values_of(map, map.window);
    double least_on_road = 1, most_off = -1;
    for (const auto& [place, v] : values) {
        const auto [y, x] = place;
        if (y < 12 || y > 47 || x < 12 || x > 47) continue;
        const double line = v[at("half_year_green_line")];
        if (x == 10 + y / 2) least_on_road = std::min(least_on_road, line);
        if (std::abs(x - (10 + y / 2)) > 8) most_off = std::max(most_off, line);
    }
    CHECK(least_on_road > 0.07);
    CHECK(most_off < 0.03);
}

TEST_CASE("what looks hopeless after some trees is not asked further, whatever is asked beside it") {
    Forest f;
    f.base = -1;
    f.trees.push_back({{{0, 0.5, -1, -2}}, {-1, 1}});
    f.trees.push_back({{}, {0.25}});
    f.trees.push_back({{{1, 0.5, -1, -2}}, {-4, 4}});
    const std::vector<double> values = {0, 0, 0, 1, 1, 0, 1, 1};
    std::vector<double> odds(4);
    f.log_odds(values, odds);
    CHECK(odds == std::vector<double>{-5.75, 2.25, -3.75, 4.25});
    f.hopeless_after = 2;
    f.hopeless = -1.75;  // two trees tell −1.75 and 0.25: that is not less
    f.log_odds(values, odds);
    CHECK(odds == std::vector<double>{-5.75, 2.25, -3.75, 4.25});
    f.hopeless = -1.5;
    f.log_odds(values, odds);
    CHECK(odds == std::vector<double>{-1.75, -1.75, -3.75, 4.25});
    for (std::size_t i = 0; i < odds.size(); ++i)
        CHECK(f.log_odds(std::span(values).subspan(2 * i, 2)) == odds[i]);
}

TEST_CASE("scores do not depend on how the map is cut") {
    const Change map = random_map(600, 120, 2);
    auto model = some_forest();
    model.hopeless_after = 2;
    model.hopeless = -3.5;
    const auto other = forest_again();
    const Forest* again = nullptr;
    SUBCASE("asked once") {}
    SUBCASE("asked again") {
        again = &other;
    }
    const auto whole = PixelScore(part_of(map), least, quiet).scores(map.window, model, again);
    std::map<int, int> kinds;
    for (const auto s : whole) ++kinds[s];
    CHECK(kinds.size() > 30);
    for (const auto& window : {Window{40, -13, 600, 1}, Window{40, 20, 600, 30}, Window{301, 50, 40, 57},
                               Window{639, 106, 1, 1}}) {
        const Part part(map, window.grown(PixelScore::reach).intersection(map.window));
        const auto scores = PixelScore(part_of(part.change), least, quiet).scores(window, model, again);
        std::size_t k = 0;
        for (auto r = window.row; r < window.row + window.rows; ++r)
            for (auto c = window.col; c < window.col + window.cols; ++c, ++k)
                REQUIRE(scores[k] == whole[static_cast<std::size_t>((r - map.window.row) * map.window.cols +
                                                                    c - map.window.col)]);
    }
}

TEST_CASE("what a first model said of the ground around is what a direct count gives") {
    const Change map = random_map(60, 50, 5);
    auto model = some_forest();
    const auto first = values_of(map, map.window);
    model.hopeless_after = 2;
    model.hopeless = -3;
    const auto& w = map.window;
    // Ground that nothing is said of scores least, as what lies beyond the map does.
    const auto score = [&](std::int64_t r, std::int64_t c) {
        const auto it = first.find({r, c});
        return it == first.end() ? -9.0 : std::round(256 * model.log_odds(it->second)) / 256;
    };
    const auto around = [&](std::int64_t r0, std::int64_t c0) {
        if (r0 < w.row || r0 >= w.row + w.rows || c0 < w.col || c0 >= w.col + w.cols) return -9.0;
        double sum = 0, n = 0;
        for (auto r = std::max(r0 - 1, w.row); r <= std::min(r0 + 1, w.row + w.rows - 1); ++r)
            for (auto c = std::max(c0 - 1, w.col); c <= std::min(c0 + 1, w.col + w.cols - 1); ++c)
                sum += score(r, c), ++n;
        return sum / n;
    };
    const auto again = values_of(map, w, &model);
    std::size_t hopeful = 0;
    for (const auto& [place, v] : first)
        if (model.log_odds(v) >= model.hopeless) ++hopeful;
    REQUIRE(hopeful > 100);
    CHECK(hopeful < first.size());
    CHECK(again.size() == hopeful);
    const double step = 1 / 4096.0 + 1e-9;
    for (const auto& [place, v] : again) {
        const auto [row, col] = place;
        REQUIRE(v.size() == PixelScore::names_again().size());
        CHECK(std::equal(first.at(place).begin(), first.at(place).end(), v.begin()));
        if ((row + col) % 3 != 0) continue;
        CHECK(v[at("score")] == doctest::Approx(score(row, col)));
        CHECK(std::abs(v[at("score_around")] - around(row, col)) <= step);
        double sum = 0, chances = 0, n = 0;
        for (auto r = std::max(row - 7, w.row); r <= std::min(row + 7, w.row + w.rows - 1); ++r)
            for (auto c = std::max(col - 7, w.col); c <= std::min(col + 7, w.col + w.cols - 1); ++c) {
                sum += score(r, c), ++n;
                if (const auto it = first.find({r, c}); it != first.end())
                    chances += 1 / (1 + std::exp(-model.log_odds(it->second)));
            }
        CHECK(v[at("score_mean_15")] == doctest::Approx(sum / n));
        CHECK(std::abs(v[at("chance_mean_15")] - chances / n) <= step);
        double most = -9;
        for (auto r = row - 3; r <= row + 3; ++r)
            for (auto c = col - 3; c <= col + 3; ++c) most = std::max(most, around(r, c));
        CHECK(std::abs(v[at("score_most")] - most) <= step);
        std::vector<double> eight;
        for (int down = -4; down <= 4; down += 4)
            for (int right = -4; right <= 4; right += 4)
                if (down != 0 || right != 0) eight.push_back(around(row + down, col + right));
        std::sort(eight.begin(), eight.end());
        CHECK(std::abs(v[at("score_3_of_8_at_4")] - eight[2]) <= step);
    }
    // What is left no hope keeps its first score; the rest has the second.
    const auto other = forest_again();
    const auto scores = PixelScore(part_of(map), least, quiet).scores(w, model, &other);
    const auto last = [&](const auto& found) {
        const double odds = model.log_odds(found->second);
        return odds < model.hopeless ? odds : other.log_odds(again.at(found->first));
    };
    std::size_t i = 0;
    for (auto r = w.row; r < w.row + w.rows; ++r)
        for (auto c = w.col; c < w.col + w.cols; ++c, ++i) {
            const auto here = first.find({r, c});
            if (here == first.end()) continue;
            double sum = 0;
            int n = 0;
            for (auto y = r - 1; y <= r + 1; ++y)
                for (auto x = c - 1; x <= c + 1; ++x)
                    if (const auto it = first.find({y, x}); it != first.end()) sum += last(it), ++n;
            CHECK(scores[i] == Change::stored((last(here) + sum / n) / 2));
        }
}

TEST_CASE("half of a score is the mean around it") {
    const Change map = random_map(50, 40, 3);
    const auto model = some_forest();
    const auto scores = PixelScore(part_of(map), least, quiet).scores(map.window, model);
    const auto values = values_of(map, map.window);
    std::size_t i = 0;
    for (auto r = map.window.row; r < map.window.row + map.window.rows; ++r)
        for (auto c = map.window.col; c < map.window.col + map.window.cols; ++c, ++i) {
            const auto here = values.find({r, c});
            if (here == values.end()) {
                CHECK(scores[i] == 0);
                continue;
            }
            double sum = 0;
            int n = 0;
            for (auto y = r - 1; y <= r + 1; ++y)
                for (auto x = c - 1; x <= c + 1; ++x)
                    if (const auto it = values.find({y, x}); it != values.end())
                        sum += model.log_odds(it->second), ++n;
            CHECK(scores[i] == Change::stored((model.log_odds(here->second) + sum / n) / 2));
        }
}

TEST_CASE("objects of scores are the same from any strips, and tell their mean score") {
    const Change map = random_map(90, 80, 4);
    ObjectModel m;
    m.quiet = quiet;
    m.likely = 1;
    m.levels = {-3, -2, -1, 0, 1};
    m.pixels = some_forest();
    m.least_evidence = least;
    m.objects.trees.push_back({{{static_cast<std::uint8_t>(Measure::score), -0.5, -1, -2}}, {-2, 2}});
    SegmentationOptions o;
    o.min_pixels = 5;
    o.model = std::make_shared<const ObjectModel>(m);
    const auto runs_of = [&](const Window& window) {
        const auto reach = Surroundings::reach_of(m);
        const Part strip(map, window),
            near(map,
                 Window{window.col, window.row - reach, window.cols, window.rows + 2 * reach}.intersection(
                     map.window));
        const auto& n = near.change;
        return extract_runs(strip.change, o,
                            {n.evidence, n.history, nullptr, n.magnitude, n.onset_from, n.onset_to, seen});
    };
    const std::vector<RunStrip> one = {runs_of(map.window)};
    const auto want = connect(one, o);
    REQUIRE(want.size() > 2);
    const auto scores = PixelScore(part_of(map), least, quiet).scores(map.window, *m.pixels);
    for (const auto& s : want) {
        double sum = 0;
        for (const auto& run : s.runs)
            for (auto c = run.col; c < run.end; ++c)
                sum += scores[static_cast<std::size_t>((run.row - map.window.row) * map.window.cols + c -
                                                       map.window.col)];
        const double mean =
            (sum / static_cast<double>(s.pixels) - Change::evidence_zero) / Change::evidence_per_unit;
        REQUIRE(s.evidence.has_value());
        CHECK((*s.evidence)[static_cast<std::size_t>(Measure::score)] == doctest::Approx(mean));
        CHECK(mean > -0.5);
    }
    for (const std::int64_t rows : {1, 9, 64}) {
        std::vector<RunStrip> strips;
        for (std::int64_t r = 0; r < map.window.rows; r += rows)
            strips.push_back(runs_of(Window{map.window.col, map.window.row + r, map.window.cols,
                                            std::min(rows, map.window.rows - r)}));
        const auto got = connect(strips, o);
        REQUIRE(got.size() == want.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(got[i].pixels == want[i].pixels);
            CHECK(got[i].confidence == want[i].confidence);
            CHECK(*got[i].evidence == *want[i].evidence);
        }
    }
}
