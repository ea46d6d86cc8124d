// SPDX-License-Identifier: Apache-2.0
// Who works through the jobs: Slurm, or this machine.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "job_plan.hpp"
#include <shuibao/engine/log.hpp>

namespace shuibao::apps {

/// Jobs of one run and where their scripts and logs go.
struct JobSet {
    std::vector<Job> jobs;
    JobNeeds needs;
    JobCommand command;
    std::filesystem::path folder;
};

/// Hands all jobs to Slurm: name → number. When one is refused, or the user stops it, those handed over
/// before are cancelled and Error says so.
[[nodiscard]] std::map<std::string, std::string> submit_to_slurm(const JobSet& set);

/// Works through the same scripts here: name → exit code, -1 for a job that was dropped because one before it
/// failed. SIGINT and SIGTERM are passed on, and Error(interrupted) is thrown when the jobs at work have
/// ended.
[[nodiscard]] std::map<std::string, int> work_here(const JobSet& set, engine::Log& log);

}  // namespace shuibao::apps
