// SPDX-License-Identifier: Apache-2.0
#include "component_tree.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

namespace shuibao::algorithms {
namespace {

constexpr std::array<Step, 8> around = {
    {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}, {1, 1}}};
// Of one trait: of the pixels of which it is known, and of such pairs three apart across the outline.
struct TraitSums {
    std::int64_t pixels = 0, sum = 0, square = 0, pairs = 0, step = 0;

    void pair(int here, int there, int sign) {
        if (here == 0 || there == 0) return;
        pairs += sign, step += sign * (there - here);
    }
    void add(const TraitSums& o) {
        pixels += o.pixels, sum += o.sum, square += o.square, pairs += o.pairs, step += o.step;
    }
};

// What adds up when objects join. Whole numbers: the sums do not depend on the order.
struct Sums {
    std::int64_t pixels = 0, evidence = 0, evidence_square = 0, even = 0, likely = 0, drop = 0, tilled = 0,
                 magnitude = 0, onset = 0, onset_square = 0, synchrony = 0, score = 0, score_square = 0;
    std::int64_t outline = 0, outline_known = 0, outline_same = 0, inner_known = 0,
                 inner_other = 0;                                // steps of 1
    std::int64_t pairs = 0, same = 0, fall = 0, score_fall = 0;  // pairs three apart, across the outline
    std::array<std::int64_t, PixelHistory::lately> recent{}, recent_fall{};  // of pixels; of same pairs
    std::array<TraitSums, PixelHistory::traits> traits{};

