// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <shuibao/core/date.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;
extern const char* const program_version;
extern const char* const build_id;

namespace {

using engine::LogLevel;

constexpr std::size_t program_bytes = std::size_t{64} << 20;

std::size_t bytes_of(const engine::Settings& settings) {
    const std::string text = settings.text("memory");
    std::size_t end = 0;
    double value = 0;
    try {
        value = std::stod(text, &end);
    } catch (const std::exception&) {
        end = 0;
    }
    const std::string unit = text.substr(end);
    const double factor = unit == "G" || unit == "GiB"   ? 1U << 30
                          : unit == "M" || unit == "MiB" ? 1U << 20
                          : unit.empty()                 ? 1
                                                         : 0;
    // Written so that "nan" is refused as well.
    const bool good = end > 0 && value * factor >= (200U << 20) && value * factor <= 1e15;
    if (!good)
        throw Error(ErrorCode::usage,
                    fmt::format("{}: 'memory' cannot be '{}'.", settings.origin("memory"), text),
                    "Give at least 200M, e.g. 4G.");
    return static_cast<std::size_t>(value * factor);
}

int jobs_of(const engine::Settings& settings) {
    const std::string text = settings.text("jobs");
    const int cores = static_cast<int>(
        std::max(1U, std::thread::hardware_concurrency()));  // respects the CPU affinity mask
    if (text == "all") return cores;
    char* end = nullptr;
    const long n = std::strtol(text.c_str(), &end, 10);
    if (end == text.c_str() || *end != 0 || n < 1 || n > 1024)
        throw Error(ErrorCode::usage,
                    fmt::format("{}: 'jobs' cannot be '{}'.", settings.origin("jobs"), text),
                    "Give a number of threads from 1 to 1024, or 'all'.");
    return static_cast<int>(n);
}

engine::Selection selection_of(const Request& r) {
    engine::Selection s;
    s.tiles = r.tiles;
    if (!r.tiles_from.empty()) {
        std::ifstream in(r.tiles_from);
        if (!in)
            throw Error(ErrorCode::usage, "The tile list " + r.tiles_from + " cannot be read.",
                        "Give a text file with one tile name a line.");
        for (std::string line; std::getline(in, line);)
            if (!line.empty() && line.front() != '#') s.tiles.push_back(line);
    }
    for (const auto& tile : s.tiles)
        if (!TileId::parse(tile))
            throw Error(ErrorCode::usage, "'" + tile + "' is no tile name.",
                        "Tile names look like X0003_Y0004.");
    if (r.shard.empty()) return s;
    int i = 0, n = 0;
    char extra = 0;
    if (std::sscanf(r.shard.c_str(), "%d/%d%c", &i, &n, &extra) != 2 || n < 1 || i < 1 || i > n)
        throw Error(ErrorCode::usage, "--shard cannot be '" + r.shard + "'.",
                    "Give part/parts, counted from 1: --shard 1/4 … --shard 4/4.");
    s.shard = i - 1;
    s.shards = n;
    return s;
}

// Checked before anything is opened: the first file would get a descriptor that nobody has open yet.
void check_request(const Request& r) {
    if (!(r.wait >= 0 && r.wait <= 1e9))
        throw Error(ErrorCode::usage, fmt::format("--wait cannot be '{}'.", r.wait),
                    "Give the seconds to wait for a store in use, e.g. --wait 600.");
    if (r.progress_fd != -1 && (r.progress_fd < 0 || ::fcntl(r.progress_fd, F_GETFD) < 0))
        throw Error(ErrorCode::usage,
                    fmt::format("--progress-fd cannot be '{}': that descriptor is not open.", r.progress_fd),
                    "Open it in the calling program, e.g. `3>progress.json`.");
}

engine::Log::Options log_options(const Request& r) {
    engine::Log::Options o;
    if (r.verbosity > 0) o.level = LogLevel::debug;
    if (r.quiet) o.level = LogLevel::warn;
    if (r.log_level == "debug") o.level = LogLevel::debug;
    if (r.log_level == "info") o.level = LogLevel::info;
    if (r.log_level == "warning") o.level = LogLevel::warn;
    if (r.log_level == "error") o.level = LogLevel::error;
    o.json = r.log_format == "json";
    o.progress = !r.no_progress && !r.quiet && (r.progress || (::isatty(2) != 0 && !o.json));
    o.progress_fd = r.progress_fd;
    o.file = r.log_file;
    return o;
}

// The store is the program's own and is swept whole; of the output folder only what `export` fills, since
// people keep other things beside it.
void sweep(const engine::Store& store, const fs::path& output) {
    io::sweep_temporaries(store.root(), io::Depth::below);
    io::sweep_temporaries(output, io::Depth::folder);
    io::sweep_temporaries(output / "export", io::Depth::below);
}

struct Outcome {
    std::string stage;
    double seconds = 0;
};

nlohmann::ordered_json json_of(const engine::Problems& problems) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& p : problems.sorted())
        list.push_back(
            {{"stage", p.stage}, {"unit", p.unit}, {"code", p.code}, {"what", p.what}, {"hint", p.hint}});
    return list;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// The files that say how to decide: the program's own (rules, dictionaries, sensors, models, templates), and
