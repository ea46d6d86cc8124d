// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {
namespace fs = std::filesystem;

fs::path words_file(const RunContext& c) {
    return c.settings.has("rules.dictionary") ? fs::path(c.settings.path("rules.dictionary"))
                                              : engine::config_file("dictionaries/verdicts.yaml");
}

// Shipped rule sets are named by the day they come into force.
fs::path rules_file(const RunContext& c) {
    if (c.settings.has("rules.file")) return c.settings.path("rules.file");
    std::vector<fs::path> files;
    for (const auto& e : fs::directory_iterator(engine::config_file("rules")))
        if (e.path().extension() == ".yaml") files.push_back(e.path());
    std::sort(files.begin(), files.end());
    if (files.empty())
        throw Error(ErrorCode::failed, "The program's own rule sets are missing.",
                    "Install shuibao completely, or name one in rules.file.");
    const auto day = c.batch.substr(0, 4) + "-" + c.batch.substr(4) + "-31";
    fs::path chosen = files.front();
    for (const auto& f : files)
        if (f.stem().string() <= day) chosen = f;
    return chosen;
}

}  // namespace

void declare_rules(OptionTable& t) {
    t.add({.key = "rules.file",
           .type = OptionType::path,
           .help = "Rule set; default: the shipped one that was in force in the batch's month",
           .long_name = "rules"});
    t.add({.key = "rules.dictionary",
           .type = OptionType::path,
           .help = "Chinese terms for verdicts, tiers and actions, where a city has its own",
           .long_name = "dictionary"});
}

engine::RuleSet load_rules(const RunContext& c) {
    return engine::RuleSet::load(rules_file(c), algorithms::rule_items());
}

engine::Dictionary load_words(const RunContext& c) {
    return engine::Dictionary::load(words_file(c));
}

std::map<std::string, std::string> rule_hashes(const RunContext& c) {
    return {{"rules", engine::hash_file(rules_file(c).string())},
            {"words", engine::hash_file(words_file(c).string())}};
}

std::string hash_vector(const std::string& path) {
    const fs::path file(path);
    if (file.extension() != ".shp") return engine::hash_file(path);
    std::string text;
    for (const char* ext : {".shp", ".shx", ".dbf", ".prj", ".cpg"}) {
        const auto part = fs::path(file).replace_extension(ext);
        std::error_code error;
        if (fs::exists(part, error)) text += std::string(ext) + engine::hash_file(part.string());
    }
    return engine::hash_bytes(text);
}

}  // namespace shuibao::pipeline
