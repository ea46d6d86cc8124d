// SPDX-License-Identifier: Apache-2.0
// Making the rows of a big layer while those before them are written, reading them while those before them
// are used.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <span>

#include <shuibao/engine/executor.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// How what goes ahead of its use is started: meanwhile, or with one job when it is asked for.
[[nodiscard]] std::launch ahead(const engine::Executor& executor);

/// Puts the rows make(0) … make(n − 1), in this order. Writing stays on the thread that calls; with more than
/// one job the next rows are made on another one meanwhile, never two at a time. What make() throws reaches
/// the caller.
void rows_ahead(const engine::Executor& executor, std::size_t n,
                const std::function<io::LayerData::Row(std::size_t)>& make,
                const std::function<void(std::size_t, const io::LayerData::Row&)>& put);

/// Gives the rows of a layer to `use`, some at a time and in their order, on the thread that calls; with more
/// than one job the next are read on another one meanwhile.
void read_ahead(const engine::Executor& executor, io::LayerReader& reader,
                const std::function<void(std::span<io::VectorFeature>)>& use);

}  // namespace shuibao::pipeline
