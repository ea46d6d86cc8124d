// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "yaml_file.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/engine/dictionary.hpp>

namespace shuibao::engine {
namespace {

using Section = DictionarySchema::Section;

class Reader {
  public:
    Reader(const std::filesystem::path& file, const DictionarySchema& schema)
        : m_file(file), m_schema(schema) {}

    Dictionary operator()() {
        const auto root = parse_yaml(m_file);
        if (!root.IsMap()) no_dictionary(root);
        for (const auto& section : root) read(section.first, section.second);
        const auto names = names_of(m_schema.sections);
        for (const auto& name : names)
            if (!m_read.sections.contains(name))
                refuse(m_file, root, fmt::format("the section '{}' is missing.", name),
                       "Take it from the dictionary that comes with shuibao.");
        for (const auto& check : m_later) check();
        return std::move(m_read);
    }

  private:
    [[noreturn]] void no_dictionary(const YAML::Node& at) const {
        refuse(m_file, at, "a dictionary maps names to lists of texts.",
               "Write e.g. `name: [PRNM, 项目名称]`.");
    }
    template <class Map>
    static std::vector<std::string> names_of(const Map& map) {
        std::vector<std::string> names;
        for (const auto& [name, content] : map) names.push_back(name);
        return names;
    }
    void known(const YAML::Node& at, const std::string& what, const std::string& word,
               const std::vector<std::string>& words) const {
        if (std::find(words.begin(), words.end(), word) != words.end()) return;
        const auto near = nearest_of(word, words);
        refuse(m_file, at, fmt::format("{} '{}' is not known here.", what, word),
               near.empty() ? fmt::format("Known are: {}.", fmt::join(words, ", "))
                            : fmt::format("Did you mean '{}'?", near));
    }

    void read(const YAML::Node& key, const YAML::Node& content) {
        if (!key.IsScalar() || content.IsScalar()) no_dictionary(key);
        const auto name = key.as<std::string>();
        if (!m_schema.sections.empty()) known(key, "the section", name, names_of(m_schema.sections));
        const auto it = m_schema.sections.find(name);
        const Section section = it == m_schema.sections.end() ? Section{} : it->second;
        if (m_read.sections.contains(name))
            refuse(m_file, key, fmt::format("the section '{}' stands twice.", name), "Keep one of them.");
        auto& entries = m_read.sections[name];
        if (content.IsSequence()) {
            if (!section.entries.empty() || !section.entries_of.empty()) no_dictionary(content);
            entries.emplace_back("", words(name, section, content));
            return;
        }
        for (const auto& entry : content) {
            if (!entry.first.IsScalar()) no_dictionary(entry.first);
            const auto word = entry.first.as<std::string>();
            const auto what = fmt::format("the entry of '{}'", name);
            if (!section.entries.empty()) known(entry.first, what, word, section.entries);
            for (const auto& [other, list] : entries)
                if (other == word)
                    refuse(m_file, entry.first, fmt::format("'{}' stands twice.", word), "Keep one of them.");
            if (!section.entries_of.empty())
                m_later.push_back([this, at = entry.first, what, word, of = section.entries_of] {
                    known(at, what, word, entries_in(of));
                });
            entries.emplace_back(word, words(word, section, entry.second));
        }
        for (const auto& needed : section.entries)
            if (std::none_of(entries.begin(), entries.end(),
                             [&](const auto& e) { return e.first == needed; }))
                refuse(m_file, key, fmt::format("'{}' has no entry '{}'.", name, needed),
                       "Take it from the dictionary that comes with shuibao.");
    }

    std::vector<std::string> words(const std::string& name, const Section& section, const YAML::Node& list) {
        if (!list.IsSequence()) no_dictionary(list);
        std::vector<std::string> texts;
        const auto what = fmt::format("the value of '{}'", name);
        for (const auto& text : list) {
            if (text.IsMap() || text.IsSequence()) no_dictionary(text);
            texts.push_back(text.as<std::string>());
            if (!section.values.empty()) known(text, what, texts.back(), section.values);
            if (!section.values_of.empty())
                m_later.push_back([this, at = YAML::Node(text), what, word = texts.back(), section] {
                    known(at, what, word,
                          section.values_are_words ? words_in(section.values_of)
                                                   : entries_in(section.values_of));
                });
        }
        if (texts.empty() && !section.may_be_empty)
            refuse(m_file, list, fmt::format("'{}' has no word.", name), "Write at least one.");
        return texts;
    }

    [[nodiscard]] std::vector<std::string> entries_in(const std::string& section) const {
        return names_of(m_read.sections.at(section));
    }
    [[nodiscard]] std::vector<std::string> words_in(const std::string& section) const {
        std::vector<std::string> all;
        for (const auto& [name, list] : m_read.sections.at(section))
            all.insert(all.end(), list.begin(), list.end());
        return all;
    }

    const std::filesystem::path& m_file;
    const DictionarySchema& m_schema;
    Dictionary m_read;
    std::vector<std::function<void()>> m_later;  ///< what other sections have to be read for
};

}  // namespace

Dictionary Dictionary::load(const std::filesystem::path& file, const DictionarySchema& schema) {
    try {
        return Reader(file, schema)();
    } catch (const YAML::Exception& e) {
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: a text should stand here.", file.string(), e.mark.line + 1),
                    "Compare with the dictionary that comes with shuibao.");
    }
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
