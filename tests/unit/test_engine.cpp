// SPDX-License-Identifier: Apache-2.0
// What decides that work is done, who does it, and what happens when it fails. The oracle is the promise in
// pipeline/README.md ("What decides that work is done") and executor.hpp.
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <support/scratch.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/manifest.hpp>
#include <shuibao/io/atomic_output.hpp>

using namespace shuibao;
using namespace shuibao::engine;
using test::get;
using test::put;
using test::Scratch;

namespace {

struct Bench {
    Scratch folder;
    Store store{folder / "store"};
    Log log{{.level = LogLevel::error, .file = (folder / "log").string()}};
    Problems problems{log};

    Executor executor(int jobs, Selection selection = {}, const std::string& version = "1") {
        return {
            {.jobs = jobs, .code_version = version, .selection = std::move(selection)}, store, log, problems};
    }
    [[nodiscard]] Unit writer(const std::string& id, const std::string& input) const {
        Unit u;
        u.id = id;
        u.inputs = {{"input", input}};
        u.outputs = {folder / ("out_" + hash_bytes(id).substr(0, 8))};
        u.work = [path = u.outputs.front(), input] { put(path, "made of " + input); };
        return u;
    }
};

std::string reason(const Bench& b, const Unit& unit) {
    const StageManifest manifest(b.store.manifest(), "stage", 0, 1);
    return manifest.decide(unit).text;
}

StageManifest recorded(const Bench& b, const Unit& unit) {
    unit.work();
    StageManifest(b.store.manifest(), "stage", 0, 1).record(unit);
    return {b.store.manifest(), "stage", 0, 1};
}

Unit recorded_by(const Bench& b, const std::string& id, const std::string& input, int shard, int shards) {
    Unit u = b.writer(id, input);
    u.work();
    StageManifest(b.store.manifest(), "stage", shard, shards).record(u);
    return u;
}

}  // namespace

TEST_CASE("the manifest says why a unit runs") {
    const Bench b;
    Unit u = b.writer("X0001_Y0002/20240525", "a");
    u.inputs["option tile.cloud_margin"] = "30";
    CHECK(reason(b, u) == "never done");
    recorded(b, u);
    CHECK(reason(b, u) == "up to date");
    CHECK_FALSE(StageManifest(b.store.manifest(), "stage", 0, 1).decide(u).run);

    Unit other = u;
    other.inputs["option tile.cloud_margin"] = "60";
    CHECK(reason(b, other) == "option tile.cloud_margin changed from '30' to '60'");
    other = u;
    other.inputs["input"] = "b";
    CHECK(reason(b, other) == "input changed");
    other = u;
    other.inputs["mask"] = "m";
    CHECK(reason(b, other) == "mask is new");
    other.inputs["option tile.cloud_margin"] = "60";  // of several differences the likely cause is told
    CHECK(reason(b, other) == "option tile.cloud_margin changed from '30' to '60'");
    other = u;
    other.inputs.erase("input");
    CHECK(reason(b, other) == "input is gone");
    other.inputs["option tile.cloud_margin"] = "60";
    other.inputs["program"] = "2";
    CHECK(reason(b, other) == "option tile.cloud_margin changed from '30' to '60'");
    other = u;
    other.outputs.push_back(b.folder / "second.tif");
    CHECK(reason(b, other) == "the output second.tif is new");

    const auto name = u.outputs.front().filename().string();
    put(u.outputs.front(), "made");
    CHECK(reason(b, u) == "the output " + name + " has 4 bytes instead of 9");
    std::filesystem::remove(u.outputs.front());
    CHECK(reason(b, u) == "the output " + name + " is missing");
}

TEST_CASE("a unit that had nothing to write is done all the same, until something lies there") {
    const Bench b;
    Unit u = b.writer("X0001_Y0002", "a");
    u.work = [] {};
    recorded(b, u);
    CHECK(reason(b, u) == "up to date");
    put(u.outputs.front(), "left by somebody");
    CHECK(reason(b, u) ==
          "the output " + u.outputs.front().filename().string() + " is there but should not be");
}