    void add(const Sums& o) {
        for (std::size_t k = 0; k < traits.size(); ++k) traits[k].add(o.traits[k]);
        evidence_square += o.evidence_square;
        score += o.score, score_square += o.score_square, score_fall += o.score_fall;
        pixels += o.pixels, evidence += o.evidence, even += o.even, likely += o.likely, drop += o.drop;
        tilled += o.tilled, magnitude += o.magnitude, onset += o.onset, onset_square += o.onset_square;
        outline += o.outline, outline_known += o.outline_known, outline_same += o.outline_same;
        synchrony += o.synchrony;
        inner_known += o.inner_known, inner_other += o.inner_other;
        pairs += o.pairs, same += o.same, fall += o.fall;
        for (std::size_t k = 0; k < recent.size(); ++k)
            recent[k] += o.recent[k], recent_fall[k] += o.recent_fall[k];
    }
};

double share(std::int64_t part, std::int64_t whole, double part_prior, double prior) {
    return (static_cast<double>(part) + part_prior) / (static_cast<double>(whole) + prior);
}

double spread_of(std::int64_t square, std::int64_t sum, std::int64_t n) {
    const auto count = static_cast<double>(n);
    const double mean = static_cast<double>(sum) / count;
    return std::sqrt(std::max(0.0, static_cast<double>(square) / count - mean * mean));
}

// Shares of few steps are drawn towards what means nothing.
ObjectEvidence evidence_of(const Sums& s) {
    ObjectEvidence e{};
    const auto set = [&](Measure m, double v) { e[static_cast<std::size_t>(m)] = v; };
    const auto n = static_cast<double>(s.pixels);
    const auto mean = [&](std::int64_t sum) { return static_cast<double>(sum) / n; };
    set(Measure::log_pixels, std::log(n));
    set(Measure::evidence, (mean(s.evidence) - Change::evidence_zero) / Change::evidence_per_unit);
    set(Measure::even_share, mean(s.even));
    set(Measure::likely_share, mean(s.likely));
    set(Measure::field_cut, share(s.outline_same, s.outline_known, 1, 4));
    set(Measure::inner_fields, share(s.inner_other, s.inner_known, 0.5, 5));
    set(Measure::tilled, mean(s.tilled));
    set(Measure::below_soil, mean(s.drop) * PixelHistory::drop_step);
    set(Measure::magnitude, mean(s.magnitude) / 100);
    const double fall = static_cast<double>(s.fall) / Change::evidence_per_unit;
    set(Measure::contrast, fall / (static_cast<double>(s.pairs) + 8));
    set(Measure::same_contrast, fall / (static_cast<double>(s.same) + 4));
    set(Measure::same_around, share(s.same, s.pairs, 1, 4));
    set(Measure::onset_spread, spread_of(s.onset_square, s.onset, s.pixels));
    set(Measure::synchrony, mean(s.synchrony) / Synchrony::scale);
    set(Measure::raggedness, static_cast<double>(s.outline) / std::sqrt(n));
    for (std::size_t k = 0; k < PixelHistory::lately; ++k) {
        const double step = PixelHistory::recent_step[k];
        e[static_cast<std::size_t>(Measure::weeks_green) + k] = mean(s.recent[k]) * step;
        e[static_cast<std::size_t>(Measure::weeks_green_fall) + k] =
            static_cast<double>(s.recent_fall[k]) * step / (static_cast<double>(s.same) + 4);
    }
    set(Measure::evidence_spread,
        spread_of(s.evidence_square, s.evidence, s.pixels) / Change::evidence_per_unit);
    if (s.score != 0) {
        set(Measure::score, (mean(s.score) - Change::evidence_zero) / Change::evidence_per_unit);
        set(Measure::score_spread, spread_of(s.score_square, s.score, s.pixels) / Change::evidence_per_unit);
        set(Measure::score_fall, static_cast<double>(s.score_fall) / Change::evidence_per_unit /
                                     (static_cast<double>(s.pairs) + 8));
    }
    for (std::size_t k = 0; k < s.traits.size(); ++k) {
        const TraitSums& t = s.traits[k];
        double* out = e.data() + static_cast<std::size_t>(Measure::own_index) + 3 * k;
        const double step = PixelHistory::trait_step[k];
        if (t.pixels > 0) {
            out[0] =
                PixelHistory::trait_middle[k] +
                (static_cast<double>(t.sum) / static_cast<double>(t.pixels) - PixelHistory::middle) * step;
            out[1] = spread_of(t.square, t.sum, t.pixels) * step;
        }
        out[2] = static_cast<double>(t.step) * step / (static_cast<double>(t.pairs) + 8);
    }
    return e;
}

// Builds the tree from the highest level down.
class Builder {
  public:
    Builder(const Members& members, const ObjectModel& model, std::int64_t min_pixels)
        : m_members(members),
          m_min_pixels(min_pixels),
          m_parent(static_cast<std::size_t>(members.count()), Members::none),
          m_slot(m_parent.size(), 0) {
        for (const double l : model.levels) m_levels.push_back(Change::stored(l));
        for (std::int32_t i = 0; i < members.count(); ++i) m_level.push_back(level_of(members[i].height()));
        m_quiet = Change::stored(model.quiet);
        m_likely = Change::stored(model.likely);
        m_scored = model.pixels.has_value();
    }

    std::vector<Candidate> run() {
        std::vector<std::vector<std::int32_t>> by_level(m_levels.size());
        for (std::size_t i = 0; i < m_level.size(); ++i)
            by_level[m_level[i]].push_back(static_cast<std::int32_t>(i));
        for (std::size_t level = m_levels.size(); level-- > 0;) {
            for (const auto i : by_level[level]) enter(i);
            for (const auto i : by_level[level]) close(find(i), static_cast<std::uint8_t>(level), i);
        }
        return std::move(m_candidates);
    }

  private:
    // What is known of a set of pixels that hang together so far.
    struct Component {
        Sums sums;
        std::int32_t candidate = -1;       // what it was at the level above
        std::vector<std::int32_t> joined;  // candidates that it has swallowed since
    };

    [[nodiscard]] std::uint8_t level_of(std::uint16_t height) const {
        const auto it = std::upper_bound(m_levels.begin(), m_levels.end(), static_cast<int>(height));
        return static_cast<std::uint8_t>(std::max<std::ptrdiff_t>(0, it - m_levels.begin() - 1));
    }

