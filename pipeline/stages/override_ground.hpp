// SPDX-License-Identifier: Apache-2.0
// Decisions of people hold for ground, not for a number: another run of a batch may number polygons anew.
#pragma once

#include <map>
#include <string>

#include "ledger.hpp"
#include "overrides.hpp"
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

using Overrides = std::map<std::string, Override>;

/// What rank.overrides says of this batch, as far as it can be followed. Where a decision was first applied
/// is kept in the store (overrides.json: the batch and a point of the ground); one whose number means other
/// ground in that batch now is left out. That, and a number that no batch of the ledger knows, is a problem
/// with file:line. `state` is the ledger after this batch, with shapes. `keep` is false where nothing may be
/// written. Empty where no file is named. Throws Error(usage) for a file that is not in order, Error(input)
/// for a damaged store.
[[nodiscard]] Overrides overrides_in_force(RunContext& context, const engine::Dictionary& words,
                                           const LedgerState& state, bool keep);

/// The decisions as one text, for the manifest.
[[nodiscard]] std::string overrides_hash(const Overrides& overrides);

}  // namespace shuibao::pipeline
