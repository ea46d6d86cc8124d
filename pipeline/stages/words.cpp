// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace shuibao::pipeline {

std::string listed_rows(const std::vector<std::int64_t>& rows) {
    constexpr std::size_t most = 5;
    auto text = fmt::format(
        "{}", fmt::join(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), most)),
                        ", "));
    if (rows.size() > most) text += fmt::format(" and {} more", rows.size() - most);
    return text;
}

void UnknownWords::add(const std::string& what, const std::string& taken, const std::string& word,
                       std::int64_t row) {
    auto& [said, rows] = m_rows[{what, word}];
    said = taken;
    rows.push_back(row);
}

std::vector<io::LayerNote> UnknownWords::notes() const {
    std::vector<io::LayerNote> list;
    for (const auto& [key, value] : m_rows) {
        const auto& [what, word] = key;
        const auto& [taken, rows] = value;
        list.push_back({rows.front(), "unknown_word",
                        fmt::format("No dictionary knows {} '{}' ({} {}): {}.", what, word,
                                    rows.size() == 1 ? "row" : "rows", listed_rows(rows), taken)});
    }
    return list;
}

}  // namespace shuibao::pipeline
