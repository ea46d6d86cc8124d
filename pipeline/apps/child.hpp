// SPDX-License-Identifier: Apache-2.0
// Other programs, started from a list of words: no shell reads what strangers wrote.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace shuibao::apps {

struct Ended {
    int code = 0;  ///< exit code; 128 + n after signal n
    std::string out, err;
};

/// Runs a program found in PATH to its end with `input` on stdin. Throws Error(failed) when it cannot start;
/// signals of the terminal do not reach it.
[[nodiscard]] Ended run_child(const std::vector<std::string>& words, const std::string& input = {});

/// Starts a program whose stdout and stderr go to the end of `log`; `more` is added to its environment. It
/// leads a process group of its own.
[[nodiscard]] pid_t start_child(const std::vector<std::string>& words, const std::string& log,
                                const std::map<std::string, std::string>& more);

/// True when it has ended, with its code as in Ended.
[[nodiscard]] bool has_ended(pid_t child, int& code);

}  // namespace shuibao::apps
