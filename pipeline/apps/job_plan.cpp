// SPDX-License-Identifier: Apache-2.0
#include "job_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>

namespace shuibao::apps {
namespace {

// What one core cuts and detects in a second, with room for formats that are slow to decode.
constexpr double samples_per_second = 20e6;
constexpr double task_seconds = 180;
constexpr int most_parts = 1000;  // MaxArraySize is 1001 unless a site has set it

constexpr std::string_view plain_signs =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:+-/@";

bool is_plain(std::string_view text) {
    return !text.empty() && text.find_first_not_of(plain_signs) == std::string_view::npos;
}

// Means the same with and without quotes, where it is no first word.
bool needs_no_quotes(std::string text) {
    std::erase(text, '=');
    return is_plain(text);
}

std::string dependencies(const Job& job, const std::map<std::string, std::string>& ids) {
    std::string text;
    for (const auto& a : job.after)
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", a.must_succeed ? "afterok" : "afterany",
                            ids.at(a.job));
    return text;
}

// A folder in the name of a log: Slurm puts numbers of jobs in the place of %j and its like.
std::string slurm_name(const std::string& folder) {
    std::string out;
    for (const char c : folder) out += c == '%' ? std::string("%%") : std::string(1, c);
    return out;
}

std::string line_of(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& w : words) line += (line.empty() ? "" : " ") + shell_word(w);
    return line;
}

}  // namespace

std::vector<Job> jobs_of_run(int parts) {
    const auto before = [](const char* job) { return Job::After{job, true}; };
    const auto over = [](const char* job) { return Job::After{job, false}; };
    Job catalog{"catalog", {{"catalog"}}};
    // Of the tiles that a lost part left out no model could be learnt.
    Job rest{"tile_rest", {{"tile"}}, 0, {before("catalog"), over("tile")}};
    if (parts > 1) {
        const auto shared = fmt::format("0/{}", parts);
        catalog.calls.push_back({"tile", "--shard", shared});
        rest.calls.push_back({"detect", "--shard", shared});
    }
    return {
        catalog,
        {"tile", {{"tile"}}, parts, {before("catalog")}},
        rest,
        {"detect", {{"detect"}}, parts, {before("tile_rest")}},
        // Whatever became of the others: it finds out, does what they lost, and says how the run ended.
        {"run", {{"run"}}, 0, {over("detect")}, true},
    };
}

int parts_for(double samples, std::size_t tiles, int cpus) {
    const double tasks = std::ceil(samples / (samples_per_second * task_seconds * std::max(cpus, 1)));
    const double most = std::min<double>(static_cast<double>(tiles), most_parts);
    return static_cast<int>(std::clamp(tasks, 1.0, std::max(most, 1.0)));
}

std::string shell_word(const std::string& text) {
    if (needs_no_quotes(text)) return text;
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (!std::any_of(text.begin(), text.end(), is_control)) {
        std::string out = "'";
        for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return out + "'";
    }
    std::string out = "$'";
    for (const char c : text) {
        if (is_control(static_cast<unsigned char>(c)))
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        else if (c == '\'' || c == '\\')
            out += std::string("\\") + c;
        else
            out += c;
    }
    return out + "'";
}

std::string script_of(const Job& job, const JobNeeds& needs, const JobCommand& command) {
    std::string text = "#!/bin/bash\n";
    const auto ask = [&](const std::string& what) { text += "#SBATCH --" + what + "\n"; };
    ask("job-name=" + job.title());
    ask("open-mode=append");
    if (job.parts > 0)
        ask(fmt::format("array=1-{}{}", job.parts,
                        needs.at_once > 0 ? fmt::format("%{}", needs.at_once) : std::string()));
    ask(fmt::format("cpus-per-task={}", needs.cpus));
    ask(fmt::format("mem={}M", needs.memory >> 20));
    if (!needs.time.empty()) ask("time=" + needs.time);
    if (!needs.partition.empty()) ask("partition=" + needs.partition);
    if (!needs.account.empty()) ask("account=" + needs.account);
    ask("requeue");
    const bool can_be_void =
        std::any_of(job.after.begin(), job.after.end(), [](const Job::After& a) { return a.must_succeed; });
    if (can_be_void) ask("kill-on-invalid-dep=yes");
    text += fmt::format("cd -- {} || exit 1\n", shell_word(command.folder));
    if (!command.configs.empty())
        text += fmt::format("export SHUIBAO_CONFIGS={}\n", shell_word(command.configs));
    text += "unset SHUIBAO_JOBS SHUIBAO_MEMORY\n";
    text += "trap : TERM  # the program stops at the end of a unit; stay to tell how it ended\n";
    for (const auto& call : job.calls) {
        auto words = call;
        words.insert(words.begin(), command.program);
        words.insert(words.end(), command.words.begin(), command.words.end());
        text += line_of(words);
        if (job.parts > 0) text += fmt::format(" --shard \"$SLURM_ARRAY_TASK_ID/{}\"", job.parts);
        text += "\ncode=$?\n";
        // Done with problems is done: the last job lists them again.
        if (!job.keeps_code) text += "case $code in 0|3) ;; *) exit $code ;; esac\n";
    }
    return text + (job.keeps_code ? "exit $code\n" : "exit 0\n");
}

