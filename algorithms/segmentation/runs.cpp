// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "component_tree.hpp"
#include "same_history.hpp"
#include <shuibao/algorithms/segmentation.hpp>

namespace shuibao::algorithms {
namespace {

class DisjointSets {
  public:
    explicit DisjointSets(std::size_t n) : m_parent(n) {
        std::iota(m_parent.begin(), m_parent.end(), std::size_t{0});
    }
    std::size_t find(std::size_t i) {
        while (m_parent[i] != i) i = m_parent[i] = m_parent[m_parent[i]];
        return i;
    }
    // The smaller index leads, so that a set is named by its first run.
    void unite(std::size_t a, std::size_t b) {
        a = find(a);
        b = find(b);
        if (a != b) m_parent[std::max(a, b)] = std::min(a, b);
    }

  private:
    std::vector<std::size_t> m_parent;
};

constexpr int chance_bits = 40;

// 1/(1+e^−evidence) of stored evidence, in steps of 2⁻⁴⁰.
std::int64_t chance_of(std::uint16_t evidence) {
    static const auto table = [] {
        std::vector<std::int64_t> t(65536);
        for (std::size_t i = 0; i < t.size(); ++i)
            t[i] =
                std::llround(std::ldexp(1 / (1 + std::exp(-(static_cast<double>(i) - Change::evidence_zero) /
                                                          Change::evidence_per_unit)),
                                        chance_bits));
        return t;
    }();
    return table[evidence];
}

using StripRun = std::pair<const RunStrip*, Run>;

void describe(Segment& s, const std::vector<StripRun>& members) {
    std::vector<std::uint16_t> evidence;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> onsets;  // to, from
    double magnitude = 0;
    std::int64_t by_water = 0;
    for (const auto& [strip, run] : members) {
        const auto n = static_cast<std::size_t>(run.end - run.col);
        for (std::size_t i = run.value; i < run.value + n; ++i) {
            evidence.push_back(strip->evidence[i]);
            magnitude += strip->magnitude[i];
            by_water += !strip->around.empty() && strip->around[i].by_water ? 1 : 0;
            onsets.emplace_back(strip->onset_to[i], strip->onset_from[i]);
            ++s.kinds[std::min<std::size_t>(strip->kind[i], change_kinds - 1)];
        }
    }
    // A site grows; it began when its first tenth was opened, or its first least_begun pixels.
    constexpr std::size_t least_begun = 8;
    const std::size_t begun = std::min(onsets.size(), std::max(least_begun, onsets.size() / 10));
    std::nth_element(onsets.begin(), onsets.begin() + static_cast<std::ptrdiff_t>(begun - 1), onsets.end());
    s.onset_to = onsets[begun - 1].first;
    s.onset_from = 65535;
    for (std::size_t i = 0; i < begun; ++i) s.onset_from = std::min(s.onset_from, onsets[i].second);
    const auto n = static_cast<double>(evidence.size());
    s.magnitude = magnitude / n / 100;
    s.by_water = static_cast<double>(by_water) / n;
    s.kind = static_cast<ChangeKind>(std::max_element(s.kinds.begin(), s.kinds.end()) - s.kinds.begin());
    // Mean confidence of the more certain half, summed in integers: nth_element leaves it in no particular
    // order.
    const std::size_t half = (evidence.size() + 1) / 2;
    std::nth_element(evidence.begin(), evidence.begin() + static_cast<std::ptrdiff_t>(half - 1),
                     evidence.end(), std::greater<>());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < half; ++i) sum += chance_of(evidence[i]);
    s.confidence = std::ldexp(static_cast<double>(sum), -chance_bits) / static_cast<double>(half);
}

bool same_history(const PixelHistory& h, std::size_t a, std::size_t b, int apart) {
    return same_season(h.season(a), h.season(b), apart);
}

PixelSurroundings::Recent recent_of(const PixelHistory& h, std::size_t i) {
    PixelSurroundings::Recent r{};
    const auto values = h.recent(i);
    for (std::size_t k = 0; k < r.size(); ++k) r[k] = static_cast<std::int8_t>(values[k]);
    return r;
}

// Scores of a window; none without a model of pixels.
struct Scores {
    Window window;
    std::vector<std::uint16_t> values;
    [[nodiscard]] std::uint16_t at(std::int64_t row, std::int64_t col) const {
        return values.empty()
                   ? std::uint16_t{0}
                   : values[static_cast<std::size_t>((row - window.row) * window.cols + col - window.col)];
    }
};

Scores scores_of(const Surroundings& s, const Window& strip, const ObjectModel& model) {
    if (!model.pixels) return {};
    const auto window =
        Window{strip.col, strip.row - Surroundings::reach, strip.cols, strip.rows + 2 * Surroundings::reach}
            .intersection(s.history.window);
    return {
        window,
        PixelScore(s.map(), model.least_evidence, model.quiet).scores(window, *model.pixels, model.again())};
}

PixelSurroundings look_around(const Surroundings& s, const Scores& scores, std::int64_t row, std::int64_t col,
                              std::uint16_t onset) {
    // Pixels of one field differ by 0.01, in simulated series with two years of history; fields by 0.1.
    constexpr int beside = 6, further = 8;  // steps of 0.005
    const PixelHistory& h = s.history;
    const Window& w = h.window;
    const auto index = [&](std::int64_t r, std::int64_t c) {
        return static_cast<std::size_t>((r - w.row) * w.cols + (c - w.col));
    };
    const auto inside = [&](std::int64_t r, std::int64_t c) {
        return r >= w.row && r < w.row + w.rows && c >= w.col && c < w.col + w.cols;
    };
    PixelSurroundings p;
    const auto here = index(row, col);
    if (!h.known(here)) return p;
    p.tilled = h.tilled(here);
    if (s.synchrony != nullptr) p.synchrony = s.synchrony->share(row, col, h.season(here), onset);
    p.recent = recent_of(h, here);
    p.traits = h.traits_of(here);
    p.drop = static_cast<std::int8_t>(h.drop(here));
    for (unsigned d = 0; d < sides.size(); ++d) {
        const auto [down, right] = sides[d];
        if (inside(row + down, col + right)) {
            const auto next = index(row + down, col + right);
            p.by_water = p.by_water || h.water(next);
            if (h.known(next)) {
                p.known |= static_cast<std::uint8_t>(1U << d);
                if (same_history(h, here, next, beside)) p.same |= static_cast<std::uint8_t>(1U << d);
            }
        }
        const auto far_row = row + Surroundings::reach * down, far_col = col + Surroundings::reach * right;
        if (!inside(far_row, far_col)) continue;
        const auto far = index(far_row, far_col);
        p.by_water = p.by_water || h.water(far);
        if (!h.known(far) || s.evidence[far] == Change::unobserved) continue;
        p.far[d] = s.evidence[far];
        p.far_score[d] = scores.at(far_row, far_col);
        p.far_recent[d] = recent_of(h, far);
        p.far_traits[d] = h.traits_of(far);
        p.known |= static_cast<std::uint8_t>(16U << d);
        if (same_history(h, here, far, further)) p.same |= static_cast<std::uint8_t>(16U << d);
    }
    return p;
}

// First x in [x, n) whose value is at least `level`, or n; whole vectors at a time, since most of a map is
// nothing.
std::int64_t next_at_least(const std::uint16_t* row, std::int64_t x, std::int64_t n, std::uint16_t level) {
    constexpr std::int64_t step = 32;
    for (; x + step <= n; x += step) {
        std::uint16_t most = 0;
        for (std::int64_t i = 0; i < step; ++i) most = row[x + i] > most ? row[x + i] : most;
        if (most >= level) break;
    }
    while (x < n && row[x] < level) ++x;
    return x;
}

// `near`: null where the map tells no histories.
RunStrip extract(const Change& strip, int grow, double seed_level, const Surroundings* near,
                 const Scores& scores) {
    const int seed = Change::stored(seed_level);
    const auto level = static_cast<std::uint16_t>(std::clamp(grow, 1, 65535));
    RunStrip out;
    const auto& w = strip.window;
    for (std::int64_t y = 0; y < w.rows; ++y) {
        const std::uint16_t* row =
            scores.values.empty()
                ? strip.evidence.data() + y * w.cols
                : scores.values.data() + (w.row + y - scores.window.row) * scores.window.cols;
        for (std::int64_t x = 0; (x = next_at_least(row, x, w.cols, level)) < w.cols; ++x) {
            if (row[x] == Change::unobserved) continue;
            Run run{w.row + y, w.col + x, 0, out.evidence.size(), 0};
            for (; x < w.cols && row[x] >= grow && row[x] != Change::unobserved; ++x) {
                const auto i = static_cast<std::size_t>(y * w.cols + x);
                run.seeds += strip.evidence[i] >= seed ? 1 : 0;
                out.evidence.push_back(strip.evidence[i]);
                if (!scores.values.empty()) out.score.push_back(row[x]);
                out.magnitude.push_back(strip.magnitude[i]);
                out.onset_from.push_back(strip.onset_from[i]);
                out.onset_to.push_back(strip.onset_to[i]);
                out.kind.push_back(static_cast<std::uint8_t>(strip.kind[i]));
                if (near != nullptr)
                    out.around.push_back(look_around(*near, scores, w.row + y, w.col + x, strip.onset_to[i]));
            }
            run.end = w.col + x;
            out.runs.push_back(run);
        }
    }
    return out;
}

// Rows of pixels that are taken.
class Taken {
  public:
    void add(const std::vector<Run>& runs) {
        for (const auto& r : runs) m_rows[r.row].push_back(r);
    }
    // Whether any pixel of `runs` lies within `reach` pixels, in rows and in columns.
    [[nodiscard]] bool near(const std::vector<Run>& runs, std::int64_t reach) const {
        return std::any_of(runs.begin(), runs.end(), [&](const Run& a) {
            for (auto row = m_rows.lower_bound(a.row - reach);
                 row != m_rows.end() && row->first <= a.row + reach; ++row)
                for (const auto& b : row->second)
                    if (b.col < a.end + reach && a.col < b.end + reach) return true;
            return false;
        });
    }

