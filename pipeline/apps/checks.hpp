// SPDX-License-Identifier: Apache-2.0
// What can be known before the work begins.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <shuibao/pipeline/prospect.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::apps {

/// The stages of a command by name, in order.
using Stages = std::vector<std::pair<std::string, std::unique_ptr<pipeline::Stage>>>;

/// `shuibao check`: what every stage says of its plan, on `out`, as lines or as JSON. Throws what a check
/// throws.
void check_all(const Stages& stages, const pipeline::RunContext& context, bool json, std::ostream& out);

/// What the checks foresee, without their words; problems are told as in a check. Throws what a check throws.
[[nodiscard]] std::shared_ptr<const pipeline::Prospect> foresee(const Stages& stages,
                                                                const pipeline::RunContext& context);

/// Throws what the check of a later stage throws, so that a run does not find out after hours; `at` is then
/// that stage. The first stage says it itself at once; what the checks tell or count as problems is said when
/// the stage runs.
void check_ahead(const Stages& stages, const pipeline::RunContext& context, std::string& at);

}  // namespace shuibao::apps
