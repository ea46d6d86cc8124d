// SPDX-License-Identifier: Apache-2.0
// What speaks for an object being a site: not how sure its pixels are alone, but how it lies among fields.
//
// A field that is left bare is bare as a whole, and ends where what was sown with it ends. A site cuts
// across: beside it lies ground that was the same until then and is green now. Each level of the evidence, or
// of what a model makes of each pixel (pixel_score.hpp), gives its own objects; they form a tree (max-tree,
// Salembier, Oliveras & Garrido 1998), of which the largest that pass are taken. The chance of each is a sum
// over small decision trees (gradient boosting, Friedman 2001, Annals of Statistics 29).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/forest.hpp>

namespace shuibao::algorithms {

/// What is measured of an object, in this order.
enum class Measure : std::uint8_t {
    log_pixels,     ///< ln of its pixels
    evidence,       ///< mean log-odds of its pixels
    even_share,     ///< share of pixels at least as likely a site as not
    likely_share,   ///< share of pixels at ObjectModel::likely or more
    field_cut,      ///< share of its outline with the same history on both sides
    inner_fields,   ///< share of the steps inside it from one history to another
    tilled,         ///< share of pixels that somebody tills
    below_soil,     ///< mean NDVI by which it lies below its own bare soil
    magnitude,      ///< mean spectral change, null standard deviations
    contrast,       ///< drop of evidence to ground of the same history three pixels away, over all such pairs
                    ///< across the outline
    same_contrast,  ///< the same over the pairs of the same history only
    same_around,    ///< share of those pairs with the same history
    onset_spread,   ///< standard deviation of its pixels' onsets, d
    raggedness,     ///< outline over the root of the area, pixels
    synchrony,      ///< mean share of the ground like its pixels within 3 km that turned bare when they did
    // Means over the pixels of PixelHistory::recent: observed − expected.
    weeks_green,      ///< NDVI, last weeks
    half_year_green,  ///< NDVI, last half-year
    soil_index,       ///< last two months
    brightness,       ///< ln, last two months
    // The same, less that of ground of the same history three pixels away, over the pairs of `same_contrast`.
    weeks_green_fall,
    half_year_green_fall,
    soil_index_rise,
    brightness_rise,
    evidence_spread,  ///< standard deviation of the log-odds of its pixels
    // Of each PixelHistory::Trait, over the pixels of which it is known: mean and standard deviation; and how
    // much it is more than three pixels away, over the pairs across the outline.
    own_index,
    own_index_spread,
    own_index_step,
    own_brightness,
    own_brightness_spread,
    own_brightness_step,
    index_above_own,
    index_above_own_spread,
    index_above_own_step,
    brightness_above_own,
    brightness_above_own_spread,
    brightness_above_own_step,
    green_above_own,
    green_above_own_spread,
    green_above_own_step,
    run_looks,
    run_looks_spread,
    run_looks_step,
    greenest_4,
    greenest_4_spread,
    greenest_4_step,
    greenest_9,
    greenest_9_spread,
    greenest_9_step,
    since_green,
    since_green_spread,
    since_green_step,
    // Of ObjectModel::pixels, 0 without: mean, standard deviation, and drop to the pixels three away, over
    // all pairs across the outline; what is below the lowest level counts as that.
    score,
    score_spread,
    score_fall,
};
inline constexpr std::size_t measure_count = 54;
using ObjectEvidence = std::array<double, measure_count>;

/// Name of a measure as files and layers have it.
[[nodiscard]] std::string_view name_of(Measure m);

/// How objects are told from fields that lie bare. Read from `configs/objects`.
struct ObjectModel {
    double quiet = 0;   ///< log-odds that ground stands for about which the map says nothing
    double likely = 0;  ///< of Measure::likely_share
    double least = 0;   ///< what an object must reach, beside SegmentationOptions::seed
    double beside = 0;  ///< by how much less is enough within `beside_reach` of one that passes
    static constexpr int beside_reach = 6;  ///< pixels
    /// By how much more is asked of ground that turned bare with its like (Measure::synchrony): what is wrong
    /// about one field is wrong about all that were harvested under the same clouds.
    double together = 0;
    static constexpr float together_from = 0.2F;
    /// Where the looks tell NDVI alone less is known of an object: by how much its log-odds are less, and
    /// what it must reach then.
    double ndvi_alone_less = 0, ndvi_alone_least = 0;
    /// Log-odds at which the map is cut, ascending; at most 64: of `pixels`, else of its evidence.
    std::vector<double> levels;
    std::optional<Forest> pixels;        ///< of PixelScore::names()
    std::optional<Forest> pixels_again;  ///< of PixelScore::names_again(); not without `pixels`
    [[nodiscard]] const Forest* again() const { return pixels_again ? &*pixels_again : nullptr; }
    double least_evidence = 0;  ///< of a pixel that `pixels` is asked about, or would be
    Forest objects;             ///< of Measure

    void know_ndvi_alone() {
        objects.base -= ndvi_alone_less;
        least = ndvi_alone_least;
    }
    /// Log-odds that an object like this is a site.
    [[nodiscard]] double log_odds(const ObjectEvidence& evidence) const { return objects.log_odds(evidence); }
    /// What such an object must reach where others must reach `usual`.
    [[nodiscard]] double asked(const ObjectEvidence& evidence, double usual) const {
        return usual +
               (evidence[static_cast<std::size_t>(Measure::synchrony)] >= together_from ? together : 0);
    }
};

}  // namespace shuibao::algorithms
