// SPDX-License-Identifier: Apache-2.0
#include "submit.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "job_engines.hpp"
#include "session.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/prospect.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;
namespace {

constexpr int usual_cpus = 4;
constexpr double usual_wait = 600;  // for a task that Slurm has given up while it still works

// A job asks for a tenth more than the program keeps to.
std::size_t with_a_tenth(std::size_t bytes) {
    return bytes + bytes / 10;
}
std::size_t without_a_tenth(std::size_t bytes) {
    return bytes / 11 * 10;
}

JobNeeds needs_of(const engine::Settings& s, std::size_t memory, int jobs) {
    JobNeeds n{s.text("submit.partition"), s.text("submit.account"), s.text("submit.time")};
    n.cpus = s.has("submit.cpus") ? static_cast<int>(s.integer("submit.cpus")) : jobs > 0 ? jobs : usual_cpus;
    n.memory = with_a_tenth(memory);
    n.at_once = s.has("submit.at_once") ? static_cast<int>(s.integer("submit.at_once")) : 0;
    if (s.has("submit.sbatch")) n.sbatch = s.list("submit.sbatch");
    for (const char* key : {"submit.partition", "submit.account", "submit.time"})
        require_plain(s.origin(key), key, s.text(key));
    for (const auto& word : n.sbatch) require_sbatch_word(s.origin("submit.sbatch"), word);
    if (s.text("submit.engine") == "local") {
        const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
        n.cpus = std::min(n.cpus, cores);
        if (n.at_once == 0) n.at_once = cores / n.cpus;
    }
    return n;
}

// The options of this call, for the jobs: what a part of a job gets from Slurm is left out.
JobCommand command_of(const Request& r, std::size_t memory) {
    std::error_code error;
    JobCommand c;
    c.program = fs::read_symlink("/proc/self/exe", error).string();
    c.folder = fs::current_path().string();
    if (const char* configs = std::getenv("SHUIBAO_CONFIGS"); configs != nullptr && *configs != 0)
        c.configs = fs::absolute(configs).string();
    const auto say = [&](const std::string& option, const std::string& value) {
        c.words.push_back("--" + option);
        c.words.push_back(value);
    };
    if (!r.config.empty()) say("config", fs::absolute(r.config).lexically_normal().string());
    for (const auto& [key, value] : r.sets)
        if (key != "jobs" && key != "memory" && !key.starts_with("submit.")) say("set", key + "=" + value);
    for (const auto& pair : r.gdal_config) say("gdal-config", pair);
    if (r.allow_network) c.words.emplace_back("--allow-network");
    if (r.explain) c.words.emplace_back("--explain");
    if (r.verbosity > 0) c.words.emplace_back("--verbose");
    if (!r.log_level.empty()) say("log-level", r.log_level);
    if (r.log_format != "text") say("log-format", r.log_format);
    say("memory", fmt::format("{}M", memory >> 20));
    say("wait", fmt::format("{}", r.wait > 0 ? r.wait : usual_wait));
    return c;
}

int parts_of(const engine::Settings& s, const pipeline::Prospect& p, int cpus) {
    if (s.has("submit.shards")) return static_cast<int>(s.integer("submit.shards"));
    std::set<TileId> tiles;
    double samples = 0;
    for (const auto& a : p.acquisitions)
        for (const TileId t : a.tiles) {
            tiles.insert(t);
            samples +=
                static_cast<double>(p.grid->window(t).pixels()) * static_cast<double>(a.bands.size() + 1);
        }
    return parts_for(samples, tiles.size(), cpus);
}

std::string waits_for(const Job& job) {
    std::string text;
    for (const auto& a : job.after)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", a.must_succeed ? "after" : "at the end of",
                            a.job);
    return text;
}

nlohmann::ordered_json json_of_jobs(const JobSet& set, const std::map<std::string, std::string>& ids,
                                    const std::map<std::string, int>& codes, bool scripts) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& job : set.jobs) {
        nlohmann::ordered_json j = {{"job", job.name}, {"name", job.title()}};
        if (ids.contains(job.name)) j["id"] = ids.at(job.name);
        if (codes.contains(job.name)) {
            const int code = codes.at(job.name);
            j["code"] = code < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(code);
        }
        if (job.parts > 0) j["parts"] = job.parts;
        j["after"] = nlohmann::ordered_json::array();
        for (const auto& a : job.after)
            j["after"].push_back({{"job", a.job}, {"must_succeed", a.must_succeed}});
        if (scripts) j["script"] = script_of(job, set.needs, set.command);
        list.push_back(std::move(j));
    }
    return list;
}

}  // namespace

