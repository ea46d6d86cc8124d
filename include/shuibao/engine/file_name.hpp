// SPDX-License-Identifier: Apache-2.0
// Names of files from names that strangers gave.
#pragma once

#include <string>
#include <string_view>

namespace shuibao::engine {

/// A name for one file or folder, at most 120 bytes and a mark: it leaves no folder, Windows takes it, it
/// reads as what it is. Where anything had to be altered the mark (of the hash) keeps different texts apart.
[[nodiscard]] std::string file_name_of(std::string_view text);

}  // namespace shuibao::engine
