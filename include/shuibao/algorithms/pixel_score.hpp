// SPDX-License-Identifier: Apache-2.0
// What speaks for a pixel being part of a site: its evidence, what it was, what its looks have been lately,
// how green it was at best month by month, whether it lies on a line, and how it differs in that from the
// ground around it, above all from ground that was the same until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/algorithms/forest.hpp>
#include <shuibao/core/change.hpp>
#include <shuibao/core/date.hpp>

namespace shuibao::algorithms {

/// Planes of a change map over `history.window`, row-major, as Change has them.
struct MapPart {
    std::span<const std::uint16_t> evidence, magnitude, onset_from, onset_to;
    const PixelHistory& history;
    Date seen;  ///< end of the batch
};

/// What is known of each pixel, and the log-odds that a model gives to it. Pixels are told of only where
/// their evidence is at least `least` (log-odds). Values do not depend on how the map is cut, as long as a
/// part reaches `reach` pixels beyond what is asked of it, or to the end of the map.
class PixelScore {
  public:
    static constexpr std::int64_t reach = 33;
    /// A value that is not known lies below all others.
    static constexpr double unknown = -32768;

    /// What the values are, in their order; at most 256.
    [[nodiscard]] static const std::vector<std::string>& names();
    /// The same once a first model has scored all pixels: what these scores are around the pixel comes after.
    [[nodiscard]] static const std::vector<std::string>& names_again();

    /// `quiet`: log-odds of ground about which the map says nothing.
    PixelScore(const MapPart& part, double least, double quiet)
        : m_part(part), m_least(least), m_quiet(quiet) {}

    /// Of all pixels of `window`, which lies in the part: log-odds as Change::stored has evidence, half of it
    /// the mean over 3 × 3 pixels; 0 where the evidence is less. With `again`, a model of names_again(), what
    /// `model` leaves hope is asked a second time, with what it said of the ground around.
    [[nodiscard]] std::vector<std::uint16_t> scores(const Window& window, const Forest& model,
                                                    const Forest* again = nullptr) const;
    /// Memory that scores() takes for so many rows and columns, what it returns with it.
    [[nodiscard]] static std::size_t bytes(std::int64_t rows, std::int64_t cols);
    /// The values of each pixel of `window`, block by block: for learning. With `first` those of
    /// names_again(), of what it leaves hope.
    using Visit = std::function<void(std::int64_t row, std::int64_t col, std::span<const double> values)>;
    void visit(const Window& window, const Forest* first, const Visit& visit) const;

  private:
    MapPart m_part;
    double m_least, m_quiet;
};

}  // namespace shuibao::algorithms