std::vector<std::string> sbatch_words(const Job& job, const JobNeeds& needs, const std::string& logs,
                                      const std::map<std::string, std::string>& ids) {
    std::vector<std::string> words = {
        "sbatch", "--parsable",
        "--output=" + slurm_name(logs) + (job.parts > 0 ? "/%x-%A_%a.log" : "/%x-%j.log")};
    if (!job.after.empty()) words.push_back("--dependency=" + dependencies(job, ids));
    words.insert(words.end(), needs.sbatch.begin(), needs.sbatch.end());
    return words;
}

std::string shell_of(const std::vector<Job>& jobs, const JobNeeds& needs, const JobCommand& command,
                     const std::string& logs) {
    std::string text = fmt::format(
        "#!/bin/bash\n"
        "# The jobs of `shuibao submit`, in their order. Run with bash, this hands them to Slurm.\n"
        "set -eu\n"
        "mkdir -p -- {}\n",
        shell_word(logs));
    for (const auto& job : jobs) {
        Job apart = job;
        apart.after.clear();
        std::string line = line_of(sbatch_words(apart, needs, logs, {}));
        std::map<std::string, std::string> names;
        for (const auto& a : job.after) names[a.job] = "${" + a.job + "%%;*}";
        if (!job.after.empty()) line += fmt::format(" --dependency=\"{}\"", dependencies(job, names));
        // Every line of a script begins with a word of ours, so none of them is this one.
        text += fmt::format("\n{0}=$({1} <<'END OF {0}'\n{2}END OF {0}\n)\n", job.name, line,
                            script_of(job, needs, command));
    }
    text += "\nprintf '%s\\n'";
    for (const auto& job : jobs) text += fmt::format(" \"{}: ${}\"", job.name, job.name);
    return text + "\n";
}

void require_plain(const std::string& origin, const std::string& key, const std::string& value) {
    if (value.empty() || is_plain(value)) return;
    throw Error(ErrorCode::usage, fmt::format("{}: '{}' cannot be '{}'.", origin, key, value),
                "It takes letters, digits and the signs _ . , : + - / @, as Slurm spells it.");
}

void require_log_folder(const std::string& folder) {
    if (folder.find('\\') == std::string::npos) return;
    throw Error(
        ErrorCode::usage,
        fmt::format("Slurm cannot write logs into {}: to it the sign \\ in a name has a meaning.", folder),
        "Choose another --store, or --engine local.");
}

void require_sbatch_word(const std::string& origin, const std::string& word) {
    // What the plan itself decides, and what would make sbatch do something else.
    constexpr std::array ours = {"array", "dependency", "parsable", "wrap",     "wait",
                                 "chdir", "output",     "job-name", "test-only"};
    const std::string name = word.starts_with("--") ? word.substr(2, word.find('=') - 2) : std::string();
    if (name.empty())
        throw Error(ErrorCode::usage, fmt::format("{}: 'submit.sbatch' cannot hold '{}'.", origin, word),
                    "Give long options, each with its value in one piece: --qos=long, or "
                    "['--nodelist=a,b'] where it holds a comma.");
    // sbatch takes any beginning of a name for it.
    if (std::any_of(ours.begin(), ours.end(), [&](std::string_view own) { return own.starts_with(name); }))
        throw Error(
            ErrorCode::usage,
            fmt::format("{}: 'submit.sbatch' cannot hold '{}': submit decides that itself.", origin, word),
            "`shuibao submit --engine print` shows what it says.");
}

}  // namespace shuibao::apps
