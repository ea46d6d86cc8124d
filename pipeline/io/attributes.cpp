// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include <shuibao/io/attributes.hpp>

namespace shuibao::io {

FieldNames::FieldNames(std::vector<std::string> names) : m_sorted(std::move(names)) {
    std::sort(m_sorted.begin(), m_sorted.end());
    m_sorted.erase(std::unique(m_sorted.begin(), m_sorted.end()), m_sorted.end());
}

std::size_t FieldNames::place(std::string_view name) const {
    const auto it = std::lower_bound(m_sorted.begin(), m_sorted.end(), name);
    return it != m_sorted.end() && *it == name ? static_cast<std::size_t>(it - m_sorted.begin()) : size();
}

const Value* Attributes::find(std::string_view name) const {
    if (!m_names) return nullptr;
    const auto i = m_names->place(name);
    return i < size() ? &m_values[i] : nullptr;
}

const Value& Attributes::at(std::string_view name) const {
    if (const auto* value = find(name)) return *value;
    throw std::out_of_range("There is no field " + std::string(name) + ".");
}

}  // namespace shuibao::io
