// SPDX-License-Identifier: Apache-2.0
// Pictures of a disturbance before and after, cut from the store's tiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/algorithms/chip.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {

/// One look at the frame, as a JPEG and as pixels to draw on.
struct Chip {
    Date date;
    std::string sensor;  ///< platform, from the acquisition's key
    int cols = 0, rows = 0;
    std::vector<std::uint8_t> jpeg;
    std::vector<std::uint8_t> rgb;  ///< 3 · cols · rows
};

/// Two looks at one square frame at one scale and one stretch, and where that frame lies.
struct ChipPair {
    Bounds frame;         ///< CRS of the grid
    double gsd = 0;       ///< m, of what was looked at
    bool natural = true;  ///< colours are those the eye sees
    bool grey = false;
    bool whole = true;  ///< the disturbance lies in the frame
    std::optional<Chip> before, after, locator;
    Bounds locator_frame;
};

/// Cuts chips. Reentrant; the blocks that neighbours share are decoded once where they come one after the
/// other, so ask in the order of cut_order().
class ChipCutter {
  public:
    explicit ChipCutter(const io::TileArchive& archive) : m_archive(archive) {}
    /// `shape` in the CRS of the grid; `from` the last day seen undisturbed, `to` the first seen disturbed
    /// (where unknown, the first and the last look). Without a usable look the pictures are missing.
    [[nodiscard]] ChipPair cut(const io::Geometry& shape, std::optional<Date> from,
                               std::optional<Date> to) const;
    /// A key by which places of one block lie together: block row, then block.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> cut_order(Point p) const;

  private:
    const io::TileArchive& m_archive;
};

}  // namespace shuibao::pipeline
