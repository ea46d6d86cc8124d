// SPDX-License-Identifier: Apache-2.0
// Severity, tier and rank (rules §6). Confidence never enters severity.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {

/// How soon somebody should look (高, 中, 低, 无); `none` is no suspect.
enum class Tier { none = 0, low = 1, medium = 2, high = 3 };
[[nodiscard]] std::string_view tier_code(Tier tier);
[[nodiscard]] std::optional<Tier> tier_from_code(std::string_view code);

/// A zone that the disturbance lies in, as far as the score needs it.
struct ZoneFact {
    std::string kind, name;
    std::string rule;  ///< rule item of its points; empty: none
};

/// What severity is summed from. Data that nobody has (zones, slope, lineage) gives no points.
struct RiskFacts {
    Verdict verdict = Verdict::pending;
    GroundType type = GroundType::other;
    double offending_area = 0;       ///< m²: all of D when unapproved, EAREA_T when exceeding, else 0
    double area = 0;                 ///< m²
    double exceed_share = 0;         ///< Σ EAREA_T / DAREA of the project
    std::vector<ZoneFact> zones;     ///< in the order of the score table
    bool in_hazard = false;          ///< in an announced collapse or debris-flow area
    bool in_river = false;           ///< in a river-management range
    bool steep_by_dem = false;       ///< no announced steep layer; a DEM stands for it
    std::vector<std::string> below;  ///< settlements, roads, rivers within spoil_distance_m
    bool settlement_below = false;   ///< a settlement is among them
    std::optional<double> slope;     ///< degrees
    std::string erosion_rule;        ///< rule item of the intensity's points; empty: none, or not known
    std::string erosion_value, erosion_source;  ///< what the score table says of it
    bool pit_inside = false;                    ///< growth is normal: open pit inside its range
    bool grown = false;                         ///< grown since the last batch
    bool after_notice = false;                  ///< what grew was opened after a rectification notice
    bool notice_between = false;  ///< it grew, and a notice lies between the looks: nobody knows which first
    std::string notice;           ///< day of that notice, YYYY-MM-DD
    std::int64_t crept = 0;       ///< successive batches in which its part outside grew within tolerance
    bool settled = false;         ///< people found nothing wrong or had it put right; not grown since
    std::string credit;           ///< owner's credit grade A–D or "listed", empty = unknown
    std::string credit_source;    ///< which project says so, where it is not that of the range
    std::vector<std::string>
        clues;              ///< public reports and video clues within clue_distance_m: number and day
    double confidence = 1;  ///< 0–1
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
    std::vector<std::string> hard_rules;  ///< Chinese; those that put it into the high tier by themselves
    std::string tier_reason;              ///< Chinese: why this tier
    std::vector<Step> trace;              ///< hard rules and limits of the tiers that were tried, in order
    bool wait = false;                    ///< confidence below wait_confidence: 等待下一期影像
};

/// Severity as the sum of the points of all items of rules §6 that hold, whatever the verdict, cut to 0–100;
/// the tier by its limits, by hard rules and by the confidence, below which a suspect waits. A compliant case
/// stays in the tier none for all its points, unless a hard rule or creeping growth raises it, and a settled
/// one always does. Points come from `rules`, whose items rule_items() names. O(zones).
[[nodiscard]] Risk score(const RiskFacts& facts, const Rules& rules);

/// Area that offends: D itself where unapproved, the part outside where exceeding, 0 otherwise.
[[nodiscard]] double offending_area(Verdict verdict, double area, double outside_tolerant);

/// What decides the order of a list: tier, severity, offending area, all descending, then case id.
struct RankKey {
    Tier tier = Tier::none;
    double severity = 0, offending_area = 0;
    std::string case_id;
};
/// A strict total order as long as case ids differ: sorting by it gives one list.
[[nodiscard]] bool ranks_before(const RankKey& a, const RankKey& b);

}  // namespace shuibao::algorithms
