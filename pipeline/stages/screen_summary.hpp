// SPDX-License-Identifier: Apache-2.0
// screened.json: what a report and `explain` say beside the verdicts of a batch.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "overlay.hpp"
#include "rules.hpp"
#include <shuibao/engine/problems.hpp>

namespace shuibao::pipeline {

/// What the verdicts rest on: what each layer is, its file and the hash of its content. `hash` is that of
/// `disturbances`; of the others context.inputs knows it.
[[nodiscard]] nlohmann::ordered_json layers_used(const RunContext& context, const std::string& disturbances,
                                                 const std::string& hash);

/// Ranges in a batch: `looks` stand beside approvals.projects.
struct RangeSummary {
    const Approvals& approvals;
    const std::vector<RangeLook>& looks;
    const algorithms::Rules& rules;
    bool known;
};

/// What a report needs to say beside every count.
void write_screen_summary(const std::filesystem::path& path, const std::vector<Case>& cases,
                          const RuleBook& book, const RangeSummary& ranges,
                          const std::vector<engine::Problem>& missing, const nlohmann::ordered_json& layers);

/// What rasters did not cover: from the file, so that it is told on every run, whether the verdicts were up
/// to date or not.
void tell_missing(RunContext& context, const std::filesystem::path& summary);

}  // namespace shuibao::pipeline
