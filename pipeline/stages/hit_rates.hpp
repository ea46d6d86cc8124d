// SPDX-License-Identifier: Apache-2.0
// How often the program was right, by what field teams found.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <shuibao/engine/store.hpp>

namespace shuibao::pipeline {

/// Polygons that people settled.
struct HitRate {
    std::size_t checked = 0;
    std::size_t confirmed = 0;  ///< as a violation, of whatever kind
    std::size_t lawful = 0;
    std::size_t not_works = 0;  ///< there was no works site

    /// Of what was sent out and checked, the share that was a violation (rules §8). REQUIRES checked > 0.
    [[nodiscard]] double rate() const {
        return static_cast<double>(confirmed) / static_cast<double>(checked);
    }
};

struct HitRates {
    std::size_t records = 0;  ///< visits, settled or not
    HitRate all;
    /// "county", "industry", "tier", "verdict" → their value as it went out ("unknown" where there was none)
    std::map<std::string, std::map<std::string, HitRate>> by;
    struct Conflict {
        std::string batch, spot, what;
    };
    std::vector<Conflict> conflicts;  ///< people of one day disagree: these count nowhere
};

/// Over all batches of the store: every polygon that people settled counts once, under the tier, verdict,
/// county and industry with which it was sent out. Throws Error(input) for damaged records.
[[nodiscard]] HitRates hit_rates(const engine::Store& store);
/// Hashes of the files that hit_rates() reads, for the manifest.
[[nodiscard]] std::map<std::string, std::string> hit_rate_hashes(const engine::Store& store);

}  // namespace shuibao::pipeline
