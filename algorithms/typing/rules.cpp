// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <shuibao/algorithms/object_type.hpp>

namespace shuibao::algorithms {

bool TypeRule::Condition::holds(const TypeInputs& inputs) const {
    const auto it = inputs.find(input);
    return it != inputs.end() && (!least || it->second >= *least) && (!most || it->second <= *most);
}

TypeDecision decide_type(const TypeRules& rules, const TypeInputs& inputs) {
    TypeDecision d;
    for (const auto& rule : rules.rules) {
        const auto failed = std::find_if(rule.conditions.begin(), rule.conditions.end(),
                                         [&](const auto& c) { return !c.holds(inputs); });
        if (failed == rule.conditions.end()) {
            d.type = rule.type;
            d.rule = &rule;
            return d;
        }
        d.failed.push_back(&*failed);
    }
    d.type = rules.otherwise;
    return d;
}

}  // namespace shuibao::algorithms
