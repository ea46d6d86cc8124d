// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "random.hpp"
#include <shuibao/algorithms/simulation.hpp>

namespace shuibao::algorithms {
namespace {

using simulated::gauss;
using simulated::mix;
using simulated::uniform;
using simulated::waves;

float noise(std::uint64_t key) {
    return static_cast<float>(gauss(key));
}

using Spectrum = std::array<float, 6>;
constexpr Spectrum green_crop = {0.040F, 0.070F, 0.050F, 0.380F, 0.200F, 0.110F},
                   ploughed = {0.085F, 0.115F, 0.145F, 0.230F, 0.280F, 0.230F},
                   forest = {0.030F, 0.050F, 0.035F, 0.330F, 0.160F, 0.080F},
                   built = {0.135F, 0.155F, 0.165F, 0.220F, 0.240F, 0.210F},
                   water = {0.050F, 0.055F, 0.035F, 0.020F, 0.012F, 0.010F},
                   grass = {0.050F, 0.080F, 0.075F, 0.280F, 0.220F, 0.140F},
                   opened_ground = {0.180F, 0.230F, 0.285F, 0.350F, 0.400F, 0.360F},
                   cloud = {0.520F, 0.520F, 0.520F, 0.560F, 0.420F, 0.350F};

// Two crops a year (wheat and maize of the plain): how green a field is on a day, 0–1. Fields differ by up to
// three weeks, and one in twelve lies fallow.
double greenness(std::uint64_t seed, std::uint16_t field, int day) {
    const std::uint64_t key = mix(seed ^ 0xF1E1DULL) + field;
    if (uniform(key) < 1.0 / 12) return 0.15;
    const double shift = (uniform(key + 1) - 0.5) * 42;
    const auto season = [&](double peak, double width) {
        const double t = (day - shift - peak) / width;
        return std::exp(-t * t);
    };
    return std::min(1.0, season(110, 48) + season(225, 34) + 0.35 * season(335, 45));
}

struct Place {
    double x, y;
};

std::vector<Place> centres(std::uint64_t seed, std::int64_t size, double spacing) {
    std::vector<Place> list;
    std::uint64_t n = 0;
    for (double y = 0; y < static_cast<double>(size); y += spacing)
        for (double x = 0; x < static_cast<double>(size); x += spacing) {
            ++n;
            list.push_back({x + uniform(seed + 2 * n) * spacing, y + uniform(seed + 2 * n + 1) * spacing});
        }
    return list;
}

// Parcels are the Voronoi cells of a jittered lattice.
void parcels(Landscape& l) {
    const auto n = l.options.size;
    constexpr double spacing = 24;
    const auto points = centres(l.options.seed * 101, n, spacing);
    const auto per_row = static_cast<std::int64_t>(std::ceil(static_cast<double>(n) / spacing));
    const auto rows = static_cast<std::int64_t>(points.size()) / per_row;
    for (std::int64_t y = 0; y < n; ++y)
        for (std::int64_t x = 0; x < n; ++x) {
            const auto cx = static_cast<std::int64_t>(static_cast<double>(x) / spacing),
                       cy = static_cast<std::int64_t>(static_cast<double>(y) / spacing);
            double nearest = 1e30;
            std::int64_t best = 0;
            for (auto j = std::max<std::int64_t>(0, cy - 1); j <= std::min(rows - 1, cy + 1); ++j)
                for (auto i = std::max<std::int64_t>(0, cx - 1); i <= std::min(per_row - 1, cx + 1); ++i) {
                    const auto& p = points[static_cast<std::size_t>(j * per_row + i)];
                    const double d = std::hypot(p.x - static_cast<double>(x), p.y - static_cast<double>(y));
                    if (d < nearest) {
                        nearest = d;
                        best = j * per_row + i;
                    }
                }
            const auto k = static_cast<std::size_t>(y * n + x);
            l.field[k] = static_cast<std::uint16_t>(best % 65536);
            const auto& p = points[static_cast<std::size_t>(best)];
            const double wood = waves(l.options.seed + 7, p.x, p.y, 220),
                         wet = waves(l.options.seed + 8, p.x, p.y, 160),
                         town = waves(l.options.seed + 9, p.x, p.y, 130);
            l.cover[k] = wet > 0.86    ? Cover::water
                         : town > 0.82 ? Cover::built
                         : wood > 0.62 ? Cover::forest
                         : uniform(l.options.seed * 31 + static_cast<std::uint64_t>(best)) < 0.06
                             ? Cover::grass
                             : Cover::crops;
        }
}

// Sites are rotated rectangles with a ragged rim, 0.3 to 8 hm², on land, clear of one another.
void sites(Landscape& l) {
    const auto n = l.options.size;
    const double extent = static_cast<double>(n);
    std::uint64_t key = l.options.seed * 7919;
    std::vector<Place> taken;
    for (int s = 0, tries = 0; s < l.options.sites && tries < 200 * l.options.sites; ++tries) {
        const double area = 30 * std::pow(26.0, uniform(key + 1));  // pixels
        const double ratio = 1 + 2 * uniform(key + 2), angle = uniform(key + 3) * 3.14159265358979;
        const Place c{20 + uniform(key + 4) * (extent - 40), 20 + uniform(key + 5) * (extent - 40)};
        key += 6;
        const bool free = std::all_of(taken.begin(), taken.end(),
                                      [&](const Place& p) { return std::hypot(p.x - c.x, p.y - c.y) > 55; });
        if (!free) continue;
        const double b = std::sqrt(area / ratio) / 2, a = b * ratio;
        Segment segment;
        bool land = true;
        for (auto y = static_cast<std::int64_t>(c.y - a - 3); y <= static_cast<std::int64_t>(c.y + a + 3);
             ++y) {
            Run run{y, 0, 0, 0, true};
            for (auto x = static_cast<std::int64_t>(c.x - a - 3); x <= static_cast<std::int64_t>(c.x + a + 4);
                 ++x) {
                const double dx = static_cast<double>(x) + 0.5 - c.x, dy = static_cast<double>(y) + 0.5 - c.y;
                const double u = dx * std::cos(angle) + dy * std::sin(angle),
                             v = -dx * std::sin(angle) + dy * std::cos(angle);
                const double rim =
                    1.5 *
                    (waves(l.options.seed + 77, static_cast<double>(x), static_cast<double>(y), 6) - 0.5);
                const bool in =
                    std::abs(u) <= a + rim && std::abs(v) <= b + rim && x >= 0 && y >= 0 && x < n && y < n;
                if (in) {
                    if (run.end == 0) run.col = x;
                    run.end = x + 1;
                    const auto cover = l.cover[static_cast<std::size_t>(y * n + x)];
                    land = land && cover != Cover::water && cover != Cover::built;
                } else if (run.end > 0) {
                    segment.runs.push_back(run);
                    segment.pixels += run.end - run.col;
                    run = {y, 0, 0, 0, true};
                }
            }
        }
        if (!land || segment.runs.empty()) continue;
        for (const auto& r : segment.runs)
            for (auto x = r.col; x < r.end; ++x)
                l.site[static_cast<std::size_t>(r.row * n + x)] = static_cast<std::int16_t>(s);
        taken.push_back(c);
        l.sites.push_back(std::move(segment));
        ++s;
    }
}

}  // namespace

Landscape simulate_landscape(const SimulationOptions& o) {
    Landscape l;
    l.options = o;
    const auto pixels = static_cast<std::size_t>(o.size * o.size);
    l.cover.resize(pixels);
    l.field.resize(pixels);
    l.site.assign(pixels, -1);
    parcels(l);
    sites(l);
    return l;
}

Block<std::uint16_t> simulate_look(const Landscape& l, int look, int day_of_year, bool opened,
                                   std::int64_t col, std::int64_t row) {
    const auto n = l.options.size;
    const auto number = static_cast<std::uint64_t>(look);
    Block<std::uint16_t> block({col, row, n, n}, 6);
    std::vector<double> green(65536, -1);
    const std::uint64_t seed = mix(l.options.seed * 1000003 + number);
    // Atmosphere and sun differ a little from look to look.
    const float gain = 1 + 0.03F * noise(seed), haze = 0.004F * noise(seed + 1);
    const double cloud_level = 1 - l.options.cloud * 1.6;
    for (std::int64_t y = 0; y < n; ++y)
        for (std::int64_t x = 0; x < n; ++x) {
            const auto k = static_cast<std::size_t>(y * n + x);
            const double fx = static_cast<double>(x), fy = static_cast<double>(y);
            Spectrum s{};
            const bool bare = opened && l.site[k] >= 0;
            if (bare) {
                s = opened_ground;
            } else {
                switch (l.cover[k]) {
                    case Cover::crops: {
                        double& g = green[l.field[k]];
                        if (g < 0) g = greenness(l.options.seed, l.field[k], day_of_year);
                        for (std::size_t b = 0; b < 6; ++b)
                            s[b] = static_cast<float>(g) * green_crop[b] +
                                   static_cast<float>(1 - g) * ploughed[b];
                        break;
                    }
                    case Cover::forest:
                        s = forest;
                        break;
                    case Cover::built:
                        s = built;
                        break;
                    case Cover::water:
                        s = water;
                        break;
                    case Cover::grass:
                        s = grass;
                        break;
                }
            }
            // Soils and roofs are not of one colour: texture that stays from look to look.
            const float texture =
                1 + 0.25F * (static_cast<float>(waves(l.options.seed + 21, fx, fy, 9)) - 0.5F);
            const double veil = l.options.cloud > 0
                                    ? waves(seed + 5, fx, fy, 90) * 0.8 + waves(seed + 6, fx, fy, 30) * 0.2
                                    : 0,
                         cast = l.options.cloud > 0 ? waves(seed + 5, fx - 14, fy - 9, 90) * 0.8 +
                                                          waves(seed + 6, fx - 14, fy - 9, 30) * 0.2
                                                    : 0;
            const bool clouded = veil > cloud_level, shaded = !clouded && cast > cloud_level;
            for (std::size_t b = 0; b < 6; ++b) {
                float v = s[b] * texture * gain + haze;
                if (shaded) v *= 0.45F;
                if (clouded) v = cloud[b];
                v += static_cast<float>(l.options.noise) * noise(seed + 11 + (k * 6 + b) * 4);
                block.plane(static_cast<int>(b))[k] = static_cast<std::uint16_t>(
                    std::clamp(std::lround((static_cast<double>(v) + 0.1) * 10000), 1L, 20000L));
            }
            block.quality()[k] = clouded                               ? Quality::cloud
                                 : shaded                              ? Quality::shadow
                                 : !bare && l.cover[k] == Cover::water ? Quality::water
                                                                       : Quality::clear;
        }
    return block;
}

}  // namespace shuibao::algorithms
