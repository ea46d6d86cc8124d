// SPDX-License-Identifier: Apache-2.0
// Objects among fields: what is measured of each, against a direct count; and what passes.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include <doctest/doctest.h>
#include <support/pixel_history.hpp>

#include <shuibao/algorithms/segmentation.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

struct Map {
    Change change;
    explicit Map(const Window& w) : change(w) { change.history.resize(w); }

    [[nodiscard]] std::size_t at(std::int64_t row, std::int64_t col) const {
        return static_cast<std::size_t>((row - change.window.row) * change.window.cols + col -
                                        change.window.col);
    }
    void set(std::int64_t row, std::int64_t col, double log_odds, double mean, bool tilled) {
        const auto i = at(row, col);
        change.evidence[i] = Change::no_evidence;
        if (log_odds > -2) change.set(i, log_odds, 2);
        change.onset_from[i] = 19000;
        change.onset_to[i] = static_cast<std::uint16_t>(19000 + col);
        change.kind[i] = ChangeKind::vegetation_to_bare;
        test::put_season(change.history, i, {mean, 0.1, 0.05, 0, 0}, 0.01, tilled);
    }
};

SegmentationOptions options_with(std::vector<double> levels, double beside = 0, double together = 0) {
    ObjectModel m;
    m.quiet = -1.6;
    m.likely = 1;
    m.least = 0;
    m.beside = beside;
    m.together = together;
    m.levels = std::move(levels);
    // Bare beside ground that was the same: a site. Else a field.
    m.objects.trees.push_back({{{static_cast<std::uint8_t>(Measure::same_contrast), 1.0, -1, -2}}, {-2, 2}});
    SegmentationOptions o;
    o.min_pixels = 4;
    o.model = std::make_shared<const ObjectModel>(std::move(m));
    return o;
}

RunStrip whole(const Map& m, const SegmentationOptions& o, const Synchrony* synchrony = nullptr) {
    return extract_runs(m.change, o, {m.change.evidence, m.change.history, synchrony});
}

using Pixels = std::set<std::pair<std::int64_t, std::int64_t>>;

Pixels pixels_of(const Segment& s) {
    Pixels p;
    for (const auto& run : s.runs)
        for (auto c = run.col; c < run.end; ++c) p.emplace(run.row, c);
    return p;
}

// All objects of a level by flooding.
std::vector<Pixels> flooded(const Map& m, double level) {
    const auto& w = m.change.window;
    const auto in = [&](std::int64_t r, std::int64_t c) {
        if (r < w.row || c < w.col || r >= w.row + w.rows || c >= w.col + w.cols) return false;
        const auto v = m.change.evidence[m.at(r, c)];
        return v != Change::unobserved &&
               v >= static_cast<int>(std::ceil(Change::evidence_zero + 256 * level - 1e-9));
    };
    std::vector<Pixels> list;
    Pixels seen;
    for (auto r = w.row; r < w.row + w.rows; ++r)
        for (auto c = w.col; c < w.col + w.cols; ++c) {
            if (!in(r, c) || seen.count({r, c}) > 0) continue;
            Pixels p = {{r, c}};
            std::vector<std::pair<std::int64_t, std::int64_t>> open = {{r, c}};
            while (!open.empty()) {
                const auto [y, x] = open.back();
                open.pop_back();
                for (int dy = -1; dy <= 1; ++dy)
                    for (int dx = -1; dx <= 1; ++dx)
                        if (in(y + dy, x + dx) && p.emplace(y + dy, x + dx).second)
                            open.emplace_back(y + dy, x + dx);
            }
            seen.insert(p.begin(), p.end());
            list.push_back(std::move(p));
        }
    return list;
}

bool same(const PixelHistory& h, std::size_t a, std::size_t b, int apart) {
    const auto p = h.season(a), q = h.season(b);
    double sum = (p[0] - q[0]) * (p[0] - q[0]);
    for (std::size_t k = 1; k < 5; ++k) sum += 0.5 * (p[k] - q[k]) * (p[k] - q[k]);
    return std::sqrt(sum) < apart;
}

