// SPDX-License-Identifier: Apache-2.0
// Precision, recall, F1, and whether a confidence means what it says.
#pragma once

#include <array>
#include <cstddef>

namespace shuibao::algorithms {

/// Counts (or areas) of a two-class comparison.
struct Score {
    double right = 0;   ///< found and true
    double wrong = 0;   ///< found, not true
    double missed = 0;  ///< true, not found
    [[nodiscard]] double precision() const { return right + wrong > 0 ? right / (right + wrong) : 0; }
    [[nodiscard]] double recall() const { return right + missed > 0 ? right / (right + missed) : 0; }
    [[nodiscard]] double f1() const {
        const double p = precision(), r = recall();
        return p + r > 0 ? 2 * p * r / (p + r) : 0;
    }
};

/// Reliability curve (DeGroot & Fienberg 1983): how often what was said with confidence c was true, in ten
/// equal bins of c.
class Reliability {
  public:
    struct Bin {
        std::size_t n = 0, hits = 0;
        double sum = 0;  ///< of confidences
    };
    void add(double confidence, bool hit);
    [[nodiscard]] const std::array<Bin, 10>& bins() const { return m_bins; }
    /// Mean (confidence − outcome)²; 0 is perfect.
    [[nodiscard]] double brier() const { return m_n > 0 ? m_squares / static_cast<double>(m_n) : 0; }
    [[nodiscard]] std::size_t size() const { return m_n; }

  private:
    std::array<Bin, 10> m_bins{};
    double m_squares = 0;
    std::size_t m_n = 0;
};

}  // namespace shuibao::algorithms
