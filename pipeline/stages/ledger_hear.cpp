// SPDX-License-Identifier: Apache-2.0
#include "ledger_hear.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace shuibao::pipeline {
namespace {

using Records = std::vector<const FieldRecord*>;

// Words of people for what goes on there; those of a record that says nothing change nothing. Of a change
// only who came after the looks of the batch can tell, and nobody makes a known site new.
void take_words(LedgerCase& c, const FieldRecord& r, const BatchEvidence& now) {
    const auto& words = now.disturbances;
    if (!r.type.empty()) c.confirmed_type = r.type;
    auto construction = words.code_of("construction", r.construction);
    const auto change = words.code_of("changes", r.change);
    if (change.empty() && construction.empty())
        construction = words.code_of("construction", r.change);  // old lists name 停工 among the changes
    if (!change.empty() && now.end <= r.date && (change != "new" || c.first_batch == now.batch)) {
        c.change = change;
        c.change_by = "field";
        if (change == "finished") construction = "finished";
        if (change != "grown") c.after_notice = c.notice_between = false;
    }
    if (!construction.empty()) c.construction = construction;
}

// Where a case stands between 认定 and 销号, and what is due next.
void settle_state(LedgerCase& c, const algorithms::Rules& rules) {
    if (harmless(c.confirmed_as)) {
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
    if (c.state == "confirmed") c.due = days_after(*c.confirmed_on, rules("deadline_notice_days"));
    if (c.state == "rectifying")
        c.due = c.rectify_by ? *c.rectify_by : days_after(*c.notice_on, rules("deadline_rectify_days"));
    if (c.state == "rechecked") c.due = days_after(*c.recheck_on, rules("deadline_recheck_days"));
}

void decide(LedgerCase& c, const Records& records, const BatchEvidence& now, double confidence) {
    c.checks += static_cast<std::int64_t>(records.size());
    const auto finding = settle(records);
    c.conflict = finding.conflict;
    for (const auto* r : records) {
        if (r->notice) c.notice_on = r->notice;
        if (r->rectify_by) c.rectify_by = r->rectify_by;
        if (r->recheck) c.recheck_on = r->recheck;
        if (r->closed) c.closed_on = r->closed;
        take_words(c, *r, now);
    }
    if (finding.record != nullptr && finding.conflict.empty()) {
        const auto& r = *finding.record;
        c.confirmed = r.verdict;
        c.confirmed_as = r.meaning;
        c.confirmed_by = r.by;
        c.confirmed_on = r.date;
        c.confirmed_area = c.area;
        c.checked_real = r.meaning != "not_works";
        c.checked_confidence = confidence;
    }
    if (c.decided()) settle_state(c, now.rules);
}

// Who is to be part of whom, by people's word.
class Mergers {
  public:
    explicit Mergers(LedgerState& state) : m_state(state) {
        std::map<std::string, std::size_t> by_id;
        for (std::size_t i = 0; i < state.cases.size(); ++i) by_id[state.cases[i].id] = i;
        for (std::size_t i = 0; i < state.cases.size(); ++i)
            if (const auto it = by_id.find(state.cases[i].merged_into); it != by_id.end())
                m_next[i] = it->second;
    }
    // Of several words on one case that of the latest day holds.
    void want(std::size_t from, std::size_t into, const FieldRecord& by) {
        const auto known = m_wanted.find(from);
        if (known != m_wanted.end() && by.date < known->second->date) return;
        m_wanted[from] = &by;
        m_next[from] = into;
    }
    void operator()(LedgerDoubts& doubts) const {
        for (const auto& [from, by] : m_wanted) {
            auto& c = m_state.cases[from];
            if (const auto circle = circle_of(from); !circle.empty()) {
                const auto text = sentence(circle);
                c.conflict += (c.conflict.empty() ? "" : "; ") + text;
                if (from == *std::min_element(circle.begin(), circle.end()))
                    doubts.circles.push_back(text + ".");
                continue;
            }
            auto& whole = m_state.cases[m_next.at(from)];
            c.merged_into = whole.id;
            c.state = "absorbed";
            c.due.reset();
            if (std::find(whole.parents.begin(), whole.parents.end(), c.id) == whole.parents.end())
                whole.parents.push_back(c.id);
        }
    }

  private:
    // The cases on the way from this one back to it; none where the way ends elsewhere.
    [[nodiscard]] std::vector<std::size_t> circle_of(std::size_t start) const {
        std::vector<std::size_t> way = {start};
        for (auto at = m_next.find(start); at != m_next.end(); at = m_next.find(at->second)) {
            if (at->second == start) return way;
            if (way.size() > m_next.size()) break;
            way.push_back(at->second);
        }
        return {};
    }
    [[nodiscard]] std::string sentence(const std::vector<std::size_t>& circle) const {
        std::string text;
        for (const auto i : circle) {
            const auto by = m_wanted.find(i);
            text += fmt::format("{}{} is to be part of {} ({})", text.empty() ? "" : ", ",
                                m_state.cases[i].id, m_state.cases[m_next.at(i)].id,
                                by == m_wanted.end() ? "of a batch before" : by->second->source);
        }
        return text;
    }

    LedgerState& m_state;
    std::map<std::size_t, std::size_t> m_next;
    std::map<std::size_t, const FieldRecord*> m_wanted;
};

}  // namespace

Date days_after(Date day, double days) {
    return Date(day.days() + static_cast<std::int32_t>(days));
}

void hear(LedgerState& state, const BatchEvidence& now,
          const std::function<double(const std::string&)>& confidence_of, LedgerDoubts& doubts) {
    if (now.records.empty()) return;
    const SpotFinder find(state);
    std::map<std::size_t, Records> of_case;
    Mergers mergers(state);
    for (const auto& r : now.records) {
        const auto i = find(r.spot, r.inside);
        if (!i) {
            doubts.lost.push_back(fmt::format("{} ({})", r.spot, r.source));
            continue;
        }
        of_case[*i].push_back(&r);
        if (r.merge_point)
            if (const auto into = find(r.merge_into, *r.merge_point); into && *into != *i)
                mergers.want(*i, *into, r);
    }
    for (auto& [i, records] : of_case) {
        std::stable_sort(records.begin(), records.end(),
                         [](const auto* a, const auto* b) { return a->date < b->date; });
        auto& c = state.cases[i];
        decide(c, records, now, confidence_of(c.spot));
    }
    mergers(doubts);
}

SpotFinder::SpotFinder(std::vector<Spot> spots, const std::string& crs)
    : m_spots(std::move(spots)),
      m_index([&] {
          std::vector<Bounds> boxes;
          for (const auto& s : m_spots) boxes.push_back(s.shape != nullptr ? s.shape->bounds() : Bounds{});
          return io::BoxIndex(boxes);
      }()),
      m_move("EPSG:4490", crs) {
    for (std::size_t i = 0; i < m_spots.size(); ++i)
        if (m_spots[i].shape != nullptr) m_by_spot[*m_spots[i].id] = i;
}

SpotFinder::SpotFinder(const LedgerState& state)
    : SpotFinder(
          [&] {
              std::vector<Spot> spots;
              for (const auto& c : state.cases) spots.push_back(c.present ? Spot{&c.spot, &c.shape} : Spot{});
              return spots;
          }(),
          state.crs) {}

std::optional<std::size_t> SpotFinder::operator()(const std::string& spot, Point inside) const {
    constexpr double on_the_spot = 1;  // m; a point inside stays inside but for rounding
    const Point p = m_move(inside);
    const auto it = m_by_spot.find(spot);
    if (it != m_by_spot.end() && m_spots[it->second].shape->distance(p) <= on_the_spot) return it->second;
    for (const auto i : m_index.near({p.x, p.y, p.x, p.y}))
        if (m_spots[i].shape->distance(p) == 0) return i;
    return std::nullopt;
}

}  // namespace shuibao::pipeline
