// SPDX-License-Identifier: Apache-2.0
// What a run leaves in run.json.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/settings.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::apps {

/// A stage that has ended, and how long it took.
struct Outcome {
    std::string stage;
    double seconds = 0;
};

[[nodiscard]] nlohmann::ordered_json json_of(const engine::Problems& problems);
/// The error that ended a run, as it stands beside the problems that did not; none for an interruption.
[[nodiscard]] std::optional<engine::Problem> problem_of(const Error& error, const std::string& stage);
/// `ended`: "done", "done with problems" or what ended it; `last`: the problem that did.
[[nodiscard]] nlohmann::ordered_json run_record(const engine::Settings& settings,
                                                const pipeline::RunContext& context,
                                                const std::vector<Outcome>& outcomes,
                                                const std::string& ended,
                                                const std::optional<engine::Problem>& last);

/// What `--json` prints of a command whose stages print nothing themselves: counts, problems, places.
[[nodiscard]] nlohmann::ordered_json summary_of(const std::string& verb, const pipeline::RunContext& context,
                                                const std::vector<Outcome>& outcomes);
/// What a dry run has decided, and the stages that wait for a file of an earlier one.
[[nodiscard]] nlohmann::ordered_json plan_of(const pipeline::RunContext& context,
                                             const std::vector<std::pair<std::string, std::string>>& waiting);

}  // namespace shuibao::apps