// those that the configuration names. Hashes, so that another wording of a rule shows.
void add_files(const engine::Settings& settings, nlohmann::ordered_json& j) {
    constexpr std::uintmax_t largest = 16 << 20;  // larger ones are inputs, hashed where they are read
    const auto hash = [](const fs::path& file) -> nlohmann::ordered_json {
        std::error_code error;
        if (fs::is_directory(file, error)) {
            std::map<std::string, std::string> parts;
            for (fs::recursive_directory_iterator at(file, error), end; !error && at != end;
                 at.increment(error))
                if (at->is_regular_file(error))
                    parts[at->path().string()] = engine::hash_file(at->path().string());
            return engine::hash_values(parts);
        }
        if (!fs::is_regular_file(file, error)) return nullptr;
        return engine::hash_file(file.string());
    };
    for (const auto& [name, file] : engine::config_files_used())
        j["files"]["configs/" + name] = {{"path", file.string()}, {"hash", hash(file)}};
    for (const auto& o : settings.table().all())
        if (o.type == OptionType::path && o.changes_result && settings.has(o.key))
            if (const fs::path file = settings.path(o.key);
                fs::is_regular_file(file) && fs::file_size(file) <= largest)
                j["files"][o.key] = {{"path", file.string()}, {"hash", hash(file)}};
}

nlohmann::ordered_json run_record(const engine::Settings& settings, const pipeline::RunContext& context,
                                  const std::vector<Outcome>& outcomes, const std::string& ended) {
    nlohmann::ordered_json j = {{"program", build_id},
                                {"libraries", io::library_versions()},
                                {"batch", context.batch},
                                {"ended", ended}};
    for (const auto& o : settings.table().all())
        if (settings.has(o.key))
            j["config"][o.key] = {{"value", settings.text(o.key)}, {"origin", settings.origin(o.key)}};
    j["inputs"] = context.inputs;
    add_files(settings, j);
    j["stages"] = nlohmann::ordered_json::array();
    for (const auto& o : outcomes)
        j["stages"].push_back({{"stage", o.stage}, {"seconds", std::round(o.seconds * 1000) / 1000}});
    for (const auto& [stage, c] : context.executor.counts())
        j["units"][stage] = {{"planned", c.planned},
                             {"run", c.run},
                             {"up_to_date", c.skipped},
                             {"failed", c.failed},
                             {"seconds", std::round(c.seconds * 1000) / 1000}};
    j["problems"] = json_of(context.problems);
    j["notes"] = nlohmann::ordered_json::array();
    for (const auto& p : context.notes)
        j["notes"].push_back({{"stage", p.stage}, {"unit", p.unit}, {"code", p.code}, {"what", p.what}});
    j["disclaimer"] =
        "Findings are clues from satellite images, not findings of law (疑似图斑，不作为执法认定依据).";
    return j;
}

// A series keeps all its looks at a tile open, on every thread.
void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void declare_common(OptionTable& table) {
    table.add({.key = "batch",
               .help = "Supervision batch (期次) as YYYYMM; names the results. Default: the month of the "
                       "newest acquisition"});
    table.add({.key = "store",
               .type = OptionType::path,
               .fallback = "store",
               .help = "Folder of the long-lived state that all batches share"});
    table.add({.key = "output",
               .type = OptionType::path,
               .fallback = "output",
               .help = "Folder for the results of this run",
               .letter = 'o'});
    table.add({.key = "jobs",
               .fallback = "all",
               .help = "Threads, or 'all' (environment: SHUIBAO_JOBS, SLURM_CPUS_PER_TASK)",
               .letter = 'j',
               .changes_result = false});
    table.add({.key = "memory",
               .fallback = "4G",
               .help = "Memory the run may use, e.g. 1G (environment: SHUIBAO_MEMORY)",
               .changes_result = false});
}

OptionTable full_table() {
    OptionTable table;
    declare_common(table);
    for (const auto& entry : pipeline::StageRegistry::all()) entry.make()->declare(table);
    return table;
}

engine::Settings resolve(const OptionTable& table, const Request& r) {
    engine::Settings settings(table);
    if (!r.config.empty()) settings.load(r.config);
    const auto from_environment = [&](const char* name, const char* key) {
        if (const char* value = std::getenv(name); value != nullptr && *value != 0)
            settings.set(key, value, name);
    };
    from_environment("SLURM_CPUS_PER_TASK", "jobs");
    from_environment("SHUIBAO_JOBS", "jobs");
    from_environment("SHUIBAO_MEMORY", "memory");
    for (std::size_t i = 0; i < r.sets.size(); ++i)
        settings.set(r.sets[i].first, r.sets[i].second, r.set_origins[i]);
    return settings;
}