TEST_CASE("a torn line is not written and does not swallow the next one") {
    const Bench b;
    const Unit one = b.writer("one", "1"), two = b.writer("two", "2"), three = b.writer("three", "3");
    recorded(b, one);
    recorded(b, two);
    const auto log = b.store.manifest() / "stage" / "all.log";
    const std::string whole = get(log);
    for (std::size_t cut = whole.find('\n') + 1; cut < whole.size(); cut += 7) {
        CAPTURE(cut);
        put(log, whole.substr(0, cut));
        REQUIRE(reason(b, one) == "up to date");
        REQUIRE(reason(b, two) == "never done");
        recorded(b, three);
        REQUIRE(reason(b, three) == "up to date");
        REQUIRE(reason(b, one) == "up to date");
    }
    // One flipped bit anywhere in the second line, its newline left alone.
    for (std::size_t at = whole.find('\n') + 1; at + 1 < whole.size(); at += 5) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 1);
        put(log, flipped);
        REQUIRE(reason(b, two) == "never done");
    }
}

TEST_CASE("the latest record of a unit holds, whichever log it stands in") {
    const Bench b;
    Unit u = b.writer("X0001_Y0002", "old");
    recorded(b, u);  // all.log sorts behind 1of2.log
    u.inputs["input"] = "new";
    StageManifest(b.store.manifest(), "stage", 0, 2).record(u);
    CHECK(reason(b, u) == "up to date");
    CHECK(StageManifest(b.store.manifest(), "stage", 0, 1).key(u.id) == hash_values(u.inputs));
    u.inputs["input"] = "newest";
    StageManifest(b.store.manifest(), "stage", 0, 1).record(u);
    CHECK(StageManifest(b.store.manifest(), "stage", 1, 2).key(u.id) == hash_values(u.inputs));
}

TEST_CASE("a log forgets what later records replaced, and nothing else") {
    const Bench b;
    const Unit kept = recorded_by(b, "X0001_Y0001", "a", 0, 2),
               elsewhere = recorded_by(b, "X0002_Y0002", "old", 0, 2);
    (void)recorded_by(b, elsewhere.id, "new", 1, 2);
    const auto other_log = get(b.store.manifest() / "stage/2of2.log");
    Unit again = b.writer("X0003_Y0003", "0");
    for (int quarter = 0; quarter < 5; ++quarter) {
        StageManifest manifest(b.store.manifest(), "stage", 0, 2);
        for (int k = 0; k < 300; ++k) {
            again.inputs["input"] = std::to_string(300 * quarter + k);
            manifest.record(again);
        }
    }
    again.work();
    StageManifest(b.store.manifest(), "stage", 0, 2).record(again);
    const auto lines = get(b.store.manifest() / "stage/1of2.log");
    CHECK(std::count(lines.begin(), lines.end(), '\n') < 1100);
    CHECK(get(b.store.manifest() / "stage/2of2.log") == other_log);
    CHECK(reason(b, kept) == "up to date");
    CHECK(reason(b, again) == "up to date");
    CHECK(reason(b, elsewhere) == "input changed");
    CHECK(reason(b, b.writer(elsewhere.id, "new")) == "up to date");
}

TEST_CASE("a log that is written anew loses no record that comes after, whenever files are published") {
    const Bench b;
    {
        StageManifest manifest(b.store.manifest(), "stage", 0, 1);
        Unit again = b.writer("X0003_Y0003", "0");
        for (int k = 0; k < 1003; ++k) {
            again.inputs["input"] = std::to_string(k);
            manifest.record(again);
        }
        // As the executor does: a unit begins while what it writes waits; others end before it is published.
        io::DeferredCommits files;
        manifest.begin(again);
        files.close();
        for (int k = 0; k < 20; ++k) {
            Unit other = b.writer("X0004_Y" + std::to_string(1000 + k), "a");
            other.work();
            manifest.record(other);
        }
        files.publish();
    }
    const auto lines = get(b.store.manifest() / "stage/all.log");
    REQUIRE(std::count(lines.begin(), lines.end(), '\n') < 100);  // else it was not written anew
    for (int k = 0; k < 20; ++k)
        CHECK(reason(b, b.writer("X0004_Y" + std::to_string(1000 + k), "a")) == "up to date");
}

TEST_CASE("work that was begun again and not finished does not count as what was done before") {
    const Bench b;
    Unit u = b.writer("X0001_Y0002", "a");
    recorded(b, u);
    Unit other = u;
    other.inputs["input"] = "b";
    StageManifest(b.store.manifest(), "stage", 0, 1).begin(other);
    put(u.outputs.front(), "made of b");  // the same size as before
    CHECK(reason(b, u) == "begun again but not finished");
    CHECK(reason(b, other) == "input changed");
    CHECK(StageManifest(b.store.manifest(), "stage", 0, 1).key(u.id).empty());
}