// The measures as objects.hpp defines them, pixel by pixel.
ObjectEvidence counted(const Map& m, const Pixels& object, const Pixels& area, double level,
                       const ObjectModel& model, const Synchrony& synchrony) {
    const auto& w = m.change.window;
    const auto& h = m.change.history;
    const auto stored = [](double v) { return static_cast<int>(std::ceil(32768 + 256 * v - 1e-9)); };
    double evidence = 0, even = 0, likely = 0, tilled = 0, drop = 0, magnitude = 0, onset = 0, square = 0;
    double together = 0;
    double outline = 0, known = 0, equal = 0, inner = 0, other = 0, pairs = 0, same_pairs = 0, fall = 0;
    double evidence_square = 0;
    std::array<std::vector<double>, PixelHistory::traits> traits, trait_steps;
    const auto trait_of = [&](std::size_t i, std::size_t k) {
        return PixelHistory::trait_middle[k] + (h.traits_of(i)[k] - 128) * PixelHistory::trait_step[k];
    };
    std::array<double, PixelHistory::lately> recent{}, recent_fall{};
    const auto recent_of = [&](std::size_t i, std::size_t k) {
        return h.recent(i)[k] * PixelHistory::recent_step[k];
    };
    for (const auto& [r, c] : object) {
        const auto i = m.at(r, c);
        const int e = m.change.evidence[i];
        evidence_square += (e - 32768) / 256.0 * ((e - 32768) / 256.0);
        for (std::size_t k = 0; k < traits.size(); ++k)
            if (h.traits_of(i)[k] != 0) traits[k].push_back(trait_of(i, k));
        evidence += e, even += e >= 32768 ? 1 : 0, likely += e >= stored(model.likely) ? 1 : 0;
        magnitude += m.change.magnitude[i];
        onset += m.change.onset_to[i], square += m.change.onset_to[i] * double{1} * m.change.onset_to[i];
        for (std::size_t k = 0; k < recent.size(); ++k) recent[k] += recent_of(i, k);
        if (h.known(i)) {
            tilled += h.tilled(i) ? 1 : 0, drop += h.drop(i);
            together += synchrony.share(r, c, h.season(i), m.change.onset_to[i]);
        }
        for (const auto& [dy, dx] : {std::pair{-1, 0}, {0, -1}, {0, 1}, {1, 0}}) {
            const auto y = r + dy, x = c + dx, fy = r + 3 * dy, fx = c + 3 * dx;
            const auto inside = [&](auto a, auto b) {
                return a >= w.row && b >= w.col && a < w.row + w.rows && b < w.col + w.cols;
            };
            const bool both = inside(y, x) && h.known(i) && h.known(m.at(y, x));
            const bool alike = both && same(h, i, m.at(y, x), 6);
            if (object.count({y, x}) == 0)
                outline += 1, known += both ? 1 : 0, equal += alike ? 1 : 0;
            else
                inner += both ? 0.5 : 0, other += both && !alike ? 0.5 : 0;  // seen from both sides
            if (!inside(fy, fx) || !h.known(i) || !h.known(m.at(fy, fx))) continue;
            const auto far = m.change.evidence[m.at(fy, fx)];
            if (far == Change::unobserved) continue;
            // What belongs to the same area at this level is no end of it.
            if (far >= stored(level) && area.count({fy, fx}) > 0) continue;
            pairs += 1;
            for (std::size_t k = 0; k < traits.size(); ++k)
                if (h.traits_of(i)[k] != 0 && h.traits_of(m.at(fy, fx))[k] != 0)
                    trait_steps[k].push_back(trait_of(m.at(fy, fx), k) - trait_of(i, k));
            if (!same(h, i, m.at(fy, fx), 8)) continue;
            same_pairs += 1, fall += e - std::max<int>(far, stored(model.quiet));
            for (std::size_t k = 0; k < recent.size(); ++k)
                recent_fall[k] += recent_of(i, k) - recent_of(m.at(fy, fx), k);
        }
    }
    const auto n = static_cast<double>(object.size());
    fall /= 256;
    const double pairs_more = same_pairs + 4;
    ObjectEvidence all = {std::log(n),
                          (evidence / n - 32768) / 256,
                          even / n,
                          likely / n,
                          (equal + 1) / (known + 4),
                          (other + 0.5) / (inner + 5),
                          tilled / n,
                          drop / n * 0.01,
                          magnitude / n / 100,
                          fall / (pairs + 8),
                          fall / (same_pairs + 4),
                          (same_pairs + 1) / (pairs + 4),
                          std::sqrt(std::max(0.0, square / n - onset / n * (onset / n))),
                          outline / std::sqrt(n),
                          together / n / 255,
                          recent[0] / n,
                          recent[1] / n,
                          recent[2] / n,
                          recent[3] / n,
                          recent_fall[0] / pairs_more,
                          recent_fall[1] / pairs_more,
                          recent_fall[2] / pairs_more,
                          recent_fall[3] / pairs_more};
    const auto mean = [](const std::vector<double>& v, double more = 0) {
        return std::accumulate(v.begin(), v.end(), 0.0) / std::max(1.0, static_cast<double>(v.size()) + more);
    };
    const double middle = (evidence / n - 32768) / 256;
    all[23] = std::sqrt(std::max(0.0, evidence_square / n - middle * middle));
    for (std::size_t k = 0; k < traits.size(); ++k) {
        const double m0 = mean(traits[k]);
        std::vector<double> squares;
        for (const double v : traits[k]) squares.push_back((v - m0) * (v - m0));
        all[24 + 3 * k] = m0;
        all[25 + 3 * k] = std::sqrt(mean(squares));
        all[26 + 3 * k] = mean(trait_steps[k], 8);
    }
    return all;
}

