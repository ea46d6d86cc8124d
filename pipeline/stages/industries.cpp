// SPDX-License-Identifier: Apache-2.0
#include "industries.hpp"

#include "dictionaries.hpp"

namespace shuibao::pipeline {

Industries Industries::load() {
    using algorithms::Profile;
    static const std::map<std::string, bool Profile::*> switches = {{"linear", &Profile::linear},
                                                                    {"dots", &Profile::dots},
                                                                    {"pit", &Profile::pit},
                                                                    {"revegetates", &Profile::revegetates},
                                                                    {"drawdown", &Profile::drawdown}};
    auto words = load_dictionary("industries");
    Industries list;
    for (const auto& [group, types] : words.sections["groups"])
        for (const auto& type : types) list.m_types[type].group = group;
    for (const auto& [profile, types] : words.sections["profiles"]) {
        const auto known = switches.find(profile);
        if (known == switches.end()) continue;  // `area`: nothing special
        for (const auto& type : types) list.m_types[type].profile.*(known->second) = true;
    }
    for (const auto& [type, names] : words.sections["names"])
        for (const auto& name : names) list.m_names[name] = type;
    return list;
}

const Industry& Industries::of(const std::string& type) const {
    static const Industry none;
    const auto it = m_types.find(type);
    return it == m_types.end() ? none : it->second;
}

std::string Industries::name_of(const std::string& word) const {
    if (m_types.contains(word)) return word;
    const auto it = m_names.find(word);
    return it == m_names.end() ? std::string() : it->second;
}

}  // namespace shuibao::pipeline
