// SPDX-License-Identifier: Apache-2.0
// What rows of one file say together: several of one polygon are visits to it, or split it; mergers may go
// round in a circle.
#pragma once

#include <vector>

#include "feedback_table.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// A row that was taken, with the record it became.
struct TakenRow {
    const io::TableRow* row = nullptr;
    FieldRecord record;
};

/// Rows of one polygon: where their shapes are of different ground the polygon is split, and each record gets
/// its part; rows whose shapes share more than half of the smaller one are visits to the same ground.
void find_splits(std::vector<TakenRow>& rows);

/// Takes out the rows whose mergers (HBZ) go round in a circle, among themselves or with what the ledger
/// knows, and gives a problem for each.
[[nodiscard]] std::vector<engine::Problem> refuse_circles(std::vector<TakenRow>& rows,
                                                          const std::vector<LedgerState>& states);

}  // namespace shuibao::pipeline
