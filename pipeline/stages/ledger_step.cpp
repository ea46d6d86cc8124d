// SPDX-License-Identifier: Apache-2.0
// One batch of the ledger: who goes on, what changed, what people said, what is due.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "ledger.hpp"
#include "risk_input.hpp"
#include <shuibao/algorithms/lineage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Growth;
using algorithms::LineageNode;

int months_of(const std::string& batch) {
    return std::stoi(batch.substr(0, 4)) * 12 + std::stoi(batch.substr(4, 2));
}

Date after(Date day, double days) {
    return Date(day.days() + static_cast<std::int32_t>(days));
}

class Step {
  public:
    Step(const LedgerState& before, const BatchEvidence& now) : m_before(before), m_now(now) {
        for (const auto& c : before.cases) m_parents[c.id] = &c.parents;
        for (std::size_t i = 0; i < before.cases.size(); ++i)
            if (!before.cases[i].folded) m_open.push_back(i);
    }

    LedgerState operator()(const LedgerEach& each, std::vector<std::string>& lost) {
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
        hear(out, lost);
        for (auto& c : out.cases) std::sort(c.parents.begin(), c.parents.end());
        std::sort(out.cases.begin(), out.cases.end(),
                  [](const auto& a, const auto& b) { return a.id < b.id; });
        return out;
    }