TEST_CASE("files that a unit no longer has go when it is done again") {
    const Bench b;
    Unit u = b.writer("202405 shapefile", "a");
    const auto second = b.folder / "CM111.shp";
    u.outputs.push_back(second);
    put(second, "zone 111");
    recorded(b, u);
    recorded(b, b.writer(u.id, "b"));
    CHECK_FALSE(std::filesystem::exists(second));
    CHECK(get(u.outputs.front()) == "made of b");
}

TEST_CASE("shards take every tile exactly once, and what names no tile is everybody's") {
    for (const int shards : {1, 2, 3, 7, 64}) {
        std::vector<int> load(static_cast<std::size_t>(shards));
        for (int y = -20; y < 20; ++y)
            for (int x = -20; x < 20; ++x) {
                const std::string tile = TileId{x, y}.str();
                int takers = 0;
                for (int i = 0; i < shards; ++i) {
                    const Selection s{.tiles = {}, .shard = i, .shards = shards};
                    const bool takes = s.takes(tile + "/20240525");
                    REQUIRE(takes == s.takes(tile));  // all dates of a tile go together
                    takers += takes ? 1 : 0;
                    load[static_cast<std::size_t>(i)] += takes ? 1 : 0;
                }
                REQUIRE(takers == 1);
            }
        // 1600 tiles: a fair hash leaves no shard without work.
        CHECK(*std::min_element(load.begin(), load.end()) > 0);
        CHECK(Selection{.tiles = {}, .shard = shards - 1, .shards = shards}.takes("demo_20240525"));
    }
    const Selection one{.tiles = {"X0003_Y0004"}, .shard = 0, .shards = 1};
    CHECK(one.takes("X0003_Y0004/20240525"));
    CHECK_FALSE(one.takes("X0003_Y0005/20240525"));
    CHECK_FALSE(one.takes("X0003_Y0005"));
    CHECK(one.takes("202405"));
}

TEST_CASE("tiles that were asked for and are not there are named") {
    Bench b;
    std::vector<Unit> units = {b.writer("X0001_Y0001/a", "1"), b.writer("X0002_Y0001/a", "1"),
                               b.writer("all", "1")};
    CHECK_THROWS_WITH_AS(b.executor(1, {.tiles = {"X0009_Y0009"}}).run("stage", units),
                         "stage has no tile X0009_Y0009.", Error);
    CHECK(b.executor(1, {.tiles = {"X0009_Y0009", "X0002_Y0001"}}).run("stage", units).run == 2);
    // What is not cut into tiles is everybody's.
    CHECK(b.executor(1, {.tiles = {"X0009_Y0009"}}).run("other", {b.writer("everything", "1")}).run == 1);
}

TEST_CASE("the executor does each unit once and nothing twice") {
    Bench b;
    std::vector<Unit> units;
    std::atomic<int> calls{0};
    for (int i = 0; i < 200; ++i) {
        Unit u = b.writer("X0000_Y0000/" + std::to_string(i), "a");
        u.work = [work = u.work, &calls] {
            ++calls;
            work();
        };
        units.push_back(u);
    }
    const auto first = b.executor(4).run("stage", units);
    CHECK(first.run == 200);
    CHECK(calls == 200);
    for (const auto& u : units) REQUIRE(get(u.outputs.front()) == "made of a");
    const auto second = b.executor(4).run("stage", units);
    CHECK(second.run == 0);
    CHECK(second.skipped == 200);
    CHECK(calls == 200);
    const auto third = b.executor(2, {}, "2").run("stage", units);  // another program
    CHECK(third.run == 200);
}

TEST_CASE("a stage whose own code is the same keeps its work under a new program") {
    Bench b;
    const auto units = std::vector<Unit>{b.writer("X0000_Y0000", "a")};
    const auto did = [&](const std::string& program, const std::string& code) {
        Executor executor({.jobs = 1, .code_version = program, .stage_codes = {{"stage", code}}}, b.store,
                          b.log, b.problems);
        CHECK(executor.code_of("stage") == code);
        CHECK(executor.code_of("another") == program);
        return executor.run("stage", units).run;
    };
    CHECK(did("1", "a") == 1);
    CHECK(did("2", "a") == 0);
    CHECK(did("2", "b") == 1);
}

