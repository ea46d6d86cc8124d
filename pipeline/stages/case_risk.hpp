// SPDX-License-Identifier: Apache-2.0
// The risk of one case: what the images say, what the ledger remembers, what people decided. `rank` issues it
// and `explain` explains it, so both ask here.
#pragma once

#include <string>
#include <vector>

#include "ledger.hpp"
#include "overrides.hpp"
#include "risk_input.hpp"
#include <shuibao/algorithms/calibration.hpp>
#include <shuibao/algorithms/risk.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::pipeline {

struct CaseRisk {
    algorithms::RiskFacts facts;  ///< after all that people said
    algorithms::Risk risk;
    algorithms::Verdict verdict = algorithms::Verdict::pending;  ///< after what people decided
    std::string decided;  ///< by whom, when, why, what was before; empty: nobody decided
};

/// What the risk of cases is worked out with.
struct RiskMeans {
    const algorithms::Rules& rules;
    const engine::Dictionary& verdicts;      ///< words for verdicts and tiers
    const engine::Dictionary& disturbances;  ///< words for types of ground
    const algorithms::Calibration& calibration;
};

/// `memory`: null before the ledger knows the case; `decision`: null where nobody overrode the program.
[[nodiscard]] CaseRisk risk_of(const ScreenedRow& row, const LedgerCase* memory, const Override* decision,
                               const RiskMeans& means);

}  // namespace shuibao::pipeline
