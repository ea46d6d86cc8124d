// SPDX-License-Identifier: Apache-2.0
#include "scene_choice.hpp"

#include <algorithm>
#include <cstdlib>

namespace shuibao::pipeline {
namespace {

constexpr double clear_enough = 0.9, same_area = 0.99;
constexpr double clear_neighbour = 0.5, shared_frame = 0.25;
constexpr std::size_t most_neighbours = 4;

double area(const Bounds& b) {
    return std::max(0.0, b.max_x - b.min_x) * std::max(0.0, b.max_y - b.min_y);
}

double shared_area(const Bounds& a, const Bounds& b) {
    return area({std::max(a.min_x, b.min_x), std::max(a.min_y, b.min_y), std::min(a.max_x, b.max_x),
                 std::min(a.max_y, b.max_y)});
}

}  // namespace

std::size_t default_reference(std::span<const engine::Scene> scenes, std::span<const Bounds> frames) {
    const auto unmasked = [](const engine::Scene& s) { return s.mask == engine::MaskKind::none; };
    if (std::all_of(scenes.begin(), scenes.end(), unmasked)) return 0;
    double largest = 0;
    for (const auto& f : frames) largest = std::max(largest, area(f));
    std::size_t best = 0;
    double clearest = -1;
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const double clear = std::min(scenes[i].clear, clear_enough);
        if (area(frames[i]) < same_area * largest || clear <= clearest) continue;
        clearest = clear;
        best = i;
    }
    return best;
}

std::vector<const engine::Scene*> neighbours_in_time(std::span<const engine::Scene> scenes,
                                                     std::span<const Bounds> frames, std::size_t i) {
    std::vector<const engine::Scene*> list;
    for (std::size_t k = 0; k < scenes.size(); ++k)
        if (scenes[k].reflectance && scenes[k].clear >= clear_neighbour && scenes[k].date != scenes[i].date &&
            shared_area(frames[k], frames[i]) >= shared_frame * area(frames[i]))
            list.push_back(&scenes[k]);
    // In order of time already, so that a stable sort prefers the earlier of two that are equally near.
    std::stable_sort(list.begin(), list.end(), [&](const auto* a, const auto* b) {
        const auto days = [&](const auto* s) { return std::abs(s->date.days() - scenes[i].date.days()); };
        return days(a) < days(b);
    });
    if (list.size() > most_neighbours) list.resize(most_neighbours);
    return list;
}

}  // namespace shuibao::pipeline