  private:
    std::map<std::int64_t, std::vector<Run>> m_rows;
};

Segment segment_of(const Members& members, const Candidate& candidate, double log_odds,
                   const ObjectModel& model) {
    const auto runs = members.runs_of(members_of(members, candidate, model));
    Segment s;
    for (const auto& [strip, run] : runs) s.runs.push_back(run);
    s.pixels = candidate.pixels;
    describe(s, runs);
    s.confidence = 1 / (1 + std::exp(-log_odds));
    s.evidence = candidate.evidence;
    return s;
}

// Moves what lies beside the taken, or beside what was moved, from `spare` to `segments`: the same whatever
// their order.
void take_beside(std::vector<Segment>& segments, std::vector<Segment> spare) {
    Taken taken;
    for (const auto& s : segments) taken.add(s.runs);
    for (bool grown = true; grown;) {
        const auto rest = std::stable_partition(spare.begin(), spare.end(), [&](const Segment& s) {
            return !taken.near(s.runs, ObjectModel::beside_reach);
        });
        grown = rest != spare.end();
        for (auto s = rest; s != spare.end(); ++s) {
            taken.add(s->runs);
            segments.push_back(std::move(*s));
        }
        spare.erase(rest, spare.end());
    }
}

// The objects inside connected areas. A road shows in pieces: where one passes, less is asked of those beside
// it.
std::vector<Segment> dissect(const std::vector<std::vector<StripRun>>& areas, const SegmentationOptions& o) {
    std::vector<Segment> segments, spare;
    const ObjectModel& model = *o.model;
    const double least = model.least + o.seed;
    for (const auto& area : areas) {
        const Members members(area);
        const auto candidates = candidates_of(members, model, o.min_pixels);
        const auto add = [&](const Choice& chosen, double more, std::vector<Segment>& to) {
            for (const auto& [k, log_odds] : chosen)
                to.push_back(segment_of(members, candidates[k], log_odds + more, model));
        };
        if (o.all_levels) {
            Choice all;
            for (std::size_t k = 0; k < candidates.size(); ++k)
                all.emplace_back(k, model.log_odds(candidates[k].evidence));
            add(all, 0, segments);
            continue;
        }
        const auto passed = choose(candidates, model, least);
        add(passed, 0, segments);
        if (model.beside > 0)
            add(choose_beside(candidates, model, least - model.beside, passed), model.beside, spare);
    }
    take_beside(segments, std::move(spare));
    std::stable_sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        const Run &p = a.runs.front(), &q = b.runs.front();
        return p.row != q.row ? p.row < q.row : p.col < q.col;
    });
    return segments;
}

}  // namespace

