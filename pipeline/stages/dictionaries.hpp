// SPDX-License-Identifier: Apache-2.0
// What each dictionary of configs/dictionaries has to hold, asked when it is read.
#pragma once

#include <filesystem>
#include <string>

#include <shuibao/engine/dictionary.hpp>

namespace shuibao::pipeline {

/// `name` is that of the file that the program ships, without ".yaml"; `file` is read in its place where a
/// city has its own. Throws Error(usage) with file:line for a section, a code, a role or a rule item that is
/// missing or that nothing would ever ask for.
[[nodiscard]] engine::Dictionary load_dictionary(const std::string& name,
                                                 const std::filesystem::path& file = {});

}  // namespace shuibao::pipeline
