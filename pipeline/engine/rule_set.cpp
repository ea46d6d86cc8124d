// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::engine {
namespace {

YAML::Node parse(const std::filesystem::path& file) {
    try {
        return YAML::LoadFile(file.string());
    } catch (const YAML::BadFile&) {
        throw Error(ErrorCode::usage, fmt::format("{} cannot be read.", file.string()),
                    "Check the path and its permissions.");
    } catch (const YAML::Exception& e) {
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: this is not valid YAML: {}.", file.string(), e.mark.line + 1, e.msg),
                    "Compare with the file that comes with shuibao.");
    }
}

[[noreturn]] void refuse(const std::filesystem::path& file, const YAML::Node& at, const std::string& what,
                         const std::string& hint) {
    // An empty file has no mark.
    throw Error(ErrorCode::usage,
                fmt::format("{}:{}: {}", file.string(), std::max(at.Mark().line, 0) + 1, what), hint);
}

RuleSet rule_set_of(const std::filesystem::path& file, const YAML::Node& root,
                    const std::vector<std::string>& known) {
    RuleSet set;
    set.name = file.stem().string();
    if (!root.IsMap() || !root["version"] || !root["valid_from"] || !root["items"] || !root["items"].IsMap())
        refuse(file, root, "a rule set needs version, valid_from and items.",
               "Start from a copy of configs/rules/2023-03-01.yaml.");
    set.version = root["version"].as<std::string>();
    const auto date = Date::parse(root["valid_from"].as<std::string>());
    if (!date) refuse(file, root["valid_from"], "valid_from is no date.", "Write it as 2023-03-01.");
    set.valid_from = *date;
    const YAML::Node items = root["items"];
    for (const auto& entry : items) {
        const auto name = entry.first.as<std::string>();
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            const auto near = nearest_of(name, known);
            refuse(file, entry.first, fmt::format("there is no rule item '{}'.", name),
                   near.empty() ? "Remove it." : fmt::format("Did you mean '{}'?", near));
        }
        if (set.items.count(name) > 0)
            refuse(file, entry.first, fmt::format("'{}' stands twice.", name), "Keep one of them.");
        const auto& n = entry.second;
        RuleItem item;
        if (!n.IsMap() || !n["value"] || !n["unit"] || !n["basis"] || n["basis"].as<std::string>().empty() ||
            !YAML::convert<double>::decode(n["value"], item.value) || !std::isfinite(item.value))
            refuse(file, entry.first, fmt::format("'{}' needs a number as value, a unit and a basis.", name),
                   "The basis is a legal source or the words \"project default\".");
        item.unit = n["unit"].as<std::string>();
        item.basis = n["basis"].as<std::string>();
        item.line = entry.first.Mark().line + 1;
        set.items[name] = item;
    }
    for (const auto& name : known)
        if (set.items.count(name) == 0)
            refuse(file, items, fmt::format("the item '{}' is missing.", name),
                   "Take it from configs/rules/2023-03-01.yaml.");
    return set;
}

}  // namespace

RuleSet RuleSet::load(const std::filesystem::path& file, const std::vector<std::string>& known) {
    const auto root = parse(file);
    try {
        return rule_set_of(file, root, known);
    } catch (const YAML::Exception& e) {  // a list or a mapping where a text should stand
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: a single value should stand here.", file.string(), e.mark.line + 1),
                    "Compare with configs/rules/2023-03-01.yaml.");
    }
}

Dictionary Dictionary::load(const std::filesystem::path& file) {
    const auto root = parse(file);
    const auto no_dictionary = [&](const YAML::Node& at) {
        refuse(file, at, "a dictionary maps names to lists of texts.", "Write e.g. `name: [PRNM, 项目名称]`.");
    };
    if (!root.IsMap()) no_dictionary(root);
    Dictionary d;
    for (const auto& section : root) {
        const auto& content = section.second;
        if (!section.first.IsScalar() || content.IsScalar()) no_dictionary(section.first);
        auto& entries = d.sections[section.first.as<std::string>()];
        const auto add = [&](const std::string& name, const YAML::Node& list) {
            if (!list.IsSequence()) no_dictionary(list);
            std::vector<std::string> texts;
            for (const auto& text : list) {
                if (text.IsMap() || text.IsSequence()) no_dictionary(text);
                texts.push_back(text.as<std::string>());
            }
            entries.emplace_back(name, std::move(texts));
        };
        if (content.IsSequence()) {
            add("", content);
            continue;
        }
        for (const auto& entry : content) {
            if (!entry.first.IsScalar()) no_dictionary(entry.first);
            add(entry.first.as<std::string>(), entry.second);
        }
    }
    return d;
}

const std::vector<std::string>& Dictionary::values(std::string_view section, std::string_view entry) const {
    static const std::vector<std::string> none;
    const auto it = sections.find(std::string(section));
    if (it == sections.end()) return none;
    for (const auto& [name, list] : it->second)
        if (name == entry) return list;
    return none;
}

std::string Dictionary::text(std::string_view section, std::string_view entry) const {
    const auto& list = values(section, entry);
    return list.empty() ? std::string(entry) : list.front();
}

bool Dictionary::lists(std::string_view section, std::string_view entry, const std::string& word) const {
    const auto& list = values(section, entry);
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string Dictionary::code_of(std::string_view section, const std::string& word) const {
    if (const auto it = sections.find(std::string(section)); it != sections.end() && !word.empty())
        for (const auto& [code, list] : it->second)
            if (code == word || std::find(list.begin(), list.end(), word) != list.end()) return code;
    return {};
}

}  // namespace shuibao::engine
