// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <xxhash.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/manifest.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::engine {
namespace {

volatile std::sig_atomic_t g_stop = 0;

extern "C" void on_stop_signal(int signal) {
    g_stop = 1;
    std::signal(signal, SIG_DFL);  // a second one kills
}

// Bytes that units in flight may hold together. One unit always fits, however large, when it is alone.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t bytes) : m_limit(bytes) {}
    void acquire(std::size_t bytes) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_used == 0 || m_used + bytes <= m_limit; });
        m_used += bytes;
    }
    void release(std::size_t bytes) {
        {
            const std::lock_guard lock(m_mutex);
            m_used -= bytes;
        }
        m_changed.notify_all();
    }

  private:
    std::size_t m_limit, m_used = 0;
    std::mutex m_mutex;
    std::condition_variable m_changed;
};

// Makes finished units durable on a thread of its own, in the order they finished: units that compute need
// not wait for the disk. What a unit wrote gets its final name, and the unit its record, only here.
class Publisher {
  public:
    using Done = std::function<void(std::exception_ptr)>;
    explicit Publisher(StageManifest& manifest) : m_manifest(manifest), m_thread([this] { run(); }) {}
    ~Publisher() { finish(); }

    /// `done` is called with null, or with what went wrong. Blocks while too much is waiting.
    void add(const Unit& unit, std::unique_ptr<io::DeferredCommits> files, Done done) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_queue.size() < most_waiting; });
        m_queue.push_back({&unit, std::move(files), std::move(done)});
        m_changed.notify_all();
    }
    void finish() {
        {
            const std::lock_guard lock(m_mutex);
            m_finishing = true;
        }
        m_changed.notify_all();
        if (m_thread.joinable()) m_thread.join();
    }

  private:
    static constexpr std::size_t most_waiting = 32;
    struct Job {
        const Unit* unit;
        std::unique_ptr<io::DeferredCommits> files;
        Done done;
    };
    void run() {
        for (;;) {
            Job job;
            {
                std::unique_lock lock(m_mutex);
                m_changed.wait(lock, [&] { return m_finishing || !m_queue.empty(); });
                if (m_queue.empty()) return;
                job = std::move(m_queue.front());
                m_queue.pop_front();
            }
            m_changed.notify_all();
            std::exception_ptr error;
            try {
                job.files->publish();
                m_manifest.record(*job.unit);
            } catch (...) {
                error = std::current_exception();
            }
            job.files.reset();
            job.done(error);
        }
    }

    StageManifest& m_manifest;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<Job> m_queue;
    bool m_finishing = false;
    std::thread m_thread;  // last: it starts when everything else is there
};

std::string tile_of(const std::string& unit) {
    const std::string head = unit.substr(0, unit.find('/'));
    return TileId::parse(head) ? head : std::string();
}

// A tile that is asked for by name and not there is a slip of the pen, or of another area.
void require_tiles(const Selection& selection, const std::string& stage, const std::vector<Unit>& units,
                   Log& log) {
    if (selection.tiles.empty()) return;
    std::set<std::string> there;
    for (const auto& unit : units)
        if (const auto tile = tile_of(unit.id); !tile.empty()) there.insert(tile);
    if (there.empty()) return;
    std::string missing;
    std::size_t absent = 0;
    for (const auto& tile : selection.tiles)
        if (!there.contains(tile)) {
            ++absent;
            missing += (missing.empty() ? "" : ", ") + tile;
        }
    const std::string hint =
        fmt::format("There are {}, from {} to {}.", there.size(), *there.begin(), *there.rbegin());
    if (absent == selection.tiles.size())
        throw Error(ErrorCode::usage, fmt::format("{} has no tile {}.", stage, missing), hint);
    if (absent > 0) log.write(LogLevel::warn, fmt::format("there is no tile {}. {}", missing, hint), stage);
}

}  // namespace

void handle_stop_signals() {
    std::signal(SIGINT, on_stop_signal);
    std::signal(SIGTERM, on_stop_signal);
    std::signal(SIGPIPE, SIG_IGN);  // nobody reads the log any more: the work is worth finishing
}

bool stop_requested() {
    return g_stop != 0;
}

