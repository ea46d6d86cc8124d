// SPDX-License-Identifier: Apache-2.0
// One image from several of one season: what a detector of pairs sees of an epoch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

/// An epoch's composite. `first` and `last` are, per pixel, the days (since 1970-01-01) of its first and last
/// usable look; 0 where there is none.
struct Composite {
    Image image;
    std::vector<std::uint16_t> first, last;
};

/// Per pixel and band the median of the usable looks (the lower of the two middle ones when they are even in
/// number), so that up to half of them may be spoilt. One image passes unchanged. All images cover one window
/// and hold the same bands; values are brought to the scaling of the first. The date is that of the last.
/// REQUIRES at least one image. O(n log n) per pixel and band.
[[nodiscard]] Composite composite(std::span<const Image> images);

}  // namespace shuibao::algorithms
