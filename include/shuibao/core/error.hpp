// SPDX-License-Identifier: Apache-2.0
// The one exception type: what ends a tile or a run, said in sentences.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace shuibao {

/// Why a tile or a run ended. The numbers are the process exit codes (sysexits' EX_TEMPFAIL for `temporary`,
/// 128 + SIGINT for `interrupted`); `done` and `problems` are exit codes that no Error carries.
enum class ErrorCode : int {
    failed = 1,         ///< the run failed (disk full, unwritable output, our own limits)
    usage = 2,          ///< wrong command line or configuration
    input = 4,          ///< input data cannot be used
    temporary = 75,     ///< somebody else holds the store: try again
    interrupted = 130,  ///< stopped by SIGINT or SIGTERM; what was finished is kept
};

/// Ends a tile or a run. `what()` is one sentence saying what went wrong and where (file, line, key, tile);
/// `hint()` is one sentence saying what to do about it (may be empty).
class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string what, std::string hint = {})
        : m_code(code), m_what(std::move(what)), m_hint(std::move(hint)) {}

    [[nodiscard]] ErrorCode code() const noexcept { return m_code; }
    [[nodiscard]] const char* what() const noexcept override { return m_what.c_str(); }
    [[nodiscard]] const std::string& hint() const noexcept { return m_hint; }

  private:
    ErrorCode m_code;
    std::string m_what;
    std::string m_hint;
};

/// A value, or the Error that explains why there is none: for what is expected to fail now and then.
template <class T>
using Result = tl::expected<T, Error>;

}  // namespace shuibao
