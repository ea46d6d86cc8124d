// SPDX-License-Identifier: Apache-2.0
// What turned bare together: against a count over all pixels, and whatever parts the map comes in.
#include <cmath>
#include <random>

#include <doctest/doctest.h>
#include <support/pixel_history.hpp>

#include <shuibao/algorithms/synchrony.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

constexpr std::int64_t side = 60;  // pixels of a cell at 10 m

struct Map {
    Change change;
    explicit Map(const Window& w) : change(w) {
        change.history.resize(w);
        std::fill(change.evidence.begin(), change.evidence.end(), Change::no_evidence);
    }
    void set(std::int64_t row, std::int64_t col, double mean, int onset) {
        const auto& w = change.window;
        const auto i = static_cast<std::size_t>((row - w.row) * w.cols + col - w.col);
        test::put_season(change.history, i, {mean, 0.1, 0.05, 0, 0}, 0.01, true);
        if (onset == 0) return;
        change.set(i, -1, 2);
        change.onset_to[i] = static_cast<std::uint16_t>(onset);
    }
    [[nodiscard]] std::size_t at(std::int64_t row, std::int64_t col) const {
        return static_cast<std::size_t>((row - change.window.row) * change.window.cols + col -
                                        change.window.col);
    }
};

// A plain of wheat (mean 0.45) and woods (0.75) in blocks; a tenth of both is bare, at times that differ.
Map plain(unsigned seed, const Window& w) {
    std::mt19937 random(seed);
    Map m(w);
    for (auto r = w.row; r < w.row + w.rows; ++r)
        for (auto c = w.col; c < w.col + w.cols; ++c) {
            const bool woods = (r / 40 + c / 40) % 3 == 0;
            m.set(r, c, woods ? 0.75 : 0.45,
                  random() % 10 == 0 ? 19000 + static_cast<int>(random() % 12) * 15 + 3 : 0);
        }
    return m;
}

Change part_of(const Map& m, const Window& w) {
    Change c(w);
    c.history.resize(w);
    for (std::int64_t r = w.row; r < w.row + w.rows; ++r)
        for (std::int64_t k = w.col; k < w.col + w.cols; ++k) {
            const auto to = static_cast<std::size_t>((r - w.row) * w.cols + k - w.col), from = m.at(r, k);
            c.evidence[to] = m.change.evidence[from];
            c.onset_to[to] = m.change.onset_to[from];
            for (std::size_t p = 0; p < PixelHistory::planes; ++p)
                c.history.values[p][to] = m.change.history.values[p][from];
        }
    return c;
}

}  // namespace

TEST_CASE("synchrony: the share is that of a count over all pixels of the cells around") {
    const Window w{-130, -75, 700, 640};
    const Map m = plain(3, w);
    SynchronyCells cells(10);
    cells.add(m.change);
    const Synchrony s(cells);
    const auto cell = [](std::int64_t v) { return v >= 0 ? v / side : -((-v + side - 1) / side); };
    for (const auto& [row, col] :
         {std::pair<std::int64_t, std::int64_t>{200, 250}, {-70, -125}, {560, 565}, {0, 0}}) {
        const auto i = m.at(row, col);
        const auto season = m.change.history.season(i);
        constexpr std::uint16_t onset = 19063;
        double like = 0, bare = 0;
        for (auto r = w.row; r < w.row + w.rows; ++r)
            for (auto c = w.col; c < w.col + w.cols; ++c) {
                const auto dr = cell(r) - cell(row), dc = cell(c) - cell(col);
                const auto k = m.at(r, c);
                if (dr * dr + dc * dc > 25 || std::max(std::abs(dr), std::abs(dc)) < 2 ||
                    m.change.history.season(k) != season)
                    continue;
                like += 1;
                bare += m.change.evidence[k] != Change::no_evidence &&
                                std::abs(m.change.onset_to[k] / 15 - onset / 15) <= 1
                            ? 1
                            : 0;
            }
        CAPTURE(row);
        CHECK(like > 1000);
        CHECK(s.share(row, col, season, onset) == std::lround(255 * bare / (like + 100)));
        CHECK(s.share(row, col, season, onset) > 0);
        CHECK(s.share(row, col, season, 25000) == 0);  // nothing turned bare then
    }
}

TEST_CASE("synchrony: a harvest is together, a site of the same ground in another fortnight is alone") {
    Map m(Window{0, 0, 900, 900});
    for (std::int64_t r = 0; r < 900; ++r)
        for (std::int64_t c = 0; c < 900; ++c) {
            const bool site = std::abs(r - 450) < 8 && std::abs(c - 450) < 8;
            // Two of three fields are cleared in one fortnight.
            m.set(r, c, 0.45, site ? 19300 : (r / 20) % 3 != 0 ? 19003 : 0);
        }
    SynchronyCells cells(10);
    cells.add(m.change);
    const Synchrony s(cells);
    const auto season = m.change.history.season(0);
    CHECK(s.share(450, 450, season, 19300) == 0);
    CHECK(s.share(450, 300, season, 19003) > 0.6 * Synchrony::scale);
    CHECK(s.share(450, 450, season, 19003) > 0.6 * Synchrony::scale);
    CHECK(s.share(450, 450, {1, 1, 1, 1, 1}, 19003) == 0);  // no such ground
}

TEST_CASE("synchrony: it does not matter in which parts a map is counted") {
    const Window w{-64, 30, 400, 380};
    const Map m = plain(5, w);
    SynchronyCells whole(10);
    whole.add(m.change);
    const Synchrony once(whole);
    SynchronyCells sum(10);
    std::vector<SynchronyCells> parts;
    for (std::int64_t r = 0; r < w.rows; r += 37)
        for (std::int64_t c = 0; c < w.cols; c += 170) {
            parts.emplace_back(10);
            parts.back().add(part_of(m, {w.col + c, w.row + r, std::min<std::int64_t>(170, w.cols - c),
                                         std::min<std::int64_t>(37, w.rows - r)}));
        }
    for (auto it = parts.rbegin(); it != parts.rend(); ++it) sum.merge(*it);
    const Synchrony joined(sum);
    for (std::int64_t r = w.row; r < w.row + w.rows; r += 13)
        for (std::int64_t c = w.col; c < w.col + w.cols; c += 11) {
            const auto i = m.at(r, c);
            const auto onset = static_cast<std::uint16_t>(std::max<int>(m.change.onset_to[i], 19020));
            CHECK(once.share(r, c, m.change.history.season(i), onset) ==
                  joined.share(r, c, m.change.history.season(i), onset));
        }
}
