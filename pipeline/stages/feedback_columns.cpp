// SPDX-License-Identifier: Apache-2.0
#include "feedback_columns.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {
namespace {

std::string folded(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

FeedbackColumns::FeedbackColumns(const engine::Dictionary& words, const std::vector<std::string>& sent,
                                 const io::Table& table) {
    // Folded → our name. A column that is called as we call it counts where none of the aliases is there: in
    // layers that we sent out it holds what we said.
    std::map<std::string, std::string> ours, own;
    for (const char* section : {"fields", "kept"})
        for (const auto& [name, aliases] : words.sections.at(section)) {
            own[folded(name)] = name;
            for (const auto& a : aliases) ours[folded(a)] = name;
        }
    std::map<std::string, std::string> called;  // our name → such a column
    std::set<std::string> unread;
    for (const auto& name : sent) unread.insert(folded(name));
    for (const auto& name : words.values("sent", "")) unread.insert(folded(name));
    for (const auto& field : table.fields) {
        const auto name = folded(trimmed(io::column_name(field)));
        if (const auto it = ours.find(name); it != ours.end())
            m_columns[it->second].push_back(field);
        else if (const auto same = own.find(name); same != own.end())
            called[same->second] = field;
        else if (!name.empty() && !unread.contains(name))
            m_unknown.push_back(field);
    }
    for (auto& [name, field] : called)
        if (!m_columns.contains(name)) m_columns[name] = {std::move(field)};
}

io::Value FeedbackColumns::value(const io::TableRow& row, const std::string& name) const {
    const auto columns = m_columns.find(name);
    if (columns == m_columns.end()) return {};
    for (const auto& column : columns->second)
        if (const auto& v = row.values.at(column); !trimmed(io::to_text(v)).empty()) return v;
    return {};
}

std::string FeedbackColumns::text(const io::TableRow& row, const std::string& name) const {
    return trimmed(io::to_text(value(row, name)));
}

std::optional<Date> FeedbackColumns::day(const io::TableRow& row, const std::string& name) const {
    const auto v = value(row, name);
    if (trimmed(io::to_text(v)).empty()) return std::nullopt;
    const auto d = io::to_date(v);
    if (!d)
        throw Refusal{"date", fmt::format("'{}' in {} is no day.", io::to_text(v), title(name)),
                      "Write it as 2024-07-15."};
    return d;
}

void FeedbackColumns::check(const io::TableRow& row) const {
    for (const auto& [name, columns] : m_columns) {
        const auto said = text(row, name);
        for (const auto& column : columns)
            if (const auto other = trimmed(io::to_text(row.values.at(column)));
                !other.empty() && other != said)
                throw Refusal{"two_values",
                              fmt::format("The columns {} mean the same and say '{}' and '{}'.",
                                          fmt::join(columns, " and "), said, other),
                              "Leave the one that holds and empty the other."};
    }
}

std::vector<io::LayerNote> FeedbackColumns::notes() const {
    std::vector<io::LayerNote> notes;
    if (!m_unknown.empty())
        notes.push_back(
            {1, "unknown_columns",
             fmt::format("These columns are not known and are not kept: {}.", fmt::join(m_unknown, ", "))});
    for (const auto& [name, columns] : m_columns)
        if (columns.size() > 1)
            notes.push_back({1, "same_meaning",
                             fmt::format("The columns {} mean the same; the one that is filled counts.",
                                         fmt::join(columns, " and "))});
    return notes;
}

}  // namespace shuibao::pipeline
