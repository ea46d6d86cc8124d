// SPDX-License-Identifier: Apache-2.0
// Failures that do not end the run: kept as data, listed in run.json, turned into exit code 3.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <shuibao/core/error.hpp>

namespace shuibao::engine {

struct Problem {
    std::string stage;  ///< "catalog", "tile" …
    std::string unit;   ///< scene id, tile id, file:row …
    std::string code;   ///< short stable word for tables: "truncated", "wrong_crs", "failed" …
    std::string what;   ///< one sentence
    std::string hint;   ///< what to do; may be empty
    auto operator<=>(const Problem&) const = default;
};

class Log;

/// Thread-safe collector; listings are sorted, so that threads cannot reorder a report.
class Problems {
  public:
    /// Every problem is also a warning in `log`; after a hundred of them only their number is told there.
    explicit Problems(Log& log) : m_log(log) {}
    void add(Problem problem);
    [[nodiscard]] std::vector<Problem> sorted() const;
    [[nodiscard]] std::size_t size() const;

  private:
    Log& m_log;
    mutable std::mutex m_mutex;
    std::vector<Problem> m_list;
};

}  // namespace shuibao::engine
