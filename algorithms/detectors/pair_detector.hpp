// SPDX-License-Identifier: Apache-2.0
// What the detectors of image pairs share: water, season, the empirical null and the decision. A detector of
// this family only scores pixels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <shuibao/algorithms/detector.hpp>

namespace shuibao::algorithms {

/// The two dates of one window; `before` and `after` cover `window` grown by the detector's halo.
struct PairView {
    const Image& before;
    const Image& after;
    Window window;  ///< where the detector decides
};

/// Both images cut to the same bands, on a sampled cell: what learn() works on.
struct SampleCell {
    PairView view;
    /// Per pixel of view.window, row-major: index of its season stratum, or `left_out` (unusable or water).
    std::vector<std::uint8_t> stratum;
    static constexpr std::uint8_t left_out = 255;
    /// Pixels of view.window on the sampling lattice that are not left out.
    std::vector<std::uint32_t> chosen;
};

/// Decision of the family, `algorithms.md` §0.5 in code: scores are ranked against the median score of
/// unchanged ground in the same season stratum, never read as χ² probabilities.
class PairDetector : public PairwiseDetector {
  public:
    [[nodiscard]] std::vector<Option> options() const override;
    [[nodiscard]] DetectorNeeds needs() const override;
    [[nodiscard]] DetectorModel fit(std::span<const std::vector<Image>> cells,
                                    const DetectorOptions& options) const override;
    void detect(std::span<const Image> images, const Window& window, const DetectorModel& model,
                const DetectorOptions& options, Change& change) const override;
    [[nodiscard]] PairAccount account(std::span<const Image> images, const Window& pixel,
                                      const DetectorModel& model,
                                      const DetectorOptions& options) const override;

  protected:
    /// Null value of r at which a pixel is as likely disturbed as not.
    [[nodiscard]] virtual double even_odds() const = 0;
    /// χ² degrees of freedom that the score would have under a Gaussian null; only scales the magnitude.
    [[nodiscard]] virtual int degrees_of_freedom(const DetectorModel& model) const = 0;
    /// Learns what score() needs from sampled cells.
    virtual void learn(std::span<const SampleCell> cells, DetectorModel& model,
                       const DetectorOptions& options) const = 0;
    /// Scores rows [first, first + rows) of view.window; `q` holds rows × window.cols values >= 0. Values at
    /// pixels that are not usable at both dates are ignored.
    virtual void score(const PairView& view, std::int64_t first, std::int64_t rows,
                       const DetectorModel& model, const DetectorOptions& options,
                       std::span<float> q) const = 0;
};

/// Bands that both images hold, ascending.
[[nodiscard]] std::vector<Band> common_bands(const Image& a, const Image& b);
/// Median; reorders `values`. REQUIRES a non-empty vector.
[[nodiscard]] double median_of(std::vector<float>& values);

}  // namespace shuibao::algorithms
