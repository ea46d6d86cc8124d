// SPDX-License-Identifier: Apache-2.0
// From change maps to objects: hysteresis on runs of pixels, the same whatever strips the map comes in.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <shuibao/core/change.hpp>
#include <shuibao/core/polygon.hpp>

namespace shuibao::algorithms {

/// Consecutive pixels of one row, [col, end) on the grid's lattice.
struct Run {
    std::int64_t row = 0, col = 0, end = 0;
    std::size_t value = 0;   ///< index of its first pixel in RunStrip's planes
    std::int64_t seeds = 0;  ///< its pixels at or above the seed level
};

/// What is kept of a strip of the change map: runs at or above the growth level, row-major, and the values of
/// their pixels.
struct RunStrip {
    std::vector<Run> runs;
    std::vector<std::uint16_t> evidence, magnitude, onset_from, onset_to;
    std::vector<std::uint8_t> kind;
};

struct SegmentationOptions {
    double seed = 0;               ///< log-odds that an object must reach
    std::int64_t least_seeds = 1;  ///< in so many of its pixels
    double grow = -1.213;  ///< log-odds down to which it grows (8 neighbours); not below kept_evidence
    std::int64_t min_pixels = 10;
    std::int64_t max_hole = 5;  ///< pixels; larger holes stay open
};

/// Runs of one strip of the map (any height, full width). Unobserved pixels end a run.
[[nodiscard]] RunStrip extract_runs(const Change& strip, const SegmentationOptions& options);

/// Runs of what nobody saw (evidence == Change::unobserved) inside `area`; no values.
[[nodiscard]] RunStrip extract_unobserved(std::span<const std::uint16_t> evidence, const Window& window,
                                          const Window& area);

/// One connected object.
struct Segment {
    std::vector<Run> runs;  ///< row-major
    std::int64_t pixels = 0;
    double confidence = 0;  ///< mean of 1/(1+e^−evidence) over the more certain half of its pixels
    double magnitude = 0;   ///< mean, null standard deviations
    /// Interval in which its first tenth (at least 8 pixels) was opened, days since 1970-01-01.
    std::uint16_t onset_from = 0, onset_to = 0;
    ChangeKind kind = ChangeKind::none;  ///< most frequent
};

/// Joins the runs of strips or tiles (without overlap, in any order) into 8-connected objects that hold
/// least_seeds seeds and at least min_pixels pixels, in order of their first pixel (row, then column): the
/// same objects however the map was cut. Runs cut at an edge stay cut in Segment::runs. O(runs · α(runs)) for
/// strips of full width in order of rows, O(runs · log runs) else.
[[nodiscard]] std::vector<Segment> connect(std::span<const RunStrip> strips,
                                           const SegmentationOptions& options);

/// Outline on the pixel edges, in lattice coordinates (x = col, y = −row), holes of at most max_hole pixels
/// filled: valid polygons, outer rings anticlockwise, parts that touch in a corner only as parts of a
/// multipolygon. `generalise` replaces one-pixel steps between opposite turns by one point each: stairs
/// become slopes, the outline moves by less than a pixel and the area stays what it was.
[[nodiscard]] MultiPolygon outline(const Segment& segment, std::int64_t max_hole, bool generalise);

}  // namespace shuibao::algorithms
