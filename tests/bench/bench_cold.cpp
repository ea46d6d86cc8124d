// SPDX-License-Identifier: Apache-2.0
// COLD on one core: items are pixels of 138 dates, a third of which change. The published C core does about
// 700 pixels per second on this shape.
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>

#include <shuibao/algorithms/cold.hpp>

using namespace shuibao::algorithms;

namespace {

void cold(benchmark::State& state) {
    const auto bands = static_cast<std::size_t>(state.range(0)),
               clear_of_10 = static_cast<std::size_t>(state.range(1));
    constexpr std::size_t dates = 138, pixels = 500;
    constexpr double level[7]{400, 600, 500, 2800, 1600, 800, 2900},
        season[7]{30, 60, 80, 700, 250, 150, 100}, spread[7]{30, 35, 40, 150, 90, 60, 80};
    std::mt19937 random(1);
    std::normal_distribution<double> noise(0, 1);
    std::vector<std::int32_t> days;
    for (std::size_t i = 0; i < dates; ++i)
        days.push_back(17000 + static_cast<std::int32_t>(8 * i + i * 7 % 5));
    std::vector<std::vector<float>> values(pixels, std::vector<float>(bands * dates));
    std::vector<std::vector<Look>> looks(pixels, std::vector<Look>(dates, Look::hidden));
    for (std::size_t p = 0; p < pixels; ++p)
        for (std::size_t i = 0; i < dates; ++i) {
            if (random() % 10 < clear_of_10) looks[p][i] = Look::clear;
            const double w = 2 * 3.14159265358979324 * days[i] / 365.25;
            for (std::size_t b = 0; b < bands; ++b)
                values[p][b * dates + i] = static_cast<float>(
                    level[b] + season[b] * (std::cos(w - 3) + 0.2 * std::cos(2 * w)) +
                    spread[b] * noise(random) + (p % 3 == 0 && i > 90 ? (b == 3 ? -900 : 600) : 0));
        }
    Cold detector(days, static_cast<int>(bands));
    std::vector<ColdSegment> out;
    for (auto _ : state)
        for (std::size_t p = 0; p < pixels; ++p) {
            out.clear();
            detector.run(values[p], looks[p], out);
            benchmark::DoNotOptimize(out.data());
        }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(pixels));
}

}  // namespace

BENCHMARK(cold)->ArgNames({"bands", "clear_of_10"})->Args({6, 10})->Args({7, 10})->Args({6, 5});
