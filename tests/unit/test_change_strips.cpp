// SPDX-License-Identifier: Apache-2.0
// Strips of change maps are read side by side as far as the memory of a run goes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <support/scratch.hpp>

#include "../../pipeline/stages/change_strips.hpp"
#include <shuibao/algorithms/pixel_score.hpp>

using namespace shuibao;
using test::Scratch;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

struct Visit {
    std::multiset<std::size_t> strips;
    int most_at_once = 0;
    std::size_t count = 0, memory = 0;
};

Visit visit(std::size_t memory, int jobs, const Window& window) {
    const Scratch folder;
    const engine::Store store(folder / "store");
    engine::Log log{{.level = engine::LogLevel::error, .file = (folder / "log").string()}};
    engine::Problems problems{log};
    const engine::Executor executor({.jobs = jobs, .memory = memory, .code_version = "1"}, store, log,
                                    problems);
    const Grid grid("EPSG:32649", 10, 512, 0, 4e6);
    const pipeline::ChangeStrips strips(executor, grid, folder / "changes", window, true);
    Visit v;
    std::mutex mutex;
    std::atomic<int> running = 0;
    strips.each([&](std::size_t i) {
        const int now = ++running;
        {
            const std::lock_guard lock(mutex);
            v.strips.insert(i);
            v.most_at_once = std::max(v.most_at_once, now);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // so that others would meet it
        --running;
    });
    v.count = strips.count();
    v.memory = pipeline::ChangeStrips::memory(executor, window.cols);
    return v;
}

}  // namespace

TEST_CASE("change_strips: every strip once, no more at a time than the memory holds, one at least") {
    const Window tile{0, 0, 10980, 10980};  // a Sentinel-2 tile
    const auto one = visit(mib, 8, tile), usual = visit(1024 * mib, 8, tile),
               rich = visit(4096 * mib, 8, tile);
    for (const auto& v : {one, usual, rich}) {
        CHECK(v.count == 43);
        CHECK(v.strips.size() == v.count);
        CHECK(std::set(v.strips.begin(), v.strips.end()).size() == v.count);
    }
    CHECK(one.most_at_once == 1);  // less than a strip takes: it goes on all the same
    // Pixels are scored strip by strip: on a narrow area that takes more than all else.
    CHECK(visit(mib, 8, {0, 0, 256, 300}).memory > algorithms::PixelScore::bytes(256, 256));
    CHECK(usual.memory <= 512 * mib);
    CHECK(usual.most_at_once <= static_cast<int>(usual.memory / one.memory));
    CHECK(rich.memory == 8 * one.memory);
    CHECK(visit(4096 * mib, 1, tile).most_at_once == 1);
    CHECK(visit(1024 * mib, 4, {0, 0, 300, 100}).strips.size() == 1);
    CHECK(visit(1024 * mib, 4, {}).strips.empty());
}
