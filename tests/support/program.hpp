// SPDX-License-Identifier: Apache-2.0
// The program as users start it.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <sys/wait.h>

#include <shuibao/core/error.hpp>

namespace shuibao::test {

struct Ended {
    int code = -1;    ///< exit code; 128 + n after signal n
    std::string out;  ///< stdout
};

/// Runs `shuibao` with these words; stderr goes to `log`.
inline Ended program(const std::vector<std::string>& words, const std::string& log) {
    const auto quoted = [](const std::string& text) {
        std::string q = "'";
        for (const char c : text) q += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return q + "'";
    };
    std::string command = quoted(SHUIBAO_PROGRAM);
    for (const auto& w : words) command += " " + quoted(w);
    command += " 2>>" + quoted(log);
    Ended e;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw Error(ErrorCode::failed, "The tests cannot start " + command + ".");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) e.out.append(buffer, n);
    const int status = ::pclose(pipe);
    e.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return e;
}

}  // namespace shuibao::test