void check_stop() {
    if (stop_requested())
        throw Error(ErrorCode::interrupted, "Interrupted; what was finished is kept.",
                    "Run the same command again to go on.");
}

bool Selection::takes(const std::string& unit) const {
    const std::string tile = tile_of(unit);
    if (tile.empty()) return true;
    if (!tiles.empty() && std::find(tiles.begin(), tiles.end(), tile) == tiles.end()) return false;
    return shards <= 1 || XXH3_64bits(tile.data(), tile.size()) % static_cast<std::uint64_t>(shards) ==
                              static_cast<std::uint64_t>(shard);
}

struct Executor::Impl {
    const Store& store;
    Log& log;
    Problems& problems;
    tbb::global_control limit;  // --jobs may ask for more threads than there are cores
    tbb::task_arena arena;
    std::map<std::string, StageCounts> counts;
    std::vector<PlannedUnit> plan;
    std::map<std::string, std::unique_ptr<StageManifest>> manifests;

    StageManifest& manifest(const std::string& stage, const Options& o) {
        auto& m = manifests[stage];
        if (!m)
            m = std::make_unique<StageManifest>(store.manifest(), stage, o.selection.shard,
                                                o.selection.shards);
        return *m;
    }
};

Executor::Executor(Options options, const Store& store, Log& log, Problems& problems)
    : m_options(std::move(options)),
      m_impl(
          new Impl{store,
                   log,
                   problems,
                   {tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(m_options.jobs)},
                   tbb::task_arena(m_options.jobs),
                   {},
                   {},
                   {}}) {}

void group_neighbours(std::vector<Unit>& units, int jobs) {
    // Few enough to be neighbours; towards the end ever smaller, so that the last ones end together.
    constexpr std::size_t groups_per_job = 8;
    const auto threads = static_cast<std::size_t>(std::max(jobs, 1));
    const std::size_t most = (units.size() + groups_per_job * threads - 1) / (groups_per_job * threads);
    for (std::size_t i = 0, group = 0; i < units.size(); ++group) {
        const std::size_t left = units.size() - i,
                          size = std::clamp<std::size_t>(left / (2 * threads), 1, most);
        for (const std::size_t end = i + size; i < end; ++i) units[i].group = std::to_string(group);
    }
}

Executor::~Executor() = default;

const std::map<std::string, StageCounts>& Executor::counts() const {
    return m_impl->counts;
}

const std::vector<PlannedUnit>& Executor::plan() const {
    return m_impl->plan;
}

std::string Executor::key(const std::string& stage, const std::string& unit) const {
    return m_impl->manifest(stage, m_options).key(unit);
}

void Executor::refresh(const std::string& stage) {
    m_impl->manifests.erase(stage);
}

void Executor::parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) const {
    // Isolated: a unit that waits for its parts must not begin another unit on top of itself, which might
    // wait for memory that the first one holds.
    m_impl->arena.execute([&] {
        tbb::this_task_arena::isolate(
            [&] { tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) { body(i); }); });
    });
}

const std::string& Executor::code_of(const std::string& stage) const {
    const auto it = m_options.stage_codes.find(stage);
    return it == m_options.stage_codes.end() ? m_options.code_version : it->second;
}

Executor::Missing Executor::missing(const std::string& stage, const std::string& plan) const {
    const auto& manifest = m_impl->manifest(stage, m_options);
    Missing m;
    for (const auto& [unit, key] : manifest.plan(plan)) {
        ++m.planned;
        const auto standing = manifest.standing(unit, key);
        (standing == Standing::open     ? m.open
         : standing == Standing::failed ? m.failed
                                        : m.done)
            .push_back(unit);
    }
    return m;
}

