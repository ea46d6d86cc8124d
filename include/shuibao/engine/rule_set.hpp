// SPDX-License-Identifier: Apache-2.0
// Rule sets and dictionaries: numbers with their legal basis, and names with their aliases, as data.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/date.hpp>

namespace shuibao::engine {

/// One number that decides something.
struct RuleItem {
    double value = 0;
    std::string unit, basis;
    int line = 0;
};

/// A rule set file (configs/rules/*.yaml), checked when loaded.
class RuleSet {
  public:
    /// `known` are the items the program asks for: others, and missing ones, throw Error(usage) with
    /// file:line and the nearest known name. So do items without unit or basis.
    static RuleSet load(const std::filesystem::path& file, const std::vector<std::string>& known);
    [[nodiscard]] double number(std::string_view item) const { return items.at(std::string(item)).value; }
    [[nodiscard]] const RuleItem& item(std::string_view item_name) const {
        return items.at(std::string(item_name));
    }

    std::string version, name;  ///< as in the file; `name` is the file's stem
    Date valid_from;
    std::map<std::string, RuleItem> items;
};

/// section → entry → values: `configs/dictionaries/*.yaml`, in the file's order.
struct Dictionary {
    std::map<std::string, std::vector<std::pair<std::string, std::vector<std::string>>>> sections;
    /// Throws Error(usage) with file:line for anything but maps of lists (or a list, which gets entry "").
    static Dictionary load(const std::filesystem::path& file);
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
