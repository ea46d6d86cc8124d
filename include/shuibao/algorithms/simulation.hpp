// SPDX-License-Identifier: Apache-2.0
// An invented landscape with known truth, for the demonstration and the tests.
#pragma once

#include <cstdint>
#include <vector>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

struct SimulationOptions {
    std::int64_t size = 800;  ///< pixels a side, 10 m each
    std::uint64_t seed = 1;
    int sites = 24;        ///< construction sites that are opened between the epochs
    double cloud = 0.08;   ///< share of each image under cloud, roughly
    double noise = 0.006;  ///< standard deviation of the reflectance of one pixel
};

enum class Cover : std::uint8_t { crops, forest, built, water, grass };

/// A mosaic of fields, woods, villages and ponds, and the sites that will be opened in it.
struct Landscape {
    SimulationOptions options;
    std::vector<Cover> cover;          ///< row-major
    std::vector<std::uint16_t> field;  ///< parcel of each pixel: what is ploughed together
    std::vector<std::int16_t> site;    ///< index of the site that opens the pixel, -1 = none
    std::vector<Segment> sites;        ///< their pixels, in order of their index
};

/// The same options give the same landscape, on any machine.
[[nodiscard]] Landscape simulate_landscape(const SimulationOptions& options);

/// One look: surface reflectance as (ρ + 0.1)·10 000 in blue, green, red, nir, swir16, swir22, and quality.
/// `opened` sites are bare. Crops are bare or green by field and `day_of_year`, as in a double-cropped plain;
/// `look` numbers the images (it seeds noise and clouds).
[[nodiscard]] Block<std::uint16_t> simulate_look(const Landscape& landscape, int look, int day_of_year,
                                                 bool opened, std::int64_t col, std::int64_t row);

}  // namespace shuibao::algorithms
