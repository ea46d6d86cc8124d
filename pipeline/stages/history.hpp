// SPDX-License-Identifier: Apache-2.0
// What became of one pixel: its looks, and what the configured method made of each of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detect.hpp"
#include <shuibao/algorithms/detector.hpp>

namespace shuibao::pipeline {

struct PixelLook {
    const io::Acquisition* acquisition = nullptr;
    Quality quality = Quality::nodata;
    std::vector<double> values;    ///< physical, in the order of acquisition->bands
    std::vector<double> features;  ///< of a series method; empty where the look is not usable or not taken
    /// After this look; only from the first watched day on.
    std::optional<algorithms::SeriesAccount> account;
};

/// The model in force on a day without a look.
struct CurvePoint {
    Date date;
    bool history = false;  ///< the first model over the looks it was learnt from
    std::vector<double> expected, spread;
};

struct StatusChange {
    Date date;
    std::string from, to;
};

struct SeriesHistory {
    std::vector<std::string> features;
    std::vector<algorithms::Level> levels;
    algorithms::SeriesTimes times;
    std::vector<CurvePoint> curve;
    std::vector<StatusChange> changes;
    algorithms::SeriesAccount last;
};

struct PairHistory {
    std::vector<std::string> before, after;  ///< keys of the looks
    algorithms::PairAccount account;
};

struct PixelHistory {
    Window pixel;
    std::string method;
    std::vector<PixelLook> looks;  ///< those that see the pixel, in time order
    std::optional<SeriesHistory> series;
    std::optional<PairHistory> pair;
};

/// Runs the method on this pixel alone, from its first look on, with the code that made the change map.
/// Nothing is written. Throws Error(input) when no look sees the pixel.
[[nodiscard]] PixelHistory history_of(RunContext& context, const io::TileArchive& archive,
                                      const Window& pixel);

}  // namespace shuibao::pipeline
