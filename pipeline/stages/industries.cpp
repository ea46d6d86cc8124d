// SPDX-License-Identifier: Apache-2.0
#include "industries.hpp"

#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::pipeline {

Industries Industries::load() {
    using algorithms::Profile;
    static const std::map<std::string, bool Profile::*> switches = {{"linear", &Profile::linear},
                                                                    {"dots", &Profile::dots},
                                                                    {"pit", &Profile::pit},
                                                                    {"revegetates", &Profile::revegetates},
                                                                    {"drawdown", &Profile::drawdown}};
    const auto file = engine::config_file("dictionaries/industries.yaml");
    auto words = engine::Dictionary::load(file);
    Industries list;
    for (const auto& [group, types] : words.sections["groups"])
        for (const auto& type : types) list.m_types[type].group = group;
    for (const auto& [profile, types] : words.sections["profiles"]) {
        if (profile == "area") continue;
        const auto known = switches.find(profile);
        if (known == switches.end())
            throw Error(ErrorCode::usage, fmt::format("{}: profiles has no '{}'.", file.string(), profile),
                        "Known are: area, dots, drawdown, linear, pit, revegetates.");
        for (const auto& type : types) list.m_types[type].profile.*(known->second) = true;
    }
    return list;
}

const Industry& Industries::of(const std::string& type) const {
    static const Industry none;
    const auto it = m_types.find(type);
    return it == m_types.end() ? none : it->second;
}

}  // namespace shuibao::pipeline
