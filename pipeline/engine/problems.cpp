// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <shuibao/engine/problems.hpp>

namespace shuibao::engine {

void Problems::add(Problem problem) {
    const std::lock_guard lock(m_mutex);
    m_list.push_back(std::move(problem));
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
