// SPDX-License-Identifier: Apache-2.0
// Pictures for people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace shuibao::io {

/// Writes red, green, blue bytes (row-major from the upper left) as a PNG, atomically; no time or place
/// inside. REQUIRES 3 · width · height bytes. Throws Error(failed) naming the path.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, int width, int height);

/// Red, green, blue, alpha bytes as a PNG in memory, for archives. REQUIRES 4 · width · height bytes. Throws
/// Error(failed).
[[nodiscard]] std::string png_icon(std::span<const std::uint8_t> rgba, int width, int height);

}  // namespace shuibao::io
