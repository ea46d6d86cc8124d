// SPDX-License-Identifier: Apache-2.0
// COLD on one core: items are pixels of 138 dates, a third of which change. The published C core does about
// 700 pixels per second on this shape.
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>

#include <shuibao/algorithms/cold.hpp>
#include <shuibao/algorithms/detector.hpp>
#include <shuibao/core/registry.hpp>

using namespace shuibao;
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

// The same kind of pixels through the detector: from images in memory to the change map, one core.
class Looks final : public LookSource {
  public:
    Looks() {
        constexpr std::array<double, 6> level{400, 600, 500, 2800, 1600, 800},
            season{30, 60, 80, 700, 250, 150}, spread{30, 35, 40, 150, 90, 60};
        std::mt19937 random(2);
        std::normal_distribution<double> noise(0, 1);
        for (std::size_t i = 0; i < 138; ++i) {
            Image image;
            image.date = Date(18000 + static_cast<std::int32_t>(8 * i + i * 7 % 5));
            image.bands = {Band::blue, Band::green, Band::red, Band::nir, Band::swir16, Band::swir22};
            image.scaling.assign(6, {1e-4F, -0.1F});
            image.pixels.reset({0, 0, 64, 32}, 6);
            const double w = 2 * 3.14159265358979324 * image.date.days() / 365.25;
            for (std::size_t p = 0; p < image.pixels.pixels(); ++p) {
                image.pixels.quality()[p] = Quality::clear;
                for (std::size_t b = 0; b < 6; ++b)
                    image.pixels.plane(static_cast<int>(b))[p] = static_cast<std::uint16_t>(
                        1000 +
                        std::max(1.0, level[b] + season[b] * (std::cos(w - 3) + 0.2 * std::cos(2 * w)) +
                                          spread[b] * noise(random) +
                                          (p % 3 == 0 && i > 90 ? (b == 3 ? -900 : 600) : 0)));
            }
            m_dates.push_back(image.date);
            m_images.push_back(std::move(image));
        }
    }
    [[nodiscard]] std::span<const Date> dates() const override { return m_dates; }
    [[nodiscard]] std::size_t applied() const override { return 0; }
    [[nodiscard]] const Image& read(std::size_t i) override { return m_images[i]; }

  private:
    std::vector<Date> m_dates;
    std::vector<Image> m_images;
};

void whole_series(benchmark::State& state, const char* method) {
    Looks looks;
    const auto any = Registry<Detector>::make(method);
    const auto& detector = dynamic_cast<const SeriesDetector&>(*any);
    DetectorOptions options;
    for (const auto& o : detector.options()) options[o.key] = std::stod(o.fallback);
    const SeriesTimes times{Date(18731), Date(19000), looks.dates().back()};
    DetectorState memory;
    Change change;
    const Window window{0, 0, 64, 32};
    for (auto _ : state) {
        memory.reset(window, detector.state_bands().size());
        detector.advance(looks, times, options, memory);
        detector.report(memory, times, options, change);
        benchmark::DoNotOptimize(change.evidence.data());
    }
    state.SetItemsProcessed(state.iterations() * window.pixels());
}

}  // namespace

BENCHMARK_CAPTURE(whole_series, cold, "cold");
BENCHMARK_CAPTURE(whole_series, mosum, "mosum");
BENCHMARK_CAPTURE(whole_series, season, "season");
BENCHMARK(cold)->ArgNames({"bands", "clear_of_10"})->Args({6, 10})->Args({7, 10})->Args({6, 5});
