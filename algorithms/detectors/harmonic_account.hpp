// SPDX-License-Identifier: Apache-2.0
// A pixel's model and track put into words and physical units, for people to look at.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harmonic_model.hpp"
#include <shuibao/algorithms/detector.hpp>

namespace shuibao::algorithms {

/// Names of the features that are told, with what they are made of.
[[nodiscard]] std::vector<std::string> feature_names(const FeatureSet& set);

/// Features of one pixel as the kernels see them; empty where the look does not see it.
[[nodiscard]] std::vector<double> features_of(const Image& image, std::size_t pixel, const FeatureSet& set);

/// Everything of the account that a lane's model and track say by themselves: no onset, no log-odds.
[[nodiscard]] SeriesAccount account_of(const PixelModel& model, const PixelTrack& track, std::size_t lane,
                                       Date day, const FeatureSet& set);

/// Chance that the statistic of a newly opened pixel that was never bare has reached `level` after these
/// clear looks. Each brings κℓ with κ = min(1, days since the one before / independent_days), at least ¼, and
/// ℓ of mean and spread as measured on opened woods (tests/unit/test_account.cpp holds them against the
/// detector); their sum is taken as normal: Φ((μ Σκ − level) / (σ √Σκ²)).
[[nodiscard]] double power_of(std::span<const Date> clear, const FeatureSet& set,
                              const HarmonicOptions& options, double level);

}  // namespace shuibao::algorithms
