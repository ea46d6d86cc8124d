// SPDX-License-Identifier: Apache-2.0
// One batch of the ledger: who goes on, what changed, what is due.
#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "ledger.hpp"
#include "ledger_hear.hpp"
#include "risk_input.hpp"
#include "rules.hpp"
#include <shuibao/algorithms/lineage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Growth;
using algorithms::LineageNode;

int months_of(const std::string& batch) {
    return std::stoi(batch.substr(0, 4)) * 12 + std::stoi(batch.substr(4, 2));
}

class Step {
  public:
    Step(const LedgerState& before, const BatchEvidence& now) : m_before(before), m_now(now) {
        for (const auto& c : before.cases) m_parents[c.id] = &c.parents;
        for (std::size_t i = 0; i < before.cases.size(); ++i)
            if (!before.cases[i].folded) m_open.push_back(i);
    }

    LedgerState operator()(const LedgerEach& each, LedgerDoubts& doubts) {
        LedgerState out{m_now.batch, m_now.screened.crs, {}};
        std::vector<LineageNode> old_nodes, new_nodes;
        for (const auto i : m_open)
            old_nodes.push_back(node(m_before.cases[i].shape, m_before.cases[i].area, 0));
        m_facts.resize(m_now.screened.features.size());
        each(m_facts.size(), [&](std::size_t k) { m_facts[k] = facts_of(m_now.screened.features[k]); });
        for (std::size_t k = 0; k < m_facts.size(); ++k)
            new_nodes.push_back(
                node(m_now.screened.features[k].shape, m_facts[k].area, m_facts[k].tolerance));
        const auto lineage = algorithms::trace_lineage(
            old_nodes, new_nodes, overlaps(each),
            [&](std::size_t a, std::size_t b) {
                const auto& ancestor = m_before.cases[m_open[b]];
                // What people merged into another comes second, though it is among the other's parents.
                return ancestor.merged_into.empty() && descends(m_before.cases[m_open[a]].id, ancestor.id, 0);
            },
            m_now.rules);

        out.cases.reserve(new_nodes.size() + m_before.cases.size());
        std::vector<bool> gone_on(m_before.cases.size(), false);
        for (std::size_t k = 0; k < new_nodes.size(); ++k) {
            const auto& s = lineage.after[k];
            if (s.heir_of) gone_on[m_open[*s.heir_of]] = true;
            out.cases.push_back(next(k, s, new_nodes[k]));
        }
        for (std::size_t b = 0; b < m_open.size(); ++b)
            if (const auto& into = lineage.merged_into[b]) {
                auto folded = absent(m_before.cases[m_open[b]]);
                folded.folded = true;
                folded.state = "absorbed";
                folded.due.reset();
                folded.merged_into = out.cases[*into].id;
                auto& parents = out.cases[*into].parents;
                if (std::find(parents.begin(), parents.end(), folded.id) == parents.end())
                    parents.push_back(folded.id);
                out.cases.push_back(std::move(folded));
                gone_on[m_open[b]] = true;
            }
        for (std::size_t i = 0; i < m_before.cases.size(); ++i)
            if (!gone_on[i]) out.cases.push_back(absent(m_before.cases[i]));
        hear(
            out, m_now, [&](const std::string& spot) { return confidence_of(spot); }, doubts);
        for (auto& c : out.cases) std::sort(c.parents.begin(), c.parents.end());
        by_id(out.cases);
        return out;
    }

  private:
    // A case is a kilobyte: those that stand where they belong are not moved, the others once.
    static void by_id(std::vector<LedgerCase>& cases) {
        std::vector<std::size_t> from(cases.size());
        std::iota(from.begin(), from.end(), std::size_t{0});
        std::sort(from.begin(), from.end(),
                  [&](std::size_t a, std::size_t b) { return cases[a].id < cases[b].id; });
        for (std::size_t start = 0; start < from.size(); ++start) {
            if (from[start] == start) continue;
            auto first = std::move(cases[start]);
            std::size_t hole = start;
            for (std::size_t next = from[hole]; next != start; next = from[hole]) {
                cases[hole] = std::move(cases[next]);
                from[hole] = hole;
                hole = next;
            }
            cases[hole] = std::move(first);
            from[hole] = hole;
        }
    }
    static LineageNode node(const io::Geometry& shape, double area, double tolerance) {
        const auto b = shape.bounds();
        return {area, shape.perimeter(), tolerance, (b.min_x + b.max_x) / 2, (b.min_y + b.max_y) / 2};
    }
    static algorithms::Facts facts_of(const io::VectorFeature& f) {
        return facts_from_json(nlohmann::json::parse(row_text(f, "facts")));
    }
    [[nodiscard]] bool descends(const std::string& child, const std::string& ancestor, int depth) const {
        constexpr int deepest = 64;
        const auto it = m_parents.find(child);
        if (it == m_parents.end() || depth > deepest) return false;
        return std::any_of(it->second->begin(), it->second->end(), [&](const std::string& p) {
            return p == ancestor || descends(p, ancestor, depth + 1);
        });
    }

