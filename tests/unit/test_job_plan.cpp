// SPDX-License-Identifier: Apache-2.0
// Scripts and dependencies of a run on a cluster. Oracles: bash itself, which reads every word and runs every
// script; the manual of sbatch for dependencies, arrays and names of logs.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <apps/job_plan.hpp>
#include <doctest/doctest.h>
#include <support/scratch.hpp>
#include <sys/wait.h>

#include <shuibao/core/error.hpp>

using namespace shuibao;
using namespace shuibao::apps;
namespace fs = std::filesystem;

namespace {

struct Said {
    int code;
    std::string out;
};

// What bash says when it runs a file.
Said bash(const fs::path& script, const std::string& before = {}) {
    FILE* pipe = ::popen((before + "/bin/bash " + script.string() + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    Said said{0, {}};
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) said.out.append(buffer, n);
    const int status = ::pclose(pipe);
    said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return said;
}

const Job& named(const std::vector<Job>& jobs, const std::string& name) {
    const auto it = std::find_if(jobs.begin(), jobs.end(), [&](const Job& j) { return j.name == name; });
    REQUIRE(it != jobs.end());
    return *it;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a word reaches the program as it was, on one line of the script") {
    const test::Scratch scratch;
    std::string every;
    for (int c = 1; c < 256; ++c) every += static_cast<char>(c);
    const std::vector<std::string> words = {"",
                                            "plain",
                                            "two words",
                                            "it's",
                                            "$HOME `id` $(id)",
                                            "a\nexit 7\nb",
                                            "\"",
                                            "\\",
                                            "\\n'\\",
                                            "~",
                                            "*",
                                            "#no comment",
                                            "-n",
                                            "a=b",
                                            "x=$(id)",
                                            "水保/图 斑.shp",
                                            "\x1b[31m",
                                            "!event",
                                            "{a,b}",
                                            "\xff\xfe",
                                            every,
                                            "a\tb",
                                            "[x]",
                                            "&;|<>()",
                                            "\r\nEND\n"};
    for (const auto& word : words) {
        const auto quoted = shell_word(word);
        CHECK(!contains(quoted, "\n"));
        CHECK(!contains(quoted, "\r"));
        const auto script = scratch / "word.sh";
        test::put(script, "printf '%s|' " + quoted + "\n");
        CHECK(bash(script).out == word + "|");
    }
    CHECK(shell_word("--memory") == "--memory");
    CHECK(shell_word("store=/data/a") == "store=/data/a");
}

TEST_CASE("problems do not stop the jobs that follow, everything else does") {
    const test::Scratch scratch;
    const auto jobs = jobs_of_run(2);
    for (const int code : {0, 1, 2, 3, 4, 75, 130, 137}) {
        const auto program = scratch / "a program";
        test::put(program, "#!/bin/sh\necho \"$@\"\nexit " + std::to_string(code) + "\n");
        fs::permissions(program, fs::perms::owner_all);
        for (const auto& job : jobs) {
            const auto script = scratch / "job.sh";
            test::put(script,
                      script_of(job, {}, {program.string(), scratch.path().string(), {}, {"-c", "a b"}}));
            const auto said = bash(script, "SLURM_ARRAY_TASK_ID=2 ");
            // The last job ends as the run does; Slurm takes every other code but 0 for a failure.
            CHECK(said.code == (code == 3 && job.name != "run" ? 0 : code));
            // A call that fails is the last one.
            std::string out;
            for (const auto& call : job.calls) {
                if (&call != &job.calls.front() && code != 0 && code != 3) break;
                for (const auto& word : call) out += word + " ";
                out += std::string("-c a b") + (job.parts > 0 ? " --shard 2/2" : "") + "\n";
            }
            CHECK(said.out == out);
        }
    }
    const auto script = scratch / "job.sh";
    test::put(script, script_of(jobs.front(), {}, {"/bin/true", (scratch / "gone").string()}));
    CHECK(bash(script).code == 1);
}

TEST_CASE("a job begins when what it needs is whole, and the last one whatever became of the others") {
    const auto jobs = jobs_of_run(7);
    std::vector<std::string> names;
    for (const auto& job : jobs) {
        for (const auto& a : job.after) CHECK(std::count(names.begin(), names.end(), a.job) == 1);
        names.push_back(job.name);
    }
    CHECK(names == std::vector<std::string>{"catalog", "tile", "tile_rest", "detect", "run"});
    const std::map<std::string, std::string> ids = {
        {"catalog", "1"}, {"tile", "2"}, {"tile_rest", "3"}, {"detect", "4"}};
    const auto waits = [&](const char* name) {
        const auto words = sbatch_words(named(jobs, name), {}, "/logs", ids);
        const auto it = std::find_if(words.begin(), words.end(),
                                     [](const auto& w) { return w.starts_with("--dependency"); });
        return it == words.end() ? std::string() : *it;
    };
    CHECK(waits("catalog").empty());
    CHECK(waits("tile") == "--dependency=afterok:1");
    CHECK(waits("tile_rest") == "--dependency=afterok:1,afterany:2");
    CHECK(waits("detect") == "--dependency=afterok:3");
    CHECK(waits("run") == "--dependency=afterany:4");
    for (const auto& job : jobs) {
        const bool needs = contains(waits(job.name.c_str()), "afterok");
        CHECK(contains(script_of(job, {}, {}), "kill-on-invalid-dep=yes") == needs);
    }
}

TEST_CASE("what all parts need is done before them, and only where there are some") {
    const auto last_call = [](int parts, const char* job) {
        std::string text;
        const auto jobs = jobs_of_run(parts);
        for (const auto& word : named(jobs, job).calls.back()) text += word + " ";
        return text;
    };
    CHECK(last_call(7, "catalog") == "tile --shard 0/7 ");
    CHECK(last_call(7, "tile_rest") == "detect --shard 0/7 ");
    CHECK(last_call(1, "catalog") == "catalog ");
    CHECK(last_call(1, "tile_rest") == "tile ");
}

TEST_CASE("what a job asks for") {
    const auto jobs = jobs_of_run(7);
    JobNeeds needs{
        "long", "water", "1-00:00:00", 8, std::size_t{3} << 30, 2, {"--qos=high", "--comment=a b"}};
    const auto tile = script_of(named(jobs, "tile"), needs, {"/bin/true", "/", "/etc/own configs", {}});
    for (const char* line :
         {"#SBATCH --array=1-7%2\n", "#SBATCH --cpus-per-task=8\n", "#SBATCH --mem=3072M\n",
          "#SBATCH --time=1-00:00:00\n", "#SBATCH --partition=long\n", "#SBATCH --account=water\n",
          "export SHUIBAO_CONFIGS='/etc/own configs'\n", "--shard \"$SLURM_ARRAY_TASK_ID/7\"\n"})
        CHECK_MESSAGE(contains(tile, line), line);
    const auto run = script_of(named(jobs, "run"), {}, {"/bin/true", "/"});
    for (const char* absent :
         {"--array", "--time", "--partition", "--account", "SHUIBAO_CONFIGS=", "--shard"})
        CHECK_MESSAGE(!contains(run, absent), absent);
    // Numbers stand for %A and %a, and for nothing in the name of the folder.
    const auto words = sbatch_words(named(jobs, "tile"), needs, "/a%j b", {{"catalog", "1"}});
    CHECK(words == std::vector<std::string>{"sbatch", "--parsable", "--output=/a%%j b/%x-%A_%a.log",
                                            "--dependency=afterok:1", "--qos=high", "--comment=a b"});
}

TEST_CASE("parts are worth a task, and never more than there are tiles") {
    CHECK(parts_for(0, 0, 4) == 1);
    CHECK(parts_for(1e6, 100, 4) == 1);
    const double minutes = 20e6 * 4 * 180;
    CHECK(parts_for(10 * minutes, 100, 4) == 10);
    CHECK(parts_for(10 * minutes, 100, 8) == 5);
    CHECK(parts_for(10 * minutes, 3, 4) == 3);
    CHECK(parts_for(1e9 * minutes, 100000, 1) == 1000);  // MaxArraySize of Slurm is 1001
}

TEST_CASE("what would change the meaning of a script is refused") {
    const auto says = [](auto&& call) {
        try {
            call();
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::usage);
            CHECK(!e.hint().empty());
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(says([] { require_plain("a.yaml:3", "submit.partition", "main,long"); }).empty());
    CHECK(says([] { require_plain("default", "submit.time", ""); }).empty());
    for (const char* bad : {"a b", "a\n#SBATCH --uid=0", "$x", "'"})
        CHECK(contains(says([&] { require_plain("a.yaml:3", "submit.partition", bad); }), "a.yaml:3"));
    for (const char* good :
         {"--qos=long", "--exclusive", "--constraint=a&b", "--wait-all-nodes=1", "--mail-user=x@y"})
        CHECK_MESSAGE(says([&] { require_sbatch_word("a.yaml:3", good); }).empty(), good);
    for (const char* bad : {"--array=1-2", "--arr=1", "--dependency=singleton", "--wrap=id", "--output=x",
                            "--parsable", "-a1", "script", "--", "--=x", ""})
        CHECK_MESSAGE(contains(says([&] { require_sbatch_word("a.yaml:3", bad); }), "a.yaml:3"), bad);
    CHECK(says([] { require_log_folder("/data/a b%j"); }).empty());
    CHECK(contains(says([] { require_log_folder("/data/a\\b"); }), "/data/a\\b"));
}