StageCounts Executor::run(const std::string& stage, std::vector<Unit> units, const std::string& plan) {
    const auto started = std::chrono::steady_clock::now();
    require_tiles(m_options.selection, stage, units, m_impl->log);
    auto& manifest = m_impl->manifest(stage, m_options);
    StageCounts counts;
    std::vector<std::vector<const Unit*>> groups;
    std::map<std::string, std::size_t> group_at;
    std::map<std::string, std::string> planned;
    for (auto& unit : units) {
        unit.inputs["program"] = code_of(stage);
        if (!plan.empty()) planned[unit.id] = hash_values(unit.inputs);
        if (!m_options.selection.takes(unit.id)) continue;
        ++counts.planned;
        const Decision decision = manifest.decide(unit);
        if (m_options.explain || m_options.dry_run)
            m_impl->log.write(LogLevel::info,
                              fmt::format("{} ({})", decision.run ? "RUN" : "SKIP", decision.text), stage,
                              unit.id);
        if (m_options.dry_run) m_impl->plan.push_back({stage, unit.id, decision.run, decision.text});
        if (!decision.run) {
            ++counts.skipped;
            continue;
        }
        const auto [at, is_new] = unit.group.empty() ? std::pair(group_at.end(), true)
                                                     : group_at.try_emplace(unit.group, groups.size());
        if (is_new) groups.emplace_back();
        (unit.group.empty() ? groups.back() : groups[at->second]).push_back(&unit);
    }
    if (!plan.empty() && !m_options.dry_run) manifest.keep_plan(plan, planned);
    const std::size_t todo = counts.planned - counts.skipped;
    std::atomic<std::size_t> next{0}, done{0}, succeeded{0}, failed{0};
    std::mutex fatal_mutex;
    std::exception_ptr fatal;
    std::atomic<bool> halt{false};
    MemoryBudget budget(m_options.memory);

    const auto went_wrong = [&](const Unit& unit, std::exception_ptr why) {
        const auto end_run = [&](std::exception_ptr e) {
            const std::lock_guard lock(fatal_mutex);
            if (!fatal) fatal = std::move(e);
            halt = true;
        };
        try {
            std::rethrow_exception(std::move(why));
        } catch (const Error& e) {
            // Disk full, interrupted, wrong configuration: no other unit would do better.
            if (e.code() != ErrorCode::input) return end_run(std::current_exception());
            ++failed;
            manifest.discard(unit);
            m_impl->problems.add({stage, unit.id, "failed", e.what(), e.hint()});
        } catch (const std::bad_alloc&) {
            end_run(std::make_exception_ptr(
                Error(ErrorCode::failed, fmt::format("{} {}: out of memory.", stage, unit.id),
                      "Give less work at once: fewer --jobs or a smaller grid.tile_size.")));
        } catch (const std::exception& e) {
            ++failed;
            manifest.discard(unit);
            m_impl->problems.add({stage, unit.id, "internal", fmt::format("Our own mistake: {}.", e.what()),
                                  "Please report it with the command line and run.json."});
        }
    };
    const auto run_one = [&](const Unit& unit, Publisher& publisher) {
        const auto finished = [&](std::exception_ptr error) {
            if (error)
                went_wrong(unit, std::move(error));
            else
                ++succeeded;
            m_impl->log.progress(stage, ++done, todo);
        };
        budget.acquire(unit.memory);
        auto files = std::make_unique<io::DeferredCommits>();
        std::exception_ptr error;
        try {
            manifest.begin(unit);
            unit.work();
        } catch (...) {
            error = std::current_exception();
        }
        files->close();
        budget.release(unit.memory);
        if (error)
            finished(std::move(error));
        else
            publisher.add(unit, std::move(files), finished);
    };
    if (!m_options.dry_run && todo > 0) {
        // Workers take groups in order, so that neighbours in the plan are neighbours in time and share
        // caches.
        Publisher publisher(manifest);
        m_impl->arena.execute([&] {
            tbb::parallel_for(
                0, m_options.jobs,
                [&](int) {
                    for (std::size_t g = next++; g < groups.size(); g = next++)
                        for (const Unit* unit : groups[g]) {
                            if (halt || stop_requested()) return;
                            run_one(*unit, publisher);
                        }
                },
                tbb::simple_partitioner{});
        });
        publisher.finish();
    }
    counts.failed = failed;
    counts.run = succeeded;
    counts.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    auto& total = m_impl->counts[stage];
    total.planned += counts.planned;
    total.run += counts.run;
    total.skipped += counts.skipped;
    total.failed += counts.failed;
    total.seconds += counts.seconds;
    if (fatal) std::rethrow_exception(fatal);
    check_stop();
    return counts;
}

}  // namespace shuibao::engine
