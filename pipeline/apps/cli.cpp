// SPDX-License-Identifier: Apache-2.0
#include "cli.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "versions.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::apps {
namespace {

std::string help_of(const Option& o) {
    std::string text = o.help;
    std::string tail = o.unit;
    if (!o.choices.empty()) tail = fmt::format("{}", fmt::join(o.choices, "|"));
    if (!o.fallback.empty()) tail += (tail.empty() ? "default " : ", default ") + o.fallback;
    return tail.empty() ? text : text + " [" + tail + "]";
}

const char* type_name(OptionType t) {
    switch (t) {
        case OptionType::path:
            return "PATH";
        case OptionType::path_list:
            return "PATH…";
        case OptionType::number:
            return "NUMBER";
        case OptionType::integer:
            return "N";
        case OptionType::flag:
            return "BOOL";
        case OptionType::choice:
            return "NAME";
        case OptionType::list:
            return "LIST";
        case OptionType::map:
            return "MAP";
        case OptionType::text:
            return "TEXT";
    }
    return "VALUE";
}

std::string in_quotes(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

// Values of a repeated option as one YAML list; each may be comma-packed or a list in brackets itself.
std::string packed(const std::vector<std::string>& values) {
    if (values.size() == 1) return values[0];
    std::string items;
    const auto add = [&](const std::string& item) { items += (items.empty() ? "" : ", ") + item; };
    for (const auto& v : values) {
        if (v.size() > 1 && v.front() == '[' && v.back() == ']') {
            add(v.substr(1, v.size() - 2));
            continue;
        }
        std::istringstream parts(v);
        for (std::string part; std::getline(parts >> std::ws, part, ',');) add(in_quotes(part));
    }
    return "[" + items + "]";
}

// Puts values into the order of the command line, so that the last one wins: CLI11 hands them over in the
// order in which the options were declared.
void sort_as_given(const CLI::App& app, Request& request) {
    const auto& order = app.parse_order();
    std::map<std::string, std::size_t> seen;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // on the command line, in the request
    for (std::size_t i = 0; i < request.sets.size(); ++i) {
        const std::string& name = request.set_origins[i];
        const auto* option = app.get_option_no_throw(name);
        std::vector<std::size_t> at;
        for (std::size_t k = 0; k < order.size(); ++k)
            if (order[k] == option) at.push_back(k);
        // --set hands over each value by itself, the others all at once when the line is read.
        const auto n = name == "--set" ? std::min(seen[name]++, at.size() - 1) : at.size() - 1;
        places.emplace_back(at.empty() ? 0 : at[n], i);
    }
    std::sort(places.begin(), places.end());
    auto sets = request.sets;
    auto origins = request.set_origins;
    for (std::size_t k = 0; k < places.size(); ++k) {
        request.sets[k] = std::move(sets[places[k].second]);
        request.set_origins[k] = std::move(origins[places[k].second]);
    }
}

// A repeated option takes one value each time: what follows that is the configuration.
CLI::Option* one_value_each(CLI::Option* option) {
    return option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
}

void add_table(CLI::App& app, const OptionTable& table, const std::string& group, Request& request,
               const std::string& positional) {
    for (const auto& o : table.all()) {
        const std::string flags = (o.letter != 0 ? fmt::format("-{},", o.letter) : std::string()) + "--" +
                                  o.long_name + (o.key == positional ? "," + o.long_name : "");
        const auto store = [&request, key = o.key,
                            name = "--" + o.long_name](const std::vector<std::string>& values) {
            request.sets.emplace_back(key, packed(values));
            request.set_origins.push_back(name);
            return true;
        };
        CLI::Option* option = nullptr;
        if (o.type == OptionType::flag) {
            option = app.add_flag_function(
                "--" + o.long_name + ",!--no-" + o.long_name,
                [store](std::int64_t n) { store({n > 0 ? "true" : "false"}); }, help_of(o));
        } else {
            const bool many = o.type == OptionType::list || o.type == OptionType::path_list;
            option = app.add_option(flags, store, help_of(o), false)->type_name(type_name(o.type));
            if (many) one_value_each(option);
        }
        option->group(group);
    }
}

void add_run_options(CLI::App& app, bool shardable, Request& r) {
    const char* g = "Running";
    app.add_option("-c,--config", r.config, "YAML configuration; `shuibao init` writes one")
        ->type_name("FILE")
        ->group(g);
    one_value_each(app.add_option_function<std::vector<std::string>>(
                       "--set",
                       [&r](const std::vector<std::string>& pairs) {
                           for (const auto& pair : pairs) {
                               const auto equals = pair.find('=');
                               if (equals == std::string::npos)
                                   throw CLI::ValidationError("--set", "takes KEY=VALUE, not '" + pair + "'");
                               r.sets.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
                               r.set_origins.emplace_back("--set");
                           }
                       },
                       "Set any configuration key (repeatable)"))
        ->type_name("KEY=VALUE")
        ->trigger_on_parse()
        ->group(g);
    app.add_flag("-n,--dry-run", r.dry_run, "Say what would run, write nothing")->group(g);
    app.add_flag("--explain", r.explain, "Give the recorded reason of every RUN and SKIP")->group(g);
    app.add_flag("--json", r.json, "Results on stdout as JSON")->group(g);
    app.add_flag("--overwrite", r.overwrite, "Replace files that exist")->group(g);
    app.add_option("--wait", r.wait, "Seconds to wait for a store that is in use [default 0]")
        ->type_name("SECONDS")
        ->group(g);
    if (shardable) {
        one_value_each(app.add_option("--tile", r.tiles, "Only this tile, e.g. X0003_Y0004 (repeatable)"))
            ->type_name("TILE")
            ->group(g);
        app.add_option("--tiles-from", r.tiles_from, "Only the tiles listed in this file, one a line")
            ->type_name("FILE")
            ->group(g);
        app.add_option(
               "--shard", r.shard,
               "Only part i of n, e.g. 2/8; the parts together do every tile once; 0/8 does beforehand "
               "what each of them would do for itself first")
            ->type_name("i/n")
            ->group(g);
    }
    g = "Talking";
    app.add_flag("-v,--verbose", r.verbosity, "Say more")->group(g);
    app.add_flag("-q,--quiet", r.quiet, "Say only warnings and errors, draw no bar")->group(g);
    app.add_option("--log-level", r.log_level, "debug|info|warning|error")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->group(g);
    app.add_option("--log-file", r.log_file,
                   "Append the log to this file instead of stderr; its lines begin with time, level and run")
        ->type_name("FILE")
        ->group(g);
    app.add_option("--log-format", r.log_format, "text|json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}))
        ->group(g);
    app.add_flag("--progress", r.progress, "Draw a bar even when stderr is no terminal")->group(g);
    app.add_flag("--no-progress", r.no_progress, "Draw no bar")->group(g);
    app.add_option("--progress-fd", r.progress_fd, "Write progress as JSON lines to this descriptor")
        ->type_name("N")
        ->group(g);
    one_value_each(
        app.add_option("--gdal-config", r.gdal_config, "GDAL option, passed untouched (repeatable)"))
        ->type_name("KEY=VALUE")
        ->group(g);
    app.add_flag("--allow-network", r.allow_network, "Let GDAL fetch http and /vsicurl names")->group(g);
}

// Everything that is no configuration key.
void add_switches(CLI::App& app, const Verb& verb, Request& r, bool& version, bool& usage) {
    app.set_help_flag("-h,--help", "Print this")->group("Talking");
    app.add_flag("--version", version, "Print the versions")->group("Talking");
    app.add_flag("--json-usage", usage, "Print all options as JSON")->group("Talking");
    add_run_options(app, verb.shardable, r);
    if (verb.positional == "config")
        app.add_option("CONFIG", r.config_alone, "The same as --config")->group("Positionals");
    if (!verb.word.empty()) app.add_option(verb.word, r.word, verb.word_help)->group("Positionals");
    if (verb.name == "export")
        app.add_flag("--list", r.list, "List the exporters and what they are for")
            ->group("Options of export");
    if (verb.name == "config")
        app.add_flag("--origins", r.list, "Say where each value comes from")->group("Options of config");
}

std::vector<std::string> spellings(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* o : app.get_options())
        for (const auto& n : o->get_lnames()) names.push_back("--" + n);
    return names;
}

// -config would be -c with the value "onfig".
void refuse_single_dashes(const std::vector<std::string>& args, const CLI::App& app) {
    const auto names = spellings(app);
    for (const auto& arg : args) {
        const std::string word = "-" + arg.substr(0, arg.find('='));
        if (arg.size() > 2 && arg[0] == '-' && arg[1] != '-' &&
            std::find(names.begin(), names.end(), word) != names.end())
            throw Error(ErrorCode::usage, fmt::format("There is no option '{}'.", arg),
                        fmt::format("Long names have two dashes: {}.", word));
    }
}

void settle_config(Request& r) {
    if (r.config_alone.empty()) return;
    if (!r.config.empty())
        throw Error(
            ErrorCode::usage,
            fmt::format("Two configurations are given: {} (--config) and {}.", r.config, r.config_alone),
            "Keep one; one can read the other first with `extends:`.");
    r.config = r.config_alone;
}

// The first option that takes one value and has several.
std::string given_too_often(const CLI::App& app) {
    for (const auto* o : app.get_options())
        if (o->get_items_expected_max() == 1 && o->count() > 1) return o->get_name();
    return {};
}

}  // namespace

std::vector<Switch> switches_of(const Verb& verb) {
    CLI::App app;
    Request unused;
    bool version = false, usage = false;
    add_switches(app, verb, unused, version, usage);
    std::vector<Switch> list;
    for (const auto* o : app.get_options())
        for (const auto& name : o->get_lnames())
            list.push_back({name, o->get_expected_max() == 0 ? std::string() : o->get_type_name(),
                            o->get_description(), o->get_snames().empty() ? '\0' : o->get_snames()[0][0]});
    return list;
}

Request parse_command_line(int argc, char** argv, const std::vector<Verb>& verbs, const OptionTable& common) {
    Request request;
    std::vector<std::string> args(argv + 1, argv + argc);
    std::string name = argv[0];
    name = name.substr(name.rfind('/') + 1);
    if (name.starts_with("shuibao-")) {
        request.verb = name.substr(8);
    } else if (!args.empty()) {
        request.verb = args.front();
        args.erase(args.begin());
    }
    const auto done = [&](const std::string& text) {
        std::cout << text;
        request.finished = true;
        return request;
    };
    if (request.verb.empty() || request.verb == "-h" || request.verb == "--help" || request.verb == "help") {
        if (request.verb.empty())
            throw Error(ErrorCode::usage, "A verb is missing.", "`shuibao --help` lists them.");
        return done(overview(verbs));
    }
    if (request.verb == "--version")
        return done(version_text(std::find(args.begin(), args.end(), "--json") != args.end()));
    if (request.verb == "--json-usage") return done(json_usage(verbs, common));
    if (request.verb == "--list-verbs") {
        std::string list;
        for (const auto& v : verbs) list += v.name + "\n";
        return done(list);
    }
    const auto verb =
        std::find_if(verbs.begin(), verbs.end(), [&](const Verb& v) { return v.name == request.verb; });
    if (verb == verbs.end()) {
        std::vector<std::string> names;
        for (const auto& v : verbs) names.push_back(v.name);
        const std::string near = nearest_of(request.verb, names);
        throw Error(ErrorCode::usage, fmt::format("There is no verb '{}'.", request.verb),
                    near.empty() ? "`shuibao --help` lists them." : fmt::format("Did you mean '{}'?", near));
    }

    CLI::App app(verb->description, "shuibao " + verb->name);
    std::string footer;
    for (const auto& line : verb->example) footer += (footer.empty() ? "Example:\n  " : "\n  ") + line;
    app.footer(footer);
    bool version = false, usage = false;
    add_table(app, verb->own, "Options of " + verb->name, request, verb->positional);
    add_table(app, common, "Where and how much", request, {});
    add_switches(app, *verb, request, version, usage);
    refuse_single_dashes(args, app);
    try {
        std::vector<std::string> reversed(args.rbegin(), args.rend());
        app.parse(reversed);
        sort_as_given(app, request);
        settle_config(request);
    } catch (const CLI::CallForHelp&) {
        return done(app.help());
    } catch (const CLI::ExtrasError& e) {
        const auto extras = app.remaining();
        const std::string word =
            extras.empty() ? std::string(e.what()) : extras.front().substr(0, extras.front().find('='));
        const std::string near = word.starts_with("--") ? nearest_of(word, spellings(app)) : std::string();
        throw Error(ErrorCode::usage, fmt::format("`shuibao {}` does not know '{}'.", verb->name, word),
                    near.empty() ? fmt::format("`shuibao {} --help` lists what it takes.", verb->name)
                                 : fmt::format("Did you mean '{}'?", near));
    } catch (const CLI::ArgumentMismatch& e) {
        if (const std::string twice = given_too_often(app); !twice.empty())
            throw Error(ErrorCode::usage, fmt::format("{} is given more than once.", twice),
                        "Keep one of the values.");
        throw Error(ErrorCode::usage, fmt::format("{}: {}.", verb->name, e.what()),
                    fmt::format("`shuibao {} --help` explains.", verb->name));
    } catch (const CLI::ParseError& e) {
        throw Error(ErrorCode::usage, fmt::format("{}: {}.", verb->name, e.what()),
                    fmt::format("`shuibao {} --help` explains.", verb->name));
    }
    if (version) return done(version_text(request.json));
    if (usage) return done(json_usage({*verb}, common));
    return request;
}

}  // namespace shuibao::apps
