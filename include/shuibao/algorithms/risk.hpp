// SPDX-License-Identifier: Apache-2.0
// Severity, tier and rank (rules §6). Confidence never enters severity.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {

enum class Tier { none = 0, low = 1, medium = 2, high = 3 };
[[nodiscard]] std::string_view tier_code(Tier tier);

/// What severity is summed from. Data that nobody has (zones, slope, erosion, lineage) gives no points.
struct RiskFacts {
    Verdict verdict = Verdict::pending;
    double offending_area = 0;  ///< m²: all of D when unapproved, EAREA_T when exceeding, else 0
    double area = 0;            ///< m²
    double exceed_share = 0;    ///< Σ EAREA_T / DAREA of the project
    std::string credit;         ///< owner's credit grade A–D, empty = unknown
    double confidence = 1;      ///< 0–1
};

/// One line of the score table.
struct ScoreItem {
    std::string item;   ///< Chinese name
    std::string value;  ///< what was measured
    double points = 0;
    std::string rule;    ///< name of the rule item that gave the points; basis and source follow from it
    std::string source;  ///< where the measured value comes from
};

struct Risk {
    double severity = 0;  ///< 0–100
    Tier tier = Tier::none;
    std::vector<ScoreItem> items;
    bool wait = false;  ///< confidence below wait_confidence: 等待下一期影像
};

[[nodiscard]] Risk score(const RiskFacts& facts, const Rules& rules);

/// Area that offends: D itself where unapproved, the part outside where exceeding, 0 otherwise.
[[nodiscard]] double offending_area(Verdict verdict, double area, double outside_tolerant);

/// What decides the order of a list: tier, severity, offending area, all descending, then case id.
struct RankKey {
    Tier tier = Tier::none;
    double severity = 0, offending_area = 0;
    std::string case_id;
};
[[nodiscard]] bool ranks_before(const RankKey& a, const RankKey& b);

}  // namespace shuibao::algorithms
