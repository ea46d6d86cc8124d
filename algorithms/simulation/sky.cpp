// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "parts.hpp"

namespace shuibao::algorithms::simulated {
namespace {

// Value below which `share` of the (sorted) values lie; beyond the ends: everything or nothing.
float level_of(const std::vector<float>& sorted, double share) {
    const auto n = static_cast<double>(sorted.size());
    const auto i = static_cast<std::ptrdiff_t>(share * n);
    if (i <= 0) return sorted.front() - 1e-6F;
    if (i >= static_cast<std::ptrdiff_t>(sorted.size())) return sorted.back() + 1;
    return sorted[static_cast<std::size_t>(i)];
}

}  // namespace

Sky make_sky(const Plan& plan, std::size_t look) {
    const auto& l = plan.looks[look];
    const std::uint64_t seed = part(part(plan.options.seed, 91), static_cast<std::uint64_t>(l.date.days()));
    Draws d(part(seed, 1));
    Sky sky;
    const auto inner = static_cast<int>(plan.options.size / Sky::step) + 2;
    sky.points = inner + 2 * Sky::margin;
    sky.field.resize(static_cast<std::size_t>(sky.points) * static_cast<std::size_t>(sky.points));
    for (int j = 0; j < sky.points; ++j)
        for (int i = 0; i < sky.points; ++i)
            sky.field[static_cast<std::size_t>(j * sky.points + i)] = static_cast<float>(
                0.62 * billows(seed + 11, i, j, 19) + 0.38 * billows(seed + 12, i, j, 6.1));
    // The caster of a shadow stands towards the sun, as far as the cloud is high; the lattice's margin is
    // what it can be at most.
    const Sun sun = sun_on(l.date.days());
    const double reach =
        std::min(Sky::margin - 2.0, d.uniform(450, 1100) * std::tan(sun.zenith) / 10 / Sky::step);
    sky.cast_x = static_cast<float>(reach * std::sin(sun.azimuth));
    sky.cast_y = static_cast<float>(-reach * std::cos(sun.azimuth));

    const auto at = [&](int i, int j) { return sky.field[static_cast<std::size_t>(j * sky.points + i)]; };
    struct Point {
        float here, caster;
    };
    std::vector<Point> points;
    const auto cx = static_cast<int>(std::lround(sky.cast_x)), cy = static_cast<int>(std::lround(sky.cast_y));
    for (int j = Sky::margin; j < Sky::margin + inner - 2; ++j)
        for (int i = Sky::margin; i < Sky::margin + inner - 2; ++i)
            points.push_back({at(i, j), at(i + cx, j + cy)});
    const auto n = static_cast<double>(points.size());
    // Of what the mask calls clear 3 % lies under thin cloud and 2 % in shadow on the average: less on clear
    // days, more on broken ones.
    const double thin = l.clear > 0.97F ? 0.020 : 0.066, dim = l.clear > 0.97F ? 0.010 : 0.032;
    const double truly_clear = static_cast<double>(l.clear) * (1 - thin - dim);
    // A pixel is clear when neither it nor its caster is cloud.
    std::vector<float> worse;
    for (const auto& p : points) worse.push_back(std::max(p.here, p.caster));
    std::sort(worse.begin(), worse.end());
    sky.cloud = level_of(worse, truly_clear);
    std::vector<float> cloud, shadow;
    for (const auto& p : points)
        if (p.here > sky.cloud)
            cloud.push_back(p.here);
        else if (p.caster > sky.cloud)
            shadow.push_back(p.caster);
    const auto missed = [&](std::vector<float>& values, double share) {
        std::sort(values.begin(), values.end());
        const auto i = static_cast<std::size_t>(share * static_cast<double>(l.clear) * n);
        return values.empty() || i == 0 ? sky.cloud : values[std::min(i, values.size() - 1)];
    };
    sky.masked_cloud = missed(cloud, thin);
    sky.masked_shadow = missed(shadow, dim);
    return sky;
}

}  // namespace shuibao::algorithms::simulated
