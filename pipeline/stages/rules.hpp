// SPDX-License-Identifier: Apache-2.0
// Which rule sets and which words a run uses.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// The last day of a month, YYYYMM; without one, a day by which everything is in force. Throws Error(usage)
/// for what is no month.
[[nodiscard]] Date end_of_batch(const std::string& month);

/// All rule sets, by the day from which they hold. With `rules.file` there is that one only.
class RuleBook {
  public:
    /// Throws Error(usage) with file:line for a set that is not complete, and for two sets of one day.
    explicit RuleBook(const RunContext& context);
    /// The set in force on a day; the first for days before all of them.
    [[nodiscard]] const engine::RuleSet& at(Date day) const;
    /// The set in force at the end of the batch: for everything that is not judged by its own day.
    [[nodiscard]] const engine::RuleSet& of_batch() const { return at(m_batch); }
    /// By the name that stands with a verdict; nothing when there is no such set any more.
    [[nodiscard]] const engine::RuleSet* named(const std::string& name) const;
    [[nodiscard]] Date batch_end() const { return m_batch; }
    [[nodiscard]] const std::vector<engine::RuleSet>& sets() const { return m_sets; }

  private:
    std::vector<engine::RuleSet> m_sets;  ///< by valid_from
    Date m_batch;
};

/// Numbers and sources of a set, as judge() and score() ask for them. Refers to the set.
[[nodiscard]] algorithms::Rules rules_of(const engine::RuleSet& set);

/// A rule set by its name, as judge() and the overlay ask for it.
struct Law {
    std::string name;
    algorithms::Rules rules;
};

/// Every disturbance is measured and judged by the law of the day on which it was first seen. Refers to the
/// book.
class Laws {
  public:
    explicit Laws(const RuleBook& book);
    /// Without a day the law at the end of the batch.
    [[nodiscard]] const Law& at(const std::optional<Date>& first_seen) const;

  private:
    const RuleBook& m_book;
    std::vector<Law> m_laws;  ///< in the order of the book
};

void declare_rules(OptionTable& table);
/// `rules.dictionary`, else configs/dictionaries/verdicts.yaml.
[[nodiscard]] std::filesystem::path verdict_words_file(const RunContext& context);
/// What stands in it.
[[nodiscard]] engine::Dictionary load_words(const RunContext& context);
/// Hashes of the files above, for the manifest and run.json.
[[nodiscard]] std::map<std::string, std::string> rule_hashes(const RunContext& context);

}  // namespace shuibao::pipeline
