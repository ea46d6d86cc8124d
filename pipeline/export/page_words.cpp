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
#include <shuibao/core/text.hpp>
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

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

PageWords::PageWords(const RunContext& c)
    : pages(load_dictionary("pages")),
      report(load_dictionary("report")),
      deliverables(load_dictionary("deliverables")),
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

std::string PageWords::disclaimer(bool english) const {
    const auto& words = deliverables.values("texts", "disclaimer");
    const std::size_t n = english ? 1 : 0;
    return n < words.size() ? words[n] : std::string();
}

std::string PageWords::verdict_word(const std::string& code) const {
    return code == "confirmed" ? word("decided", code) : verdicts.text("verdicts", code);
}

std::string PageWords::english(const std::string& text) const {
    std::vector<std::string> numbers;
    std::string pattern;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t n = i;
        while (n < text.size() && (is_digit(text[n]) || (n > i && text[n] == '.'))) ++n;
        if (n > i) {
            numbers.push_back(text.substr(i, n - i));
            pattern += '#';
            i = n;
        } else {
            pattern += text[i++];
        }
    }
    const auto& known = report.values("phrases", pattern);
    if (known.empty()) return {};
    std::string out;
    std::size_t next = 0;
    for (const char c : known.front())
        if (c == '#' && next < numbers.size())
            out += numbers[next++];
        else
            out += c;
    return out;
}

ToldProblem PageWords::problem(const engine::Problem& p) const {
    const auto word = [&](const char* section, const std::string& entry, std::size_t n,
                          const std::string& otherwise) {
        const auto& list = report.values(section, entry);
        return n < list.size() ? list[n] : otherwise;
    };
    ToldProblem told{word("stages", p.stage, 0, p.stage), word("stages", p.stage, 1, p.stage), "",
                     word("problems", p.code, 0, fmt::format("其他问题（{}）", p.code)),
                     word("problems", p.code, 1, fmt::format("another problem ({})", p.code))};
    // Names of files without where they lie on the server.
    std::istringstream parts(plain_text(p.unit));
    for (std::string part; parts >> part;) {
        if (part.starts_with('/') || part.find("://") != std::string::npos)
            part = part.substr(part.find_last_of('/') + 1);
        told.unit += (told.unit.empty() ? "" : " ") + part;
    }
    return told;
}

std::map<std::string, std::string> page_hashes(const RunContext& c,
                                               const std::vector<std::string>& templates) {
    std::map<std::string, std::string> hashes;
    hashes["words"] = engine::hash_file(verdict_words_file(c).string());
    hashes["pages"] = engine::hash_file(engine::config_file("dictionaries/pages.yaml").string());
    hashes["deliverables"] =
        engine::hash_file(engine::config_file("dictionaries/deliverables.yaml").string());
    hashes["report words"] = engine::hash_file(engine::config_file("dictionaries/report.yaml").string());
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
