// SPDX-License-Identifier: Apache-2.0
// The columns of a file of field results, by our names for what they mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// A row that cannot be taken, and why.
struct Refusal {
    std::string code, what, hint;
};

class FeedbackColumns {
  public:
    /// `words`: configs/dictionaries/feedback.yaml; `sent`: names of columns that go out and come back
    /// unread.
    FeedbackColumns(const engine::Dictionary& words, const std::vector<std::string>& sent,
                    const io::Table& table);

    [[nodiscard]] bool has(const std::string& name) const { return m_columns.contains(name); }
    /// How the file calls it; the first where it has several. REQUIRES has(name).
    [[nodiscard]] const std::string& title(const std::string& name) const {
        return m_columns.at(name).front();
    }
    /// Of columns that mean the same the first that is filled.
    [[nodiscard]] io::Value value(const io::TableRow& row, const std::string& name) const;
    [[nodiscard]] std::string text(const io::TableRow& row, const std::string& name) const;
    /// Nothing where it is empty. Throws Refusal for what is no day.
    [[nodiscard]] std::optional<Date> day(const io::TableRow& row, const std::string& name) const;
    /// Throws Refusal where columns that mean the same say different things.
    void check(const io::TableRow& row) const;
    /// Sentences for people: columns that nobody reads, and those that mean the same.
    [[nodiscard]] std::vector<io::LayerNote> notes() const;

  private:
    std::map<std::string, std::vector<std::string>> m_columns;  // our name → columns of this file
    std::vector<std::string> m_unknown;
};

}  // namespace shuibao::pipeline
