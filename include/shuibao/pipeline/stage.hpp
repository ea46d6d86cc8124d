// SPDX-License-Identifier: Apache-2.0
// A stage: one verb of `shuibao`, one file, registered where it stands.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/core/registry.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/settings.hpp>

namespace shuibao::pipeline {

struct Prospect;

/// Everything a stage may touch while it runs.
struct RunContext {
    const engine::Settings& settings;
    const engine::Store& store;
    engine::Executor& executor;
    engine::Log& log;
    engine::Problems& problems;
    std::filesystem::path output;                    ///< <output>/ of the run
    std::string batch;                               ///< 期次, YYYYMM
    bool json = false;                               ///< the result on stdout is wanted as JSON
    std::ostream& out;                               ///< stdout: data only
    bool list = false;                               ///< `export --list`: only list what there is
    bool overwrite = false;                          ///< files that exist may be replaced
    std::map<std::string, std::string> inputs = {};  ///< file → hash of what the stages read, for run.json
    std::vector<engine::Problem> notes = {};         ///< what was mended, not lost: listed, but no problem
    std::shared_ptr<Prospect> prospect = {};         ///< for `shuibao check`; none in a run
};

/// How a verb appears in help and in `run`.
struct StageInfo {
    std::string summary;               ///< one line
    std::string description;           ///< a paragraph: from → to, limits
    std::vector<std::string> example;  ///< command lines
    std::string positional = {};       ///< key of the option that may be given without its name
    bool in_run = true;                ///< part of `shuibao run`, in registry order
    bool shardable = false;            ///< accepts --tile and --shard
    bool needs_store = true;           ///< takes the store's lock
};

class Stage {
  public:
    virtual ~Stage() = default;
    [[nodiscard]] virtual StageInfo info() const = 0;
    /// Declares the options this stage owns. Keys are unique over all stages.
    virtual void declare(OptionTable& table) const = 0;
    /// Throws for a configuration with which run() could not start. Called for all stages of a command before
    /// the first one works, so it must be cheap.
    virtual void require(const RunContext& /*context*/) const {}
    /// The file of an earlier stage without which there is nothing to plan; empty = none. For dry runs.
    [[nodiscard]] virtual std::filesystem::path first_input(const RunContext& /*context*/) const {
        return {};
    }
    /// Looks at configuration and inputs without writing anything and says on context.out what run() would
    /// do and what it costs; throws Error for what would end the run, adds to context.problems what the run
    /// would do without. For `shuibao check`, and before `run` begins: there the first stage is not asked.
    virtual void check(RunContext& /*context*/) const {}
    /// Does the work. Failures that do not end the run go to context.problems.
    virtual void run(RunContext& context) const = 0;
};

using StageRegistry = Registry<Stage>;

/// The grid of the store (grid.json); throws Error(usage) telling to run `catalog` first when there is none.
[[nodiscard]] Grid load_grid(const engine::Store& store);
void save_grid(const engine::Store& store, const Grid& grid);

}  // namespace shuibao::pipeline
