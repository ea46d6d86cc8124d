// SPDX-License-Identifier: Apache-2.0
#include "page_words.hpp"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include "dictionaries.hpp"
#include "ground.hpp"
#include "rules.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {

kainjow::mustache::data mustache_of(const TemplateData& from) {
    kainjow::mustache::data to;
    for (const auto& [name, text] : from.texts) to.set(name, text);
    for (const auto& [name, flag] : from.flags) to.set(name, flag);
    for (const auto& [name, list] : from.lists) {
        kainjow::mustache::data items{kainjow::mustache::data::type::list};
        for (const auto& item : list) items.push_back(mustache_of(item));
        to.set(name, items);
    }
    return to;
}

}  // namespace

PageWords::PageWords(const RunContext& c)
    : pages(load_dictionary("pages")),
      verdicts(load_words(c)),
      erosion(load_erosion_words()) {}

std::string PageWords::code_of(const char* section, const std::string& text) const {
    if (const auto it = verdicts.sections.find(section); it != verdicts.sections.end())
        for (const auto& [code, words] : it->second)
            if (!words.empty() && words.front() == text) return code;
    return text;
}

std::string PageWords::word(const char* section, const std::string& entry, std::size_t n) const {
    const auto& words = pages.values(section, entry);
    return n < words.size() ? words[n] : std::string();
}

std::map<std::string, std::string> page_hashes(const RunContext& c,
                                               const std::vector<std::string>& templates) {
    std::map<std::string, std::string> hashes;
    hashes["words"] = engine::hash_file(verdict_words_file(c).string());
    hashes["pages"] = engine::hash_file(engine::config_file("dictionaries/pages.yaml").string());
    hashes["erosion"] = erosion_words_hash();
    for (const auto& name : templates)
        hashes["template " + name] = engine::hash_file(engine::config_file("templates/" + name).string());
    return hashes;
}

std::string template_text(const std::string& name) {
    const auto path = engine::config_file("templates/" + name);
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in)
        throw Error(ErrorCode::failed, fmt::format("The template {} cannot be read.", path.string()),
                    "Give the file back its permissions, or install the program again.");
    return text.str();
}

std::string fill_template(const std::string& name, const TemplateData& data) {
    kainjow::mustache::mustache page(template_text(name));
    if (!page.is_valid())
        throw Error(
            ErrorCode::usage,
            fmt::format("{}: {}.", engine::config_file("templates/" + name).string(), page.error_message()),
            "Correct the template, or take the one that came with the program.");
    return page.render(mustache_of(data));
}

}  // namespace shuibao::pipeline
