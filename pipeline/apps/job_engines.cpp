// SPDX-License-Identifier: Apache-2.0
#include "job_engines.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "child.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;
namespace {

// What a program said, as a sentence of its own; the first line says it.
std::string sentence(const std::string& text) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.empty()) return "It gives no reason.";
    return line + (line.ends_with('.') ? "" : ".");
}

// "4711" or "4711;cluster"; empty when it is no number of a job.
std::string job_number(const std::string& said) {
    const std::string id = said.substr(0, said.find_first_of(";\n"));
    const bool digits = std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? id : std::string();
}

std::string list_of(const std::vector<std::string>& ids) {
    return fmt::format("{}", fmt::join(ids, " "));
}

// What becomes of the jobs that Slurm has taken already.
std::string take_back(const std::vector<std::string>& ids) {
    if (ids.empty()) return "Nothing was submitted.";
    std::vector<std::string> words = {"scancel"};
    words.insert(words.end(), ids.begin(), ids.end());
    std::string why;
    try {
        const auto done = run_child(words);
        if (done.code == 0)
            return fmt::format("What had been submitted before it was cancelled: {}.", list_of(ids));
        why = sentence(done.err);
    } catch (const Error& e) {
        why = e.what();
    }
    return fmt::format("What had been submitted before it could not be cancelled: run `scancel {}`. {}",
                       list_of(ids), why);
}

std::string submit_one(const Job& job, const JobSet& set, const std::map<std::string, std::string>& ids) {
    const auto words = sbatch_words(job, set.needs, set.folder.string(), ids);
    const auto done = run_child(words, script_of(job, set.needs, set.command));
    if (done.code != 0)
        throw Error(ErrorCode::failed, fmt::format("sbatch refused the job {} (exit code {}): {}",
                                                   job.title(), done.code, sentence(done.err)));
    const auto id = job_number(done.out);
    if (id.empty())
        throw Error(ErrorCode::failed,
                    fmt::format("sbatch took the job {} and said '{}', which is no number.", job.title(),
                                done.out.substr(0, done.out.find('\n'))));
    return id;
}

// The tasks of a job, as many at once as it may have, each with what Slurm would tell it.
class Tasks {
  public:
    Tasks(const Job& job, const JobSet& set) : m_job(job), m_set(set) {}

    /// The highest exit code.
    int work() {
        const int last = std::max(m_job.parts, 1), at_once = std::max(m_set.needs.at_once, 1);
        for (int next = 1; next <= last || !m_running.empty();) {
            const bool stop = engine::stop_requested();
            if (stop) pass_on();
            if (stop && m_running.empty()) break;
            if (!stop && next <= last && static_cast<int>(m_running.size()) < at_once)
                start(next++);
            else
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            reap();
        }
        return m_code;
    }

  private:
    void start(int part) {
        std::map<std::string, std::string> told = {{"SLURM_CPUS_PER_TASK", std::to_string(m_set.needs.cpus)}};
        if (m_job.parts > 0) told["SLURM_ARRAY_TASK_ID"] = std::to_string(part);
        const auto log =
            m_set.folder / (m_job.title() + (m_job.parts > 0 ? fmt::format("_{}", part) : "") + ".log");
        m_running.insert(start_child({"/bin/bash", (m_set.folder / (m_job.title() + ".sh")).string()},
                                     log.string(), told));
    }
    void reap() {
        for (auto it = m_running.begin(); it != m_running.end();) {
            int code = 0;
            if (!has_ended(*it, code)) {
                ++it;
                continue;
            }
            m_code = std::max(m_code, code);
            it = m_running.erase(it);
        }
    }
    void pass_on() {
        if (m_told) return;
        m_told = true;
        for (const pid_t group : m_running) ::kill(-group, SIGTERM);
    }

    const Job& m_job;
    const JobSet& m_set;
    std::set<pid_t> m_running;
    bool m_told = false;
    int m_code = 0;
};

}  // namespace

std::map<std::string, std::string> submit_to_slurm(const JobSet& set) {
    std::map<std::string, std::string> ids;
    std::vector<std::string> taken;
    for (const auto& job : set.jobs) try {
            engine::check_stop();
            taken.push_back(ids[job.name] = submit_one(job, set, ids));
        } catch (const Error& e) {
            const bool stopped = e.code() == ErrorCode::interrupted;
            const std::string what = stopped ? "Interrupted." : e.what();
            throw Error(e.code(), what + " " + take_back(taken),
                        stopped
                            ? std::string()
                            : "`shuibao submit --engine print` shows what Slurm is asked; `--engine local` "
                              "does the same work on this machine.");
        }
    return ids;
}

std::map<std::string, int> work_here(const JobSet& set, engine::Log& log) {
    for (const auto& job : set.jobs)
        io::write_text(set.folder / (job.title() + ".sh"), script_of(job, set.needs, set.command));
    std::map<std::string, int> codes;
    for (const auto& job : set.jobs) {
        const auto lacking = std::find_if(job.after.begin(), job.after.end(), [&](const Job::After& a) {
            return a.must_succeed && codes.at(a.job) != 0;
        });
        if (lacking != job.after.end()) {
            codes[job.name] = -1;
            log.warn(fmt::format("{} is dropped, for {} did not succeed", job.title(), lacking->job));
            continue;
        }
        log.info(job.parts > 0 ? fmt::format("{} begins, in {} parts", job.title(), job.parts)
                               : fmt::format("{} begins", job.title()));
        codes[job.name] = Tasks(job, set).work();
        engine::check_stop();
        if (codes[job.name] != 0 && !job.keeps_code)
            log.warn(fmt::format("{} ended with {}; its log is in {}", job.title(), codes[job.name],
                                 set.folder.string()));
    }
    return codes;
}

}  // namespace shuibao::apps
