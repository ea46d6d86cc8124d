// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli.hpp"

namespace shuibao::apps {
namespace {

const char* json_type(OptionType t) {
    switch (t) {
        case OptionType::number:
            return "number";
        case OptionType::integer:
            return "integer";
        case OptionType::flag:
            return "boolean";
        case OptionType::list:
        case OptionType::path_list:
            return "array";
        case OptionType::map:
            return "object";
        default:
            return "string";
    }
}

nlohmann::ordered_json describe(const OptionTable& table) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& o : table.all()) {
        nlohmann::ordered_json j = {
            {"key", o.key}, {"long", "--" + o.long_name}, {"type", json_type(o.type)}, {"help", o.help}};
        if (o.type == OptionType::flag) j["negative"] = "--no-" + o.long_name;
        if (o.letter != 0) j["short"] = std::string("-") + o.letter;
        if (!o.fallback.empty()) j["default"] = o.fallback;
        if (!o.unit.empty()) j["unit"] = o.unit;
        if (std::isfinite(o.min)) j["minimum"] = o.min;
        if (std::isfinite(o.max)) j["maximum"] = o.max;
        if (!o.choices.empty()) j["choices"] = o.choices;
        list.push_back(std::move(j));
    }
    return list;
}

std::string words_of(const OptionTable& table) {
    std::string words;
    for (const auto& o : table.all())
        words += " --" + o.long_name + (o.type == OptionType::flag ? " --no-" + o.long_name : "");
    return words;
}

nlohmann::ordered_json describe_switches(const Verb& verb) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& s : switches_of(verb)) {
        nlohmann::ordered_json j = {{"long", "--" + s.long_name},
                                    {"type", s.type.empty() ? "boolean" : "string"}};
        if (s.letter != 0) j["short"] = std::string("-") + s.letter;
        if (!s.type.empty()) j["value"] = s.type;
        j["help"] = s.help;
        list.push_back(std::move(j));
    }
    return list;
}

}  // namespace

std::string overview(const std::vector<Verb>& verbs) {
    std::string text =
        "shuibao (水保): finds opened ground in satellite images, tells whether it was approved, ranks the "
        "suspects.\n\n"
        "Usage: shuibao VERB [OPTIONS]        shuibao-VERB is the same as shuibao VERB\n\n";
    for (const auto& v : verbs) text += fmt::format("  {:<12}{}\n", v.name, v.summary);
    return text +
           "\n`shuibao VERB --help` explains a verb; `shuibao init` writes a commented configuration.\n"
           "A finding is a clue, not a finding of law.\n";
}

std::string json_usage(const std::vector<Verb>& verbs, const OptionTable& common) {
    nlohmann::ordered_json j = {
        {"program", "shuibao"}, {"common", describe(common)}, {"verbs", nlohmann::ordered_json::array()}};
    for (const auto& v : verbs)
        j["verbs"].push_back({{"name", v.name},
                              {"summary", v.summary},
                              {"description", v.description},
                              {"shardable", v.shardable},
                              {"example", v.example},
                              {"options", describe(v.own)},
                              {"switches", describe_switches(v)}});
    return j.dump(1) + "\n";
}

std::string completion_script(const std::string& shell, const std::vector<Verb>& verbs,
                              const OptionTable& common) {
    std::string names, cases;
    for (const auto& v : verbs) {
        names += (names.empty() ? "" : " ") + v.name;
        std::string words = words_of(v.own) + words_of(common);
        for (const auto& s : switches_of(v)) words += " --" + s.long_name;
        cases += fmt::format("    {}) words=\"{}\" ;;\n", v.name, words.substr(1));
    }
    const std::string head = shell == "zsh"
                                 ? "#compdef shuibao\nautoload -U +X bashcompinit && bashcompinit\n"
                                 : "# bash completion for shuibao\n";
    return head + fmt::format(R"(_shuibao() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" verb="${{COMP_WORDS[1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}" -- "$word"))
    return
  fi
  case "$verb" in
{}  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}}
complete -o filenames -F _shuibao shuibao
)",
                              names, cases);
}

}  // namespace shuibao::apps
