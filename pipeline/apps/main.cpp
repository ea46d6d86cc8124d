// SPDX-License-Identifier: Apache-2.0
// One main, many names: `shuibao detect` is `shuibao-detect`.
#include <filesystem>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>

#include "session.hpp"
#include "submit.hpp"
#include "verbs.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/log.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace {

using namespace shuibao;
using namespace shuibao::apps;

std::vector<Verb> all_verbs() {
    std::vector<Verb> verbs;
    verbs.push_back(
        {"run",
         "All stages in order, from images to ranked suspects",
         "Runs catalog, tile, detect, delineate, screen, rank and export; what is up to date is skipped.",
         {"shuibao run -c nanyang.yaml -j all --memory 8G"},
         {},
         "config"});
    for (const auto& entry : pipeline::StageRegistry::all()) {
        const auto stage = entry.make();
        const auto info = stage->info();
        Verb verb{entry.name,    info.summary, info.description,
                  info.example,  {},           info.positional.empty() ? "config" : info.positional,
                  info.shardable};
        stage->declare(verb.own);
        verbs.push_back(std::move(verb));
    }
    verbs.push_back({"init",
                     "Write a commented configuration",
                     "Prints a configuration holding every option with its default, or writes it to a file.",
                     {"shuibao init > nanyang.yaml"},
                     {},
                     {},
                     false,
                     "FILE",
                     "Where to write it; default: stdout"});
    verbs.push_back(
        {"check",
         "Validate the configuration and what it names",
         "Reads the configuration, the Items, the rules and the layers, opens every image (headers, "
         "first and last blocks), says what each stage would read and leave in the store, and "
         "writes nothing. Which unit would run, and why, is told by `run -n --explain`.",
         {"shuibao check nanyang.yaml"},
         {},
         "config"});
    Verb submit{
        "submit",
        "A run as jobs of a Slurm cluster",
        "Looks at the inputs as `check` does and submits: catalog; tile, in parts; what is left of it; "
        "detect, in parts; and `run`, which does what parts have lost, and all the rest. Same bytes as "
        "`run`. --wait is that of the jobs: seconds for a store in use (default here 600).",
        {"shuibao submit nanyang.yaml --partition long --shards 40",
         "shuibao submit nanyang.yaml --engine print"},
        {},
        "config"};
    declare_submit(submit.own);
    verbs.push_back(std::move(submit));
    verbs.push_back({"status",
                     "What the store holds",
                     "Units done per stage, scenes, batches, and who holds the store.",
                     {"shuibao status --store store --json"},
                     {},
                     "config"});
    verbs.push_back({"config",
                     "Print the resolved configuration",
                     "Defaults, then file, environment and command line.",
                     {"shuibao config -c nanyang.yaml --origins"},
                     {},
                     "config"});
    verbs.push_back({"completion",
                     "Print a completion script for bash or zsh",
                     "Made from the same declarations as the help.",
                     {"shuibao completion bash > /etc/bash_completion.d/shuibao"},
                     {},
                     {},
                     false,
                     "SHELL",
                     "bash or zsh; default: bash"});
    return verbs;
}

int run(int argc, char** argv) {
    const auto verbs = all_verbs();
    OptionTable common;
    declare_common(common);
    const Request request = parse_command_line(argc, argv, verbs, common);
    if (request.finished) return request.exit_code;
    if (request.json && (request.verb == "completion" || request.verb == "init"))
        throw Error(ErrorCode::usage, fmt::format("`shuibao {}` does not write JSON.", request.verb),
                    "`shuibao --json-usage` tells all options with their defaults.");
    if (request.verb == "completion") {
        const std::string shell = request.word.empty() ? "bash" : request.word;
        if (shell != "bash" && shell != "zsh")
            throw Error(ErrorCode::usage, "There is no completion for '" + shell + "'.", "Say bash or zsh.");
        std::cout << completion_script(shell, verbs, common);
        return 0;
    }
    const OptionTable table = full_table();
    if (request.verb == "init") {
        const std::string text = commented_config(table);
        if (request.word.empty()) {
            std::cout << text;
            return 0;
        }
        const std::filesystem::path path = request.word;
        if (std::filesystem::exists(path) && !request.overwrite)
            throw Error(ErrorCode::usage, path.string() + " exists.", "Say --overwrite to replace it.");
        io::write_text(path, text);
        return 0;
    }
    const engine::Settings settings = resolve(table, request);
    if (request.verb == "config") {
        std::cout << (request.json ? resolved_config_json(settings)
                                   : resolved_config(settings, request.list || request.explain));
        return 0;
    }
    if (request.verb == "status") {
        print_status(engine::Store(settings.path("store")), request.json, std::cout);
        return 0;
    }
    return run_session(request, settings);
}

// A file opened on a closed descriptor 2 would take the log.
void occupy_standard_descriptors() {
    for (int fd = 0; fd <= 2; ++fd)
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return;
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    try {
        const int code = run(argc, argv);
        std::cout.flush();
        if (!std::cout) {
            std::cerr << "shuibao: error: the output could not be written.\n";
            return 1;
        }
        return code;
    } catch (const Error& e) {
        std::cerr << "shuibao: error: " << engine::printable(e.what()) << (e.hint().empty() ? "" : " ")
                  << engine::printable(e.hint()) << "\n";
        return static_cast<int>(e.code());
    } catch (const std::exception& e) {
        std::cerr << "shuibao: error: our own mistake: " << e.what()
                  << ". Please report it with the command line.\n";
        return 1;
    }
}
