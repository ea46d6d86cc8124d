// SPDX-License-Identifier: Apache-2.0
// Rule sets: numbers with their unit and their legal basis, as data.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/core/rule_spec.hpp>
#include <shuibao/engine/dictionary.hpp>

namespace shuibao::engine {

/// One number that decides something.
struct RuleItem {
    double value = 0;
    std::string unit;
    std::string basis;  ///< legal source as people receive it, or "project default"
    std::string note;   ///< what it means and how sure it is, for those who change it
    int line = 0;
};

/// A rule set file (configs/rules/*.yaml), checked when loaded.
class RuleSet {
  public:
    /// `known` are the items the program asks for: others, and missing ones, throw Error(usage) with
    /// file:line and the nearest known name. So do items without unit or basis, in another unit, beyond the
    /// limits of the unit, or out of order.
    static RuleSet load(const std::filesystem::path& file, const std::vector<RuleSpec>& known);
    [[nodiscard]] double number(std::string_view item) const { return items.at(std::string(item)).value; }
    [[nodiscard]] const RuleItem& item(std::string_view item_name) const {
        return items.at(std::string(item_name));
    }

    std::string version, name;  ///< as in the file; `name` is the file's stem
    Date valid_from;
    std::map<std::string, RuleItem> items;
};

}  // namespace shuibao::engine
