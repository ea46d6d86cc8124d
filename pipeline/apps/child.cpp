// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shuibao/core/error.hpp>

namespace shuibao::apps {
namespace {

// A descriptor that closes itself.
class File {
  public:
    explicit File(int fd) : m_fd(fd) {}
    ~File() {
        if (m_fd >= 0) ::close(m_fd);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int fd() const { return m_fd; }

  private:
    int m_fd;
};

[[noreturn]] void fail(const std::string& what, int why) {
    throw Error(ErrorCode::failed, fmt::format("{}: {}.", what, std::strerror(why)));
}

// Files in memory: neither side can wait for the other as it could at a pipe.
int in_memory(const std::string& text) {
    const int fd = ::memfd_create("shuibao", MFD_CLOEXEC);
    if (fd < 0) fail("No file could be made in memory", errno);
    for (std::size_t done = 0; done < text.size();) {
        const auto n = ::write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno != EINTR) fail("A file in memory could not be written", errno);
        if (n > 0) done += static_cast<std::size_t>(n);
    }
    ::lseek(fd, 0, SEEK_SET);
    return fd;
}

std::string all_of(int fd) {
    std::string text;
    char buffer[4096];
    off_t at = 0;
    for (ssize_t n = 0; (n = ::pread(fd, buffer, sizeof buffer, at)) > 0; at += n)
        text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
    std::vector<std::string> all;
    for (char** e = environ; *e != nullptr; ++e) {
        const std::string entry = *e;
        if (!more.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
    }
    for (const auto& [name, value] : more) all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (const auto& t : texts) list.push_back(const_cast<char*>(t.c_str()));
    list.push_back(nullptr);
    return list;
}

pid_t spawn(const std::vector<std::string>& words, int in, int out, int err,
            const std::map<std::string, std::string>& more) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    for (const auto& [from, to] : {std::pair(in, 0), std::pair(out, 1), std::pair(err, 2)})
        posix_spawn_file_actions_adddup2(&files, from, to);
    sigset_t usual;
    sigemptyset(&usual);
    for (const int s : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&usual, s);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    const auto environment = environment_with(more);
    pid_t child = -1;
    const int rc = ::posix_spawnp(&child, words.front().c_str(), &files, &attributes, pointers(words).data(),
                                  pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0) fail(fmt::format("The program {} cannot be started", words.front()), rc);
    return child;
}

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Ended run_child(const std::vector<std::string>& words, const std::string& input) {
    const File in(in_memory(input)), out(in_memory({})), err(in_memory({}));
    const pid_t child = spawn(words, in.fd(), out.fd(), err.fd(), {});
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) fail(fmt::format("{} was lost", words.front()), errno);
    return {code_of(status), all_of(out.fd()), all_of(err.fd())};
}

pid_t start_child(const std::vector<std::string>& words, const std::string& log,
                  const std::map<std::string, std::string>& more) {
    const File in(in_memory({}));
    const File out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (out.fd() < 0) fail("Cannot write " + log, errno);
    return spawn(words, in.fd(), out.fd(), out.fd(), more);
}

bool has_ended(pid_t child, int& code) {
    int status = 0;
    const pid_t who = ::waitpid(child, &status, WNOHANG);
    if (who == 0 || (who < 0 && errno == EINTR)) return false;
    if (who < 0) fail("A process was lost", errno);
    code = code_of(status);
    return true;
}

}  // namespace shuibao::apps
