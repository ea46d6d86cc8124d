// SPDX-License-Identifier: Apache-2.0
// A layer of approved ranges by our names for its fields.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "disturbance_file.hpp"
#include <shuibao/engine/dictionary.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// The layer's fields by our names: the configured mapping first, then the aliases.
/// For one thread.
class ApprovalFields {
  public:
    /// Throws Error(usage) for a mapping from or to a name that there is not.
    ApprovalFields(const RunContext& context, const io::VectorLayer& layer);
    ApprovalFields(const ApprovalFields&) = delete;  // m_find knows this one's dictionary
    ApprovalFields& operator=(const ApprovalFields&) = delete;
    [[nodiscard]] io::Value value(const io::VectorFeature& row, const std::string& ours) const;
    /// Without blanks around it.
    [[nodiscard]] std::string text(const io::VectorFeature& row, const std::string& ours) const;
    /// Whether the range is drawn schematically; nothing for a word that the dictionary does not know.
    [[nodiscard]] std::optional<bool> schematic(const io::VectorFeature& row) const;
    [[nodiscard]] bool under_construction(const std::string& status) const;
    [[nodiscard]] bool status_known(const std::string& status) const;
    /// Whether the name of a part (组成部分) says that it is a yard of this kind.
    [[nodiscard]] bool yard(const std::string& part, const char* kind) const;
    /// The project of a row: its number, else name and owner, else empty.
    [[nodiscard]] std::string key(const io::VectorFeature& row) const;

  private:
    engine::Dictionary m_dictionary;
    std::map<std::string, std::string> m_mapped;
    mutable FieldFinder m_find{m_dictionary};
};

}  // namespace shuibao::pipeline
