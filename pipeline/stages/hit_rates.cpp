// SPDX-License-Identifier: Apache-2.0
#include "hit_rates.hpp"

#include <nlohmann/json.hpp>

#include "field_records.hpp"
#include "ledger.hpp"

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

// What went out, found by the number of the polygon in its batch.
class Issued {
  public:
    explicit Issued(const engine::Store& store) : m_store(store) {}
    ordered_json operator()(const std::string& batch, const std::string& spot) {
        if (!m_batches.contains(batch)) {
            auto& by_spot = m_batches[batch] = ordered_json::object();
            const auto cases = issued_cases(m_store, batch);
            for (const auto& [id, row] : cases.items()) by_spot[row.value("spot", id)] = row;
        }
        return m_batches[batch].value(spot, ordered_json::object());
    }

  private:
    const engine::Store& m_store;
    std::map<std::string, ordered_json> m_batches;
};

void add(HitRate& h, const std::string& meaning) {
    ++h.checked;
    ++(meaning == "compliant" ? h.lawful : meaning == "not_works" ? h.not_works : h.confirmed);
}

}  // namespace

HitRates hit_rates(const engine::Store& store) {
    HitRates rates;
    const auto records = read_field_records(store);
    rates.records = records.size();
    std::map<std::pair<std::string, std::string>, std::vector<const FieldRecord*>> by_spot;
    for (const auto& r : records) by_spot[{r.batch, r.spot}].push_back(&r);
    Issued issued(store);
    for (const auto& [at, visits] : by_spot) {
        const auto finding = settle(visits);
        if (!finding.conflict.empty()) {
            rates.conflicts.push_back({at.first, at.second, finding.conflict});
            continue;
        }
        if (finding.record == nullptr) continue;
        const auto sent = issued(at.first, at.second);
        add(rates.all, finding.record->meaning);
        for (const char* group : {"county", "industry", "tier", "verdict"}) {
            const auto value = sent.value(group, std::string());
            add(rates.by[group][value.empty() ? "unknown" : value], finding.record->meaning);
        }
    }
    return rates;
}

}  // namespace shuibao::pipeline
