// SPDX-License-Identifier: Apache-2.0
// The rule set that the program ships, for tests of what it decides.
#pragma once

#include <map>
#include <string>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::test {

/// `changed` stands in for a city's own copy of the file.
inline algorithms::Rules shipped_rules(std::map<std::string, double> changed = {}) {
    static const engine::RuleSet set =
        engine::RuleSet::load(SHUIBAO_SOURCE_DIR "/configs/rules/2023-03-01.yaml", algorithms::rule_items());
    return {[changed = std::move(changed)](std::string_view item) {
                const auto it = changed.find(std::string(item));
                return it == changed.end() ? set.number(item) : it->second;
            },
            [](std::string_view item) { return set.item(item).basis; }};
}

}  // namespace shuibao::test
