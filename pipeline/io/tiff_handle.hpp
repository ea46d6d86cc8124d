// SPDX-License-Identifier: Apache-2.0
// libtiff, where GDAL's way of moving blocks costs too much: opening, and blocks of ZSTD straight to the
// file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tiffio.h>

namespace shuibao::io {

struct CloseTiff {
    void operator()(TIFF* t) const { TIFFClose(t); }
};
using TiffPtr = std::unique_ptr<TIFF, CloseTiff>;

/// `mode` as TIFFOpen. Null when it cannot be opened; libtiff's errors on this file go to `errors` as long as
/// it is open (which must live longer), its warnings nowhere: they are of tags that only GDAL knows.
[[nodiscard]] TiffPtr open_tiff(const std::filesystem::path& path, const char* mode, std::string& errors);

/// Fills the blocks of a TIFF that GDAL made without any, band-sequential UInt16 in square blocks under ZSTD.
/// Encoding a whole block at once, with matches of seven bytes and more only, takes two thirds of the time
/// that libtiff's stream takes and gives files of the same size: in 16-bit imagery shorter matches save
/// nothing.
class TiffBlocks {
  public:
    /// Throws Error(failed) naming `shown` when `path` cannot be opened.
    TiffBlocks(const std::filesystem::path& path, std::filesystem::path shown);
    /// Turns to another directory of the file (0 is the first); blocks are numbered anew.
    void directory(std::uint32_t number);
    /// A block as write() takes it; `level` as in GeoTiffOptions. Reentrant. Throws Error(failed).
    void encode(std::span<const std::uint16_t> block, int level, std::vector<char>& packed) const;
    /// One block by libtiff's number, each at most once. Throws Error(failed) when the disk is full.
    void write(std::uint32_t index, std::span<const char> packed);
    void write(std::uint32_t index, std::span<const std::uint16_t> block, int level);
    /// Closes; throws Error(failed) when the directory cannot be written.
    void close();

  private:
    [[noreturn]] void fail(int error) const;

    std::filesystem::path m_shown;
    std::string m_errors;
    TiffPtr m_tiff;  // last: closed before what it tells its errors to
    std::vector<char> m_packed;
};

}  // namespace shuibao::io
