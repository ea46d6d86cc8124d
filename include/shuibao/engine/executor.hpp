// SPDX-License-Identifier: Apache-2.0
// Units of work: what the manifest decides about, what threads run, what can fail without ending the run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <shuibao/engine/log.hpp>
#include <shuibao/engine/problems.hpp>
#include <shuibao/engine/store.hpp>

namespace shuibao::engine {

/// One restartable piece of a stage: usually a tile, or a tile and a date.
struct Unit {
    std::string id;                             ///< "X0003_Y0004/20161209"; unique in its stage
    std::map<std::string, std::string> inputs;  ///< name → hash or value of everything the result depends on
    std::vector<std::filesystem::path>
        outputs;                 ///< files the work writes (atomically); it may leave some out
    std::string group = {};      ///< units of one group run on one thread, in the order given
    std::size_t memory = 0;      ///< peak bytes the work needs, for the budget
    std::function<void()> work;  ///< throws Error when the unit fails; must be reentrant
};

/// Which part of a stage this process does.
struct Selection {
    std::vector<std::string> tiles = {};  ///< only units of these tiles; empty = all
    int shard = 0, shards = 1;            ///< only units whose tile hashes to this shard (0-based)
    /// `unit` is a unit id; what stands before its first '/' is the tile. Ids that name no tile are always
    /// taken.
    [[nodiscard]] bool takes(const std::string& unit) const;
};

struct StageCounts {
    std::size_t planned = 0, run = 0, skipped = 0, failed = 0;
    double seconds = 0;
};

/// One decision about a unit.
struct PlannedUnit {
    std::string stage, unit;
    bool run = true;
    std::string reason;
};

/// Runs units in parallel (oneTBB) inside a memory budget, skipping those the manifest knows to be up to
/// date. Results do not depend on the number of threads or on the order of units.
class Executor {
  public:
    struct Options {
        int jobs = 1;
        std::size_t memory = std::size_t{1} << 30;  ///< bytes for all units together
        bool dry_run = false;                       ///< plan only: print what would run and why
        bool explain = false;                       ///< print the reason of each decision
        std::string code_version;                   ///< enters every key: a new program redoes the work
        std::map<std::string, std::string> stage_codes =
            {};                    ///< the same of stages with less code of their own
        Selection selection = {};  ///< which units this process does
    };
    Executor(Options options, const Store& store, Log& log, Problems& problems);
    ~Executor();

    /// Decides, runs and records; units whose id names a tile outside the selection are left alone. A unit
    /// whose work throws Error is added to the problems (unless the code is `interrupted`, or the disk is
    /// full, which end the run) and the others go on. Throws Error(interrupted) after SIGINT/SIGTERM, when
    /// the units in flight have finished, and Error(usage) when units are of tiles, but none of a tile asked
    /// for. With a name for the `plan`, what all shards together are to do is kept under it for missing().
    StageCounts run(const std::string& stage, std::vector<Unit> units, const std::string& plan = {});

    /// The version of the code that decides a stage's results.
    [[nodiscard]] const std::string& code_of(const std::string& stage) const;

    /// What a stage was to do under the name of a plan and has not: units never done with what they were
    /// planned from, or whose files are gone or altered (`open`), those that failed, and the others. For
    /// stages that gather what shards have made; they are not asked whether a file exists.
    struct Missing {
        std::size_t planned = 0;
        std::vector<std::string> open, failed, done;  ///< unit ids, sorted
    };
    [[nodiscard]] Missing missing(const std::string& stage, const std::string& plan) const;

    /// Key under which a unit was last recorded as done (a hash of its inputs), or empty: what a later stage
    /// names as its input instead of hashing big files again.
    [[nodiscard]] std::string key(const std::string& stage, const std::string& unit) const;
    /// Reads the records of a stage again: other shards may have added theirs.
    void refresh(const std::string& stage);

    /// Runs body(i) for i in [0, n) on the executor's threads; for use inside a stage's gather, and inside a
    /// unit for its parts, where threads without a unit help.
    void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) const;

    [[nodiscard]] const Options& options() const { return m_options; }
    /// What a dry run has decided, in order.
    [[nodiscard]] const std::vector<PlannedUnit>& plan() const;
    [[nodiscard]] const std::map<std::string, StageCounts>& counts() const;

  private:
    struct Impl;
    Options m_options;
    std::unique_ptr<Impl> m_impl;
};

/// Gives runs of successive units one group each, a few for every job: neighbours in the list are then
/// neighbours in time on one thread, and find in its cache what both need.
void group_neighbours(std::vector<Unit>& units, int jobs);

/// From now on SIGINT and SIGTERM ask the run to stop after the units in flight; a second one kills.
void handle_stop_signals();
/// True after SIGINT or SIGTERM; long loops outside units ask it.
[[nodiscard]] bool stop_requested();
/// Throws Error(interrupted) when stop_requested().
void check_stop();

}  // namespace shuibao::engine