int run_session(const Request& r, const engine::Settings& settings) {
    check_request(r);
    // glibc would give every thread an arena and never return memory to the system: keep within --memory. But
    // buffers of a strip (some MiB) must stay in the heap: mapping and clearing them anew for every strip
    // took a third of the time of detection.
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    allow_many_files();
    const std::string batch = settings.text("batch");
    if (!batch.empty() && (batch.size() != 6 || !Date::parse(batch + "01")))
        throw Error(ErrorCode::usage, settings.origin("batch") + ": 'batch' cannot be '" + batch + "'.",
                    "Give the year and month, e.g. 202403.");
    const std::size_t memory = bytes_of(settings);
    // The program and its libraries take their part. Of the rest three eighths hold what neighbouring tiles
    // both read, one of them what only GDAL can read; units may use a half; an eighth is what the heap keeps.
    const std::size_t room = memory - program_bytes;
    mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min<std::size_t>(std::size_t{512} << 20, room / 8)));
    io::gdal_setup({.cache_bytes = std::min<std::size_t>(std::size_t{320} << 20, room / 8),
                    .block_bytes = std::min<std::size_t>(std::size_t{1} << 30, room / 4),
                    .allow_network = r.allow_network,
                    .config = r.gdal_config});
    engine::handle_stop_signals();

    engine::Log log(log_options(r));
    const io::GdalListener listener([&log](const std::string& text) { log.warn("GDAL: " + text); });
    engine::Problems problems(log);
    const engine::Store store(settings.path("store"));
    const bool all = r.verb == "run" || r.verb == "check";
    std::vector<std::pair<std::string, std::unique_ptr<pipeline::Stage>>> stages;
    bool needs_store = false;
    for (const auto& entry : pipeline::StageRegistry::all()) {
        auto stage = entry.make();
        if (all ? !stage->info().in_run : entry.name != r.verb) continue;
        needs_store = needs_store || stage->info().needs_store;
        stages.emplace_back(entry.name, std::move(stage));
    }
    engine::Executor executor({.jobs = jobs_of(settings),
                               .memory = room / 2,
                               .dry_run = r.dry_run,
                               .explain = r.explain,
                               .code_version = build_id,
                               .selection = selection_of(r)},
                              store, log, problems);
    const bool check_as_json = r.verb == "check" && r.json;
    std::ostringstream said;
    pipeline::RunContext context{
        settings, store,      executor,
        log,      problems,   settings.path("output"),
        batch,    r.json,     check_as_json ? static_cast<std::ostream&>(said) : std::cout,
        r.list,   r.overwrite};
    for (const auto& [name, stage] : stages) stage->require(context);
    if (r.verb == "check") {
        nlohmann::ordered_json plan = {{"valid", true}};
        for (const auto& [name, stage] : stages) {
            stage->check(context);
            plan["stages"][name] = lines_of(said.str());
            said.str({});
        }
        plan["problems"] = json_of(problems);
        if (check_as_json)
            std::cout << plan.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        else
            std::cout << "The configuration is valid.\n";
    } else {
        std::unique_ptr<engine::StoreLock> lock;
        if (needs_store && !r.list && !r.dry_run)  // a dry run writes nothing, not even a lock
            lock = std::make_unique<engine::StoreLock>(
                store, r.shard.empty() ? engine::LockMode::exclusive : engine::LockMode::shared, r.wait);
        // Whoever holds the store alone may clear away what killed runs left.
        if (lock && r.shard.empty() && !r.dry_run) sweep(store, context.output);
        // A folder that cannot be written is found out now, not after hours of work.
        if (r.verb == "run" && !r.dry_run) io::AtomicOutput probe(context.output / "run.json");
        std::vector<Outcome> outcomes;
        const auto record = [&](const std::string& ended) {
            if (r.verb == "run" && !r.dry_run)
                io::write_text(context.output / "run.json",
                               run_record(settings, context, outcomes, ended)
                                       .dump(1, ' ', false, nlohmann::json::error_handler_t::replace) +
                                   "\n");
        };
        try {
            for (const auto& [name, stage] : stages) {
                const auto first = r.dry_run ? stage->first_input(context) : fs::path();
                if (!first.empty() && !fs::exists(first)) {
                    log.write(LogLevel::info, fmt::format("RUN (when {} exists)", first.string()), name);
                    continue;
                }
                const auto start = std::chrono::steady_clock::now();
                stage->run(context);
                malloc_trim(0);  // the next stage asks for pieces of other sizes
                outcomes.push_back(
                    {name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
                engine::check_stop();
            }
            record(problems.size() == 0 ? "done" : "done with problems");
        } catch (const Error& e) {
            try {
                record(e.what());
            } catch (const Error&) {  // the first reason is the one to tell
            }
            throw;
        }
    }
    if (problems.size() == 0) return 0;
    log.warn(fmt::format("done with {} problem{}{}", problems.size(), problems.size() == 1 ? "" : "s",
                         r.verb == "run" ? ", listed in " + (context.output / "run.json").string() : ""));
    return 3;
}

}  // namespace shuibao::apps
