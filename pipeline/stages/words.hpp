// SPDX-License-Identifier: Apache-2.0
// Words that people typed into a layer: listed where nothing knows them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// What no dictionary knows, once for each word with its rows.
class UnknownWords {
  public:
    /// `what` names the field as in "the type", `taken` says what becomes of such a row.
    void add(const std::string& what, const std::string& taken, const std::string& word, std::int64_t row);
    /// One note per word, code "unknown_word", at its first row; by field, then word.
    [[nodiscard]] std::vector<io::LayerNote> notes() const;

  private:
    std::map<std::pair<std::string, std::string>, std::pair<std::string, std::vector<std::int64_t>>> m_rows;
};

/// "3, 7, 9 and 4 more": at most five of them.
[[nodiscard]] std::string listed_rows(const std::vector<std::int64_t>& rows);

}  // namespace shuibao::pipeline
