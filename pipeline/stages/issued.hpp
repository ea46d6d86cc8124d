// SPDX-License-Identifier: Apache-2.0
// What went out after a batch: for hit rates, the ledger's history, and what other weights would change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "overrides.hpp"
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// A case as `rank` last sent it out.
struct IssuedCase {
    /// Tier in the words of that day.
    std::string spot, tier, tier_reason, verdict, county, industry;
    double severity = 0, confidence = 0, area = 0;
    std::int64_t rank = 0;
    std::vector<std::pair<std::string, double>> points;  ///< rule item → points, in the order of the table
    std::optional<Override> decision;                    ///< what people decided against the program
};
struct Issued {
    std::string rule_set;                     ///< that gave the points, "name version"
    std::string weights;                      ///< hash of all that gives points and tiers
    std::map<std::string, IssuedCase> cases;  ///< by case id
};

[[nodiscard]] std::filesystem::path issued_file(const engine::Store& store, const std::string& batch);
/// The state that went out before the weights changed, over the same polygons; not there if they never did.
[[nodiscard]] std::filesystem::path issued_before_file(const engine::Store& store, const std::string& batch);
/// Empty where `rank` has not run, or the file is damaged: it is made again by the next `rank`.
[[nodiscard]] Issued read_issued(const std::filesystem::path& file);

/// Notes what stands in `ranked` (disturbances.gpkg), the tier of the day and not what later weights would
/// give, and the decisions of people that are in it. Where other weights than before gave it to the same
/// polygons, the state before is kept beside it.
void record_issued(RunContext& context, const std::filesystem::path& ranked,
                   const std::map<std::string, Override>& overrides);

}  // namespace shuibao::pipeline
