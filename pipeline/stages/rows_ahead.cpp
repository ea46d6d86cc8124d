// SPDX-License-Identifier: Apache-2.0
#include "rows_ahead.hpp"

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

namespace shuibao::pipeline {

io::RowSource rows_ahead(const engine::Executor& executor, std::size_t n,
                         std::function<io::LayerData::Row(std::size_t)> make) {
    const auto policy = executor.options().jobs > 1 ? std::launch::async : std::launch::deferred;
    return [policy, n, make = std::move(make)](const auto& put) {
        constexpr std::size_t at_once = 512;
        const auto part = [&](std::size_t first) {
            std::vector<io::LayerData::Row> rows;
            for (std::size_t i = first; i < std::min(n, first + at_once); ++i) rows.push_back(make(i));
            return rows;
        };
        auto next = std::async(policy, part, std::size_t{0});
        for (std::size_t first = 0; first < n; first += at_once) {
            const auto rows = next.get();
            next = std::async(policy, part, first + at_once);
            for (const auto& row : rows) put(row);
        }
    };
}

}  // namespace shuibao::pipeline
