// SPDX-License-Identifier: Apache-2.0
// What people said of a batch, taken into the state of the ledger after it.
#pragma once

#include <functional>
#include <string>

#include "ledger.hpp"

namespace shuibao::pipeline {

/// Takes the records of `now` into the cases of `state`: findings, days, words for type and works, mergers.
/// Mergers that go round in a circle are conflicts of their cases and sentences in `doubts`; none of them
/// holds. `confidence_of` tells what the program was sure of for a polygon, -1 where people drew it.
void hear(LedgerState& state, const BatchEvidence& now,
          const std::function<double(const std::string&)>& confidence_of, LedgerDoubts& doubts);

/// A day so many days later.
[[nodiscard]] Date days_after(Date day, double days);

}  // namespace shuibao::pipeline
