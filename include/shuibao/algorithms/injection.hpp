// SPDX-License-Identifier: Apache-2.0
// Sites that never were, laid into real images: what a detector should find, with its truth known.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

/// How sites are drawn. The distribution is not that of sites in nature: sizes are log-uniform, so that every
/// size class gets its share and small ones are measured as well as large ones.
struct InjectionOptions {
    std::uint64_t seed = 1;
    double gsd = 10;                              ///< m
    double min_area = 1'000, max_area = 100'000;  ///< m², log-uniform between
    Date first, last;                             ///< onset, uniform between, both included
    int longest_growth = 60;  ///< days from the first opened square metre to the last, 0 …
};

enum class SiteShape : std::uint8_t {
    compact,   ///< wobbling oval, axes 1 to 2: pits, yards; 45 %
    platform,  ///< turned rectangle, sides 1 to 2.5: building ground; 35 %
    strip,     ///< 8 to 40 m wide: roads; 20 %
};
[[nodiscard]] std::string site_shape_name(SiteShape shape);

/// One site over a small window of its own.
struct InjectedSite {
    SiteShape shape = SiteShape::compact;
    double area = 0;  ///< m², all its opened parts
    Date onset;       ///< its first parts are opened
    int growth = 0;   ///< days until all is
    int cols = 0, rows = 0;
    std::array<float, 6> soil{};  ///< reflectance: blue, green, red, nir, swir16, swir22
    std::uint64_t key = 0;        ///< of its noise

    static constexpr int parts = 16;  ///< of a pixel, 4 × 4
    static constexpr std::uint8_t never = 255;
    /// Days after the onset at which each part of each pixel opens, at most 254; parts · cols · rows.
    std::vector<std::uint8_t> opens;

    /// Share of a pixel (row-major) that is open on a day.
    [[nodiscard]] float share(std::size_t pixel, Date day) const;
    /// The site's random number `n`, 0–1, the same whoever asks first: for the places it is offered.
    [[nodiscard]] double chance(std::uint64_t n) const;
};

/// The site with this number: any can be had by itself.
[[nodiscard]] InjectedSite draw_site(const InjectionOptions& options, std::uint64_t number);

/// Lays the site into a look: every pixel becomes the mean of what it was and of soil, by the share that is
/// open on the look's day; soil is darker when wet (per site and day) and rough from pixel to pixel. The
/// scene's haze and light are not laid over it, and its own mask stays as it is. `col`, `row`: of the site's
/// first pixel on the grid's lattice. REQUIRES reflectance. Bands without ground in them (cirrus) stay.
void lay_into(const InjectedSite& site, std::int64_t col, std::int64_t row, Image& look);

/// What kind of land a place is, from the NDVI of its clear looks before the onset.
enum class LandStratum : std::uint8_t { unseen, open, field, evergreen, other };
[[nodiscard]] LandStratum land_stratum(std::vector<double> ndvi);
[[nodiscard]] std::string land_stratum_name(LandStratum stratum);

}  // namespace shuibao::algorithms
