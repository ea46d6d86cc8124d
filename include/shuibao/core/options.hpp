// SPDX-License-Identifier: Apache-2.0
// Options as data: each is declared once, beside the code that uses it. Help, validation, the commented
// configuration of `init`, completion and `--json-usage` all come from the declaration.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace shuibao {

enum class OptionType { text, path, number, integer, flag, choice, list, path_list, map };

struct Option {
    std::string key = {};  ///< dotted path in the configuration, e.g. "detect.seed_level"
    OptionType type = OptionType::text;
    std::string fallback = {};  ///< default, written as in YAML; empty = unset
    std::string help = {};      ///< one sentence: what it does, its unit, why the default is what it is
    std::string unit = {};      ///< "m", "m²", "px" …; empty when there is none
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();
    std::vector<std::string> choices = {};  ///< for OptionType::choice
    std::string long_name = {};  ///< command-line spelling without dashes; default: last part of the key
    char letter = 0;             ///< one-letter form, if any
    bool changes_result =
        true;  ///< false for options that cannot alter a byte of the output (threads, memory)
};

/// Shorthand for a number within bounds.
[[nodiscard]] Option number_option(const char* key, const char* fallback, const char* help, const char* unit,
                                   double min, double max);

/// The declarations a program knows, in the order they were added.
class OptionTable {
  public:
    /// Throws std::logic_error when a key is declared twice: that is our own bug.
    OptionTable& add(Option option);
    [[nodiscard]] const std::vector<Option>& all() const { return m_options; }
    [[nodiscard]] const Option* find(std::string_view key) const;
    /// The known key most like this one (Damerau-Levenshtein distance <= 1/3 of its length), or empty.
    [[nodiscard]] std::string nearest(std::string_view key) const;

  private:
    std::vector<Option> m_options;
};

/// Edit distance with transpositions, for "did you mean". O(a·b).
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to `word` within a third of its length, or empty.
[[nodiscard]] std::string nearest_of(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace shuibao
