// SPDX-License-Identifier: Apache-2.0
#include "case_past.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "field_records.hpp"
#include "ledger.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

// Of each case by id, in the order of their days.
std::map<std::string, std::vector<CaseCheck>> visits_until(const engine::Store& store,
                                                           const std::string& batch) {
    std::map<std::string, std::vector<const FieldRecord*>> by_batch;
    const auto records = read_field_records(store);
    for (const auto& r : records)
        if (r.batch <= batch && !r.verdict.empty()) by_batch[r.batch].push_back(&r);
    std::map<std::string, std::vector<CaseCheck>> visits;
    for (const auto& [when, list] : by_batch) {
        const auto state = ledger_of(store, when, true);
        if (!state) continue;
        const SpotFinder find(*state);
        for (const auto* r : list)
            if (const auto i = find(r->spot, r->inside))
                visits[state->cases[*i].id].push_back({r->date, r->by, r->verdict, state->cases[*i].area});
    }
    return visits;
}

}  // namespace

std::map<std::string, CasePast> case_pasts(const engine::Store& store, const std::string& batch) {
    std::map<std::string, CasePast> pasts;
    const auto state = ledger_of(store, batch, false);
    if (!state) return pasts;
    const auto visits = visits_until(store, batch);
    for (const auto& c : state->cases) {
        auto& past = pasts[c.id];
        past.measured = c.verdict;
        past.disputed = !c.conflict.empty();
        auto& all = past.checks;
        const auto take = [&](const std::string& id) {
            if (const auto it = visits.find(id); it != visits.end())
                all.insert(all.end(), it->second.begin(), it->second.end());
        };
        take(c.id);
        past.relisted = !all.empty() && !c.decided() && !past.disputed;
        for (const auto& parent : c.parents)
            if (parent != c.id) take(parent);
        std::stable_sort(all.begin(), all.end(), [](const CaseCheck& a, const CaseCheck& b) {
            return std::tie(a.day, a.by) < std::tie(b.day, b.by);
        });
    }
    return pasts;
}

std::map<std::string, std::string> case_past_hashes(const engine::Store& store, const std::string& batch) {
    std::map<std::string, std::string> list = {{"ledger", ledger_hash(store, batch)}};
    std::error_code error;
    if (std::filesystem::exists(store.field_records_file(), error))
        list["field results"] = engine::hash_file(store.field_records_file().string());
    return list;
}

}  // namespace shuibao::pipeline
