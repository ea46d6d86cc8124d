// SPDX-License-Identifier: Apache-2.0
// What the report takes from outside the ranked layers: what became of the cases, and where counties end.
#include <algorithm>
#include <array>
#include <set>

#include "ledger.hpp"
#include "report_data.hpp"

namespace shuibao::pipeline {
namespace {

constexpr std::array codes = {"new", "grown", "shrunk", "same", "finished", "absorbed", "unseen"};
constexpr double screen = 3000;  // steps that the longer side of the area is told apart in

// Nothing: it was over before this batch.
std::string fate_of(const LedgerCase& now, const LedgerCase* before) {
    if (now.present) return now.change.empty() ? "same" : now.change;
    if (!now.merged_into.empty()) return before != nullptr && before->merged_into.empty() ? "absorbed" : "";
    const auto over = [](const LedgerCase& c) { return c.state == "closed" || c.construction == "finished"; };
    if (before == nullptr || over(*before)) return "";
    return now.construction == "finished" ? "finished" : over(now) ? "" : "unseen";
}

}  // namespace

std::vector<CaseChange> changes_between(const engine::Store& store, const std::string& before,
                                        const ExportInput& in) {
    const auto then = ledger_of(store, before, false), now = ledger_of(store, in.batch, false);
    if (!then || !now) return {};
    std::map<std::string, const LedgerCase*> known;
    for (const auto& c : then->cases) known[c.id] = &c;
    std::set<std::string> suspects;
    for (const auto* row : in.suspects.rows) suspects.insert(text_of(*row, "case_id"));
    std::map<std::string, CaseChange> found;
    for (const auto& c : now->cases) {
        const auto it = known.find(c.id);
        const auto* old = it == known.end() ? nullptr : it->second;
        const auto fate = fate_of(c, old);
        if (fate.empty()) continue;
        auto& t = found[fate];
        ++t.count;
        t.suspects += suspects.count(c.id);
        t.before += old == nullptr ? 0 : old->area;
        t.now += c.present ? c.area : 0;
    }
    std::vector<CaseChange> list;
    for (const char* code : codes)
        if (auto it = found.find(code); it != found.end()) {
            it->second.code = code;
            list.push_back(it->second);
        }
    return list;
}

std::vector<std::pair<std::string, HitRate>> hit_rows(const HitRates& rates, const char* group,
                                                      const PageWords& words) {
    std::vector<std::pair<std::string, HitRate>> rows;
    const auto it = rates.by.find(group);
    if (it == rates.by.end()) return rows;
    std::vector<std::string> tiers;
    if (std::string_view(group) == "tier")
        if (const auto known = words.verdicts.sections.find("tiers"); known != words.verdicts.sections.end())
            for (const auto& [code, names] : known->second)
                if (!names.empty()) tiers.push_back(names.front());
    const auto place = [&](const std::string& name) {
        return std::find(tiers.begin(), tiers.end(), name) - tiers.begin();
    };
    for (const auto& [name, h] : it->second) rows.emplace_back(name == "unknown" ? "" : name, h);
    std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
        const auto x = place(a.first), y = place(b.first);
        return x != y ? x < y : a.second.checked > b.second.checked;
    });
    return rows;
}

std::vector<NamedArea> borders_near(const ExportInput& in, const Bounds& bounds) {
    auto areas = areas_of_kind(in.run, "county", in.suspects.crs);
    std::vector<NamedArea> near;
    const double step = std::max(bounds.max_x - bounds.min_x, bounds.max_y - bounds.min_y) / screen;
    for (auto& a : areas) {
        const Bounds b = a.shape.bounds();
        if (b.max_x < bounds.min_x || b.min_x > bounds.max_x || b.max_y < bounds.min_y ||
            b.min_y > bounds.max_y)
            continue;
        near.push_back({a.name, step > 0 ? a.shape.simplified(step) : a.shape});
    }
    return near;
}

}  // namespace shuibao::pipeline
