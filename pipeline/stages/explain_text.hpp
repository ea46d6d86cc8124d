// SPDX-License-Identifier: Apache-2.0
// The reasoning of one case as people read it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace shuibao::pipeline {

/// `reasoning` is what `explain --json` prints.
[[nodiscard]] std::string explanation_text(const nlohmann::ordered_json& reasoning);

}  // namespace shuibao::pipeline
