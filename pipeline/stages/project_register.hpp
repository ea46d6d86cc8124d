// SPDX-License-Identifier: Apache-2.0
// Approved projects by number and by owner: what is known of works and owners beside the ranges.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "approvals.hpp"
#include <shuibao/engine/rule_set.hpp>

namespace shuibao::pipeline {

class ProjectRegister {
  public:
    /// `words`: configs/dictionaries/approvals.yaml. Keeps a reference to the projects.
    ProjectRegister(const std::vector<Project>& projects, const engine::Dictionary& words);
    /// Null for a number that no project has.
    [[nodiscard]] const Project* by_key(const std::string& key) const;

    struct Credit {
        std::string grade;   ///< as the layer writes it; empty where nobody graded the owner
        std::string source;  ///< Chinese: the project of the owner that says so, where it is not `works`
    };
    /// Of the project itself, else the worst that another project of the same owner states.
    [[nodiscard]] Credit credit_of(const Project& works, const std::string& owner) const;

  private:
    std::map<std::string, const Project*, std::less<>> m_by_key;
    std::map<std::string, const Project*, std::less<>> m_graded;  ///< owner → project with the worst grade
};

}  // namespace shuibao::pipeline