Map random_map(unsigned seed, const Window& w) {
    std::mt19937 random(seed);
    Map m(w);
    // Fields of 5 × 7 pixels, patches of evidence that do not keep to them.
    for (auto r = w.row; r < w.row + w.rows; ++r)
        for (auto c = w.col; c < w.col + w.cols; ++c) {
            const auto field = (r / 5) * 31 + (c / 7) * 17;
            const double mean = 0.3 + 0.05 * static_cast<double>(field % 5);
            const bool patch =
                std::sin(static_cast<double>(r) / 3 + seed) * std::cos(static_cast<double>(c) / 4) > 0.1;
            const double odds = (patch ? 0.5 : -2.5) + static_cast<double>(random() % 1000) / 400 - 1;
            m.set(r, c, odds, mean, field % 2 == 0);
            std::array<double, PixelHistory::lately> recent{};
            for (auto& v : recent) v = static_cast<double>(random() % 1000) / 1000 - 0.5;
            test::put_recent(m.change.history, m.at(r, c), recent);
            std::array<double, PixelHistory::kept_traits> traits{};
            for (std::size_t k = 0; k < traits.size(); ++k)
                traits[k] = random() % 5 == 0 ? std::nan("")
                                              : PixelHistory::trait_middle[k] +
                                                    (static_cast<double>(random() % 200) - 100) *
                                                        PixelHistory::trait_step[k];
            test::put_traits(m.change.history, m.at(r, c), traits);
            PixelHistory::Greenest green{};
            for (auto& g : green) g = static_cast<std::uint8_t>(random() % 3 == 0 ? 0 : 1 + random() % 9);
            if (random() % 10 == 0) green.fill(0);
            test::put_greenest(m.change.history, m.at(r, c), green);
            if (random() % 40 == 0) m.change.evidence[m.at(r, c)] = Change::unobserved;
            if (random() % 50 == 0)
                for (auto& v : m.change.history.values) v[m.at(r, c)] = 0;
        }
    return m;
}

}  // namespace

TEST_CASE("the objects of all levels and their measures are those of a direct count") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        auto o = options_with({-1.5, -1, -0.5, 0, 0.5, 1});
        o.all_levels = true;
        const Map m = random_map(seed, {100, 40, 45, 38});
        SynchronyCells cells(100);  // of 6 pixels
        cells.add(m.change);
        const Synchrony synchrony(cells);
        const std::vector<RunStrip> strips = {whole(m, o, &synchrony)};
        std::map<Pixels, ObjectEvidence> got;
        for (const auto& s : connect(strips, o)) CHECK(got.emplace(pixels_of(s), s.evidence.value()).second);
        std::map<Pixels, ObjectEvidence> expected;
        const auto areas = flooded(m, o.model->levels.front());
        for (const double level : o.model->levels)  // the highest that gives an object speaks for it
            for (const auto& p : flooded(m, level)) {
                const auto area = std::find_if(areas.begin(), areas.end(),
                                               [&](const Pixels& a) { return a.count(*p.begin()) > 0; });
                if (p.size() >= 4) expected[p] = counted(m, p, *area, level, *o.model, synchrony);
            }
        REQUIRE(got.size() == expected.size());
        REQUIRE(got.size() > 10);
        for (const auto& [p, e] : expected) {
            REQUIRE(got.count(p) == 1);
            for (std::size_t k = 0; k < measure_count; ++k) {
                CAPTURE(name_of(static_cast<Measure>(k)));
                CHECK(got[p][k] == doctest::Approx(e[k]).epsilon(1e-9));
            }
        }
    }
}

