// SPDX-License-Identifier: Apache-2.0
// COLD on made series whose truth is known. The published numbers are checked in tests/real.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <shuibao/algorithms/cold.hpp>
#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

constexpr std::array<double, 6> level{400, 600, 500, 2800, 1600, 800}, season{30, 60, 80, 700, 250, 150},
    spread{30, 35, 40, 120, 80, 60}, opened{500, 600, 800, -900, 900, 900};

struct Made {
    std::vector<std::int32_t> days;
    std::vector<float> values;  // band after band
    std::vector<Look> looks;
    float& at(std::size_t band, std::size_t date) { return values[band * days.size() + date]; }
    [[nodiscard]] std::vector<ColdSegment> run(ColdOptions options = {}) const {
        std::vector<ColdSegment> out;
        Cold(days, 6, options).run(values, looks, out);
        return out;
    }
};

double truth(std::size_t band, std::int32_t day) {
    const double w = 2 * 3.14159265358979324 * day / 365.25;
    return level[band] + season[band] * std::cos(w - 3) + 0.2 * season[band] * std::cos(2 * w);
}

// `dates` looks, 11 days apart; ground opened on date `change` (none: past the end).
Made made(std::size_t dates, std::size_t change, unsigned seed = 1, std::int32_t first_day = 17000) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 1);
    Made m;
    for (std::size_t i = 0; i < dates; ++i) m.days.push_back(first_day + 11 * static_cast<std::int32_t>(i));
    m.values.resize(6 * dates);
    m.looks.assign(dates, Look::clear);
    for (std::size_t i = 0; i < dates; ++i)
        for (std::size_t b = 0; b < 6; ++b)
            m.at(b, i) = static_cast<float>(
                std::round(truth(b, m.days[i]) + spread[b] * noise(random) + (i >= change ? opened[b] : 0)));
    return m;
}

bool same(const ColdSegment& a, const ColdSegment& b) {
    return a.first_day == b.first_day && a.last_day == b.last_day && a.break_day == b.break_day &&
           a.observations == b.observations && a.change_probability == b.change_probability &&
           a.category() == b.category() && a.coefficients == b.coefficients && a.rmse == b.rmse &&
           a.magnitude == b.magnitude;
}

bool same(const std::vector<ColdSegment>& a, const std::vector<ColdSegment>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
}

}  // namespace

TEST_CASE("COLD: unchanged ground is one segment whose model is the truth") {
    const auto out = made(130, 999).run();
    REQUIRE(out.size() == 1);
    CHECK(out[0].first_day == 17000);
    CHECK(out[0].break_day == 0);
    CHECK(out[0].change_probability == 0);
    CHECK(out[0].category() == 8);
    CHECK(out[0].observations > 110);
    for (std::size_t b = 0; b < 6; ++b) {
        CAPTURE(b);
        CHECK(out[0].rmse[b] == doctest::Approx(spread[b]).epsilon(0.2));
        CHECK(out[0].magnitude[b] == 0);
        const std::int32_t day = 17777;  // coefficients count time from day 0
        double y = out[0].coefficients[0][b] + out[0].coefficients[1][b] * day;
        for (std::size_t h = 1; h <= 3; ++h) {
            const double w = 2 * 3.14159265358979324 * static_cast<double>(h) * day / 365.25;
            y +=
                out[0].coefficients[2 * h][b] * std::cos(w) + out[0].coefficients[2 * h + 1][b] * std::sin(w);
        }
        // The Lasso takes 20 off every term, and noise leaves about a third of itself.
        CHECK(std::abs(y - truth(b, day)) < 60 + spread[b] / 2);
    }
}

