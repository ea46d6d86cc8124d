// SPDX-License-Identifier: Apache-2.0
// The attributes of a row: values by field name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <shuibao/core/date.hpp>

namespace shuibao::io {

using Value = std::variant<std::monostate, std::int64_t, double, std::string, Date>;

/// Field names, sorted and each once. All rows of a layer share one.
class FieldNames {
  public:
    explicit FieldNames(std::vector<std::string> names);
    [[nodiscard]] std::size_t size() const { return m_sorted.size(); }
    [[nodiscard]] const std::string& operator[](std::size_t i) const { return m_sorted[i]; }
    /// The place of a name; size() where there is none like it.
    [[nodiscard]] std::size_t place(std::string_view name) const;

  private:
    std::vector<std::string> m_sorted;
};

/// A value for each name. A row has some sixty of them, and a province a hundred thousand rows: the names
/// are not held again for each, nor is every value allocated by itself.
class Attributes {
  public:
    Attributes() = default;
    explicit Attributes(std::shared_ptr<const FieldNames> names)
        : m_names(std::move(names)), m_values(m_names->size()) {}
    [[nodiscard]] std::size_t size() const { return m_values.size(); }
    [[nodiscard]] const std::shared_ptr<const FieldNames>& names() const { return m_names; }
    [[nodiscard]] const std::string& name(std::size_t i) const { return (*m_names)[i]; }
    [[nodiscard]] const Value& operator[](std::size_t i) const { return m_values[i]; }
    [[nodiscard]] Value& operator[](std::size_t i) { return m_values[i]; }
    /// None where no field has this name.
    [[nodiscard]] const Value* find(std::string_view name) const;
    /// Throws std::out_of_range where no field has this name.
    [[nodiscard]] const Value& at(std::string_view name) const;

  private:
    std::shared_ptr<const FieldNames> m_names;
    std::vector<Value> m_values;
};

}  // namespace shuibao::io
