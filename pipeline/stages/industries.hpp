// SPDX-License-Identifier: Apache-2.0
// The 36 project types: the group of the policy each belongs to, and what is normal for it (rules §4).
#pragma once

#include <map>
#include <string>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::pipeline {

struct Industry {
    std::string group;
    algorithms::Profile profile;
};

/// Project type → industry, from configs/dictionaries/industries.yaml. A type it does not know has no group
/// and nothing special.
class Industries {
  public:
    /// Throws Error(usage) for a profile that the program does not know.
    static Industries load();
    [[nodiscard]] const Industry& of(const std::string& type) const;
    /// The type that a word stands for: itself, or the one that has it among its names and keys; else empty.
    [[nodiscard]] std::string name_of(const std::string& word) const;

  private:
    std::map<std::string, Industry> m_types;
    std::map<std::string, std::string> m_names;  ///< other word → type
};

}  // namespace shuibao::pipeline
