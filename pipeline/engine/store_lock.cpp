// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/store.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
namespace {

// store_holder() takes the lock for an instant: nobody is turned away because of that.
constexpr double least_wait = 0.2;

using Deadline = std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<double>>;

std::string written_holder(const fs::path& file) {
    std::string holder;
    std::ifstream in(file);
    std::getline(in, holder);
    return holder.empty() ? "another process" : holder;
}

// The locked file; what it is the lock of stands first in the sentences.
int locked(const Store& store, const fs::path& file, int how, Deadline until, const std::string& what) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        throw Error(
            ErrorCode::failed,
            fmt::format("The store {} cannot be locked: {}.", store.root().string(), std::strerror(errno)),
            "Give this user the right to write there, or choose another store.");
    while (::flock(fd, how | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() >= until) {
            ::close(fd);
            throw Error(ErrorCode::temporary, fmt::format("{} is in use by {}.", what, written_holder(file)),
                        "Wait for it to finish, or say --wait SECONDS.");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (stop_requested()) {
            ::close(fd);
            check_stop();
        }
    }
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const auto since = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    const std::string text = fmt::format("process {} on {} since {:%Y-%m-%d %H:%M:%S} UTC\n", ::getpid(),
                                         host.data(), fmt::gmtime(since));
    // Only a courtesy to whoever waits: the lock itself is the kernel's.
    if (::ftruncate(fd, 0) == 0) static_cast<void>(!::pwrite(fd, text.data(), text.size(), 0));
    return fd;
}

// Of a store held alone no part is at work, and the next run may have another number of them.
void forget_parts(const Store& store) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(store.root(), error)) {
        int shard = 0, shards = 0;
        char more = 0;
        const auto name = entry.path().filename().string();
        if (std::sscanf(name.c_str(), "lock.%dof%d%c", &shard, &shards, &more) == 2)
            files.push_back(entry.path());
    }
    for (const auto& file : files) fs::remove(file, error);
}

}  // namespace

std::optional<std::string> store_holder(const Store& store) {
    const int fd = ::open(store.lock_file().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    const bool held = ::flock(fd, LOCK_EX | LOCK_NB) != 0;
    ::close(fd);
    return held ? std::optional(written_holder(store.lock_file())) : std::nullopt;
}

StoreLock::StoreLock(const Store& store, LockMode mode, double wait_seconds, const Selection& selection) {
    std::error_code error;
    fs::create_directories(store.root(), error);
    if (error)
        throw Error(
            ErrorCode::failed,
            fmt::format("The store {} cannot be created: {}.", store.root().string(), error.message()),
            "Choose a folder this user may write to with --store.");
    const bool shared = mode == LockMode::shared;
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::duration<double>(std::max(wait_seconds, least_wait));
    m_fd = locked(store, store.lock_file(), shared ? LOCK_SH : LOCK_EX, until,
                  fmt::format("The store {}", store.root().string()));
    if (!shared) {
        forget_parts(store);
        return;
    }
    try {
        m_part = locked(store, store.lock_file(selection.shard, selection.shards), LOCK_EX, until,
                        fmt::format("Part {}/{} of the store {}", selection.shard + 1, selection.shards,
                                    store.root().string()));
    } catch (...) {
        ::close(m_fd);
        throw;
    }
}

StoreLock::~StoreLock() {
    if (m_part >= 0) ::close(m_part);
    if (m_fd >= 0) ::close(m_fd);
}

GatherLock::GatherLock(const Store& store)
    : m_fd(::open(store.gather_lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    int rc = m_fd < 0 ? -1 : ::flock(m_fd, LOCK_EX);
    while (m_fd >= 0 && rc != 0 && errno == EINTR) rc = ::flock(m_fd, LOCK_EX);
    if (rc == 0) return;
    const int why = errno;
    if (m_fd >= 0) ::close(m_fd);
    throw Error(ErrorCode::failed,
                fmt::format("Cannot lock {}: {}.", store.gather_lock_file().string(), std::strerror(why)),
                "Give this user the right to write there; shards on several machines need a shared folder "
                "with locks.");
}

GatherLock::~GatherLock() {
    if (m_fd >= 0) ::close(m_fd);
}

}  // namespace shuibao::engine
