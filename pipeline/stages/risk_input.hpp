// SPDX-License-Identifier: Apache-2.0
// What `rank` scores and `explain` explains: a row that screen wrote, read back.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <shuibao/algorithms/risk.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// Null when the row has no such field.
[[nodiscard]] const io::Value& row_value(const io::VectorFeature& row, std::string_view name);
[[nodiscard]] std::string row_text(const io::VectorFeature& row, std::string_view name);
[[nodiscard]] double row_number(const io::VectorFeature& row, std::string_view name);  ///< 0 for null

struct ScreenedRow {
    algorithms::Facts facts;
    algorithms::RiskFacts risk;
};

/// The words that give a row its meaning.
struct RiskWords {
    engine::Dictionary zones;         ///< zones.dictionary
    engine::Dictionary approvals;     ///< configs/dictionaries/approvals.yaml: grades of credit
    engine::Dictionary disturbances;  ///< configs/dictionaries/disturbances.yaml: what growth is called
    engine::Dictionary erosion;       ///< configs/dictionaries/erosion.yaml: classes and methods
    /// Reads them. Throws Error(usage).
    explicit RiskWords(const RunContext& context);
    /// Hashes of the four, for the manifest.
    [[nodiscard]] static std::map<std::string, std::string> hashes(const RunContext& context);
};

/// Gives the facts of a score a verdict, and the area that offends by it.
void judge_as(algorithms::RiskFacts& risk, algorithms::Verdict verdict, const algorithms::Facts& measured);

/// Throws Error(input) for a row that this version of `screen` did not write.
[[nodiscard]] ScreenedRow read_screened(const io::VectorFeature& row, const RiskWords& words,
                                        const algorithms::Rules& rules);

}  // namespace shuibao::pipeline
