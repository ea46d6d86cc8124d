// SPDX-License-Identifier: Apache-2.0
// NOTE (备注) goes out with what the program noticed and comes back with what the team wrote behind it: marks
// keep the two apart.
#pragma once

#include <string>

#include <shuibao/engine/rule_set.hpp>

namespace shuibao::pipeline {

/// `notice` between the marks of configs/dictionaries/deliverables.yaml, of at most `bytes` bytes in UTF-8 or
/// GBK; empty for an empty notice.
[[nodiscard]] std::string program_note(const engine::Dictionary& deliverables, const std::string& notice,
                                       std::size_t bytes);
/// A NOTE without what stands between the marks at its beginning.
[[nodiscard]] std::string without_program_note(const engine::Dictionary& deliverables, std::string note);

}  // namespace shuibao::pipeline
