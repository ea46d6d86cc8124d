// SPDX-License-Identifier: Apache-2.0
// Talk goes to stderr: levels, text or JSON lines, and one progress bar when stderr is a terminal.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace shuibao::engine {

/// Text from files as one line for people: control characters as \x1b, at most `longest` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 2000);

enum class LogLevel { debug, info, warn, error };

/// Thread-safe. On stderr text lines read `level: message`, in a file they begin with time, level and run;
/// JSON lines hold ts, level, run, stage, unit, msg.
class Log {
  public:
    struct Options {
        LogLevel level = LogLevel::info;
        bool json = false;
        bool progress = false;  ///< draw a bar (the caller has asked isatty)
        int progress_fd = -1;   ///< also write JSON progress lines to this descriptor; -1 = no
        std::string file = {};  ///< append here instead of stderr; empty = stderr
        std::string run = {};   ///< name of this run: one file holds the lines of many
    };
    explicit Log(Options options);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void write(LogLevel level, std::string_view message, std::string_view stage = {},
               std::string_view unit = {});
    void debug(std::string_view message) { write(LogLevel::debug, message); }
    void info(std::string_view message) { write(LogLevel::info, message); }
    void warn(std::string_view message) { write(LogLevel::warn, message); }
    void error(std::string_view message) { write(LogLevel::error, message); }

    /// Progress of the current stage; cheap, callable from any thread.
    void progress(std::string_view stage, std::size_t done, std::size_t total);

  private:
    Options m_options;
    std::mutex m_mutex;
    int m_fd = 2;
    std::string m_bar;
};

}  // namespace shuibao::engine
