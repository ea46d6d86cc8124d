// SPDX-License-Identifier: Apache-2.0
// What the looks of a batch show of the ground of the cases that were known before it: for 完工 (rules §5).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <shuibao/algorithms/ground.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

struct LedgerState;

/// Case id → looks at its ground, by day. A case without looks is missing.
using GroundEvidence = std::map<std::string, std::vector<algorithms::GroundLook>>;

/// <store>/batches/<batch>/ground.json: the looks after the end of `previous` until the end of `batch`, at
/// the shapes of the ledger after `previous`; cases that are finished, or part of others, are not looked at.
/// Made when it is stale; not there where the store has no tiles, or none of these days. Problems go to
/// `context`.
void look_at_ground(RunContext& context, const std::string& batch, const std::string& previous);
[[nodiscard]] std::filesystem::path ground_file(const engine::Store& store, const std::string& batch);
/// Empty where nothing was looked at. Throws Error(input) for a damaged file.
[[nodiscard]] GroundEvidence read_ground(const std::filesystem::path& file);

}  // namespace shuibao::pipeline
