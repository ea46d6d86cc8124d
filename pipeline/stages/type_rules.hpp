// SPDX-License-Identifier: Apache-2.0
// `configs/objects/types.yaml`: what a disturbance is taken for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <shuibao/algorithms/object_type.hpp>

namespace shuibao::pipeline {

/// Names of all that a rule may ask; the unit stands at the end of a name.
[[nodiscard]] std::vector<std::string> type_input_names();

/// Throws Error(usage) naming file and line: for what is no rule, a type without a word, an input that nobody
/// measures.
[[nodiscard]] algorithms::TypeRules load_type_rules(const std::filesystem::path& file);

}  // namespace shuibao::pipeline