  private:
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
        c.gained = 0;
        c.after_notice = false;
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
        c.spot = spot;
        c.last_batch = m_now.batch;
        c.shape = row.shape;
        c.area = facts.area;
        c.gained = s.parents.empty() ? 0 : s.gained;
        c.present = true;
        c.verdict = row_text(row, "verdict");
        if (!c.tilled) c.tilled = io::to_number(row_value(row, "tilled"));
        if (const auto t = row_text(row, "county"); !t.empty()) c.county = t;
        if (const auto t = row_text(row, "industry"); !t.empty()) c.industry = t;
        c.change = change(row, s);
        if (c.change == "new" || c.change == "grown" || c.change == "shrunk" || c.changed_batch.empty())
            c.changed_batch = m_now.batch;
        build(c, row);
        c.after_notice = c.change == "grown" && c.notice_on.has_value();
        const bool creeps = c.change == "grown" && facts.outside > 0 && facts.outside_tolerant <= 0;
        c.crept = creeps ? c.crept + 1 : 0;
        reopen(c, n);
        open(c);
        return c;
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
        if (c.merged_into.empty()) return;
        c.merged_into.clear();
        c.state = "found";
    }

    // What the layer says of a change goes first, but no layer makes a known site new.
    [[nodiscard]] std::string change(const io::VectorFeature& row, const algorithms::Succession& s) const {
        const auto stated = m_now.disturbances.code_of("changes", row_text(row, "change_type"));
        if (!stated.empty() && stated != "new") return stated;
        return std::string(algorithms::growth_code(s.growth));
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
        const bool harmless =
            c.state == "closed" || c.confirmed_as == "compliant" || c.confirmed_as == "not_works";
        if (!c.decided() || !harmless || c.confirmed_area <= 0) return;
        if (algorithms::growth_between(c.confirmed_area, n, m_now.rules) != Growth::grown) return;
        c.confirmed.clear();
        c.confirmed_as.clear();
        c.confirmed_by.clear();
        c.confirmed_on.reset();
        c.closed_on.reset();
        c.recheck_on.reset();
        c.rectify_by.reset();
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
            c.due = after(m_now.end, m_now.rules("deadline_check_days"));
    }

    // ---- what people said of this batch
    void hear(LedgerState& out, std::vector<std::string>& lost) const {
        if (m_now.records.empty()) return;
        const SpotFinder find(out);
        std::map<std::size_t, std::vector<const FieldRecord*>> of_case;
        std::vector<std::pair<std::size_t, std::size_t>> mergers;
        for (const auto& r : m_now.records) {
            const auto i = find(r.spot, r.inside);
            if (!i) {
                lost.push_back(fmt::format("{} ({})", r.spot, r.source));
                continue;
            }
            of_case[*i].push_back(&r);
            if (r.merge_point)
                if (const auto into = find(r.merge_into, *r.merge_point); into && *into != *i)
                    mergers.emplace_back(*i, *into);
        }
        for (auto& [i, records] : of_case) {
            std::stable_sort(records.begin(), records.end(),
                             [](const auto* a, const auto* b) { return a->date < b->date; });
            decide(out.cases[i], records);
        }
        for (const auto& [from, into] : mergers) {
            auto& c = out.cases[from];
            c.merged_into = out.cases[into].id;
            c.state = "absorbed";
            c.due.reset();
            out.cases[into].parents.push_back(c.id);
        }
    }

    void decide(LedgerCase& c, const std::vector<const FieldRecord*>& records) const {
        c.checks += static_cast<std::int64_t>(records.size());
        const auto finding = settle(records);
        c.conflict = finding.conflict;
        for (const auto* r : records) {
            if (r->notice) c.notice_on = r->notice;
            if (r->rectify_by) c.rectify_by = r->rectify_by;
            if (r->recheck) c.recheck_on = r->recheck;
            if (r->closed) c.closed_on = r->closed;
            if (const auto code = m_now.disturbances.code_of("construction", r->construction); !code.empty())
                c.construction = code;
        }
        if (finding.record != nullptr && finding.conflict.empty()) {
            const auto& r = *finding.record;
            c.confirmed = r.verdict;
            c.confirmed_as = r.meaning;
            c.confirmed_by = r.by;
            c.confirmed_on = r.date;
            c.confirmed_area = c.area;
            c.checked_real = r.meaning != "not_works";
            c.checked_confidence = confidence_of(c.spot);
        }
        if (!c.decided()) return;
        const auto& rules = m_now.rules;
        if (c.confirmed_as == "compliant" || c.confirmed_as == "not_works") {
            c.state = "closed";
            if (!c.closed_on) c.closed_on = c.confirmed_on;
        } else if (c.closed_on) {
            c.state = "closed";
        } else if (c.recheck_on) {
            c.state = "rechecked";
        } else {
            c.state = c.notice_on ? "rectifying" : "confirmed";
        }
        c.due.reset();
        if (c.state == "confirmed") c.due = after(*c.confirmed_on, rules("deadline_notice_days"));
        if (c.state == "rectifying")
            c.due = c.rectify_by ? *c.rectify_by : after(*c.notice_on, rules("deadline_rectify_days"));
        if (c.state == "rechecked") c.due = after(*c.recheck_on, rules("deadline_recheck_days"));
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

SpotFinder::SpotFinder(const LedgerState& state)
    : m_state(state),
      m_index([&] {
          std::vector<Bounds> boxes;
          for (const auto& c : state.cases) boxes.push_back(c.present ? c.shape.bounds() : Bounds{});
          return io::BoxIndex(boxes);
      }()),
      m_move("EPSG:4490", state.crs) {
    for (std::size_t i = 0; i < state.cases.size(); ++i)
        if (state.cases[i].present) m_by_spot[state.cases[i].spot] = i;
}

std::optional<std::size_t> SpotFinder::operator()(const std::string& spot, Point inside) const {
    constexpr double on_the_spot = 1;  // m; a point inside stays inside but for rounding
    const Point p = m_move(inside);
    const auto it = m_by_spot.find(spot);
    if (it != m_by_spot.end() && m_state.cases[it->second].shape.distance(p) <= on_the_spot)
        return it->second;
    for (const auto i : m_index.near({p.x, p.y, p.x, p.y}))
        if (m_state.cases[i].shape.distance(p) == 0) return i;
    return std::nullopt;
}

LedgerState step(const LedgerState& before, const BatchEvidence& now, const LedgerEach& each,
                 std::vector<std::string>& lost) {
    return Step(before, now)(each, lost);
}

void remember(const LedgerCase& memory, algorithms::RiskFacts& r, const algorithms::Facts& measured) {
    constexpr std::int64_t batches = 2;  // rules §6: grew in two batches
    r.grown = memory.change == "grown";
    r.after_notice = memory.after_notice;
    r.crept = memory.crept >= batches;
    const auto verdict = memory.decided_verdict();
    if (!verdict) return;
    judge_as(r, *verdict, measured);
    if (memory.confirmed_as != "not_works") r.confidence = 1;  // people stood there
}

}  // namespace shuibao::pipeline