void declare_submit(OptionTable& table) {
    const auto add = [&](Option o) {
        o.changes_result = false;
        table.add(std::move(o));
    };
    add({.key = "submit.engine",
         .type = OptionType::choice,
         .fallback = "slurm",
         .help = "Who works through the jobs: slurm = sbatch; local = this machine, without Slurm; print = "
                 "nobody, a shell script that would submit them goes to stdout",
         .choices = {"slurm", "local", "print"}});
    add({.key = "submit.shards",
         .type = OptionType::integer,
         .help = "Parts into which tile and detect are cut. Default: so many that each has work for some "
                 "minutes, at most one a tile",
         .min = 1,
         .max = 1000});
    add({.key = "submit.at_once",
         .type = OptionType::integer,
         .help = "Parts of a job that may run at the same time. Default: all on Slurm, as many as there are "
                 "cores for on this machine",
         .min = 1,
         .max = 1000});
    add({.key = "submit.partition", .help = "Partition of all jobs. Default: the site's"});
    add({.key = "submit.account", .help = "Account of all jobs. Default: the user's"});
    add({.key = "submit.time",
         .help = "Time limit of each job as Slurm spells it, e.g. 04:00:00. Default: the partition's. The "
                 "last job needs most where parts were lost"});
    add({.key = "submit.cpus",
         .type = OptionType::integer,
         .help = "Cores of each task, the program's threads. Default: 'jobs' where that is a number, else 4",
         .min = 1,
         .max = 1024,
         .long_name = "job-cpus"});
    add({.key = "submit.memory",
         .help = "Memory of each task, e.g. 16G, of which the program uses ten elevenths. Default: what "
                 "'memory' says and a tenth more",
         .long_name = "job-memory"});
    add({.key = "submit.sbatch",
         .type = OptionType::list,
         .help = "Further options for sbatch, each in one piece, e.g. --sbatch=--qos=long (repeatable)"});
}

int submit_run(const Request& r, const Stages& stages, pipeline::RunContext& c, std::size_t memory, int jobs,
               std::ostream& out) {
    const auto engine = c.settings.text("submit.engine");
    if (c.settings.has("submit.memory"))
        memory = std::max(least_memory, without_a_tenth(bytes_of(c.settings, "submit.memory")));
    JobSet set{{}, needs_of(c.settings, memory, jobs), {}, c.store.root() / "slurm"};
    set.command = command_of(r, memory);
    if (engine != "local") require_log_folder(set.folder.string());
    set.jobs = jobs_of_run(parts_of(c.settings, *foresee(stages, c), set.needs.cpus));
    const bool works = engine != "print" && !r.dry_run;
    if (works) {
        // Folders that cannot be written are found out now, not by the jobs.
        const io::AtomicOutput logs(set.folder / "any.log"), results(c.output / "run.json");
    }
    std::map<std::string, std::string> ids;
    std::map<std::string, int> codes;
    if (works && engine == "slurm") ids = submit_to_slurm(set);
    if (works && engine == "local") codes = work_here(set, c.log);
    if (r.json) {
        const nlohmann::ordered_json j = {{"engine", engine},
                                          {"submitted", works},
                                          {"logs", set.folder.string()},
                                          {"jobs", json_of_jobs(set, ids, codes, engine == "print")}};
        out << j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    } else if (engine == "print") {
        out << shell_of(set.jobs, set.needs, set.command, set.folder.string());
    } else {
        for (const auto& job : set.jobs)
            out << fmt::format("{}{}{}{}\n", ids.contains(job.name) ? ids.at(job.name) + "  " : "",
                               job.title(), job.parts > 0 ? fmt::format(", {} parts", job.parts) : "",
                               job.after.empty() ? "" : ", " + waits_for(job));
    }
    if (!ids.empty()) {
        std::string all;
        for (const auto& job : set.jobs) all += " " + ids.at(job.name);
        c.log.info(
            fmt::format("{} jobs are with Slurm; logs go to {}, results to {}; `scancel{}` takes them "
                        "back",
                        ids.size(), set.folder.string(), c.output.string(), all));
    }
    if (!codes.empty())
        c.log.info(fmt::format("logs are in {}, results in {}", set.folder.string(), c.output.string()));
    const int last = codes.empty() ? 0 : codes.at(set.jobs.back().name);
    if (last != 0)
        c.log.warn(
            fmt::format("`shuibao run` ended with {}: {} says why", last, (c.output / "run.json").string()));
    return last;
}

}  // namespace shuibao::apps
