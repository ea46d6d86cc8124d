// SPDX-License-Identifier: Apache-2.0
// Pictures of a place before and after: which looks to show, and how to show both alike.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

/// A look that could be shown, and the share of its picture that is usable (0–1).
struct ChipLook {
    Date date;
    double clear = 0;
};

/// The two looks to set side by side. The price of a pair, in days: 365 for every whole picture that is not
/// usable (a cloud hides more than any season does), the difference of their days of the year (a field in
/// May and one in October differ without any site), a twelfth of the days by which the earlier lies before
/// the last one possible, a sixth of those by which the later lies before the newest. The cheapest is taken,
/// the latest of equals; looks without a usable pixel never are. Project default.
struct ChipChoice {
    std::optional<std::size_t> before, after;  ///< indices
};
[[nodiscard]] ChipChoice choose_looks(std::span<const ChipLook> before, std::span<const ChipLook> after);

/// Bands shown as red, green and blue.
struct ChipBands {
    std::array<Band, 3> bands{};
    bool natural = true;  ///< false: near infrared, red, green; or one band in grey
    bool grey = false;
    [[nodiscard]] std::vector<Band> distinct() const;  ///< ascending
};
/// True colour where both have it, else near infrared, else the first band in common as grey. Nothing where
/// the two have no band in common.
[[nodiscard]] std::optional<ChipBands> chip_bands(std::span<const Band> one, std::span<const Band> other);

/// Physical values that become black and white, per colour, and the curve between them: shade = t^exponent.
struct Stretch {
    std::array<double, 3> low{}, high{};
    double exponent = 0.75;
};
/// One stretch for all images, so that a colour means the same on each of them. Black and white are the 1st and
/// the 99th percentile of the usable pixels, every image with the same weight, however much of it a cloud hides.
/// A site of bright soil takes most of that range and would leave the woods and fields of the other date black:
/// the exponent lifts the darkest image's median to a third of white, within [0.4, 0.75]. Project defaults,
/// chosen by eye. Images need not be of one size. REQUIRES the bands in every image.
/// `shown` marks the pixels that the pictures are about (not 0; as many as every image has, or none): white is
/// not below their 99th percentile either, because bright ground in a wide frame is less than a hundredth of
/// it, and what was torn open would be white all over.
[[nodiscard]] Stretch common_stretch(std::span<const Image* const> images, const ChipBands& bands,
                                     std::span<const std::uint8_t> shown = {});

/// Red, green, blue bytes, row-major. Clouds are shown as they are; what no scene covers is light grey.
[[nodiscard]] std::vector<std::uint8_t> colours_of(const Image& image, const ChipBands& bands,
                                                   const Stretch& stretch);
/// Resampled to another size: cubic to larger ones, means to smaller ones.
[[nodiscard]] std::vector<std::uint8_t> resized(std::span<const std::uint8_t> rgb, int cols, int rows,
                                                int to_cols, int to_rows);

}  // namespace shuibao::algorithms
