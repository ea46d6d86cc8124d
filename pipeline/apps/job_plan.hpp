// SPDX-License-Identifier: Apache-2.0
// The jobs of one run on a cluster: what each does, what it waits for, and its script. Pure: starts nothing.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace shuibao::apps {

/// What a job asks the cluster for.
struct JobNeeds {
    std::string partition = {}, account = {}, time = {};  ///< empty: what the site gives
    int cpus = 4;
    std::size_t memory = 0;                ///< bytes a job may use
    int at_once = 0;                       ///< parts of one job that may run at the same time; 0 = all
    std::vector<std::string> sbatch = {};  ///< further words for sbatch, untouched
};

/// What all jobs of a run have in common.
struct JobCommand {
    std::string program;                  ///< absolute
    std::string folder;                   ///< where `submit` was called: relative names start there
    std::string configs = {};             ///< SHUIBAO_CONFIGS, where it was set
    std::vector<std::string> words = {};  ///< options of every call of the program
};

/// One job, or an array of parts of it.
struct Job {
    struct After {
        std::string job;
        bool must_succeed = true;  ///< else it only has to be over
    };
    std::string name;                             ///< "tile_rest"; also a name in the shell
    std::vector<std::vector<std::string>> calls;  ///< of the program, one after the other: verb, own options
    int parts = 0;                                ///< of an array; 0 = one job
    std::vector<After> after = {};
    bool keeps_code = false;  ///< the last job: ends as `shuibao run` does
    [[nodiscard]] std::string title() const { return "shuibao-" + name; }
};

/// catalog, tile in parts, what is left of it, detect in parts, and `run`, which does what is left of all.
/// What every part would do for itself, measuring scenes and learning a model, is done before the parts
/// begin.
[[nodiscard]] std::vector<Job> jobs_of_run(int parts);

/// Parts that keep one task busy for some minutes: never more than there are tiles, or than Slurm's arrays
/// hold by default. `samples`: pixels × (bands and mask) × looks.
[[nodiscard]] int parts_for(double samples, std::size_t tiles, int cpus);

/// One word of bash, always on one line, whatever it holds.
[[nodiscard]] std::string shell_word(const std::string& text);

/// The batch script of a job.
[[nodiscard]] std::string script_of(const Job& job, const JobNeeds& needs, const JobCommand& command);

/// What sbatch is called with, its script aside; `ids` of the jobs before. Its log goes into `logs`.
[[nodiscard]] std::vector<std::string> sbatch_words(const Job& job, const JobNeeds& needs,
                                                    const std::string& logs,
                                                    const std::map<std::string, std::string>& ids);

/// A shell script that submits all jobs, to be read by people first.
[[nodiscard]] std::string shell_of(const std::vector<Job>& jobs, const JobNeeds& needs,
                                   const JobCommand& command, const std::string& logs);

/// Throws Error(usage) for what would change the meaning of a script or of the plan; `origin` names the key.
void require_plain(const std::string& origin, const std::string& key, const std::string& value);
void require_log_folder(const std::string& folder);
void require_sbatch_word(const std::string& origin, const std::string& word);

}  // namespace shuibao::apps
