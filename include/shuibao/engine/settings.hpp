// SPDX-License-Identifier: Apache-2.0
// The resolved configuration: every declared option with its value and where that value came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::engine {

/// Values of all declared options. Getters throw std::logic_error for keys nobody declared (our own bug);
/// set() throws Error(usage) naming key, value, origin and what would be accepted.
class Settings {
  public:
    explicit Settings(const OptionTable& table);

    /// Merges a YAML file over the current values. Unknown keys, duplicate keys and wrong types throw
    /// Error(usage) with `file:line` and the nearest known key. Relative paths in the file are taken from
    /// the file's own folder. `extends: other.yaml` is read first.
    void load(const std::filesystem::path& file);
    /// One value, as it would be written in YAML. `origin` is what errors and `config --explain` name:
    /// "run.yaml:12", "--set", "SHUIBAO_JOBS" …; `base` is the folder relative paths start from.
    void set(std::string_view key, const std::string& yaml, const std::string& origin,
             const std::filesystem::path& base = {});

    [[nodiscard]] bool has(std::string_view key) const;  ///< set, or with a non-empty default
    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] std::string path(std::string_view key) const;  ///< absolute, or a /vsi name untouched
    [[nodiscard]] double number(std::string_view key) const;
    /// Nothing when unset. Throws Error(usage) for what is no day.
    [[nodiscard]] std::optional<Date> day(std::string_view key) const;
    [[nodiscard]] std::int64_t integer(std::string_view key) const;
    [[nodiscard]] bool flag(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
    [[nodiscard]] std::map<std::string, std::string> map(std::string_view key) const;
    /// A map whose values are paths: absolute, or /vsi names untouched.
    [[nodiscard]] std::map<std::string, std::string> path_map(std::string_view key) const;
    [[nodiscard]] std::string origin(std::string_view key) const;

    /// `key: value` of every option under the prefix that can change a result, sorted: what the manifest
    /// hashes.
    [[nodiscard]] std::map<std::string, std::string> canonical(std::string_view prefix) const;
    [[nodiscard]] const OptionTable& table() const { return *m_table; }

  private:
    struct Value {
        std::string yaml;
        std::string origin;
        std::filesystem::path base;
    };
    const Value& value(std::string_view key) const;
    const OptionTable* m_table;
    std::map<std::string, Value, std::less<>> m_values;
};

}  // namespace shuibao::engine
