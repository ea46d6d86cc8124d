// SPDX-License-Identifier: Apache-2.0
// What became of ground that was opened once: open still, green again, or built over (完工, rules §5).
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

/// What one look shows of one pixel. `undecided`: clear, but in a season in which the ground never was green,
/// so that its not being green says nothing.
enum class GroundCover : unsigned char { hidden, undecided, open, green, built };

/// Bands that ground_cover() reads; without blue and swir16 nothing is ever called built.
[[nodiscard]] std::vector<Band> ground_bands(std::span<const Band> available);

/// Covers of all pixels of a look, row-major. `history`: looks of the same window and the same season from
/// before the ground was opened; their median NDVI is what the pixel is when it is green. Green again is an
/// NDVI of at least that, less `green_drop`, and never below `green_ndvi`. A pixel whose history lies below
/// `green_ndvi` is undecided where it is not green. Built is what is not green and has a bare-soil index
/// (Rikimaru et al. 2002) of at most `built_index`, as detectors tell kinds. Water is hidden.
/// REQUIRES images of one window with bands from ground_bands(), ndvi_bands() among them.
[[nodiscard]] std::vector<GroundCover> ground_cover(const Image& look, std::span<const Image> history,
                                                    const Rules& rules);

/// One look at the ground of one case.
struct GroundLook {
    Date day;
    double seen = 0;              ///< share of its pixels that are decided
    double green = 0, built = 0;  ///< shares of those
    [[nodiscard]] double open() const { return 1 - green - built; }
};

/// What is known of a case before and after its looks.
struct GroundRecord {
    std::optional<Date>
        closed_since;  ///< first of the looks, without one of another kind since, that show it done
    std::optional<Date> finished_on;  ///< look by which that was certain
    bool green = false;               ///< at that look more of it was green than built over
};

/// Takes looks in, by day. A look counts when it sees `finished_seen_share` of the ground; it shows the works
/// done when less than `finished_bare_share` of that is open. Two of them `finished_days` apart, without one
/// of another kind between, finish the case; what is not seen decides nothing, and what is finished stays so.
[[nodiscard]] GroundRecord follow_ground(GroundRecord record, std::span<const GroundLook> looks,
                                         const Rules& rules);

/// What finished works are taken for: "built" (硬化); "tilled" (复耕) where at least `finished_tilled_share`
/// of the ground was tilled before, as far as its history tells (0–1), "planted" (植被恢复) where less;
/// "green" where nothing tells.
[[nodiscard]] std::string_view completion_code(bool green, std::optional<double> tilled_before,
                                               const Rules& rules);

}  // namespace shuibao::algorithms
