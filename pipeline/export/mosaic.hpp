// SPDX-License-Identifier: Apache-2.0
// The area of a batch as two pictures, before and after, small enough to travel inside a report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/algorithms/chip.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {

struct MosaicPicture {
    std::optional<Date> first, last;  ///< of the looks that it is made of
    std::vector<std::uint8_t> jpeg;
};

struct Mosaic {
    Bounds bounds;  ///< CRS of the grid
    int cols = 0, rows = 0;
    bool natural = true;
    std::optional<MosaicPicture> before, after;
};

/// Pictures of at most `longest` pixels on their longer side. After: per pixel the newest usable look up to
/// `until`; before: the usable look nearest to one year before the newest of those, at least half a year
/// older, else the oldest of other days. Every pixel is one of the lattice of the tiles, so the size of tiles
/// does not show. Reads one look after the other, of each only what is not filled yet: at most 12. `sites`
/// (CRS of the grid) are what the pictures are about: they are not bleached to white.
[[nodiscard]] Mosaic mosaic_of(const io::TileArchive& archive, const Window& area, Date until, int longest,
                               const std::vector<io::Geometry>& sites);

}  // namespace shuibao::pipeline
