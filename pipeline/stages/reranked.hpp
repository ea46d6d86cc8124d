// SPDX-License-Identifier: Apache-2.0
// What other weights changed: the cases of a batch whose tier, severity or rank is not what it was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "issued.hpp"
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// One item of the score table that gives other points than before; absent: it gave, or gives, none.
struct PointChange {
    std::string rule;
    std::optional<double> before, now;
};

/// The items that differ, in the order of the table now, then those that are gone.
[[nodiscard]] std::vector<PointChange> changed_points(const IssuedCase& before, const IssuedCase& now);
/// In Chinese: which items, else which limit of the tiers, else that others passed it or fell behind it.
[[nodiscard]] std::string cause_of(const IssuedCase& before, const IssuedCase& now);
/// Whether tier, severity or rank is another.
[[nodiscard]] bool differs(const IssuedCase& before, const IssuedCase& now);

/// <output>/reranked.csv: the cases that differ, by their rank now, with old and new and the cause, once the
/// weights of a batch have changed over the same polygons. Counts go to the log and to the notes of the run.
/// Where they never changed there is no such file.
void write_reranked(RunContext& context);

}  // namespace shuibao::pipeline
