// SPDX-License-Identifier: Apache-2.0
// The series detector on one core: 138 looks at a block of the size the stage works on, a third of which the
// mask hides. A pixel-date is one pixel of one look; hidden ones count, as their bytes have to be read too.
#include <cmath>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "../../algorithms/detectors/harmonic_model.hpp"
#include "../../algorithms/detectors/look_stack.hpp"

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

constexpr std::size_t dates = 138, history = 92;
constexpr std::int64_t side = 128;
constexpr std::size_t pixels = side * side;

struct Archive {
    std::vector<Image> images;
    std::vector<Moment> moments;

    Archive() {
        std::mt19937 random(1);
        std::normal_distribution<double> noise(0, 1);
        const std::vector<Band> bands{Band::blue, Band::green,  Band::red,
                                      Band::nir,  Band::swir16, Band::swir22};
        constexpr double soil[6]{0.08, 0.11, 0.14, 0.21, 0.25, 0.20},
            leaves[6]{0.03, 0.06, 0.04, 0.42, 0.17, 0.08};
        const std::int32_t end = 18000 + 8 * static_cast<std::int32_t>(history);
        for (std::size_t i = 0; i < dates; ++i) {
            const std::int32_t day = 18000 + 8 * static_cast<std::int32_t>(i);
            moments.push_back(moment_of(Date(day)));
            moments.back().years = static_cast<float>((day - end) / 365.25);
            Image image;
            image.date = Date(day);
            image.bands = bands;
            image.scaling.assign(6, {1e-4F, -0.1F});
            image.pixels.reset({0, 0, side, side}, 6);
            const double green = 0.5 - 0.4 * static_cast<double>(moments.back().basis[3]);
            for (std::size_t p = 0; p < pixels; ++p) {
                if (random() % 100 >= 35) image.pixels.quality()[p] = Quality::clear;
                const bool opened = p % 50 == 0 && i > 110;  // two in a hundred
                for (std::size_t b = 0; b < 6; ++b) {
                    const double r = opened ? 1.6 * soil[b] : soil[b] + green * (leaves[b] - soil[b]);
                    image.pixels.plane(static_cast<int>(b))[p] =
                        static_cast<std::uint16_t>((r + 0.1) * 1e4 * (1 + 0.03 * noise(random)));
                }
            }
            images.push_back(std::move(image));
        }
    }
};

const Archive& archive() {
    static const Archive one;
    return one;
}

void fill(LookStack& stack, std::size_t from, std::size_t to) {
    stack.reset(pixels, to - from);
    for (std::size_t i = from; i < to; ++i) stack.put(i - from, archive().images[i], swir_features());
}

void report(benchmark::State& state, std::size_t looks) {
    state.counters["pixel_dates"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * pixels * static_cast<double>(looks),
                           benchmark::Counter::kIsRate);
}

// All of it: features of every look, a model of 92, the other 46 followed.
void harmonic(benchmark::State& state) {
    const auto& all = archive();
    const std::span moments(all.moments);
    const HarmonicOptions options;
    LookStack past, present;
    PixelModel model;
    for (auto _ : state) {
        fill(past, 0, history);
        fill(present, history, dates);
        for (std::size_t b = 0; b < past.blocks(); ++b) {
            PixelTrack track;
            fit_pixels(past.block(b), moments.first(history), swir_features(), options, model);
            follow_pixels(present.block(b), moments.subspan(history), swir_features(), options, model, track);
            benchmark::DoNotOptimize(track);
        }
    }
    report(state, dates);
}

void harmonic_put(benchmark::State& state) {
    archive();
    LookStack stack;
    for (auto _ : state) {
        fill(stack, 0, dates);
        benchmark::DoNotOptimize(stack.block(0));
    }
    report(state, dates);
}

void harmonic_fit(benchmark::State& state) {
    LookStack past;
    fill(past, 0, history);
    PixelModel model;
    for (auto _ : state)
        for (std::size_t b = 0; b < past.blocks(); ++b) {
            fit_pixels(past.block(b), std::span(archive().moments).first(history), swir_features(), {},
                       model);
            benchmark::DoNotOptimize(model);
        }
    report(state, history);
}

void harmonic_follow(benchmark::State& state) {
    LookStack past, all;
    fill(past, 0, history);
    fill(all, 0, dates);
    PixelModel model;
    fit_pixels(past.block(0), std::span(archive().moments).first(history), swir_features(), {}, model);
    for (auto _ : state)
        for (std::size_t b = 0; b < all.blocks(); ++b) {
            PixelTrack track;
            follow_pixels(all.block(b), archive().moments, swir_features(), {}, model, track);
            benchmark::DoNotOptimize(track);
        }
    report(state, dates);
}

}  // namespace

BENCHMARK(harmonic)->Unit(benchmark::kMillisecond);
BENCHMARK(harmonic_put)->Unit(benchmark::kMillisecond);
BENCHMARK(harmonic_fit)->Unit(benchmark::kMillisecond);
BENCHMARK(harmonic_follow)->Unit(benchmark::kMillisecond);
