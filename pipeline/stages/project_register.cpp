// SPDX-License-Identifier: Apache-2.0
#include "project_register.hpp"

#include <algorithm>

namespace shuibao::pipeline {
namespace {

// 0: best, or no grade that is known.
int badness(const std::string& grade, const engine::Dictionary& words) {
    if (words.lists("credit", "listed", grade)) return 4;
    constexpr std::string_view grades = "BCD";
    const auto at = grade.size() == 1 ? grades.find(grade.front()) : std::string_view::npos;
    return at == std::string_view::npos ? 0 : static_cast<int>(at) + 1;
}

}  // namespace

ProjectRegister::ProjectRegister(const std::vector<Project>& projects, const engine::Dictionary& words) {
    for (const auto& p : projects) {
        m_by_key.emplace(p.key, &p);
        if (p.owner.empty() || p.credit.empty()) continue;
        auto& worst = m_graded[p.owner];
        if (worst == nullptr || badness(p.credit, words) > badness(worst->credit, words)) worst = &p;
    }
}

const Project* ProjectRegister::by_key(const std::string& key) const {
    const auto it = m_by_key.find(key);
    return it == m_by_key.end() ? nullptr : it->second;
}

ProjectRegister::Credit ProjectRegister::credit_of(const Project& works, const std::string& owner) const {
    if (!works.credit.empty()) return {works.credit, {}};
    const auto it = owner.empty() ? m_graded.end() : m_graded.find(owner);
    if (it == m_graded.end()) return {};
    const auto& p = *it->second;
    return {p.credit, "建设单位 " + owner + " 的项目 " + (p.name.empty() ? p.key : p.name)};
}

}  // namespace shuibao::pipeline
