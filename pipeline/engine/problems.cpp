// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <shuibao/engine/log.hpp>
#include <shuibao/engine/problems.hpp>

namespace shuibao::engine {
namespace {
constexpr std::size_t most_told = 100;
}

void Problems::add(Problem problem) {
    std::size_t told = 0;
    {
        const std::lock_guard lock(m_mutex);
        m_list.push_back(problem);
        told = m_list.size();
    }
    if (told <= most_told)
        m_log.write(LogLevel::warn, problem.what + (problem.hint.empty() ? "" : " ") + problem.hint,
                    problem.stage, problem.unit);
    if (told == most_told) m_log.warn("further problems are counted and listed, but not told here");
}

std::vector<Problem> Problems::sorted() const {
    const std::lock_guard lock(m_mutex);
    auto list = m_list;
    std::sort(list.begin(), list.end());
    return list;
}

std::size_t Problems::size() const {
    const std::lock_guard lock(m_mutex);
    return m_list.size();
}

}  // namespace shuibao::engine
