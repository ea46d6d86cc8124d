// SPDX-License-Identifier: Apache-2.0
// Dictionaries: names with their aliases, as data, and what has to stand in them.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shuibao::engine {

/// The sections that a dictionary has to have, no others, and what may stand in each.
struct DictionarySchema {
    struct Section {
        std::vector<std::string> entries = {};  ///< exactly these; empty: any
        std::string entries_of = {};            ///< entries of this section only
        std::vector<std::string> values = {};   ///< values are some of these; empty: any
        std::string values_of = {};             ///< values are entries of this section …
        bool values_are_words = false;          ///< … or, with this, words that stand in it
        bool may_be_empty = false;              ///< an entry without a word makes sense
    };
    std::map<std::string, Section> sections;
};

/// section → entry → values: `configs/dictionaries/*.yaml`, in the file's order.
struct Dictionary {
    std::map<std::string, std::vector<std::pair<std::string, std::vector<std::string>>>> sections;
    /// Throws Error(usage) with file:line for anything but maps of lists (or a list, which gets entry ""), and
    /// for what the schema does not allow; an empty schema allows every section.
    static Dictionary load(const std::filesystem::path& file, const DictionarySchema& schema = {});
    [[nodiscard]] const std::vector<std::string>& values(std::string_view section,
                                                         std::string_view entry) const;
    /// First value, or the entry itself when there is none.
    [[nodiscard]] std::string text(std::string_view section, std::string_view entry) const;
    /// Whether the word is one of the entry's values.
    [[nodiscard]] bool lists(std::string_view section, std::string_view entry, const std::string& word) const;
    /// The first entry that is called this or has the word among its values; empty when there is none.
    [[nodiscard]] std::string code_of(std::string_view section, const std::string& word) const;
};

}  // namespace shuibao::engine
