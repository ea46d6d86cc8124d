// SPDX-License-Identifier: Apache-2.0
#include "cleared_ground.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "ledger.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

io::BoxIndex index_of(const std::vector<io::Geometry>& shapes) {
    std::vector<Bounds> boxes;
    for (const auto& s : shapes) boxes.push_back(s.bounds());
    return io::BoxIndex(boxes);
}

std::vector<io::Geometry> near(const std::vector<io::Geometry>& shapes, const io::BoxIndex& index,
                               const Bounds& bounds) {
    std::vector<io::Geometry> found;
    for (const auto i : index.near(bounds)) found.push_back(shapes[i]);
    return found;
}

bool holds_nothing(const LedgerCase& c) {
    return c.decided_verdict() == algorithms::Verdict::compliant && c.merged_into.empty() && !c.folded;
}

}  // namespace

ClearedGround::ClearedGround(std::vector<io::Geometry> before, std::vector<Said> said)
    : m_before(std::move(before)),
      m_said(std::move(said)),
      m_before_index(index_of(m_before)),
      m_cleared_index(std::vector<Bounds>{}),
      m_held_index(std::vector<Bounds>{}) {
    if (empty()) return;
    std::string text;
    for (const auto& shape : m_before) text += shape.wkt() + "\n";
    for (const auto& s : m_said)
        text += fmt::format("{} {} {} {}\n", s.spot, s.inside.x, s.inside.y, s.cleared);
    m_hash = engine::hash_bytes(text);
}

ClearedGround ClearedGround::before(RunContext& c, const std::string& crs) {
    const auto records = read_field_records(c.store);
    std::vector<FieldRecord> of_batch;
    bool earlier = false;
    for (const auto& r : records) {
        if (r.batch == c.batch) of_batch.push_back(r);
        earlier = earlier || r.batch < c.batch;
    }
    std::vector<io::Geometry> shapes;
    if (earlier) {
        bring_forward(c, c.batch);
        if (const auto state = ledger_before(c.store, c.batch, crs))
            for (const auto& k : state->cases)
                if (holds_nothing(k)) shapes.push_back(k.shape);
    }
    return {std::move(shapes), said_of(of_batch, crs)};
}

// By polygon what settles it; a 销号 settles it too.
std::vector<ClearedGround::Said> ClearedGround::said_of(const std::vector<FieldRecord>& records,
                                                        const std::string& crs) {
    std::map<std::string, std::vector<const FieldRecord*>> by_spot;
    for (const auto& r : records) by_spot[r.spot].push_back(&r);
    std::vector<Said> said;
    const io::Transformation move("EPSG:4490", crs);
    for (auto& [spot, list] : by_spot) {
        std::stable_sort(list.begin(), list.end(),
                         [](const auto* a, const auto* b) { return a->date < b->date; });
        const bool closed = std::any_of(list.begin(), list.end(), [](const auto* r) { return r->closed; });
        const auto finding = settle(list);
        const bool settled = finding.record != nullptr && finding.conflict.empty();
        if (!settled && !closed) continue;
        const bool harmless =
            settled && (finding.record->meaning == "compliant" || finding.record->meaning == "not_works");
        said.push_back({spot, move(list.back()->inside), closed || harmless});
    }
    return said;
}

void ClearedGround::meet(const std::vector<Spot>& spots) {
    if (m_said.empty()) return;
    constexpr double on_the_spot = 1;  // m; a point inside stays inside but for rounding
    std::vector<Bounds> boxes;
    std::map<std::string, std::size_t> by_id;
    for (std::size_t i = 0; i < spots.size(); ++i) {
        boxes.push_back(spots[i].shape.bounds());
        by_id[spots[i].id] = i;
    }
    const io::BoxIndex index(boxes);
    for (const auto& s : m_said) {
        std::optional<std::size_t> found;
        if (const auto it = by_id.find(s.spot);
            it != by_id.end() && spots[it->second].shape.distance(s.inside) <= on_the_spot)
            found = it->second;
        for (const auto i : index.near({s.inside.x, s.inside.y, s.inside.x, s.inside.y}))
            if (!found && spots[i].shape.distance(s.inside) == 0) found = i;
        if (found) (s.cleared ? m_cleared : m_held).push_back(spots[*found].shape);
    }
    m_cleared_index = index_of(m_cleared);
    m_held_index = index_of(m_held);
}

io::Geometry ClearedGround::without(const io::Geometry& shape) const {
    const auto bounds = shape.bounds();
    auto cleared = near(m_before, m_before_index, bounds);
    if (const auto held = near(m_held, m_held_index, bounds); !held.empty() && !cleared.empty())
        cleared = {io::union_of(cleared).difference(io::union_of(held))};
    const auto now = near(m_cleared, m_cleared_index, bounds);
    cleared.insert(cleared.end(), now.begin(), now.end());
    return cleared.empty() ? shape : shape.difference(io::union_of(cleared));
}

}  // namespace shuibao::pipeline
