// SPDX-License-Identifier: Apache-2.0
// The command line: what was asked for, in our own words. Only cli.cpp knows CLI11.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <shuibao/core/options.hpp>

namespace shuibao::apps {

/// One verb of the program as the command line sees it.
struct Verb {
    std::string name, summary, description;
    std::vector<std::string> example;
    OptionTable own;         ///< options shown and accepted by name (beyond the common ones)
    std::string positional;  ///< key that may be given without its name; "config" = the configuration file
    bool shardable = false;
    std::string word = {},
                word_help = {};  ///< of a verb that takes a word which is no key: its name, what it means
};

/// An option of a verb that is no configuration key.
struct Switch {
    std::string long_name, type, help;  ///< name without dashes; type as the help shows it, empty = none
    char letter = 0;
};
[[nodiscard]] std::vector<Switch> switches_of(const Verb& verb);

/// What the user asked for.
struct Request {
    std::string verb;
    std::string config;                                     ///< -c, or given without its name
    std::string config_alone;                               ///< as given without its name
    std::vector<std::pair<std::string, std::string>> sets;  ///< key, value as YAML, in order
    std::vector<std::string> set_origins;                   ///< "--tile-size", "--set" …, one per set
    std::vector<std::string> tiles, gdal_config;
    std::string word;  ///< what Verb::word names
    std::string tiles_from, shard, log_level, log_file, log_format = "text";
    int verbosity = 0, progress_fd = -1;
    double wait = 0;
    bool dry_run = false, explain = false, json = false, quiet = false, progress = false, no_progress = false;
    bool overwrite = false, allow_network = false, list = false;
    bool finished = false;  ///< help, version or usage was printed: nothing more to do
    int exit_code = 0;      ///< when finished
};

/// Parses argv. Help and version go to stdout; errors are thrown as Error(usage).
[[nodiscard]] Request parse_command_line(int argc, char** argv, const std::vector<Verb>& verbs,
                                         const OptionTable& common);

/// What `shuibao --help` prints.
[[nodiscard]] std::string overview(const std::vector<Verb>& verbs);
/// Completion script for "bash" or "zsh".
[[nodiscard]] std::string completion_script(const std::string& shell, const std::vector<Verb>& verbs,
                                            const OptionTable& common);
/// All declarations as JSON: what `--json-usage` prints.
[[nodiscard]] std::string json_usage(const std::vector<Verb>& verbs, const OptionTable& common);

}  // namespace shuibao::apps
