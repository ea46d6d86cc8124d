// SPDX-License-Identifier: Apache-2.0
// Making the rows of a big layer while those before them are written.
#pragma once

#include <cstddef>
#include <functional>

#include <shuibao/engine/executor.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// A source of the rows make(0) … make(n − 1), in this order. Writing stays on the thread that asks; with
/// more than one job the next rows are made on another one meanwhile, never two at a time. What make() throws
/// reaches the writer.
[[nodiscard]] io::RowSource rows_ahead(const engine::Executor& executor, std::size_t n,
                                       std::function<io::LayerData::Row(std::size_t)> make);

}  // namespace shuibao::pipeline
