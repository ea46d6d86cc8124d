// SPDX-License-Identifier: Apache-2.0
// From change maps to objects: hysteresis on runs of pixels, the same whatever strips the map comes in.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <shuibao/algorithms/objects.hpp>
#include <shuibao/algorithms/pixel_score.hpp>
#include <shuibao/algorithms/synchrony.hpp>
#include <shuibao/core/change.hpp>
#include <shuibao/core/polygon.hpp>

namespace shuibao::algorithms {

/// Consecutive pixels of one row, [col, end) on the grid's lattice.
struct Run {
    std::int64_t row = 0, col = 0, end = 0;
    std::size_t value = 0;   ///< index of its first pixel in RunStrip's planes
    std::int64_t seeds = 0;  ///< its pixels at or above the seed level
};

/// What lies around a pixel of a run, and what it was. Bits of `known` and `same`: neighbour above, left,
/// right, below (0–3), the pixels three apart in the same order (4–7).
struct PixelSurroundings {
    std::uint8_t known = 0;                       ///< there is a history on both sides
    std::uint8_t same = 0;                        ///< and it is the same
    bool tilled = false;                          ///< PixelHistory::tilled
    std::int8_t drop = 0;                         ///< PixelHistory::drop
    std::array<std::uint16_t, 4> far = {};        ///< stored evidence three apart, 0 = none
    std::array<std::uint16_t, 4> far_score = {};  ///< the same of RunStrip::score
    bool by_water = false;                        ///< one of the eight was water
    std::uint8_t synchrony = 0;                   ///< Synchrony::share, Synchrony::scale steps
    using Recent = std::array<std::int8_t, PixelHistory::lately>;
    Recent recent = {};                                   ///< PixelHistory::recent
    std::array<Recent, 4> far_recent = {};                ///< three apart
    PixelHistory::Traits traits = {};                     ///< PixelHistory::traits_of
    std::array<PixelHistory::Traits, 4> far_traits = {};  ///< three apart
};

/// A strip of the map with rows beyond it where the map has them: planes of `history.window`, which holds the
/// strip's columns and reach_of() rows on each side.
struct Surroundings {
    static constexpr std::int64_t reach = 3;
    [[nodiscard]] static std::int64_t reach_of(const ObjectModel& model) {
        return model.pixels ? reach + PixelScore::reach : reach;
    }
    std::span<const std::uint16_t> evidence;
    const PixelHistory& history;
    const Synchrony* synchrony = nullptr;  ///< of the whole map; without it PixelSurroundings::synchrony is 0
    std::span<const std::uint16_t> magnitude = {}, onset_from = {}, onset_to = {};  ///< of a model of pixels
    Date seen = {};                                                                 ///< end of the batch
    [[nodiscard]] MapPart map() const { return {evidence, magnitude, onset_from, onset_to, history, seen}; }
};

/// What is kept of a strip of the change map: runs at or above the growth level, row-major, and the values of
/// their pixels. With a model of pixels that is the lowest level of its scores.
struct RunStrip {
    std::vector<Run> runs;
    std::vector<std::uint16_t> evidence, magnitude, onset_from, onset_to;
    std::vector<std::uint16_t> score;  ///< stored log-odds of ObjectModel::pixels; empty without
    std::vector<std::uint8_t> kind;
    std::vector<PixelSurroundings> around;  ///< empty where the map tells no history
};

/// What makes an object; the defaults are those of `delineate` at 10 m, where 10 pixels are 0.1 hm².
struct SegmentationOptions {
    double seed = 0;               ///< log-odds that an object must reach
    std::int64_t least_seeds = 1;  ///< in so many of its pixels
    double grow = -1.213;  ///< log-odds down to which it grows (8 neighbours); not below kept_evidence
    std::int64_t min_pixels = 10;  ///< smaller objects are dropped
    std::int64_t max_hole = 5;     ///< pixels; larger holes stay open
    /// How objects are told from fields, where the map tells what pixels were; without it they are what hangs
    /// together at `grow`.
    std::shared_ptr<const ObjectModel> model = {};
    /// Every object of every level, to learn a model from, instead of those that pass.
    bool all_levels = false;
    /// Where no model decides: the confidence of an object of many certain pixels, and the pixels at which an
    /// object is worth half of that.
    double most_confidence = 1;
    std::int64_t half_pixels = 0;
};

/// Runs of one strip of the map (any height, full width) at or above the growth level. Unobserved pixels end
/// a run.
[[nodiscard]] RunStrip extract_runs(const Change& strip, const SegmentationOptions& options);
/// Runs with their surroundings, down to the lowest level of options.model. REQUIRES a model.
[[nodiscard]] RunStrip extract_runs(const Change& strip, const SegmentationOptions& options,
                                    const Surroundings& surroundings);

/// Runs of what nobody saw (evidence == Change::unobserved) inside `area`; no values.
[[nodiscard]] RunStrip extract_unobserved(std::span<const std::uint16_t> evidence, const Window& window,
                                          const Window& area);

/// One connected object.
struct Segment {
    std::vector<Run> runs;  ///< row-major
    std::int64_t pixels = 0;
    /// Mean of 1/(1+e^−evidence) over the more certain half of its n pixels, times most_confidence ·
    /// n / (n + half_pixels); where a model decided, the chance it gives to the object or, if that is higher,
    /// to one inside it.
    double confidence = 0;
    double magnitude = 0;  ///< mean, null standard deviations
    /// Interval in which its first tenth (at least 8 pixels) was opened, days since 1970-01-01.
    std::uint16_t onset_from = 0, onset_to = 0;
    ChangeKind kind = ChangeKind::none;              ///< most frequent
    std::array<std::int64_t, change_kinds> kinds{};  ///< pixels of each
    std::optional<ObjectEvidence> evidence;          ///< where a model decided
    double by_water = 0;  ///< share of its pixels beside what was water, where the map tells histories
};

/// Joins the runs of strips or tiles (without overlap, in any order) into 8-connected objects that hold
/// least_seeds seeds and at least min_pixels pixels, in order of their first pixel (row, then column): the
/// same objects however the map was cut. Runs cut at an edge stay cut in Segment::runs. O(runs · α(runs)) for
/// strips of full width in order of rows, O(runs · log runs) else.
/// Where the strips have surroundings, seeds are not asked for: what hangs together is cut at all levels of
/// options.model, and the largest pieces that reach model->least + options.seed are the objects.
[[nodiscard]] std::vector<Segment> connect(std::span<const RunStrip> strips,
                                           const SegmentationOptions& options);

/// Outline on the pixel edges, in lattice coordinates (x = col, y = −row), holes of at most max_hole pixels
/// filled: valid polygons, outer rings anticlockwise, parts that touch in a corner only as parts of a
/// multipolygon. `generalise` replaces one-pixel steps between opposite turns by one point each: stairs
/// become slopes, the outline moves by less than a pixel and the area stays what it was.
[[nodiscard]] MultiPolygon outline(const Segment& segment, std::int64_t max_hole, bool generalise);

}  // namespace shuibao::algorithms
