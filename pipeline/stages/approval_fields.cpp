// SPDX-License-Identifier: Apache-2.0
#include "approval_fields.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {

ApprovalFields::ApprovalFields(const RunContext& c, const io::VectorLayer& layer)
    : m_dictionary(load_dictionary("approvals")), m_mapped(c.settings.map("approvals.fields")) {
    std::vector<std::string> known;
    for (const auto& [name, aliases] : m_dictionary.sections["fields"]) known.push_back(name);
    for (const auto& [ours, theirs] : m_mapped) {
        if (std::find(known.begin(), known.end(), ours) == known.end()) {
            const auto near = nearest_of(ours, known);
            throw Error(
                ErrorCode::usage,
                fmt::format("{}: approvals.fields has no '{}'.", c.settings.origin("approvals.fields"), ours),
                near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                             : fmt::format("Did you mean '{}'?", near));
        }
        if (std::find(layer.fields.begin(), layer.fields.end(), theirs) == layer.fields.end())
            throw Error(ErrorCode::usage,
                        fmt::format("{}: the layer of approvals has no field '{}'.",
                                    c.settings.origin("approvals.fields"), theirs),
                        fmt::format("It has: {}.", fmt::join(layer.fields, ", ")));
    }
}

io::Value ApprovalFields::value(const io::VectorFeature& f, const std::string& ours) const {
    if (const auto it = m_mapped.find(ours); it != m_mapped.end()) return field_value(f, {it->second});
    return m_find(f, ours);
}

std::string ApprovalFields::text(const io::VectorFeature& f, const std::string& ours) const {
    return trimmed(io::to_text(value(f, ours)));
}

std::optional<bool> ApprovalFields::schematic(const io::VectorFeature& f) const {
    const auto word = text(f, "vector_type");
    if (word.empty() || m_dictionary.lists("vector_types", "exact", word)) return false;
    if (m_dictionary.lists("vector_types", "schematic", word)) return true;
    return std::nullopt;
}

bool ApprovalFields::under_construction(const std::string& status) const {
    return m_dictionary.lists("status", "under_construction", status);
}

bool ApprovalFields::status_known(const std::string& status) const {
    return status.empty() || under_construction(status) || m_dictionary.lists("status", "other", status);
}

bool ApprovalFields::yard(const std::string& part, const char* kind) const {
    const auto& words = m_dictionary.values("yards", kind);
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& w) { return part.find(w) != std::string::npos; });
}

std::string ApprovalFields::key(const io::VectorFeature& f) const {
    const auto number = text(f, "project"), title = text(f, "name"), owner = text(f, "owner");
    if (!number.empty()) return number;
    return title.empty() ? "" : title + (owner.empty() ? "" : " / " + owner);
}

}  // namespace shuibao::pipeline
