// SPDX-License-Identifier: Apache-2.0
#include "hit_rates.hpp"

#include <filesystem>
#include <utility>

#include "field_records.hpp"
#include "issued.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

// What went out, found by the number of the polygon in its batch.
class IssuedSpots {
  public:
    explicit IssuedSpots(const engine::Store& store) : m_store(store) {}
    IssuedCase operator()(const std::string& batch, const std::string& spot) {
        if (!m_batches.contains(batch)) {
            auto& by_spot = m_batches[batch];
            for (auto& [id, row] : read_issued(issued_file(m_store, batch)).cases)
                by_spot[row.spot.empty() ? id : row.spot] = row;
        }
        const auto it = m_batches[batch].find(spot);
        return it == m_batches[batch].end() ? IssuedCase() : it->second;
    }

  private:
    const engine::Store& m_store;
    std::map<std::string, std::map<std::string, IssuedCase>> m_batches;
};

void add(HitRate& h, const std::string& meaning) {
    ++h.checked;
    ++(meaning == "compliant" ? h.lawful : meaning == "not_works" ? h.not_works : h.confirmed);
}

}  // namespace

std::map<std::string, std::string> hit_rate_hashes(const engine::Store& store) {
    std::map<std::string, std::string> list;
    std::error_code error;
    const auto add_file = [&](const std::string& name, const std::filesystem::path& file) {
        if (std::filesystem::exists(file, error)) list[name] = engine::hash_file(file.string());
    };
    add_file("field results", store.field_records_file());
    for (const auto& r : read_field_records(store))
        if (const auto name = "issued " + r.batch; !list.contains(name))
            add_file(name, issued_file(store, r.batch));
    return list;
}

HitRates hit_rates(const engine::Store& store) {
    HitRates rates;
    const auto records = read_field_records(store);
    rates.records = records.size();
    std::map<std::pair<std::string, std::string>, std::vector<const FieldRecord*>> by_spot;
    for (const auto& r : records) by_spot[{r.batch, r.spot}].push_back(&r);
    IssuedSpots issued(store);
    for (const auto& [at, visits] : by_spot) {
        const auto finding = settle(visits);
        if (!finding.conflict.empty()) {
            rates.conflicts.push_back({at.first, at.second, finding.conflict});
            continue;
        }
        if (finding.record == nullptr) continue;
        const auto sent = issued(at.first, at.second);
        add(rates.all, finding.record->meaning);
        const std::pair<const char*, const std::string&> of[] = {{"county", sent.county},
                                                                 {"industry", sent.industry},
                                                                 {"tier", sent.tier},
                                                                 {"verdict", sent.verdict}};
        for (const auto& [group, name] : of)
            add(rates.by[group][name.empty() ? "unknown" : name], finding.record->meaning);
    }
    return rates;
}

}  // namespace shuibao::pipeline