TEST_CASE("COLD: opened ground is dated to the first look that shows it") {
    for (const std::size_t change : {60U, 75U, 90U}) {
        CAPTURE(change);
        const Made m = made(150, change, static_cast<unsigned>(change));
        const auto out = m.run();
        REQUIRE(out.size() == 2);
        CHECK(out[0].break_day == m.days[change]);
        CHECK(out[0].last_day == m.days[change - 1]);
        CHECK(out[0].change_probability == 100);
        CHECK(out[1].first_day == m.days[change]);
        CHECK(out[1].break_day == 0);
        for (std::size_t b = 0; b < 6; ++b)
            CHECK(std::abs(out[0].magnitude[b] - opened[b]) < 60 + 2 * spread[b]);
        CHECK(out[0].magnitude[6] == 0);  // there is no such band
    }
}

TEST_CASE("COLD: five looks are not a change, six are; the last ones are a probability") {
    // date 100 is the last: 5 looks of opened ground remain
    const Made five = made(105, 100, 4), six = made(106, 100, 4);
    const auto open = five.run(), closed = six.run();
    REQUIRE(open.size() == 1);
    CHECK(open[0].change_probability == 83);  // 5 of 6
    CHECK(open[0].break_day == five.days[100]);
    CHECK(open[0].last_day == five.days[99]);
    CHECK(std::abs(open[0].magnitude[3] + 900) < 300);
    REQUIRE(closed.size() == 2);
    CHECK(closed[0].change_probability == 100);
    CHECK(closed[0].break_day == six.days[100]);
    CHECK(closed[1].category() == 24);  // six looks carry a simple fit
    CHECK(closed[1].observations == 6);
    CHECK(closed[1].first_day == six.days[100]);
}

TEST_CASE("COLD: a lone cloud is dropped, wherever it stands") {
    const auto clean = made(130, 999, 7).run();
    for (const std::size_t cloud : {5U, 40U, 90U}) {
        CAPTURE(cloud);
        Made m = made(130, 999, 7);
        for (std::size_t b = 0; b < 6; ++b) m.at(b, cloud) += 3000;
        const auto out = m.run();
        REQUIRE(out.size() == 1);
        CHECK(out[0].break_day == 0);
        CHECK(out[0].rmse[0] == doctest::Approx(clean[0].rmse[0]).epsilon(0.05));
    }
}

TEST_CASE("COLD: hidden, doubled, impossible and missing looks leave no trace") {
    const Made m = made(130, 80, 9);
    Made noisy;
    const std::size_t n = 130, extra = n + n / 3 + 1;
    noisy.values.resize(6 * extra);
    noisy.days.resize(extra);
    std::size_t to = 0;
    const auto put = [&](std::size_t from, Look look, float bad, bool replace) {
        noisy.days[to] = m.days[from];
        noisy.looks.push_back(look);
        for (std::size_t b = 0; b < 6; ++b)
            noisy.values[b * extra + to] = replace && b == 2 ? bad : m.values[b * n + from];
        ++to;
    };
    for (std::size_t i = 0; i < n; ++i) {
        if (i % 12 == 0) put(i, Look::hidden, 9000, true);
        if (i % 12 == 3) put(i, Look::clear, std::numeric_limits<float>::quiet_NaN(), true);
        if (i % 12 == 6) put(i, Look::clear, 0, true);
        put(i, Look::clear, 0, false);
        if (i % 12 == 9) put(i, Look::clear, 7000, true);  // the same day once more: the first one counts
    }
    REQUIRE(to == extra);
    CHECK(same(m.run(), noisy.run()));
    CHECK(m.run().size() == 2);
}

TEST_CASE("COLD: the epoch of the days does not matter, nor what ran before") {
    const Made a = made(130, 80, 11), b = made(130, 80, 11, 17000 + 1461 * 492);
    const auto x = a.run(), y = b.run();
    REQUIRE(x.size() == y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(y[i].first_day - x[i].first_day == 1461 * 492);
        CHECK(y[i].observations == x[i].observations);
        CHECK(y[i].rmse == x[i].rmse);
        CHECK(y[i].magnitude == x[i].magnitude);
    }
    Cold cold(a.days, 6);
    std::vector<ColdSegment> first, other, again;
    cold.run(a.values, a.looks, first);
    cold.run(made(130, 60, 12).values, a.looks, other);
    cold.run(a.values, a.looks, again);
    CHECK(same(first, again));
    CHECK_FALSE(same(first, other));
    cold.run(a.values, a.looks, again);
    CHECK(again.size() == 2 * first.size());  // appended
}

