// SPDX-License-Identifier: Apache-2.0
// Data files that belong to the program: rule sets, dictionaries, sensors.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace shuibao::engine {

/// Absolute path of `configs/<name>`: looked for under $SHUIBAO_CONFIGS, beside the installed program
/// (../share/shuibao/configs) and in the source tree it was built from, in this order.
/// Throws Error(failed) naming the places when it is in none of them.
[[nodiscard]] std::filesystem::path config_file(std::string_view name);

/// Every file that config_file() has named in this process, by its name: what results may depend on beside
/// settings and inputs.
[[nodiscard]] std::map<std::string, std::filesystem::path> config_files_used();

}  // namespace shuibao::engine