    [[nodiscard]] std::vector<algorithms::LineageOverlap> overlaps(const LedgerEach& each) const {
        std::vector<Bounds> boxes;
        for (const auto i : m_open) boxes.push_back(m_before.cases[i].shape.bounds());
        const io::BoxIndex index(boxes);
        const auto& features = m_now.screened.features;
        std::vector<std::vector<algorithms::LineageOverlap>> found(features.size());
        each(features.size(), [&](std::size_t k) {
            for (const auto b : index.near(features[k].shape.bounds())) {
                const auto& old = m_before.cases[m_open[b]].shape;
                if (!old.intersects(features[k].shape)) continue;
                if (const double area = old.intersection(features[k].shape).area(); area > 0)
                    found[k].push_back({b, k, area});
            }
        });
        std::vector<algorithms::LineageOverlap> all;
        for (const auto& list : found) all.insert(all.end(), list.begin(), list.end());
        return all;
    }

    // Not shown by this batch: it stays as it was, unless looks at its ground show what became of it. Silence
    // says nothing.
    [[nodiscard]] LedgerCase absent(const LedgerCase& old) const {
        LedgerCase c = old;
        c.present = false;
        c.change.clear();
        c.change_by.clear();
        c.change_limit = c.gained = 0;
        c.after_notice = c.notice_between = false;
        if (look_at(c)) c.construction = c.change = "finished";
        return c;
    }

    // Takes in what this batch's looks show of a case's ground as it was; true when they show the works done,
    // and none did before.
    bool look_at(LedgerCase& c) const {
        const auto looks = m_now.ground.find(c.id);
        if (looks == m_now.ground.end() || c.finished_on || c.construction == "finished") return false;
        const auto r =
            algorithms::follow_ground({c.closed_since, c.finished_on, false}, looks->second, m_now.rules);
        c.closed_since = r.closed_since;
        c.finished_on = r.finished_on;
        if (c.finished_on)
            c.completion = m_now.disturbances.text(
                "completion", std::string(algorithms::completion_code(r.green, c.tilled, m_now.rules)));
        return c.finished_on.has_value();
    }

    // Detection shows it again, and so does the newest look that counts: it was not done, or is opened anew.
    // Where detection shows nothing, a field tilled again stays done.
    void reopen_ground(LedgerCase& c) const {
        const auto looks = m_now.ground.find(c.id);
        if (!c.finished_on || looks == m_now.ground.end()) return;
        for (auto l = looks->second.rbegin(); l != looks->second.rend(); ++l) {
            if (l->seen < m_now.rules("finished_seen_share")) continue;
            if (l->open() >= m_now.rules("finished_bare_share")) {
                c.closed_since.reset();
                c.finished_on.reset();
                c.construction.clear();
            }
            return;
        }
    }

    LedgerCase next(std::size_t k, const algorithms::Succession& s, const LineageNode& n) {
        const auto& row = m_now.screened.features[k];
        const auto& facts = m_facts[k];
        const auto spot = row_text(row, "case_id");
        LedgerCase c;
        if (s.heir_of) {
            c = m_before.cases[m_open[*s.heir_of]];
            c.area_before = c.area;
            reopen_ground(c);
            look_at(c);
        } else {
            if (!s.parents.empty()) inherit(c, m_before.cases[m_open[s.parents.front()]], facts.area);
            c.id = spot;
            c.first_batch = m_now.batch;
            for (const auto p : s.parents) c.parents.push_back(m_before.cases[m_open[p]].id);
            c.onset_from = facts.onset_from;
            c.onset_to = facts.onset_to;
        }
        const auto shown_before = c.last_batch;
        c.spot = spot;
        c.issuer_id = row_text(row, "issuer_id");
        c.last_batch = m_now.batch;
        c.shape = row.shape;
        c.area = facts.area;
        c.gained = s.parents.empty() ? 0 : s.gained;
        c.present = true;
        c.verdict = row_text(row, "verdict");
        if (!c.tilled) c.tilled = io::to_number(row_value(row, "tilled"));
        if (const auto t = row_text(row, "county"); !t.empty()) c.county = t;
        if (const auto t = row_text(row, "industry"); !t.empty()) c.industry = t;
        settle_change(c, row, s);
        if (c.change == "new" || c.change == "grown" || c.change == "shrunk" || c.changed_batch.empty())
            c.changed_batch = m_now.batch;
        build(c, row);
        c.crept = crept(s, facts) ? c.crept + 1 : 0;
        c.outside = facts.outside;
        reopen(c, n);
        compare_with_notice(c, shown_before);
        open(c);
        return c;
    }

    // The part outside within tolerance grew. All that share ground are compared, and the part outside alone:
    // works that go on inside their range creep nowhere. Of a piece split off nobody knows what was outside.
    [[nodiscard]] bool crept(const algorithms::Succession& s, const algorithms::Facts& facts) const {
        if (!s.heir_of || facts.outside_tolerant > 0) return false;
        double before = 0;
        for (const auto p : s.parents) before += m_before.cases[m_open[p]].outside;
        const auto& rules = m_now.rules;
        return facts.outside - before > std::max(rules("crept_area_m2"), rules("change_share") * before);
    }

