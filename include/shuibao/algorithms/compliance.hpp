// SPDX-License-Identifier: Apache-2.0
// Compliance of one disturbance (rules §3) from measured facts: the first verdict that applies, all flags,
// and the reasoning step by step.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/core/rule_spec.hpp>

namespace shuibao::algorithms {

/// The verdicts of rules §3, by the codes of the contract: inside its range (合规), in no range
/// (疑似未批先建), beyond its range (疑似超出防治责任范围), works that moved (疑似建设地点变更), spoil
/// outside approved yards (疑似未批先弃), opened before the approval (疑似先建后批), not to be decided from
/// what is known (待核).
enum class Verdict { compliant, unapproved, exceeds, relocated, unapproved_spoil, before_approval, pending };
[[nodiscard]] std::string_view verdict_code(Verdict verdict);
[[nodiscard]] std::optional<Verdict> verdict_from_code(std::string_view code);

/// What the ground was opened for, where somebody said so (扰动图斑类型).
enum class GroundType { other, spoil, borrow, non_production };
[[nodiscard]] std::string_view ground_type_code(GroundType type);
[[nodiscard]] std::optional<GroundType> ground_type_from_code(std::string_view code);

/// The rule set in force: a number for each of rule_items(), and the legal source it rests on.
struct Rules {
    std::function<double(std::string_view)> number;
    std::function<std::string(std::string_view)> basis;
    double operator()(std::string_view item) const { return number(item); }
};
/// Items that judge(), score() and the estimates of erosion read: what a rule set file must hold.
[[nodiscard]] std::vector<RuleSpec> rule_items();

/// What is normal in an industry (rules §4): how the facts of its projects are to be read.
struct Profile {
    bool linear = false;       ///< corridor: judged along its length
    bool dots = false;         ///< rows of small sites (towers), judged together
    bool pit = false;          ///< grows legally inside its boundary; the outer boundary is watched
    bool revegetates = false;  ///< a strip that must be green again within two growing seasons
    bool drawdown = false;     ///< a reservoir whose water falls and rises
};

/// An approved project under construction whose range is empty, near a disturbance that lies in no range.
struct Relocation {
    std::string project, name;
    double distance = 0;    ///< m, from the disturbance to the empty range
    double area_ratio = 0;  ///< area of the disturbance / area of the range
    bool same_owner = false;
    bool operator==(const Relocation&) const = default;
};

/// What the overlay measured of a disturbance D, areas in m² on the ellipsoid.
struct Facts {
    double area = 0;
    bool valid = true;
    bool vanished = false;   ///< the layer says that it was gone at the next epoch
    bool drawn = false;      ///< people drew it: no detector's confidence stands behind it
    int full_pixels = -1;    ///< -1: no ground sample is known
    double core_share = -1;  ///< share left under a half-pixel inward buffer; -1: no ground sample is known
    bool water_became_bare = false;
    GroundType type = GroundType::other;
    double tolerance = 0;                    ///< δ, m
    double outside = 0;                      ///< EAREA = area(D \ R), R the union of all exact ranges
    double outside_tolerant = 0;             ///< EAREA_T, see rules §3
    double depth = 0;                        ///< m, how far the outside part reaches; 0 when no range is near
    double overlap_ratio = 0;                ///< share of D inside R
    double yard_share = 0;                   ///< share of D inside approved yards of its type (spoil, borrow)
    bool yard_schematic = false;             ///< it touches a yard that is drawn schematically only
    bool parts_known = true;                 ///< false: the linked project's range does not name its parts
    bool linked = false;                     ///< an exact range of a project overlaps D
    std::optional<Date> approved;            ///< approval date of the linked project
    std::optional<Date> accepted;            ///< its acceptance
    bool schematic_near = false;  ///< a schematic range lies within schematic_distance_m, and no exact one
                                  ///< nearer than it
    bool ranges_known = true;                ///< false: no layer of ranges was given
    double project_outside = 0;  ///< Σ EAREA_T of the linked project: every place once, no disturbance
                                 ///< that is gated(), no ground that people cleared
    double cleared = 0;  ///< of EAREA_T, m²: on ground that people hold nothing against; not in that sum
    double project_area = 0;                 ///< DAREA of the linked project, m²; 0 = unknown
    Profile profile;                         ///< of the linked (or relocated) project
    std::vector<std::string> new_key_areas;  ///< key areas that the outside part enters and R_p does not
    std::optional<double> displaced_share;   ///< linear works: share of the hill section that was displaced
    std::optional<Relocation> relocation;
    std::string relocation_tried;  ///< Chinese: why no project near by can have moved here; empty: not asked
    std::optional<bool> in_scope;  ///< inside the areas where a plan is needed; absent: no such layer
    std::optional<Date> onset_from, onset_to;
    std::optional<Date> seen;  ///< end of the batch: how long it has been open
};

/// One finding: a code that never changes, and a sentence's worth of numbers for people.
struct Flag {
    std::string code;
    std::string text;  ///< Chinese, as users see it
    bool operator==(const Flag&) const = default;
};

/// One rule that was tried: what was asked, of which value, against which number of the rule set.
struct Step {
    std::string step;      ///< number in rules §3
    std::string question;  ///< Chinese
    std::string value;     ///< what was measured
    std::string item;      ///< rule item compared with; empty: none
    bool holds = false;
};

struct Judgement {
    Verdict verdict = Verdict::pending;
    std::optional<Verdict> second;  ///< second choice, where there is one
    std::vector<Flag> flags;        ///< in the order of the rules
    std::string why;                ///< the rule that decided, Chinese
    std::vector<Step> trace;        ///< every rule tried, in order
};

/// δ = √(σ_img² + σ_R²), at least min_tolerance_m; σ_img is the ground sample (m), or digitised_sample_m for
/// polygons that people drew on something they did not state.
[[nodiscard]] double tolerance(std::optional<double> ground_sample, const Rules& rules);

/// Whether step 1 stops D: too small or thin to be sure of, gone again, no works. It is accused of nothing,
/// and nothing of it counts against its neighbours.
[[nodiscard]] bool gated(const Facts& facts, const Rules& rules);

/// Rules §3, steps 1–6.
[[nodiscard]] Judgement judge(const Facts& facts, const Rules& rules);

/// Length of a corridor of this area and perimeter: the longer side of the rectangle that has both. Exact for
/// strips, straight or bent, whose width does not change; m.
[[nodiscard]] double strip_length(double area, double perimeter);

/// A disturbance and an empty range that may belong together.
struct RelocationPair {
    std::size_t disturbance = 0, project = 0;
    Relocation what;
};
/// Each disturbance gets one range and each range one disturbance at most: same owner first, then the smaller
/// distance, then the likelier area, then the numbers. What is left over is dropped. O(n log n).
[[nodiscard]] std::vector<RelocationPair> match_one_to_one(std::vector<RelocationPair> pairs);

}  // namespace shuibao::algorithms