TEST_CASE("COLD: what precedes the first stable model is a segment of its own") {
    // Twenty looks, well under a year, of something else that green and SWIR1 do not show (Tmask would drop
    // it).
    Made m = made(150, 999, 13);
    for (std::size_t i = 0; i < 20; ++i)
        for (const std::size_t b : {0U, 2U, 3U, 5U}) m.at(b, i) += b == 3 ? -600 : 200;
    const auto out = m.run();
    REQUIRE(out.size() == 2);
    CHECK(out[0].category() == 14);
    CHECK(out[0].first_day == m.days[0]);
    CHECK(out[0].last_day == m.days[19]);
    CHECK(out[0].break_day == m.days[20]);
    CHECK(out[0].change_probability == 100);
    CHECK(out[0].observations == 20);
    CHECK(out[0].magnitude[2] == doctest::Approx(-200).epsilon(0.3));  // what comes after, against it
    CHECK(out[0].magnitude[3] == doctest::Approx(600).epsilon(0.3));
    CHECK(out[1].first_day == m.days[20]);
    CHECK(out[1].category() == 8);
}

TEST_CASE("COLD: no model is started across a gap of more than a year") {
    Made m = made(130, 999, 14);
    for (std::size_t i = 20; i < 130; ++i) m.days[i] += 500;
    const auto out = m.run();
    REQUIRE(out.size() == 1);
    CHECK(out[0].first_day == m.days[20]);
}

TEST_CASE("COLD: pixels that hardly show ground") {
    Made m = made(40, 999, 15);
    for (std::size_t i = 0; i < 40; ++i) m.looks[i] = i % 2 == 0 ? Look::clear : Look::hidden;
    for (std::size_t i = 1; i < 12; i += 2) m.at(1, i) = 5000;  // six of the hidden looks are clouds
    auto out = m.run();
    REQUIRE(out.size() == 1);
    CHECK(out[0].category() == 44);
    CHECK(out[0].observations == 34);

    for (std::size_t i = 0; i < 40; ++i) {
        m.looks[i] = i % 8 == 0 ? Look::clear : Look::snow;
        m.at(0, i) = 12000;  // saturated
    }
    out = m.run();
    REQUIRE(out.size() == 1);
    CHECK(out[0].category() == 54);
    CHECK(out[0].observations == 40);
    CHECK(out[0].coefficients[0][0] == 10000);
    CHECK(out[0].rmse[3] == doctest::Approx(spread[3]).epsilon(1));

    m.looks.assign(40, Look::hidden);
    for (float& v : m.values) v = 0;
    CHECK(m.run().empty());
}

TEST_CASE("COLD: wrong arguments are explained") {
    const auto make = [](std::vector<std::int32_t> days, int bands, ColdOptions o) { Cold(days, bands, o); };
    CHECK_THROWS_WITH_AS(make({3, 2}, 6, {}), "COLD: day 2 comes after day 3.", Error);
    CHECK_THROWS_WITH_AS(make({1, 2}, 9, {}), "COLD: a pixel has 9 bands.", Error);
    CHECK_THROWS_WITH_AS(make({1, 2}, 4, {}), "COLD: test band 4 does not exist.", Error);
    CHECK_THROWS_WITH_AS(make({1, 2}, 6, {.tmask_bands = {1, 7}}), "COLD: Tmask band 7 does not exist.",
                         Error);
    CHECK_THROWS_WITH_AS(make({1, 2}, 6, {.consecutive = 1}), "COLD: 'consecutive' is 1.", Error);
    Cold cold(std::vector<std::int32_t>{1, 2}, 6);
    std::vector<ColdSegment> out;
    CHECK_THROWS_WITH_AS(cold.run(std::vector<float>(11), std::vector<Look>(2), out),
                         "COLD: a pixel came with 11 values and 2 looks for 2 dates.", Error);
}
