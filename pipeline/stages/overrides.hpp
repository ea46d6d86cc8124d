// SPDX-License-Identifier: Apache-2.0
// What people decided against the program, with their name and reason: a file that outlives every run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/algorithms/risk.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::pipeline {

struct Override {
    std::optional<algorithms::Tier> tier;
    std::optional<algorithms::Verdict> verdict;
    std::string by, reason;
    Date day;
    int line = 0;
};

/// Case id → decision, from a YAML list of {case, tier and/or verdict, by, date, reason}. Tiers and verdicts
/// are codes or the words of the dictionary. Throws Error(usage) with file:line for an entry that is not
/// complete, for two of one case, and for a verdict that only a field check can give.
[[nodiscard]] std::map<std::string, Override> read_overrides(const std::filesystem::path& file,
                                                             const engine::Dictionary& words);

/// The decision on the first of these ids that has one; null when none has. A case goes by its id for life,
/// then by that of its polygon in the batch.
[[nodiscard]] const Override* decision_on(const std::map<std::string, Override>& overrides,
                                          const std::vector<std::string>& ids);

}  // namespace shuibao::pipeline
