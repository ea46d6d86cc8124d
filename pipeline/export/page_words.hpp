// SPDX-License-Identifier: Apache-2.0
// Words and templates of the pages that people receive.
#pragma once

#include <map>
#include <string>

#include <shuibao/engine/problems.hpp>
#include "palette.hpp"
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// A problem of a run for those who receive pages: what kind it is and what it is about. The sentence of the
/// program, which may name folders of a server, stays in run.json.
struct ToldProblem {
    std::string stage, stage_en, unit, zh, en;
};

/// The dictionaries of a run's pages.
struct PageWords {
    engine::Dictionary pages, report, deliverables, verdicts, erosion;
    Palette colours;  ///< of tiers
    /// Reads pages.yaml, report.yaml, deliverables.yaml and erosion.yaml of configs/dictionaries and the
    /// dictionary of verdicts of this run. Throws Error(usage).
    explicit PageWords(const RunContext& context);
    /// "high" for "高": the code whose official word this is, or the text itself.
    [[nodiscard]] std::string code_of(const char* section, const std::string& word) const;
    /// The n-th word of an entry, empty where there is none.
    [[nodiscard]] std::string word(const char* section, const std::string& entry, std::size_t n = 0) const;
    /// What is read for a verdict, "confirmed" among them.
    [[nodiscard]] std::string verdict_word(const std::string& code) const;
    /// English of a text that the program writes in Chinese, whatever numbers are in it; empty where
    /// report.yaml does not know it.
    [[nodiscard]] std::string english(const std::string& text) const;
    [[nodiscard]] ToldProblem problem(const engine::Problem& problem) const;
    /// The one sentence that stands on every product.
    [[nodiscard]] std::string disclaimer(bool english) const;
};

/// Hashes of dictionaries and of the files in configs/templates named here, for the manifest.
[[nodiscard]] std::map<std::string, std::string> page_hashes(const RunContext& context,
                                                             const std::vector<std::string>& templates);

/// What a template may name: texts (escaped where {{they}} stand), and lists of the same.
struct TemplateData {
    std::map<std::string, std::string> texts = {};
    std::map<std::string, std::vector<TemplateData>> lists = {};
    std::map<std::string, bool> flags = {};
};
/// Fills configs/templates/<name> (mustache: {{text}} is escaped, {{{html}}} is not). Throws Error(failed)
/// for a template that cannot be read, Error(usage) naming it for one that mustache does not understand.
[[nodiscard]] std::string fill_template(const std::string& name, const TemplateData& data);
/// The text of configs/templates/<name>.
[[nodiscard]] std::string template_text(const std::string& name);

}  // namespace shuibao::pipeline
