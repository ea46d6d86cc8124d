// SPDX-License-Identifier: Apache-2.0
// Pictures for people: files, and what pages and archives hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace shuibao::io {

/// Writes red, green, blue bytes (row-major from the upper left) as a PNG, atomically; no time or place
/// inside. REQUIRES 3 · width · height bytes. Throws Error(failed) naming the path.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, int width, int height);

/// Red, green, blue, alpha bytes as a PNG in memory, for archives. REQUIRES 4 · width · height bytes. Throws
/// Error(failed).
[[nodiscard]] std::string png_icon(std::span<const std::uint8_t> rgba, int width, int height);

/// Red, green, blue bytes (row-major from the upper left) as a JPEG; no time or place inside.
/// `quality` 1–100. REQUIRES 3 · width · height bytes. Throws Error(failed).
[[nodiscard]] std::vector<std::uint8_t> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height,
                                                    int quality);

/// "data:<type>;base64,…" (RFC 2397).
[[nodiscard]] std::string data_uri(std::span<const std::uint8_t> bytes, const char* type);

/// A QR code (ISO/IEC 18004, error correction M): `size` × `size` modules, row-major, true = dark, without
/// the quiet zone of four modules. Throws Error(failed) for texts beyond its capacity.
struct QrCode {
    int size = 0;
    std::vector<bool> dark;
};
[[nodiscard]] QrCode qr_code(const std::string& text);

}  // namespace shuibao::io
