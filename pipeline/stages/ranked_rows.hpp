// SPDX-License-Identifier: Apache-2.0
// The rows of the layers `disturbances` and `suspects`: what each field of the contract holds, and from
// where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger.hpp"
#include <shuibao/algorithms/risk.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// A case with its place in the list.
struct Ranked {
    std::int64_t row = 0;                        ///< of the layer that screen wrote
    const io::VectorFeature* feature = nullptr;  ///< that row, while it is written
    std::string county;
    algorithms::RankKey key;
    algorithms::Risk risk;
    std::int64_t rank = 0;
    double confidence = 1;                                       ///< after what field teams taught, and found
    algorithms::Verdict verdict = algorithms::Verdict::pending;  ///< after what people decided
    std::string decided;                                         ///< by whom, when, why, what was before
    const LedgerCase* memory = nullptr;                          ///< the case that this polygon belongs to
};

/// The words that are written for codes.
struct RankWords {
    const engine::Dictionary& verdicts;
    const engine::Dictionary& disturbances;
    engine::Dictionary states;  ///< of configs/dictionaries/feedback.yaml
};

/// Fields of the contract, in its order; where each value comes from stands beside it.
struct OutputField {
    io::Field field;
    io::Value (*value)(const Ranked&, const std::string& reasons, const RankWords& words);
};
[[nodiscard]] std::vector<OutputField> output_fields();

/// The score table of a case as JSON: item, value, points, basis, source, rule.
[[nodiscard]] std::string reasons_of(const Ranked& r, const engine::RuleSet& rules);

}  // namespace shuibao::pipeline
