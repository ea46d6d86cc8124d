// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <malloc.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "build_id.hpp"
#include "checks.hpp"
#include "run_record.hpp"
#include "submit.hpp"
#include <shuibao/core/date.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;

namespace {

using engine::LogLevel;

constexpr std::size_t program_bytes = std::size_t{64} << 20;

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
        if (s.tiles.empty())
            throw Error(ErrorCode::usage, "The tile list " + r.tiles_from + " names no tile.",
                        "Give one tile name a line, or drop --tiles-from for all tiles.");
    }
    for (const auto& tile : s.tiles)
        if (!TileId::parse(tile))
            throw Error(ErrorCode::usage, "'" + tile + "' is no tile name.",
                        "Tile names look like X0003_Y0004.");
    if (r.shard.empty()) return s;
    int i = 0, n = 0;
    char extra = 0;
    if (std::sscanf(r.shard.c_str(), "%d/%d%c", &i, &n, &extra) != 2 || n < 1 || i > n || i < (n > 1 ? 0 : 1))
        throw Error(ErrorCode::usage, "--shard cannot be '" + r.shard + "'.",
                    "Give part/parts, counted from 1: --shard 1/4 … --shard 4/4; --shard 0/4 is what all of "
                    "them need.");
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
    o.run = fmt::format("{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(std::time(nullptr)), ::getpid());
    return o;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How a run ended stands in its log as well: stderr, where main() says it, may be nobody's.
void log_end(const Error& e, const Request& r, engine::Log& log) {
    if (r.log_file.empty()) return;
    log.error(fmt::format("{}{}{}", e.what(), e.hint().empty() ? "" : " ", e.hint()));
    log.error(fmt::format("`shuibao {}` ended with {}", r.verb, static_cast<int>(e.code())));
}

std::string units_text(const engine::Executor& executor) {
    std::size_t made = 0, kept = 0;
    for (const auto& [stage, c] : executor.counts()) {
        made += c.run;
        kept += c.skipped;
    }
    return fmt::format("{} units made, {} up to date, no problems", made, kept);
}

// The store is the program's own and is swept whole; of the output folder only what `export` fills, since
// people keep other things beside it.
void sweep(const engine::Store& store, const fs::path& output) {
    io::sweep_temporaries(store.root(), io::Depth::below);
    io::sweep_temporaries(output, io::Depth::folder);
    io::sweep_temporaries(output / "export", io::Depth::below);
}

// A series keeps all its looks at a tile open, on every thread.
void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

std::size_t bytes_of(const engine::Settings& settings, const char* key) {
    const std::string text = settings.text(key);
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
    const bool good = end > 0 && value * factor >= least_memory && value * factor <= 1e15;
    if (!good)
        throw Error(ErrorCode::usage,
                    fmt::format("{}: '{}' cannot be '{}'.", settings.origin(key), key, text),
                    "Give at least 200M, e.g. 4G.");
    return static_cast<std::size_t>(value * factor);
}

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
    declare_submit(table);
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
    const std::size_t memory = bytes_of(settings, "memory");
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
    const bool all = r.verb == "run" || r.verb == "check" || r.verb == "submit";
    Stages stages;
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
                               .stage_codes = stage_codes(),
                               .selection = selection_of(r)},
                              store, log, problems);
    std::ostringstream said;  // one JSON document on stdout, whoever writes it
    pipeline::RunContext context{settings, store,      executor,
                                 log,      problems,   settings.path("output"),
                                 batch,    r.json,     r.json ? said : std::cout,
                                 r.list,   r.overwrite};
    for (const auto& [name, stage] : stages) stage->require(context);
    if (r.verb == "submit")
        return submit_run(r, stages, context, memory, settings.text("jobs") == "all" ? 0 : jobs_of(settings),
                          std::cout);
    if (r.verb == "check") {
        check_all(stages, context, r.json, std::cout);
    } else {
        const bool works = needs_store && !r.list && !r.dry_run;
        const auto began = std::chrono::steady_clock::now();
        if (works && (!r.log_file.empty() || r.log_format == "json"))
            log.info(fmt::format("`shuibao {}` begins: {}, store {}, output {}", r.verb, build_id,
                                 store.root().string(), context.output.string()));
        std::unique_ptr<engine::StoreLock> lock;
        if (works)  // a dry run writes nothing, not even a lock
            lock = std::make_unique<engine::StoreLock>(
                store, r.shard.empty() ? engine::LockMode::exclusive : engine::LockMode::shared, r.wait,
                executor.options().selection);
        // Whoever holds the store alone may clear away what killed runs left.
        if (lock && r.shard.empty() && !r.dry_run) sweep(store, context.output);
        // A folder that cannot be written is found out now, not after hours of work.
        if (r.verb == "run" && !r.dry_run) io::AtomicOutput probe(context.output / "run.json");
        std::vector<Outcome> outcomes;
        std::vector<std::pair<std::string, std::string>> waiting;  // stages of a dry run, for which file
        std::string at;                                            // the stage at work
        const auto record = [&](const std::string& ended, const std::optional<engine::Problem>& last = {}) {
            if (r.verb == "run" && !r.dry_run)
                io::write_text(context.output / "run.json",
                               run_record(settings, context, outcomes, ended, last)
                                       .dump(1, ' ', false, nlohmann::json::error_handler_t::replace) +
                                   "\n");
        };
        try {
            if (r.verb == "run") check_ahead(stages, context, at);
            for (const auto& [name, stage] : stages) {
                at = name;
                const auto first = r.dry_run ? stage->first_input(context) : fs::path();
                if (!first.empty() && !fs::exists(first)) {
                    waiting.emplace_back(name, first.string());
                    log.write(LogLevel::info, fmt::format("RUN (when {} exists)", first.string()), name);
                    continue;
                }
                const auto start = std::chrono::steady_clock::now();
                stage->run(context);
                malloc_trim(0);  // the next stage asks for pieces of other sizes
                outcomes.push_back({name, seconds_since(start)});
                engine::check_stop();
            }
            record(problems.size() == 0 ? "done" : "done with problems");
            if (r.json && said.str().empty())
                said << (r.dry_run ? plan_of(context, waiting) : summary_of(r.verb, context, outcomes))
                            .dump(1, ' ', false, nlohmann::json::error_handler_t::replace)
                     << "\n";
            if (r.json) std::cout << said.str();
            if (works && problems.size() == 0)
                log.info(fmt::format("done in {:.1f} s: {}", seconds_since(began), units_text(executor)));
        } catch (const Error& e) {
            log_end(e, r, log);
            try {
                record(e.what(), problem_of(e, at));
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