    std::int32_t find(std::int32_t i) {
        auto parent = [&](std::int32_t k) -> std::int32_t& { return m_parent[static_cast<std::size_t>(k)]; };
        while (parent(i) != i) i = parent(i) = parent(parent(i));
        return i;
    }
    Component& component(std::int32_t root) { return m_components[m_slot[static_cast<std::size_t>(root)]]; }

    void enter(std::int32_t i) {
        const auto& p = m_members[i];
        const PixelSurroundings& near = p.strip->around[p.value];
        const std::uint16_t evidence = p.evidence(), onset = p.strip->onset_to[p.value];
        Sums s;
        s.pixels = 1;
        s.evidence = evidence;
        s.evidence_square = std::int64_t{evidence} * evidence;
        s.even = evidence >= Change::evidence_zero ? 1 : 0;
        s.likely = evidence >= m_likely ? 1 : 0;
        s.drop = near.drop;
        s.tilled = near.tilled ? 1 : 0;
        s.synchrony = near.synchrony;
        s.magnitude = p.strip->magnitude[p.value];
        if (m_scored) {
            s.score = p.height();
            s.score_square = s.score * s.score;
        }
        s.onset = onset;
        s.onset_square = std::int64_t{onset} * onset;
        for (std::size_t k = 0; k < s.recent.size(); ++k) s.recent[k] = near.recent[k];
        for (std::size_t k = 0; k < s.traits.size(); ++k)
            if (const std::int64_t v = near.traits[k]; v != 0) s.traits[k] = {1, v, v * v, 0, 0};
        for (std::size_t d = 0; d < sides.size(); ++d) {
            const auto other = m_members.at(p.row + sides[d].row, p.col + sides[d].col);
            const std::int64_t known = near.known >> d & 1, same = near.same >> d & 1;
            if (other != Members::none && m_parent[static_cast<std::size_t>(other)] != Members::none) {
                s.outline -= 1, s.outline_known -= known, s.outline_same -= same;
                s.inner_known += known, s.inner_other += known - same;
            } else {
                s.outline += 1, s.outline_known += known, s.outline_same += same;
            }
            far_pair(p, d, s);
        }
        m_parent[static_cast<std::size_t>(i)] = i;
        if (m_free.empty()) {
            m_slot[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(m_components.size());
            m_components.emplace_back();
        } else {
            m_slot[static_cast<std::size_t>(i)] = m_free.back();
            m_free.pop_back();
        }
        component(i) = {s, -1, {}};
        std::int32_t root = i;
        for (const auto& step : around) {
            const auto other = m_members.at(p.row + step.row, p.col + step.col);
            if (other == Members::none || m_parent[static_cast<std::size_t>(other)] == Members::none)
                continue;
            root = join(root, find(other));
        }
    }

    // A pair three apart belongs to the one of its pixels that is in while the other is out.
    void far_pair(const Members::Pixel& p, std::size_t d, Sums& s) {
        const unsigned bit = static_cast<unsigned>(d) + 4;
        const PixelSurroundings& near = p.strip->around[p.value];
        if ((near.known >> bit & 1U) == 0) return;
        const bool same = (near.same >> bit & 1U) != 0;
        const auto other = m_members.at(p.row + Surroundings::reach * sides[d].row,
                                        p.col + Surroundings::reach * sides[d].col);
        const std::int64_t there = std::max<int>(near.far[d], m_quiet);
        const std::int64_t score_step =
            m_scored ? p.height() - std::max<std::int64_t>(near.far_score[d], m_levels.front()) : 0;
        if (other == Members::none || m_parent[static_cast<std::size_t>(other)] == Members::none) {
            s.pairs += 1, s.score_fall += score_step;
            for (std::size_t k = 0; k < s.traits.size(); ++k)
                s.traits[k].pair(near.traits[k], near.far_traits[d][k], 1);
            if (same) {
                s.same += 1, s.fall += p.evidence() - there;
                for (std::size_t k = 0; k < s.recent_fall.size(); ++k)
                    s.recent_fall[k] += near.recent[k] - near.far_recent[d][k];
            }
        } else {
            Sums& theirs = component(find(other)).sums;
            theirs.pairs -= 1, theirs.score_fall += score_step;
            for (std::size_t k = 0; k < theirs.traits.size(); ++k)
                theirs.traits[k].pair(near.far_traits[d][k], near.traits[k], -1);
            if (same) {
                theirs.same -= 1, theirs.fall -= there - p.evidence();
                for (std::size_t k = 0; k < theirs.recent_fall.size(); ++k)
                    theirs.recent_fall[k] -= near.far_recent[d][k] - near.recent[k];
            }
        }
    }

    std::int32_t join(std::int32_t a, std::int32_t b) {
        if (a == b) return a;
        const std::int64_t in_a = component(a).sums.pixels, in_b = component(b).sums.pixels;
        if (in_a < in_b || (in_a == in_b && b < a)) std::swap(a, b);
        Component &into = component(a), &from = component(b);
        into.sums.add(from.sums);
        if (from.candidate >= 0) into.joined.push_back(from.candidate);
        into.joined.insert(into.joined.end(), from.joined.begin(), from.joined.end());
        from.joined = {};
        m_free.push_back(m_slot[static_cast<std::size_t>(b)]);
        m_parent[static_cast<std::size_t>(b)] = a;
        return a;
    }

    // A component that has grown at this level becomes an object.
    void close(std::int32_t root, std::uint8_t level, std::int32_t member) {
        Component& c = component(root);
        const auto last = c.candidate;
        if (last >= 0 && m_candidates[static_cast<std::size_t>(last)].level == level) return;
        if (c.sums.pixels < m_min_pixels) return;
        const auto mine = static_cast<std::int32_t>(m_candidates.size());
        if (last >= 0) m_candidates[static_cast<std::size_t>(last)].parent = mine;
        for (const auto k : c.joined) m_candidates[static_cast<std::size_t>(k)].parent = mine;
        c.joined.clear();
        c.candidate = mine;
        m_candidates.push_back(
            {-1, member, static_cast<std::int32_t>(c.sums.pixels), level, evidence_of(c.sums)});
    }

    const Members& m_members;
    std::int64_t m_min_pixels;
    std::vector<std::uint8_t> m_level;   // of each member
    std::vector<std::int32_t> m_parent;  // none = not entered yet
    std::vector<std::uint32_t> m_slot;   // of a root's component
    std::vector<Component> m_components;
    std::vector<std::uint32_t> m_free;
    std::vector<int> m_levels;  // stored evidence
    int m_quiet = 0, m_likely = 0;
    bool m_scored = false;
    std::vector<Candidate> m_candidates;
};

}  // namespace

Members::Members(std::vector<std::pair<const RunStrip*, Run>> runs) : m_runs(std::move(runs)) {
    std::int64_t n = 0;
    m_row = m_runs.empty() ? 0 : m_runs.front().second.row;
    for (std::size_t k = 0; k < m_runs.size(); ++k) {
        const Run& run = m_runs[k].second;
        m_first.push_back(static_cast<std::int32_t>(n));
        while (static_cast<std::int64_t>(m_row_run.size()) <= run.row - m_row) m_row_run.push_back(k);
        for (std::int64_t c = run.col; c < run.end; ++c)
            m_pixels.push_back(
                {run.row, c, m_runs[k].first, run.value + static_cast<std::size_t>(c - run.col)});
        n += run.end - run.col;
    }
    m_first.push_back(static_cast<std::int32_t>(n));
    m_row_run.push_back(m_runs.size());
}

std::int32_t Members::at(std::int64_t row, std::int64_t col) const {
    const std::int64_t r = row - m_row;
    if (r < 0 || r + 1 >= static_cast<std::int64_t>(m_row_run.size())) return none;
    const auto begin = m_runs.begin() + static_cast<std::ptrdiff_t>(m_row_run[static_cast<std::size_t>(r)]),
               end = m_runs.begin() + static_cast<std::ptrdiff_t>(m_row_run[static_cast<std::size_t>(r) + 1]);
    const auto it = std::partition_point(begin, end, [&](const auto& m) { return m.second.end <= col; });
    if (it == end || it->second.col > col) return none;
    return static_cast<std::int32_t>(m_first[static_cast<std::size_t>(it - m_runs.begin())] +
                                     (col - it->second.col));
}

std::vector<std::pair<const RunStrip*, Run>> Members::runs_of(const std::vector<std::int32_t>& list) const {
    std::vector<std::pair<const RunStrip*, Run>> runs;
    for (const auto i : list) {
        const Pixel& p = (*this)[i];
        if (!runs.empty() && runs.back().first == p.strip && runs.back().second.row == p.row &&
            runs.back().second.end == p.col)
            ++runs.back().second.end;
        else
            runs.emplace_back(p.strip, Run{p.row, p.col, p.col + 1, p.value, 0});
    }
    return runs;
}

std::vector<Candidate> candidates_of(const Members& members, const ObjectModel& model,
                                     std::int64_t min_pixels) {
    return Builder(members, model, min_pixels).run();
}

Choice choose(const std::vector<Candidate>& candidates, const ObjectModel& model, double least) {
    return choose_beside(candidates, model, least, {});
}

Choice choose_beside(const std::vector<Candidate>& candidates, const ObjectModel& model, double least,
                     const Choice& passed) {
    const std::size_t n = candidates.size();
    const auto parent = [&](std::size_t i) { return static_cast<std::size_t>(candidates[i].parent); };
    std::vector<bool> taken(n), holds(n);  // it, or one that holds it; it holds one of `passed`
    for (const auto& [i, odds] : passed) {
        taken[i] = true;
        for (std::size_t k = i; candidates[k].parent >= 0 && !holds[parent(k)]; k = parent(k))
            holds[parent(k)] = true;
    }
    std::vector<double> own(n), most(n);
    for (std::size_t i = 0; i < n; ++i) own[i] = most[i] = model.log_odds(candidates[i].evidence);
    for (std::size_t i = 0; i < n; ++i)  // what lies inside comes first
        if (candidates[i].parent >= 0) most[parent(i)] = std::max(most[parent(i)], most[i]);
    Choice list;
    for (std::size_t i = n; i-- > 0;) {
        if (taken[i]) continue;
        if (candidates[i].parent >= 0 && taken[parent(i)]) {
            taken[i] = true;
        } else if (own[i] >= model.asked(candidates[i].evidence, least) && !holds[i]) {
            taken[i] = true;
            list.emplace_back(i, most[i]);
        }
    }
    std::reverse(list.begin(), list.end());
    return list;
}

std::vector<std::int32_t> members_of(const Members& members, const Candidate& candidate,
                                     const ObjectModel& model) {
    // The lowest level holds all members.
    const int level = candidate.level == 0 ? 0 : Change::stored(model.levels[candidate.level]);
    std::vector<std::int32_t> list = {candidate.member};
    std::unordered_set<std::int32_t> seen = {candidate.member};
    for (std::size_t next = 0; next < list.size(); ++next) {
        const auto& at = members[list[next]];
        for (const auto& step : around) {
            const auto k = members.at(at.row + step.row, at.col + step.col);
            if (k != Members::none && members[k].height() >= level && seen.insert(k).second)
                list.push_back(k);
        }
    }
    std::sort(list.begin(), list.end());
    return list;
}

}  // namespace shuibao::algorithms
