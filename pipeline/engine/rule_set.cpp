// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "yaml_file.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::engine {
namespace {

// A key that is not one of these.
void refuse_unknown(const std::filesystem::path& file, const YAML::Node& map, const std::string& what,
                    const std::vector<std::string>& known) {
    for (const auto& entry : map) {
        const auto key = entry.first.as<std::string>();
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        const auto near = nearest_of(key, known);
        refuse(file, entry.first, fmt::format("{} has no '{}'.", what, key),
               near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                            : fmt::format("Did you mean '{}'?", near));
    }
}

RuleItem item_of(const std::filesystem::path& file, const YAML::Node& key, const YAML::Node& n,
                 const RuleSpec& spec) {
    RuleItem item;
    if (!n.IsMap() || !n["value"] || !n["unit"] || !n["basis"] || n["basis"].as<std::string>().empty() ||
        !YAML::convert<double>::decode(n["value"], item.value) || !std::isfinite(item.value))
        refuse(file, key, fmt::format("'{}' needs a number as value, a unit and a basis.", spec.name),
               "The basis is a legal source or the words \"project default\".");
    refuse_unknown(file, n, fmt::format("'{}'", spec.name), {"value", "unit", "basis", "note"});
    item.unit = n["unit"].as<std::string>();
    item.basis = n["basis"].as<std::string>();
    if (n["note"]) item.note = n["note"].as<std::string>();
    item.line = key.Mark().line + 1;
    const auto& u = spec.unit;
    if (item.unit != u.name)
        refuse(file, key,
               fmt::format("the unit of '{}' is '{}'; it is read as '{}'.", spec.name, item.unit, u.name),
               fmt::format("Give the value in this unit and write `unit: {}`.", u.name));
    if (item.value < u.least || item.value > u.most)
        refuse(file, key,
               fmt::format("'{}' is {}; it lies between {} and {} ({}).", spec.name, item.value, u.least,
                           u.most, u.name),
               "Correct the value.");
    if (u.whole && item.value != std::floor(item.value))
        refuse(file, key,
               fmt::format("'{}' is {}; it is a whole number ({}).", spec.name, item.value, u.name),
               "Correct the value.");
    return item;
}

RuleSet rule_set_of(const std::filesystem::path& file, const YAML::Node& root,
                    const std::vector<RuleSpec>& known) {
    RuleSet set;
    set.name = file.stem().string();
    if (!root.IsMap() || !root["version"] || !root["valid_from"] || !root["items"] || !root["items"].IsMap())
        refuse(file, root, "a rule set needs version, valid_from and items.",
               "Start from a copy of configs/rules/2023-03-01.yaml.");
    refuse_unknown(file, root, "a rule set", {"version", "valid_from", "items"});
    set.version = root["version"].as<std::string>();
    const auto date = Date::parse(root["valid_from"].as<std::string>());
    if (!date) refuse(file, root["valid_from"], "valid_from is no date.", "Write it as 2023-03-01.");
    set.valid_from = *date;
    std::vector<std::string> names;
    for (const auto& spec : known) names.push_back(spec.name);
    const YAML::Node items = root["items"];
    for (const auto& entry : items) {
        const auto name = entry.first.as<std::string>();
        const auto spec = std::find(names.begin(), names.end(), name);
        if (spec == names.end()) {
            const auto near = nearest_of(name, names);
            refuse(file, entry.first, fmt::format("there is no rule item '{}'.", name),
                   near.empty() ? "Remove it." : fmt::format("Did you mean '{}'?", near));
        }
        if (set.items.count(name) > 0)
            refuse(file, entry.first, fmt::format("'{}' stands twice.", name), "Keep one of them.");
        set.items[name] =
            item_of(file, entry.first, entry.second, known[static_cast<std::size_t>(spec - names.begin())]);
    }
    for (const auto& name : names)
        if (set.items.count(name) == 0)
            refuse(file, items, fmt::format("the item '{}' is missing.", name),
                   "Take it from configs/rules/2023-03-01.yaml.");
    for (const auto& spec : known) {
        if (spec.not_below.empty()) continue;
        const auto &item = set.items[spec.name], &lower = set.items[spec.not_below];
        if (item.value < lower.value)
            throw Error(ErrorCode::usage,
                        fmt::format("{}:{}: '{}' is {}, less than '{}' with {}.", file.string(), item.line,
                                    spec.name, item.value, spec.not_below, lower.value),
                        "Correct one of the two.");
    }
    return set;
}

}  // namespace

RuleSet RuleSet::load(const std::filesystem::path& file, const std::vector<RuleSpec>& known) {
    const auto root = parse_yaml(file);
    try {
        return rule_set_of(file, root, known);
    } catch (const YAML::Exception& e) {  // a list or a mapping where a text should stand
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: a single value should stand here.", file.string(), e.mark.line + 1),
                    "Compare with configs/rules/2023-03-01.yaml.");
    }
}

}  // namespace shuibao::engine
