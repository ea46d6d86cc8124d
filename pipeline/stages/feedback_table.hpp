// SPDX-License-Identifier: Apache-2.0
// What a field team sends, read row by row: every row becomes a record or a sentence that says why not.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "field_records.hpp"
#include "ledger.hpp"
#include <shuibao/engine/problems.hpp>

namespace shuibao::pipeline {

struct FeedbackFile {
    std::vector<FieldRecord> records;
    std::vector<engine::Problem> refused;  ///< rows with their reason
    std::vector<engine::Problem> notes;  ///< what was mended or passed over, with the row taken all the same
    std::size_t rows = 0, not_reviewed = 0;
    std::size_t photos = 0, photos_placed = 0;
};

struct FeedbackSource {
    std::string path, layer, encoding;
    std::string photos;  ///< folder of photographs; empty: none
    const std::vector<LedgerState>&
        states;                       ///< of the batch asked for, else of all; the newest one goes first
    const engine::Dictionary& words;  ///< configs/dictionaries/feedback.yaml
    const engine::Dictionary& disturbances;  ///< configs/dictionaries/disturbances.yaml
    const engine::Dictionary& deliverables;  ///< configs/dictionaries/deliverables.yaml: what is sent out
    Date today;                              ///< nobody was anywhere later
};

/// Throws Error(input) for a file that cannot be read or has no column that names cases.
[[nodiscard]] FeedbackFile read_feedback(const FeedbackSource& source);

}  // namespace shuibao::pipeline