TEST_CASE("units of one group run on one thread in the order given") {
    Bench b;
    std::vector<Unit> units;
    std::mutex mutex;
    std::map<std::string, std::vector<int>> order;
    std::map<std::string, std::set<std::thread::id>> threads;
    for (int i = 0; i < 90; ++i) {
        Unit u;
        u.id = std::to_string(i);
        u.group = "group " + std::to_string(i % 3);
        u.work = [&, i, group = u.group] {
            const std::lock_guard lock(mutex);
            order[group].push_back(i);
            threads[group].insert(std::this_thread::get_id());
        };
        units.push_back(u);
    }
    b.executor(4).run("stage", units);
    CHECK(order.size() == 3);
    for (const auto& [group, list] : order) {
        CHECK(list.size() == 30);
        CHECK(std::is_sorted(list.begin(), list.end()));
        CHECK(threads[group].size() == 1);
    }
}

TEST_CASE("units in flight never hold more than the budget together") {
    Bench b;
    constexpr std::size_t budget = 1000;
    std::atomic<std::size_t> used{0}, most{0}, together{0};
    std::vector<Unit> units;
    for (int i = 0; i < 120; ++i) {
        Unit u;
        u.id = std::to_string(i);
        u.memory =
            i == 60 ? 5000 : 150 + static_cast<std::size_t>(i % 5) * 100;  // one is larger than the budget
        u.work = [&, memory = u.memory] {
            const auto now = used += memory;
            const auto n = ++together;
            for (auto m = most.load(); memory <= budget && m < now && !most.compare_exchange_weak(m, now);) {
            }
            if (memory > budget && n != 1) throw Error(ErrorCode::failed, "Too large for company.");
            std::this_thread::sleep_for(std::chrono::microseconds(300));
            --together;
            used -= memory;
        };
        units.push_back(u);
    }
    Executor executor({.jobs = 8, .memory = budget, .code_version = "1"}, b.store, b.log, b.problems);
    CHECK(executor.run("stage", units).run == 120);
    CHECK(most <= budget);
    CHECK(most > 0);
}

TEST_CASE("a unit that throws is a problem and the others run") {
    Bench b;
    std::vector<Unit> units;
    for (int i = 0; i < 20; ++i) units.push_back(b.writer("unit " + std::to_string(i), "a"));
    b.executor(1).run("stage", units);
    for (auto& u : units) u.inputs["input"] = "b";
    units[7].work = [] { throw Error(ErrorCode::input, "The image is cut short.", "Fetch it again."); };
    units[3].work = [] { throw std::out_of_range("at 3"); };
    const auto counts = b.executor(3).run("stage", units);
    CHECK(counts.run == 18);
    CHECK(counts.failed == 2);
    const auto problems = b.problems.sorted();
    REQUIRE(problems.size() == 2);
    CHECK(problems[0] == Problem{"stage", "unit 3", "internal", "Our own mistake: at 3.",
                                 "Please report it with the command line and run.json."});
    CHECK(problems[1] == Problem{"stage", "unit 7", "failed", "The image is cut short.", "Fetch it again."});
    // What failed leaves no result of other inputs behind, and is tried again.
    CHECK_FALSE(std::filesystem::exists(units[7].outputs.front()));
    CHECK(b.executor(1).key("stage", "unit 7").empty());
    CHECK_FALSE(b.executor(1).key("stage", "unit 8").empty());
    units[7] = b.writer("unit 7", "b");
    units[3] = b.writer("unit 3", "b");
    CHECK(b.executor(1).run("stage", units).run == 2);
}

TEST_CASE("what no other unit would survive ends the run, and what was finished is kept") {
    Bench b;
    std::vector<Unit> units;
    for (int i = 0; i < 20; ++i) units.push_back(b.writer("unit " + std::to_string(i), "a"));
    units[5].work = [] { throw Error(ErrorCode::failed, "The disk is full.", "Free some space."); };
    auto executor = b.executor(1);
    CHECK_THROWS_WITH_AS(executor.run("stage", units), "The disk is full.", Error);
    CHECK(b.problems.size() == 0);
    CHECK(executor.counts().at("stage").run == 5);
    units[5] = b.writer("unit 5", "a");
    CHECK(b.executor(1).run("stage", units).skipped == 5);
}

