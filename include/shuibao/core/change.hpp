// SPDX-License-Identifier: Apache-2.0
// What a detector says of each pixel: the change map that delineation turns into polygons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/core/grid.hpp>

namespace shuibao {

/// Direction of a change, as far as its spectrum tells.
enum class ChangeKind : std::uint8_t {
    none = 0,
    vegetation_to_bare = 1,   ///< vegetation cleared to soil or rock
    vegetation_to_built = 2,  ///< vegetation cleared to sealed or built ground
    bare_to_built = 3,        ///< open ground built over
    surface = 4,              ///< other change of an open surface (working pit, levelled heap)
    water_to_bare = 5,        ///< drawdown or land fill
};

/// Per-pixel result over one window, planes row-major and of equal length window.pixels().
/// Scores and confidences are fixed-point, so that they are the same bytes in memory and on disk.
struct Change {
    static constexpr std::uint16_t unobserved = 0xFFFF;  ///< in `evidence`: no usable pair of looks
    static constexpr std::uint16_t no_evidence =
        0;  ///< in `evidence`: below what is worth keeping (sparse on disk)
    static constexpr int evidence_zero = 32768;    ///< stored evidence of 0
    static constexpr int evidence_per_unit = 256;  ///< stored steps per unit of log-odds
    static constexpr int confidence_one = 10000;
    /// Evidence below this is stored as no_evidence: p < 0.08 grows into no object.
    static constexpr double kept_evidence = -2.5;

    Window window;
    std::vector<std::uint16_t>
        evidence;  ///< log-odds of lasting disturbance, evidence_zero + 256·ln(p/(1−p))
    std::vector<std::uint16_t> confidence;  ///< 0…10000 ≙ 0…1; 0 where there is no evidence
    std::vector<std::uint16_t> magnitude;   ///< spectral change, null standard deviations × 100; 0 as above
    std::vector<std::uint16_t> onset_from;  ///< last day seen undisturbed, days since 1970-01-01; 0 as above
    std::vector<std::uint16_t> onset_to;    ///< first day seen disturbed, days since 1970-01-01; 0 as above
    std::vector<ChangeKind> kind;           ///< none as above

    Change() = default;
    explicit Change(const Window& w)
        : window(w),
          evidence(n(w), unobserved),
          confidence(n(w)),
          magnitude(n(w)),
          onset_from(n(w)),
          onset_to(n(w)),
          kind(n(w), ChangeKind::none) {}

    /// Stores evidence (log-odds), the confidence 1/(1+e^−evidence) and the magnitude (null standard
    /// deviations) of pixel i, rounded and saturated.
    void set(std::size_t i, double log_odds, double deviations);

  private:
    static std::size_t n(const Window& w) { return static_cast<std::size_t>(w.pixels()); }
};

}  // namespace shuibao
