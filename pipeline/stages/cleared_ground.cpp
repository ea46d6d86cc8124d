// SPDX-License-Identifier: Apache-2.0
#include "cleared_ground.hpp"

#include <algorithm>
#include <map>
#include <utility>

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

ClearedGround::ClearedGround(std::vector<io::Geometry> before, std::vector<Said> said, std::string crs)
    : m_before(std::move(before)),
      m_said(std::move(said)),
      m_before_index(index_of(m_before)),
      m_cleared_index(std::vector<Bounds>{}),
      m_held_index(std::vector<Bounds>{}),
      m_crs(std::move(crs)) {
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
    return {std::move(shapes), said_of(of_batch), crs};
}

// By polygon what settles it; a 销号 settles it too.
std::vector<ClearedGround::Said> ClearedGround::said_of(const std::vector<FieldRecord>& records) {
    std::map<std::string, std::vector<const FieldRecord*>> by_spot;
    for (const auto& r : records) by_spot[r.spot].push_back(&r);
    std::vector<Said> said;
    for (auto& [spot, list] : by_spot) {
        std::stable_sort(list.begin(), list.end(),
                         [](const auto* a, const auto* b) { return a->date < b->date; });
        const bool closed = std::any_of(list.begin(), list.end(), [](const auto* r) { return r->closed; });
        const auto finding = settle(list);
        const bool settled = finding.record != nullptr && finding.conflict.empty();
        if (!settled && !closed) continue;
        said.push_back({spot, list.back()->inside, closed || (settled && harmless(finding.record->meaning))});
    }
    return said;
}

void ClearedGround::meet(const std::vector<Spot>& spots) {
    if (m_said.empty()) return;
    std::vector<SpotFinder::Spot> list;
    for (const auto& s : spots) list.push_back({&s.id, &s.shape});
    const SpotFinder find(std::move(list), m_crs);
    for (const auto& s : m_said)
        if (const auto found = find(s.spot, s.inside))
            (s.cleared ? m_cleared : m_held).push_back(spots[*found].shape);
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
