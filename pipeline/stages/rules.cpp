// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {
namespace fs = std::filesystem;

std::vector<fs::path> rule_files(const RunContext& c) {
    if (c.settings.has("rules.file")) return {c.settings.path("rules.file")};
    std::vector<fs::path> files;
    for (const auto& e : fs::directory_iterator(engine::config_file("rules")))
        if (e.path().extension() == ".yaml") files.push_back(e.path());
    std::sort(files.begin(), files.end());
    if (files.empty())
        throw Error(ErrorCode::failed, "The program's own rule sets are missing.",
                    "Install shuibao completely, or name one in rules.file.");
    return files;
}

}  // namespace

Date end_of_batch(const std::string& month) {
    if (month.empty()) return *Date::parse("9999-12-31");
    for (const char* day : {"31", "30", "29"})
        if (const auto date = Date::parse(month + day)) return *date;
    if (const auto date = Date::parse(month + "28")) return *date;
    throw Error(ErrorCode::usage, fmt::format("The batch '{}' is no month.", month), "Give --batch YYYYMM.");
}

RuleBook::RuleBook(const RunContext& c) : m_batch(end_of_batch(c.batch)) {
    for (const auto& file : rule_files(c))
        m_sets.push_back(engine::RuleSet::load(file, algorithms::rule_items()));
    std::stable_sort(m_sets.begin(), m_sets.end(),
                     [](const auto& a, const auto& b) { return a.valid_from < b.valid_from; });
    for (std::size_t i = 1; i < m_sets.size(); ++i)
        if (m_sets[i].valid_from == m_sets[i - 1].valid_from)
            throw Error(ErrorCode::usage,
                        fmt::format("The rule sets {} and {} both hold from {}.", m_sets[i - 1].name,
                                    m_sets[i].name, m_sets[i].valid_from.iso()),
                        "Change valid_from in one of them, or remove it.");
}

const engine::RuleSet& RuleBook::at(Date day) const {
    const engine::RuleSet* set = &m_sets.front();
    for (const auto& s : m_sets)
        if (s.valid_from <= day) set = &s;
    return *set;
}

const engine::RuleSet* RuleBook::named(const std::string& name) const {
    for (const auto& s : m_sets)
        if (s.name == name) return &s;
    return nullptr;
}

algorithms::Rules rules_of(const engine::RuleSet& set) {
    return {[&set](std::string_view item) { return set.number(item); },
            [&set](std::string_view item) { return set.item(item).basis; }};
}

Laws::Laws(const RuleBook& book) : m_book(book) {
    for (const auto& set : book.sets()) m_laws.push_back({set.name, rules_of(set)});
}

const Law& Laws::at(const std::optional<Date>& first_seen) const {
    const auto& set = m_book.at(first_seen.value_or(m_book.batch_end()));
    return m_laws[static_cast<std::size_t>(&set - m_book.sets().data())];
}

void declare_rules(OptionTable& t) {
    t.add({.key = "rules.file",
           .type = OptionType::path,
           .help =
               "One rule set for everything; default: the shipped ones, each disturbance by the one in force "
               "when it was first seen",
           .long_name = "rules"});
    t.add({.key = "rules.dictionary",
           .type = OptionType::path,
           .help = "Chinese terms for verdicts, tiers and actions, where a city has its own",
           .long_name = "dictionary"});
}

fs::path verdict_words_file(const RunContext& c) {
    return c.settings.has("rules.dictionary") ? fs::path(c.settings.path("rules.dictionary"))
                                              : engine::config_file("dictionaries/verdicts.yaml");
}

engine::Dictionary load_words(const RunContext& c) {
    return load_dictionary("verdicts", verdict_words_file(c));
}

std::map<std::string, std::string> rule_hashes(const RunContext& c) {
    std::map<std::string, std::string> hashes = {
        {"words", engine::hash_file(verdict_words_file(c).string())}};
    for (const auto& file : rule_files(c))
        hashes["rules " + file.stem().string()] = engine::hash_file(file.string());
    return hashes;
}

}  // namespace shuibao::pipeline
