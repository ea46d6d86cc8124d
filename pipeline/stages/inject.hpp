// SPDX-License-Identifier: Apache-2.0
// The injection test: sites that never were, found or missed by the configured method in the store's own
// looks.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

void declare_injection(OptionTable& table);

/// Recall and delay by size class and land stratum, and every site; nothing is written. The same store,
/// settings and seed give the same result, whatever the number of threads. Throws Error(input) for stores
/// without reflectance or without results of the batch.
[[nodiscard]] nlohmann::ordered_json inject(RunContext& context);
[[nodiscard]] std::string injection_text(const nlohmann::ordered_json& result);

}  // namespace shuibao::pipeline