TEST_CASE("objects do not depend on the strips that the map comes in") {
    const auto o = options_with({-1.5, -1, -0.5, 0, 0.5, 1});
    const Map m = random_map(9, {0, 0, 60, 51});
    const std::vector<RunStrip> one = {whole(m, o)};
    const auto expected = connect(one, o);
    REQUIRE(!expected.empty());
    for (const std::int64_t rows : {1, 7, 16}) {
        std::vector<RunStrip> strips;
        for (std::int64_t r = 0; r < 51; r += rows) {
            Change part(Window{0, r, 60, std::min(rows, 51 - r)});
            const auto from = static_cast<std::ptrdiff_t>(r * 60),
                       n = static_cast<std::ptrdiff_t>(part.window.pixels());
            const auto cut = [&](const auto& plane, auto& to) {
                std::copy_n(plane.begin() + from, n, to.begin());
            };
            cut(m.change.evidence, part.evidence), cut(m.change.magnitude, part.magnitude);
            cut(m.change.onset_from, part.onset_from), cut(m.change.onset_to, part.onset_to);
            cut(m.change.kind, part.kind);
            strips.push_back(extract_runs(part, o, {m.change.evidence, m.change.history}));
        }
        std::reverse(strips.begin(), strips.end());
        const auto got = connect(strips, o);
        REQUIRE(got.size() == expected.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(pixels_of(got[i]) == pixels_of(expected[i]));
            CHECK(got[i].confidence == expected[i].confidence);
            CHECK(got[i].onset_to == expected[i].onset_to);
        }
    }
}

TEST_CASE("a field that lies bare is none, ground opened across fields is one") {
    const auto o = options_with({-1.2, -0.6, 0, 0.6});
    // Two fields side by side, of 12 × 12 pixels; the same evidence in both maps.
    const auto map = [&](bool across) {
        Map m(Window{0, 0, 30, 20});
        for (std::int64_t r = 0; r < 20; ++r)
            for (std::int64_t c = 0; c < 30; ++c) {
                const bool left = c >= 3 && c < 15 && r >= 4 && r < 16,
                           right = c >= 15 && c < 27 && r >= 4 && r < 16;
                const bool open = across ? r >= 6 && r < 12 && c >= 8 && c < 22 : left;
                m.set(r, c, open ? -0.3 : -3, left ? 0.4 : right ? 0.6 : 0.8, left || right);
            }
        return m;
    };
    const Map field = map(false), site = map(true);
    const std::vector<RunStrip> bare = {whole(field, o)}, opened = {whole(site, o)};
    CHECK(connect(bare, o).empty());
    const auto found = connect(opened, o);
    REQUIRE(found.size() == 1);
    CHECK(found[0].pixels == 6 * 14);
    CHECK(found[0].confidence == doctest::Approx(1 / (1 + std::exp(-2.0))));
    // An object must reach the seed level beside that of the model.
    auto strict = o;
    strict.seed = 2.5;
    CHECK(connect(opened, strict).empty());
}

TEST_CASE("of objects inside one another the largest that passes is taken, with the chance of the surest") {
    ObjectModel m;
    m.quiet = -1.6;
    m.levels = {-1, 0, 1};
    // The more evidence the surer; below -0.2 on average nothing passes.
    constexpr auto evidence = static_cast<std::uint8_t>(Measure::evidence);
    m.objects.trees.push_back({{{evidence, 0.5, 1, -3}, {evidence, -0.2, -1, -2}}, {-1, 0.5, 3}});
    SegmentationOptions o;
    o.min_pixels = 4;
    o.model = std::make_shared<const ObjectModel>(m);
    Map map(Window{0, 0, 40, 12});
    for (std::int64_t r = 0; r < 12; ++r)
        for (std::int64_t c = 0; c < 40; ++c) {
            double e = -3;
            if (r >= 2 && r < 10 && c >= 2 && c < 38) e = -0.9;  // all of it: does not pass
            if (r >= 3 && r < 9 && c >= 4 && c < 14) e = 0.2;    // passes
            if (r >= 4 && r < 8 && c >= 6 && c < 10) e = 1.2;    // surer, inside
            if (r >= 3 && r < 9 && c >= 24 && c < 34) e = 0.3;   // another
            map.set(r, c, e, 0.5, false);
        }
    const std::vector<RunStrip> strips = {whole(map, o)};
    const auto found = connect(strips, o);
    REQUIRE(found.size() == 2);
    CHECK(found[0].pixels == 60);
    CHECK(found[0].confidence == doctest::Approx(1 / (1 + std::exp(-3.0))));
    CHECK(found[1].pixels == 60);
    CHECK(found[1].confidence == doctest::Approx(1 / (1 + std::exp(-0.5))));
}

