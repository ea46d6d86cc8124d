// SPDX-License-Identifier: Apache-2.0
// Archives of files that go out together: the same files give the same bytes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace shuibao::io {

/// A zip file (deflate, UTF-8 names, every entry dated 1980-01-01) written beside its final name. What was
/// not committed by finish() leaves nothing behind. All calls throw Error(failed) naming path and remedy.
class ZipWriter {
  public:
    explicit ZipWriter(std::filesystem::path path);
    ~ZipWriter();
    ZipWriter(const ZipWriter&) = delete;
    ZipWriter& operator=(const ZipWriter&) = delete;

    /// `name` is the path inside, with '/'. REQUIRES a name that was not added before.
    void add_text(const std::string& name, std::string_view bytes);
    /// Copies a file into it, piece by piece; throws Error(input) where that cannot be read.
    void add_file(const std::string& name, const std::filesystem::path& file);
    void finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
