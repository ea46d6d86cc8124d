// SPDX-License-Identifier: Apache-2.0
// The objects of all levels of the evidence inside one connected area, as a tree, with what is measured of
// each.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <shuibao/algorithms/objects.hpp>
#include <shuibao/algorithms/segmentation.hpp>

namespace shuibao::algorithms {

struct Step {
    std::int64_t row, col;
};
/// The neighbours in the order of PixelSurroundings.
inline constexpr std::array<Step, 4> sides = {{{-1, 0}, {0, -1}, {0, 1}, {1, 0}}};

/// The pixels of a connected area, numbered in order of rows and columns.
class Members {
  public:
    static constexpr std::int32_t none = -1;
    /// Runs in order of rows and columns; their strips outlive this.
    explicit Members(std::vector<std::pair<const RunStrip*, Run>> runs);

    [[nodiscard]] std::int32_t count() const { return m_first.back(); }
    /// The member at a place of the lattice, or `none`.
    [[nodiscard]] std::int32_t at(std::int64_t row, std::int64_t col) const;
    struct Pixel {
        std::int64_t row = 0, col = 0;
        const RunStrip* strip = nullptr;
        std::size_t value = 0;  ///< in the strip's planes
        [[nodiscard]] std::uint16_t evidence() const { return strip->evidence[value]; }
        /// What the map is cut by: ObjectModel::levels.
        [[nodiscard]] std::uint16_t height() const {
            return strip->score.empty() ? strip->evidence[value] : strip->score[value];
        }
    };
    [[nodiscard]] const Pixel& operator[](std::int32_t i) const {
        return m_pixels[static_cast<std::size_t>(i)];
    }
    /// Runs of some members, given in ascending order.
    [[nodiscard]] std::vector<std::pair<const RunStrip*, Run>> runs_of(
        const std::vector<std::int32_t>& list) const;

  private:
    std::vector<std::pair<const RunStrip*, Run>> m_runs;
    std::vector<Pixel> m_pixels;
    std::vector<std::int32_t> m_first;   // member that a run begins with; one more at the end
    std::vector<std::size_t> m_row_run;  // first run of each row; one more at the end
    std::int64_t m_row = 0;              // of the first run
};

/// An object of one level: the pixels of at least that height that hang together (8 neighbours).
struct Candidate {
    std::int32_t parent = -1;  ///< the next larger one, later in the list; -1 = none
    std::int32_t member = 0;   ///< one of its pixels
    std::int32_t pixels = 0;
    std::uint8_t level = 0;  ///< index in ObjectModel::levels
    ObjectEvidence evidence{};
};

/// All objects of at least `min_pixels` pixels, smaller ones before those that hold them. The strips must
/// have been extracted with their surroundings. O(n log n) in the members.
[[nodiscard]] std::vector<Candidate> candidates_of(const Members& members, const ObjectModel& model,
                                                   std::int64_t min_pixels);

/// The largest that reach `least` log-odds, none inside another, in order of the list; and, of each, the most
/// that it or one inside it has.
using Choice = std::vector<std::pair<std::size_t, double>>;
[[nodiscard]] Choice choose(const std::vector<Candidate>& candidates, const ObjectModel& model, double least);
/// The same of those that neither hold nor lie in one of `passed`.
[[nodiscard]] Choice choose_beside(const std::vector<Candidate>& candidates, const ObjectModel& model,
                                   double least, const Choice& passed);

/// The members of a candidate, ascending.
[[nodiscard]] std::vector<std::int32_t> members_of(const Members& members, const Candidate& candidate,
                                                   const ObjectModel& model);

}  // namespace shuibao::algorithms
