// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cerrno>
#include <cstring>

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

}  // namespace

AtomicOutput::AtomicOutput(fs::path final_path) : m_final(std::move(final_path)) {
    static std::atomic<unsigned> serial{0};
    const fs::path folder = m_final.has_parent_path() ? m_final.parent_path() : fs::path(".");
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
}

void AtomicOutput::commit() {
    sync(m_temporary, O_RDONLY);
    if (::rename(m_temporary.c_str(), m_final.c_str()) != 0)
        fail(m_final, "rename the finished file to", errno);
    m_committed = true;
    sync(m_final.has_parent_path() ? m_final.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
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
