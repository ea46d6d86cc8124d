// SPDX-License-Identifier: Apache-2.0
// What people found of a case before, for the page that sends somebody there again.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/engine/store.hpp>

namespace shuibao::pipeline {

/// One visit of the field.
struct CaseCheck {
    Date day;
    std::string by, finding;  ///< in their words
    double area = 0;          ///< m², of the case in the batch that they were sent with
};

struct CasePast {
    std::vector<CaseCheck> checks;  ///< by day; those of what it was split off from and took in as well
    std::string measured;           ///< verdict of the program, as a code, whatever people decided since
    bool relisted = false;          ///< nothing was wrong with it, or it was put right; it has grown since
    bool disputed = false;          ///< people of one day disagree
};

/// Cases of the ledger after `batch`, by id; empty where it has no state.
[[nodiscard]] std::map<std::string, CasePast> case_pasts(const engine::Store& store,
                                                         const std::string& batch);
/// Files that they come from, for the manifest.
[[nodiscard]] std::map<std::string, std::string> case_past_hashes(const engine::Store& store,
                                                                  const std::string& batch);

}  // namespace shuibao::pipeline
