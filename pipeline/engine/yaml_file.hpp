// SPDX-License-Identifier: Apache-2.0
// A YAML file that people write, and sentences for what is wrong in it.
#pragma once

#include <filesystem>
#include <string>

#include <yaml-cpp/yaml.h>

namespace shuibao::engine {

/// Throws Error(usage) for a file that cannot be read or is no YAML.
[[nodiscard]] YAML::Node parse_yaml(const std::filesystem::path& file);

/// Throws Error(usage) with file:line.
[[noreturn]] void refuse(const std::filesystem::path& file, const YAML::Node& at, const std::string& what,
                         const std::string& hint);

}  // namespace shuibao::engine
