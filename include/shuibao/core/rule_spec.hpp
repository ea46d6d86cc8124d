// SPDX-License-Identifier: Apache-2.0
// What a rule set has to say of one number: its unit, and the values that make sense.
#pragma once

#include <string>

namespace shuibao {

/// Unit of a rule item with the least and the greatest value that mean anything in it.
struct RuleUnit {
    const char* name;
    double least, most;
    bool whole = false;  ///< only whole numbers
};

/// One item that every rule set file must hold.
struct RuleSpec {
    std::string name;
    RuleUnit unit;
    std::string not_below = {};  ///< item whose value this one may not fall short of; empty: none
};

namespace rule_units {
inline constexpr RuleUnit m2{"m²", 0, 1e9}, m{"m", 0, 1e5}, tolerance_m{"m", 0.01, 1000}, px{"px", 0, 1e4, true},
    share{"share", 0, 1}, share_of_darea{"share of DAREA", 0, 1}, points{"points", 0, 100}, c01{"0–1", 0, 1},
    years{"a", 0, 50, true}, months{"months", 0, 600, true}, days{"d", 0, 3650, true},
    batches{"batches", 1, 100, true}, degrees{"°", 0, 90}, times{"times", 1, 1e4}, ndvi{"NDVI", -1, 1},
    loss{"t/(km²·a)", 1, 1e6};
}  // namespace rule_units

}  // namespace shuibao