TEST_CASE("a dry run decides and does nothing") {
    Bench b;
    std::vector<Unit> units = {b.writer("one", "a")};
    Executor executor({.jobs = 1, .dry_run = true, .code_version = "1"}, b.store, b.log, b.problems);
    const auto counts = executor.run("stage", units);
    CHECK(counts.planned == 1);
    CHECK(counts.run == 0);
    CHECK_FALSE(std::filesystem::exists(units[0].outputs.front()));
    CHECK_FALSE(std::filesystem::exists(b.store.manifest()));
}

TEST_CASE("shards write logs of their own, and a refreshed executor sees them") {
    Bench b;
    std::vector<Unit> units;
    for (int x = 0; x < 40; ++x) units.push_back(b.writer(TileId{x, 0}.str() + "/d", "a"));
    auto first = b.executor(1, {.tiles = {}, .shard = 0, .shards = 2}),
         second = b.executor(1, {.tiles = {}, .shard = 1, .shards = 2});
    const auto one = first.run("stage", units);
    CHECK(one.run > 0);
    CHECK(one.run < 40);
    const auto two = second.run("stage", units);
    CHECK(one.run + two.run == 40);
    CHECK(std::filesystem::exists(b.store.manifest() / "stage" / "1of2.log"));
    CHECK(std::filesystem::exists(b.store.manifest() / "stage" / "2of2.log"));
    std::size_t known = 0;
    for (const auto& u : units) known += first.key("stage", u.id).empty() ? 0U : 1U;
    CHECK(known == one.run);  // as of when it read them
    first.refresh("stage");
    for (const auto& u : units) REQUIRE_FALSE(first.key("stage", u.id).empty());
    CHECK(b.executor(1).run("stage", units).skipped == 40);
}

TEST_CASE("after a stop signal the units in flight finish and no other begins") {
    // A signal stays noticed for the life of its process, so the case below gets one of its own.
    const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
    // It must have run: a name that fits no case would end well, too.
    const std::string command = "'" + self + "' --no-skip --test-case='stopped by a signal' 2>&1";
    std::unique_ptr<FILE, int (*)(FILE*)> child(::popen(command.c_str(), "r"), &::pclose);
    REQUIRE(child);
    std::string said;
    std::array<char, 512> part{};
    while (std::fgets(part.data(), part.size(), child.get()) != nullptr) said += part.data();
    INFO(said);
    CHECK(::pclose(child.release()) == 0);
    CHECK(said.find("1 passed") != std::string::npos);
}

TEST_CASE("stopped by a signal" * doctest::skip()) {
    Bench b;
    handle_stop_signals();
    CHECK_FALSE(stop_requested());
    CHECK_NOTHROW(check_stop());
    std::vector<Unit> units;
    for (int i = 0; i < 10; ++i) units.push_back(b.writer("unit " + std::to_string(i), "a"));
    units[3].work = [work = units[3].work] {
        std::raise(SIGTERM);
        work();
    };
    auto executor = b.executor(1);
    try {
        executor.run("stage", units);
        FAIL("the run went on");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::interrupted);
        CHECK(static_cast<int>(e.code()) == 130);
        CHECK(std::string(e.what()) == "Interrupted; what was finished is kept.");
    }
    CHECK(stop_requested());
    CHECK(executor.counts().at("stage").run == 4);
    CHECK(get(units[3].outputs.front()) == "made of a");
    CHECK_FALSE(std::filesystem::exists(units[4].outputs.front()));
}

TEST_CASE("a copied store leaves the files of the one it was copied from alone") {
    const Bench b;
    Unit u = b.writer("202405", "a");
    u.outputs = {b.store.batches() / "cases"};
    u.work = [path = u.outputs.front()] { put(path, "made of a"); };
    recorded(b, u);
    const Store copy(b.folder / "copy");
    std::filesystem::copy(b.store.root(), copy.root(), std::filesystem::copy_options::recursive);
    Unit there = u;
    there.outputs = {copy.batches() / "cases"};
    StageManifest(copy.manifest(), "stage", 0, 1).record(there);
    CHECK(get(u.outputs.front()) == "made of a");
    StageManifest(copy.manifest(), "stage", 0, 1).discard(there);
    CHECK(get(u.outputs.front()) == "made of a");
    CHECK_FALSE(std::filesystem::exists(there.outputs.front()));
}
