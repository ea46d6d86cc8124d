// SPDX-License-Identifier: Apache-2.0
// What the files of the series simulation share: spectra, calendar, and the steps of the plan.
#pragma once

#include <cmath>

#include "random.hpp"
#include <shuibao/algorithms/simulated_series.hpp>

namespace shuibao::algorithms::simulated {

// Reflectances of the materials: orders of magnitude of Sentinel-2 surface reflectance over the plain of
// Henan; the soils keep NDVI below 0.2, as field spectra do (algorithms.md §2.3 uses 0.22 for open ground).
namespace material {
inline constexpr Spectrum wheat = {0.035F, 0.065F, 0.040F, 0.42F, 0.19F, 0.10F},
                          maize = {0.035F, 0.062F, 0.036F, 0.40F, 0.20F, 0.09F},
                          straw = {0.100F, 0.140F, 0.180F, 0.300F, 0.360F, 0.280F},
                          burnt = {0.045F, 0.050F, 0.055F, 0.075F, 0.120F, 0.115F},
                          film = {0.190F, 0.215F, 0.235F, 0.320F, 0.270F, 0.210F},
                          conifer = {0.025F, 0.040F, 0.028F, 0.270F, 0.120F, 0.055F},
                          broadleaf = {0.030F, 0.055F, 0.032F, 0.380F, 0.170F, 0.080F},
                          litter = {0.060F, 0.080F, 0.105F, 0.180F, 0.230F, 0.170F},
                          herbs = {0.045F, 0.080F, 0.060F, 0.320F, 0.200F, 0.110F},
                          dry_herbs = {0.080F, 0.110F, 0.140F, 0.230F, 0.290F, 0.220F},
                          rock = {0.150F, 0.175F, 0.195F, 0.240F, 0.275F, 0.255F},
                          clear_water = {0.040F, 0.050F, 0.030F, 0.018F, 0.010F, 0.008F},
                          muddy_water = {0.070F, 0.100F, 0.105F, 0.070F, 0.020F, 0.015F},
                          mud = {0.080F, 0.105F, 0.130F, 0.165F, 0.170F, 0.140F},
                          sand = {0.140F, 0.180F, 0.220F, 0.280F, 0.350F, 0.310F},
                          subsoil = {0.130F, 0.175F, 0.225F, 0.300F, 0.375F, 0.330F},
                          concrete = {0.170F, 0.190F, 0.205F, 0.235F, 0.255F, 0.235F},
                          bright_roof = {0.260F, 0.265F, 0.270F, 0.295F, 0.280F, 0.250F},
                          snow = {0.750F, 0.760F, 0.760F, 0.720F, 0.120F, 0.100F},
                          cloud = {0.500F, 0.500F, 0.510F, 0.560F, 0.400F, 0.330F};
}  // namespace material

inline Spectrum scaled(const Spectrum& s, double factor) {
    Spectrum out{};
    for (std::size_t b = 0; b < out.size(); ++b) out[b] = s[b] * static_cast<float>(factor);
    return out;
}
inline Spectrum mixed(const Spectrum& a, const Spectrum& b, double share_of_b) {
    Spectrum out{};
    const auto t = static_cast<float>(share_of_b);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] + (b[i] - a[i]) * t;
    return out;
}

inline double smooth_step(double low, double high, double x) {
    const double t = std::fmin(1.0, std::fmax(0.0, (x - low) / (high - low)));
    return t * t * (3 - 2 * t);
}

int year_of(int day);
int new_year(int year);  ///< day number of its 1 January
inline int day_of_year(int day) {
    return day - new_year(year_of(day)) + 1;
}

/// Centre of the cell of a jittered lattice that a pixel falls into.
struct Cell {
    std::uint64_t key = 0;
    double x = 0, y = 0;
    double margin = 0;  ///< distance to the next cell's centre minus distance to this one's
};
Cell cell_at(std::uint64_t seed, double spacing, double x, double y);

Weather make_weather(const Options& o);
Land make_land(const Options& o);
/// All seasons that touch [from, to], by time.
std::vector<Season> seasons_of(const Parcel& p, int from, int to);
/// From indices of pixels in ascending order, in an image of n columns.
Segment segment_of(const std::vector<std::size_t>& sorted, std::int64_t n);
void place_sites(Plan& plan);
std::vector<Look> make_looks(const Options& o);

/// Zenith of the sun at the time of the pass at 33° north, and its azimuth, radians.
struct Sun {
    double zenith = 0, azimuth = 0;
};
Sun sun_on(int day);

/// Cloud over one look on a lattice of `step` pixels, with a margin so that shadows come from outside.
struct Sky {
    static constexpr int step = 8, margin = 24;  ///< pixels; lattice points on each side
    int points = 0;
    std::vector<float> field;           ///< row-major
    float cloud = 0, masked_cloud = 0;  ///< levels of the field from which on there is cloud; and mask
    float masked_shadow = 0;            ///< level at the shadow's caster from which on the mask says shadow
    float cast_x = 0, cast_y = 0;       ///< the caster of a pixel's shadow lies here from it, lattice points
};
Sky make_sky(const Plan& plan, std::size_t look);

}  // namespace shuibao::algorithms::simulated
