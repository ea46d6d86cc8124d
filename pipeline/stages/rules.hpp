// SPDX-License-Identifier: Apache-2.0
// Which rule set and which words a run uses.
#pragma once

#include <shuibao/engine/rule_set.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

void declare_rules(OptionTable& table);
/// `rules.file`, else the shipped set with the latest valid_from that is not after the batch.
[[nodiscard]] engine::RuleSet load_rules(const RunContext& context);
/// `rules.dictionary`, else configs/dictionaries/verdicts.yaml.
[[nodiscard]] engine::Dictionary load_words(const RunContext& context);
/// Hashes of the files above, for the manifest and run.json.
[[nodiscard]] std::map<std::string, std::string> rule_hashes(const RunContext& context);
/// Content of a vector source as one hash: all files of a shapefile, else the file.
[[nodiscard]] std::string hash_vector(const std::string& path);

}  // namespace shuibao::pipeline
