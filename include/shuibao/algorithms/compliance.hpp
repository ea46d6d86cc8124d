// SPDX-License-Identifier: Apache-2.0
// Compliance of one disturbance (rules §3) from measured facts: the first verdict that applies, all flags.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/date.hpp>

namespace shuibao::algorithms {

enum class Verdict { compliant, unapproved, exceeds, relocated, unapproved_spoil, before_approval, pending };
[[nodiscard]] std::string_view verdict_code(Verdict verdict);
[[nodiscard]] std::optional<Verdict> verdict_from_code(std::string_view code);

/// Looks up a number of the rule set; the names asked for are rule_items().
using Rules = std::function<double(std::string_view)>;
/// Items that judge() and score() read: what a rule set file must hold.
[[nodiscard]] std::vector<std::string> rule_items();

/// What the overlay measured of a disturbance D, areas in m² on the ellipsoid.
struct Facts {
    double area = 0;
    bool valid = true;
    int full_pixels = -1;          ///< -1: not from pixels (digitised)
    double core_share = -1;        ///< share left under a half-pixel inward buffer; -1: not from pixels
    double outside = 0;            ///< EAREA = area(D \ R), R the union of all exact ranges
    double outside_tolerant = 0;   ///< EAREA_T, see rules §3
    double overlap_ratio = 0;      ///< share of D inside R
    bool linked = false;           ///< an exact range of a project overlaps D
    std::optional<Date> approved;  ///< approval date of the linked project
    bool schematic_near = false;   ///< a schematic range lies within schematic_distance_m
    bool ranges_known = true;      ///< false: no layer of ranges was given
    double project_outside = 0;    ///< Σ EAREA_T over all disturbances of the linked project
    double project_area = 0;       ///< DAREA of the linked project, m²; 0 = unknown
    std::optional<Date> onset_from, onset_to;
};

/// One finding: a code that never changes, and a sentence's worth of numbers for people.
struct Flag {
    std::string code;
    std::string text;  ///< Chinese, as users see it
    bool operator==(const Flag&) const = default;
};

struct Judgement {
    Verdict verdict = Verdict::pending;
    std::vector<Flag> flags;  ///< in the order of the rules
    std::string why;          ///< the rule that decided, Chinese
};

/// δ = √(σ_img² + σ_R²), at least min_tolerance_m; σ_img is the ground sample (m), or digitised_sample_m for
/// polygons that people drew on something they did not state.
[[nodiscard]] double tolerance(std::optional<double> ground_sample, const Rules& rules);

/// Rules §3, steps 1–6.
[[nodiscard]] Judgement judge(const Facts& facts, const Rules& rules);

}  // namespace shuibao::algorithms
