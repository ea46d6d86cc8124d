// SPDX-License-Identifier: Apache-2.0
// Masks: codes of the products' own classifications turned into Quality, and rims grown around cloud.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <shuibao/core/quality.hpp>

namespace shuibao::algorithms {

/// Sentinel-2 scene classification (SCL, Sen2Cor 2.x codes 0–11). Class 2 (dark) and 7 (unclassified) are
/// clear: they hold most freshly opened, moist ground.
[[nodiscard]] Quality quality_of_scl(std::uint16_t code);
/// Landsat Collection 2 QA_PIXEL bits (fill 0, dilated 1, cirrus 2, cloud 3, shadow 4, snow 5, water 7).
[[nodiscard]] Quality quality_of_qa_pixel(std::uint16_t bits);
/// Fmask codes 0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255 fill.
[[nodiscard]] Quality quality_of_fmask(std::uint16_t code);

/// Marks as `guard` what is clear or water within `cloud_px` of cloud or cirrus, or `shadow_px` of shadow
/// (square neighbourhood, so that the result is the same however the area is cut, given that halo).
/// `quality` is row-major, rows × cols; O(pixels), whatever the margins.
void grow_masks(std::span<Quality> quality, std::size_t cols, std::size_t rows, int cloud_px, int shadow_px);

}  // namespace shuibao::algorithms
