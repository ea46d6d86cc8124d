// SPDX-License-Identifier: Apache-2.0
// One run of the program: settings resolved, store locked, stages called, run.json written.
#pragma once

#include <cstddef>

#include "cli.hpp"
#include <shuibao/engine/settings.hpp>

namespace shuibao::apps {

/// Options every verb that works on a store shares (batch, store, output, jobs, memory).
void declare_common(OptionTable& table);
/// Common options and those of all stages: what a configuration may hold.
[[nodiscard]] OptionTable full_table();
/// Defaults, then file, environment, command line.
[[nodiscard]] engine::Settings resolve(const OptionTable& table, const Request& request);
/// The least memory a run can do with.
constexpr std::size_t least_memory = std::size_t{200} << 20;
/// A setting that is an amount of memory, e.g. 4G; throws Error(usage) for what is none.
[[nodiscard]] std::size_t bytes_of(const engine::Settings& settings, const char* key);
/// Runs a stage, or all of them for `run`, or their checks for `check`, or hands them to a cluster for
/// `submit`; returns the exit code.
[[nodiscard]] int run_session(const Request& request, const engine::Settings& settings);

}  // namespace shuibao::apps
