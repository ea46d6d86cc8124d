// SPDX-License-Identifier: Apache-2.0
// `shuibao submit`: a run as jobs of a cluster, or as the same jobs on this machine.
#pragma once

#include <iosfwd>

#include "checks.hpp"
#include "cli.hpp"
#include <shuibao/core/options.hpp>

namespace shuibao::apps {

/// The section `submit` of the configuration.
void declare_submit(OptionTable& table);

/// Looks at the inputs as `check` does, then hands the jobs over as `submit.engine` says; returns the exit
/// code. `jobs`: threads asked for, 0 = not said; `memory`: bytes a run may use.
[[nodiscard]] int submit_run(const Request& request, const Stages& stages, pipeline::RunContext& context,
                             std::size_t memory, int jobs, std::ostream& out);

}  // namespace shuibao::apps
