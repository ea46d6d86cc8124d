// SPDX-License-Identifier: Apache-2.0
// Base of the series detectors that need all looks of a pixel at once: what they keep is what they found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "look_stack.hpp"
#include <shuibao/algorithms/detector.hpp>

namespace shuibao::algorithms {

/// What such a method says of one pixel. Days count from 1970-01-01; 0 = none.
struct Finding {
    bool judged = false;    ///< enough was seen for an answer
    std::int32_t last = 0;  ///< newest clear look
    /// How many times over the statistic lies above the method's own threshold; below 1 it is not reached, 0
    /// is nothing. It becomes the evidence ln(ratio): confidence ratio / (1 + ratio), even at the threshold.
    /// An order, not a calibrated probability.
    double ratio = 0;
    double deviations = 0;   ///< spectral change, in the method's own standard deviations
    std::int32_t from = 0;   ///< last day seen undisturbed
    std::int32_t to = 0;     ///< first day seen disturbed
    std::int32_t alarm = 0;  ///< day of the look on which the threshold was reached; 0 = not yet
    ChangeKind kind = ChangeKind::none;
};

/// A published method looks at a series as a whole, so nothing is carried from batch to batch: when looks
/// have come, all looks of the tile are read again and the answer is worked out anew. The state holds the
/// answer, 14 bytes a pixel; batches are invisible by construction. A batch costs the whole series.
class WholeSeries : public SeriesDetector {
  public:
    [[nodiscard]] DetectorNeeds needs() const override;
    [[nodiscard]] std::vector<std::string> state_bands() const override;
    void advance(LookSource& looks, const SeriesTimes& times, const DetectorOptions& options,
                 DetectorState& state) const override;
    void report(const DetectorState& state, const SeriesTimes& times, const DetectorOptions& options,
                Change& change) const override;

  protected:
    /// Judges all pixels of a window from all looks of `looks`. `found` has one entry per pixel, all default.
    virtual void judge(LookSource& looks, const SeriesTimes& times, const DetectorOptions& options,
                       std::span<Finding> found) const = 0;
};

/// One that looks at the features of look_stack.hpp.
class FeatureSeries : public WholeSeries {
  public:
    [[nodiscard]] DetectorNeeds needs() const override;
    /// Throws Error(input) when no set of features can be had.
    [[nodiscard]] std::vector<Band> bands(std::span<const Band> common) const override;

  protected:
    /// All looks in one stack; the features that they have.
    static const FeatureSet& read(LookSource& looks, std::size_t pixels, LookStack& stack);
};

}  // namespace shuibao::algorithms