RunStrip extract_runs(const Change& strip, const SegmentationOptions& o) {
    return extract(strip, Change::stored(std::max(o.grow, Change::kept_evidence)), o.seed, nullptr, {});
}

RunStrip extract_runs(const Change& strip, const SegmentationOptions& o, const Surroundings& surroundings) {
    const double lowest = o.model->levels.front();
    return extract(strip, Change::stored(o.model->pixels ? lowest : std::max(lowest, Change::kept_evidence)),
                   o.seed, &surroundings, scores_of(surroundings, strip.window, *o.model));
}

RunStrip extract_unobserved(std::span<const std::uint16_t> evidence, const Window& window,
                            const Window& area) {
    RunStrip out;
    const Window part = window.intersection(area);
    for (std::int64_t r = part.row; r < part.row + part.rows; ++r) {
        const auto* row = evidence.data() + (r - window.row) * window.cols - window.col;
        const auto end = part.col + part.cols;
        for (std::int64_t c = part.col; (c = next_at_least(row, c, end, Change::unobserved)) < end; ++c) {
            Run run{r, c, 0, 0, 1};
            while (c < end && row[c] == Change::unobserved) ++c;
            run.end = c;
            out.runs.push_back(run);
        }
    }
    return out;
}

std::vector<Segment> connect(std::span<const RunStrip> strips, const SegmentationOptions& o) {
    std::vector<std::pair<const RunStrip*, const Run*>> all;
    for (const auto& strip : strips)
        for (const auto& run : strip.runs) all.emplace_back(&strip, &run);
    // Strips side by side bring the rows of one another's right-hand neighbours late.
    const auto before = [](const auto& a, const auto& b) {
        return a.second->row != b.second->row ? a.second->row < b.second->row : a.second->col < b.second->col;
    };
    if (!std::is_sorted(all.begin(), all.end(), before)) std::sort(all.begin(), all.end(), before);
    DisjointSets sets(all.size());
    std::size_t above = 0, begin_of_row = 0;  // first run of the row above that may still touch
    std::size_t end_above = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Run& run = *all[i].second;
        if (i == 0 || run.row != all[i - 1].second->row) {
            const bool adjacent = i > 0 && all[i - 1].second->row == run.row - 1;
            above = adjacent ? begin_of_row : i;
            end_above = i;
            begin_of_row = i;
        } else if (all[i - 1].second->end == run.col) {
            sets.unite(i - 1, i);  // one run cut by a strip's edge
        }
        while (above < end_above && all[above].second->end < run.col) ++above;
        for (std::size_t k = above; k < end_above && all[k].second->col <= run.end; ++k) sets.unite(k, i);
    }

    struct Tally {
        std::int64_t pixels = 0;
        std::int64_t seeds = 0;
    };
    std::vector<Tally> tally(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto& t = tally[sets.find(i)];
        t.pixels += all[i].second->end - all[i].second->col;
        t.seeds += all[i].second->seeds;
    }
    std::vector<Segment> segments;
    std::vector<std::size_t> segment_of(all.size());
    std::vector<std::vector<StripRun>> members;
    const bool dissected =
        std::any_of(strips.begin(), strips.end(), [](const RunStrip& s) { return !s.around.empty(); });
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::size_t root = sets.find(i);
        if (tally[root].pixels < o.min_pixels || (!dissected && tally[root].seeds < o.least_seeds)) continue;
        if (root == i) {
            segment_of[i] = segments.size();
            segments.emplace_back();
            segments.back().pixels = tally[root].pixels;
            members.emplace_back();
        }
        const std::size_t s = segment_of[root];
        segments[s].runs.push_back(*all[i].second);
        members[s].emplace_back(all[i].first, *all[i].second);
    }
    if (dissected) return dissect(members, o);
    for (std::size_t s = 0; s < segments.size(); ++s) {
        if (members[s].front().first->evidence.empty()) continue;
        describe(segments[s], members[s]);
        const auto n = static_cast<double>(segments[s].pixels);
        segments[s].confidence *= o.most_confidence * n / (n + static_cast<double>(o.half_pixels));
    }
    return segments;
}

}  // namespace shuibao::algorithms