    // Only what the batch before showed without it was opened after the notice. Between the looks of the two
    // batches nobody knows what came first; a notice that came later still, or was settled, was not ignored.
    void compare_with_notice(LedgerCase& c, const std::string& shown_before) const {
        c.after_notice = c.notice_between = false;
        if (c.change != "grown" || !c.notice_on || c.state == "closed") return;
        c.after_notice = *c.notice_on <= end_of_batch(shown_before);
        c.notice_between = !c.after_notice && *c.notice_on <= m_now.end;
    }

    // A piece that was split off carries what people said of the whole.
    static void inherit(LedgerCase& c, const LedgerCase& from, double area) {
        c = from;
        c.parents.clear();
        c.completion.clear();
        c.bare_low = c.crept = c.checks = 0;
        c.closed_since.reset();
        c.finished_on.reset();
        c.checked_confidence = -1;
        c.confirmed_area = area;
        c.area_before = 0;
        c.changed_batch.clear();
        if (c.state == "closed" || !c.merged_into.empty()) forget_notice(c);
        if (c.merged_into.empty()) return;
        c.merged_into.clear();
        c.state = "found";
    }

    // What was asked for is settled: it says nothing of what comes later.
    static void forget_notice(LedgerCase& c) {
        c.notice_on.reset();
        c.rectify_by.reset();
        c.recheck_on.reset();
    }

    // What the layer says of a change goes first, but no layer makes a known site new.
    void settle_change(LedgerCase& c, const io::VectorFeature& row, const algorithms::Succession& s) const {
        const auto stated = m_now.disturbances.code_of("changes", row_text(row, "change_type"));
        const bool by_layer = !stated.empty() && stated != "new";
        c.change = by_layer ? stated : std::string(algorithms::growth_code(s.growth));
        c.change_by = by_layer ? "layer" : std::string(s.limit_by);
        c.change_limit = s.limit;
    }

    void build(LedgerCase& c, const io::VectorFeature& row) const {
        const auto bare = io::to_number(row_value(row, "bare_share"));
        if (bare) c.bare_low = *bare < m_now.rules("finished_bare_share") ? c.bare_low + 1 : 0;
        const auto stated = m_now.disturbances.code_of("construction", row_text(row, "construction"));
        if (c.change == "grown") {  // opened anew, beside or on what was done
            c.closed_since.reset();
            c.finished_on.reset();
        }
        const bool finished = stated == "finished" || c.change == "finished" || c.finished_on.has_value() ||
                              static_cast<double>(c.bare_low) >= m_now.rules("finished_dates");
        if (const auto how = row_text(row, "completion"); !how.empty()) c.completion = how;
        if (finished) {
            c.construction = c.change = "finished";
            return;
        }
        c.completion.clear();
        const int still = months_of(m_now.batch) - months_of(c.changed_batch);
        c.construction = !stated.empty()                          ? stated
                         : still >= m_now.rules("stopped_months") ? "stopped"
                                                                  : "working";
    }

    // Where people found nothing wrong, or had it put right, ground opened since is a new question.
    void reopen(LedgerCase& c, const LineageNode& n) const {
        const bool at_rest = c.state == "closed" || harmless(c.confirmed_as);
        if (!c.decided() || !at_rest || c.confirmed_area <= 0) return;
        if (algorithms::growth_between(c.confirmed_area, n, m_now.rules) != Growth::grown) return;
        c.confirmed.clear();
        c.confirmed_as.clear();
        c.confirmed_by.clear();
        c.confirmed_on.reset();
        c.closed_on.reset();
        forget_notice(c);
        c.state = "found";
        c.due.reset();
    }

    void open(LedgerCase& c) const {
        if (c.decided() || (c.state != "found" && c.state != "watched")) return;
        if (c.verdict == "compliant") {
            c.state = "watched";
            c.due.reset();
            return;
        }
        c.state = "found";
        if (c.verdict == "pending")
            c.due.reset();  // it is not sent out
        else if (!c.due)
            c.due = days_after(m_now.end, m_now.rules("deadline_check_days"));
    }

    // What the program was sure of; nothing for polygons that people drew.
    [[nodiscard]] double confidence_of(const std::string& spot) const {
        const auto& rows = m_now.screened.features;
        for (std::size_t k = 0; k < rows.size(); ++k)
            if (!m_facts[k].drawn && row_text(rows[k], "case_id") == spot)
                return row_number(rows[k], "confidence");
        return -1;
    }

    const LedgerState& m_before;
    const BatchEvidence& m_now;
    std::vector<std::size_t> m_open;
    std::vector<algorithms::Facts> m_facts;
    std::map<std::string, const std::vector<std::string>*> m_parents;
};

}  // namespace

LedgerState step(const LedgerState& before, const BatchEvidence& now, const LedgerEach& each,
                 LedgerDoubts& doubts) {
    return Step(before, now)(each, doubts);
}

}  // namespace shuibao::pipeline
