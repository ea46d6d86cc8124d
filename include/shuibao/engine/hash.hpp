// SPDX-License-Identifier: Apache-2.0
// Hashes that decide resume: XXH3-128 as 32 hex digits. Not cryptographic; nobody attacks their own cache.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace shuibao::engine {

[[nodiscard]] std::string hash_bytes(std::string_view bytes);
[[nodiscard]] std::string hash_values(const std::map<std::string, std::string>& values);
/// Content hash of a local file.
/// Throws Error(input) when it cannot be read.
[[nodiscard]] std::string hash_file(const std::string& path);
/// SHA-256 of a local file as 64 hex digits: for checksums that others verify.
/// Throws Error(input) when it cannot be read.
[[nodiscard]] std::string sha256_file(const std::string& path);

}  // namespace shuibao::engine
