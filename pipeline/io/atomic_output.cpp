// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <set>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, const char* doing, int error) {
    const char* remedy =
        error == ENOSPC ? "Free some space or point store/output at another disk; run the same command again."
        : error == EACCES || error == EPERM || error == EROFS
            ? "Give this user the right to write there, or choose another folder."
        : error == ENOTDIR || error == EEXIST
            ? "A file stands where a folder is needed: move it, or choose another folder."
            : "Check the disk and the folder, then run the same command again.";
    throw Error(ErrorCode::failed,
                fmt::format("Cannot {} {}: {}.", doing, path.string(), std::strerror(error)), remedy);
}

void sync(const fs::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) fail(path, "open", errno);
    const int rc = ::fsync(fd), error = errno;
    ::close(fd);
    if (rc != 0 && error != EINVAL) fail(path, "flush", error);  // EINVAL: a file system without fsync
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void publish_name(const fs::path& temporary, const fs::path& final_path) {
    if (::rename(temporary.c_str(), final_path.c_str()) != 0)
        fail(final_path, "rename the finished file to", errno);
}

// Asks the kernel to start writing now, so that the fsync to come has little left to wait for.
void start_writing(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    static_cast<void>(::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    ::close(fd);
}

thread_local DeferredCommits* t_deferred = nullptr;

}  // namespace

AtomicOutput::AtomicOutput(fs::path final_path) : m_final(std::move(final_path)) {
    // Processes of two machines may have one pid.
    static std::atomic<unsigned> serial{std::random_device{}() % 1'000'000};
    const fs::path folder = folder_of(m_final);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) fail(folder, "create the folder", error.value());
    if (::access(folder.c_str(), W_OK) != 0) fail(folder, "write into", errno);
    // The pid and a serial keep two writers of one name apart; the extension stays, drivers look at it.
    m_temporary = folder / fmt::format(".{}.{}-{}.tmp{}", m_final.stem().string(), ::getpid(), serial++,
                                       m_final.extension().string());
}

AtomicOutput::~AtomicOutput() {
    if (m_committed) return;
    std::error_code ignored;
    fs::remove(m_temporary, ignored);
    for (const char* sidecar : {"-journal", "-wal", "-shm"})  // SQLite's, where it was stopped half way
        fs::remove(m_temporary.string() + sidecar, ignored);
}

void AtomicOutput::commit() {
    if (t_deferred != nullptr) {
        start_writing(m_temporary);
        t_deferred->m_files.emplace_back(m_temporary, m_final);
        m_committed = true;
        return;
    }
    sync(m_temporary, O_RDONLY);
    publish_name(m_temporary, m_final);
    m_committed = true;
    sync(folder_of(m_final), O_RDONLY | O_DIRECTORY);
}

DeferredCommits::DeferredCommits() : m_outer(std::exchange(t_deferred, this)) {}

DeferredCommits::~DeferredCommits() {
    close();
    std::error_code ignored;
    for (const auto& [temporary, final_path] : m_files) fs::remove(temporary, ignored);
}

void DeferredCommits::close() {
    if (m_collecting) t_deferred = m_outer;
    m_collecting = false;
}

void DeferredCommits::publish() {
    std::set<fs::path> folders;
    for (const auto& [temporary, final_path] : m_files) {
        sync(temporary, O_RDONLY);
        publish_name(temporary, final_path);
        folders.insert(folder_of(final_path));
    }
    m_files.clear();
    for (const auto& folder : folders) sync(folder, O_RDONLY | O_DIRECTORY);
}

void write_text(const fs::path& path, std::string_view text) {
    AtomicOutput out(path);
    const int fd = ::open(out.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) fail(path, "write", errno);
    for (std::size_t done = 0; done < text.size();) {
        const auto n = ::write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int error = errno;
            ::close(fd);
            fail(path, "write", error);
        }
        done += static_cast<std::size_t>(n);
    }
    ::close(fd);
    out.commit();
}

}  // namespace shuibao::io
