// SPDX-License-Identifier: Apache-2.0
// Output appears under its final name complete or not at all: written beside, fsynced, renamed.
#pragma once

#include <filesystem>
#include <string_view>

namespace shuibao::io {

/// A temporary path in the same folder with the same extension; commit() fsyncs it and its folder and renames
/// it. The destructor removes what was not committed. Throws Error(failed) naming path and remedy.
class AtomicOutput {
  public:
    explicit AtomicOutput(std::filesystem::path final_path);
    ~AtomicOutput();
    AtomicOutput(const AtomicOutput&) = delete;
    AtomicOutput& operator=(const AtomicOutput&) = delete;
    [[nodiscard]] const std::filesystem::path& temporary() const { return m_temporary; }
    void commit();

  private:
    std::filesystem::path m_final, m_temporary;
    bool m_committed = false;
};

/// Writes a small text file atomically.
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace shuibao::io