TEST_CASE("within six pixels of an object that passes, or of one taken for it, less is enough") {
    // One sure patch, then weak ones to the right of it, each `gap` pixels from the one before.
    const auto found = [](std::int64_t gap, double beside) {
        const auto o = options_with({-1.5, 0.5}, beside);
        Map m({0, 0, 60, 30});
        for (std::int64_t r = 0; r < 30; ++r)
            for (std::int64_t c = 0; c < 60; ++c) {
                const std::int64_t width = 5 + gap - 1, patch = (c - 4) / width;
                const bool inside = c >= 4 && (c - 4) % width < 5 && patch < 3 && r >= 10 && r < 15;
                m.set(r, c, !inside ? -9 : patch == 0 ? 2 : -1, 0.4, false);
            }
        const std::vector<RunStrip> strips = {whole(m, o)};
        return connect(strips, o).size();
    };
    CHECK(found(6, 0) == 1);
    CHECK(found(6, 1.9) == 1);  // the weak ones lack two units
    CHECK(found(6, 2) == 3);
    CHECK(found(7, 2) == 1);
}

TEST_CASE("of looks that tell NDVI alone an object is less sure, and must reach what its model says then") {
    const auto found = [](bool ndvi_alone, double least) {
        auto o = options_with({-1.5, 0.5});
        auto model = *o.model;
        model.ndvi_alone_less = 1.5;
        model.ndvi_alone_least = least;
        if (ndvi_alone) model.know_ndvi_alone();
        o.model = std::make_shared<const ObjectModel>(model);
        Map m({0, 0, 20, 20});
        for (std::int64_t r = 0; r < 20; ++r)
            for (std::int64_t c = 0; c < 20; ++c)
                m.set(r, c, r > 5 && r < 12 && c > 5 && c < 12 ? 2 : -9, 0.4, false);
        const std::vector<RunStrip> strips = {whole(m, o)};
        const auto segments = connect(strips, o);
        return segments.empty() ? 0.0 : segments.front().confidence;
    };
    CHECK(found(false, 9) == doctest::Approx(1 / (1 + std::exp(-2.0))));  // two units of log-odds
    CHECK(found(true, 0.4) == doctest::Approx(1 / (1 + std::exp(-0.5))));
    CHECK(found(true, 0.6) == 0);
}

TEST_CASE("ground that turned bare with its like must reach more") {
    // A patch in the middle; `like`: two fifths of all ground turned bare in patches when it did.
    const auto found = [](bool like, double together) {
        const auto o = options_with({-1.5, 0.5}, 0, together);
        Map m({0, 0, 80, 80});
        for (std::int64_t r = 0; r < 80; ++r)
            for (std::int64_t c = 0; c < 80; ++c) {
                const bool patch = r % 8 < 5 && c % 8 < 5, here = r / 8 == 5 && c / 8 == 5;
                m.set(r, c, patch && (like || here) ? 2 : -9, 0.4, false);
                m.change.onset_to[m.at(r, c)] = 19000;
            }
        SynchronyCells cells(100);  // of 6 pixels
        cells.add(m.change);
        const Synchrony synchrony(cells);
        const std::vector<RunStrip> strips = {whole(m, o, &synchrony)};
        return connect(strips, o).size();
    };
    CHECK(found(false, 0) == 1);
    CHECK(found(false, 9) == 1);
    CHECK(found(true, 0) == 100);
    CHECK(found(true, 2) == 100);  // they have two units of log-odds
    CHECK(found(true, 2.1) == 0);
}
