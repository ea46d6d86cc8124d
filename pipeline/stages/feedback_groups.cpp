// SPDX-License-Identifier: Apache-2.0
#include "feedback_groups.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

using Spot = std::pair<std::string, std::string>;  // batch, number of the polygon in it

// The same ground drawn twice: no two hands draw a border alike.
constexpr double same_ground = 0.5;

bool same(const io::Geometry& a, const io::Geometry& b) {
    return a.intersects(b) && a.intersection(b).area() > same_ground * std::min(a.area(), b.area());
}

// Which rows are of one ground: the number of the first of them.
std::vector<std::size_t> grounds(const std::vector<TakenRow*>& rows) {
    std::vector<std::size_t> of(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        of[i] = i;
        for (std::size_t j = 0; j < i; ++j) {
            if (of[j] == of[i] || !same(rows[i]->row->shape, rows[j]->row->shape)) continue;
            const auto low = std::min(of[i], of[j]), high = std::max(of[i], of[j]);
            std::replace(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(i) + 1, high, low);
        }
    }
    return of;
}

void split(const std::vector<TakenRow*>& rows) {
    if (rows.size() < 2 ||
        std::any_of(rows.begin(), rows.end(), [](const auto* r) { return r->row->shape.empty(); }))
        return;
    const auto of = grounds(rows);
    if (std::set<std::size_t>(of.begin(), of.end()).size() < 2) return;
    std::vector<std::string> shapes;
    for (const auto* r : rows) shapes.push_back(r->row->shape.wkt());
    std::sort(shapes.begin(), shapes.end());
    const auto all = engine::hash_bytes(fmt::format("{}", fmt::join(shapes, "\n")));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& r = rows[i]->record;
        r.split = all;
        r.part = engine::hash_bytes(rows[of[i]]->row->shape.wkt());
        r.parts = {{rows[i]->row->shape.wkt(), r.verdict}};
    }
}

// Who is to be part of whom, in every batch.
class MergeMap {
  public:
    explicit MergeMap(const std::vector<LedgerState>& states) {
        for (const auto& s : states) {
            std::map<std::string, const LedgerCase*> by_id;
            for (const auto& k : s.cases)
                if (k.present) by_id[k.id] = &k;
            for (const auto& [id, k] : by_id) {
                m_case[{s.batch, k->spot}] = id;
                const auto into = by_id.find(k->merged_into);
                if (into != by_id.end()) m_next[{s.batch, k->spot}] = {s.batch, into->second->spot};
            }
        }
    }
    void want(const FieldRecord& r) {
        const Spot from{r.batch, r.spot};
        m_next[from] = {r.batch, r.merge_into};
        m_source[from] = r.source;
    }
    // The way from a polygon back to it; empty where it ends elsewhere.
    [[nodiscard]] std::vector<Spot> circle(const Spot& start) const {
        std::vector<Spot> way = {start};
        for (auto at = m_next.find(start); at != m_next.end(); at = m_next.find(at->second)) {
            if (at->second == start) return way;
            if (way.size() > m_next.size()) break;
            way.push_back(at->second);
        }
        return {};
    }
    [[nodiscard]] std::string sentence(const std::vector<Spot>& circle) const {
        std::string text;
        for (const auto& spot : circle) {
            const auto by = m_source.find(spot);
            text +=
                fmt::format("{}{} into {} ({})", text.empty() ? "" : ", ", name(spot), name(m_next.at(spot)),
                            by == m_source.end() ? std::string("known already") : by->second);
        }
        return text;
    }

  private:
    [[nodiscard]] const std::string& name(const Spot& spot) const {
        const auto it = m_case.find(spot);
        return it == m_case.end() ? spot.second : it->second;
    }
    std::map<Spot, Spot> m_next;
    std::map<Spot, std::string> m_case, m_source;
};

}  // namespace

void find_splits(std::vector<TakenRow>& rows) {
    std::map<Spot, std::vector<TakenRow*>> by_spot;
    for (auto& r : rows) by_spot[{r.record.batch, r.record.spot}].push_back(&r);
    for (const auto& [spot, list] : by_spot) split(list);
}

std::vector<engine::Problem> refuse_circles(std::vector<TakenRow>& rows,
                                            const std::vector<LedgerState>& states) {
    MergeMap map(states);
    for (const auto& r : rows)
        if (r.record.merge_point) map.want(r.record);
    std::vector<engine::Problem> refused;
    std::erase_if(rows, [&](const TakenRow& r) {
        if (!r.record.merge_point) return false;
        const auto circle = map.circle({r.record.batch, r.record.spot});
        if (circle.empty()) return false;
        refused.push_back({"feedback", r.record.source, "merge_circle",
                           fmt::format("Mergers go round in a circle: {}.", map.sentence(circle)),
                           "Correct HBZ: one of these cases has to stay."});
        return true;
    });
    return refused;
}

}  // namespace shuibao::pipeline
