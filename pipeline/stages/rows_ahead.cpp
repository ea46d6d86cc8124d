// SPDX-License-Identifier: Apache-2.0
#include "rows_ahead.hpp"

#include <algorithm>
#include <vector>

namespace shuibao::pipeline {

std::launch ahead(const engine::Executor& executor) {
    return executor.options().jobs > 1 ? std::launch::async : std::launch::deferred;
}

void rows_ahead(const engine::Executor& executor, std::size_t n,
                const std::function<io::LayerData::Row(std::size_t)>& make,
                const std::function<void(std::size_t, const io::LayerData::Row&)>& put) {
    constexpr std::size_t at_once = 512;
    const auto policy = ahead(executor);
    const auto part = [&](std::size_t first) {
        std::vector<io::LayerData::Row> rows;
        for (std::size_t i = first; i < std::min(n, first + at_once); ++i) rows.push_back(make(i));
        return rows;
    };
    auto next = std::async(policy, part, std::size_t{0});
    for (std::size_t first = 0; first < n; first += at_once) {
        const auto rows = next.get();
        next = std::async(policy, part, first + at_once);
        for (std::size_t k = 0; k < rows.size(); ++k) put(first + k, rows[k]);
    }
}

void read_ahead(const engine::Executor& executor, io::LayerReader& reader,
                const std::function<void(std::span<io::VectorFeature>)>& use) {
    constexpr std::size_t at_once = 2048;
    const auto read = [&] { return reader.next(at_once); };
    auto next = std::async(ahead(executor), read);
    for (auto rows = next.get(); !rows.empty(); rows = next.get()) {
        next = std::async(ahead(executor), read);
        use(rows);
    }
}

}  // namespace shuibao::pipeline
