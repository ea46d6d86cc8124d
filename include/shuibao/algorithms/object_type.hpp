// SPDX-License-Identifier: Apache-2.0
// What a disturbance looks like from above, and what it is taken for: rules that can be read, tried in order,
// with what each was answered (`algorithms.md` §2.7). A type is a clue for people; it is no 扰动图斑类型.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/segmentation.hpp>

namespace shuibao::algorithms {

/// Form of an object, in pixels. Holes count as not of it.
struct ObjectShape {
    double length =
        0;  ///< longest way inside it from end to end: of a strip its middle line, bent or straight
    double width = 0;       ///< area over length: of a strip its mean width
    double widest = 0;      ///< twice the greatest distance from its edge
    double elongation = 0;  ///< length over width
    double fill = 0;        ///< share that it takes of the smallest rectangle around it: 1 = a rectangle
    double convexity = 0;   ///< share that it takes of its convex hull: 1 = no bays
};

/// Ways are taken in steps of 5 and 7 (Borgefors 1986; 1 % too short to 8 % too long), the rectangle has an edge on one of
/// the hull (Freeman and Shapira 1975). O(n log n) in the pixels. REQUIRES pixels.
[[nodiscard]] ObjectShape shape_of(const Segment& segment);

/// What rules may ask, by name; what is not known is not in it, and no condition on it holds.
using TypeInputs = std::map<std::string, double, std::less<>>;

/// One rule: all conditions must hold.
struct TypeRule {
    struct Condition {
        std::string input;
        std::optional<double> least, most;
        [[nodiscard]] bool holds(const TypeInputs& inputs) const;
    };
    std::string type, because;
    std::vector<Condition> conditions;
    /// Confidence above which no object of this type is told, where it is rather no lasting work of people.
    std::optional<double> most_confidence;
};

/// Rules in the order in which they are tried: the first whose conditions hold decides.
struct TypeRules {
    std::vector<TypeRule> rules;
    std::string otherwise;                     ///< type where none holds
    std::map<std::string, std::string> words;  ///< of each type, Chinese
};

struct TypeDecision {
    std::string type;
    const TypeRule* rule = nullptr;  ///< that decided; null: none
    /// Of each rule that was tried before, in order, the first condition that did not hold.
    std::vector<const TypeRule::Condition*> failed;
};
/// Points into `rules`.
[[nodiscard]] TypeDecision decide_type(const TypeRules& rules, const TypeInputs& inputs);

}  // namespace shuibao::algorithms
