// SPDX-License-Identifier: Apache-2.0
// Output appears under its final name complete or not at all: written beside, fsynced, renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

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
    /// Inside the life of a DeferredCommits on this thread the file is only handed to it.
    void commit();

  private:
    std::filesystem::path m_final, m_temporary;
    bool m_committed = false;
};

/// While it lives, what AtomicOutputs commit on this thread waits here under its temporary name, so that
/// another thread can do the waiting for the disk. The innermost one collects. What was not published is
/// removed.
class DeferredCommits {
  public:
    DeferredCommits();
    ~DeferredCommits();
    DeferredCommits(const DeferredCommits&) = delete;
    DeferredCommits& operator=(const DeferredCommits&) = delete;

    /// Stops collecting on the thread it was made on; call before handing it to another thread.
    void close();
    /// Fsyncs and renames all files, in the order they were committed, then fsyncs their folders. Any thread.
    /// Throws Error(failed) naming path and remedy.
    void publish();
    [[nodiscard]] bool empty() const { return m_files.empty(); }

  private:
    friend class AtomicOutput;
    std::vector<std::pair<std::filesystem::path, std::filesystem::path>> m_files;  ///< temporary → final
    DeferredCommits* m_outer;
    bool m_collecting = true;
};
enum class Depth { folder, below };
/// Removes the temporary files that killed processes left in a folder, or also in all folders below it. The
/// caller knows that nobody else is writing there. Returns how many; what cannot be removed stays.
std::size_t sweep_temporaries(const std::filesystem::path& folder, Depth depth);

/// Writes a small text file atomically.
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace shuibao::io
