// SPDX-License-Identifier: Apache-2.0
#include "case_risk.hpp"

#include <fmt/format.h>

namespace shuibao::pipeline {
namespace {

using algorithms::Tier;

// What memory adds to the facts of a score: growth, notices, what people found.
void remember(const LedgerCase& memory, algorithms::RiskFacts& r, const algorithms::Facts& measured,
              const engine::Dictionary& words) {
    r.grown = memory.change == "grown";
    r.after_notice = memory.after_notice;
    r.notice_between = memory.notice_between;
    if (memory.notice_on) r.notice = memory.notice_on->iso();
    r.crept = memory.crept;
    if (!memory.confirmed_type.empty())
        r.type = algorithms::ground_type_from_code(words.code_of("types", memory.confirmed_type))
                     .value_or(algorithms::GroundType::other);
    const auto verdict = memory.decided_verdict();
    if (!verdict) return;
    judge_as(r, *verdict, measured);
    r.settled = memory.state == "closed" || memory.confirmed_as == "not_works";
    if (memory.confirmed_as != "not_works") r.confidence = 1;  // people stood there
}

}  // namespace

CaseRisk risk_of(const ScreenedRow& row, const LedgerCase* memory, const Override* decision,
                 const RiskMeans& means) {
    const auto verdict_text = [&](algorithms::Verdict v) {
        return means.verdicts.text("verdicts", algorithms::verdict_code(v));
    };
    CaseRisk k;
    k.facts = row.risk;
    k.facts.confidence = means.calibration(k.facts.confidence);
    if (memory != nullptr) remember(*memory, k.facts, row.facts, means.disturbances);
    std::string before;
    if (decision != nullptr && decision->verdict && *decision->verdict != k.facts.verdict) {
        before = verdict_text(k.facts.verdict);
        judge_as(k.facts, *decision->verdict, row.facts);
        k.facts.settled = false;
    }
    k.verdict = k.facts.verdict;
    k.risk = algorithms::score(k.facts, means.rules);
    if (memory != nullptr && !memory->merged_into.empty()) {
        k.risk.tier = Tier::none;
        k.risk.tier_reason = "现场复核：并入 " + memory->merged_into;
    }
    if (decision != nullptr && decision->tier && *decision->tier != k.risk.tier) {
        before +=
            (before.empty() ? "" : "，") + means.verdicts.text("tiers", algorithms::tier_code(k.risk.tier));
        k.risk.tier = *decision->tier;
        k.risk.wait = false;
        k.risk.tier_reason = "人工认定";
    }
    if (decision != nullptr)
        k.decided = fmt::format("{}（{}）：{}{}", decision->by, decision->day.iso(), decision->reason,
                                before.empty() ? std::string() : "；原为 " + before);
    else if (memory != nullptr && memory->decided())
        k.decided = fmt::format("{}（{}）：现场复核 {}；原为 {}", memory->confirmed_by,
                                memory->confirmed_on ? memory->confirmed_on->iso() : std::string(),
                                memory->confirmed, verdict_text(row.risk.verdict));
    return k;
}

}  // namespace shuibao::pipeline
