// SPDX-License-Identifier: Apache-2.0
// The two ways through `detect`: between epochs, and along a series. Both write the change maps of a batch.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <shuibao/algorithms/detector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What a run of `detect` has settled before it looks at a pixel.
struct DetectJob {
    RunContext& context;
    const io::TileArchive& archive;
    std::string batch, method;
    algorithms::DetectorOptions options;
    std::map<std::string, std::string> inputs;  ///< method and options, as every unit's key holds them
};

void declare_pair(OptionTable& table);
void declare_series(OptionTable& table);
void detect_pair(const DetectJob& job, const algorithms::PairwiseDetector& detector);
void detect_series(const DetectJob& job, const algorithms::SeriesDetector& detector);

/// True when the acquisitions are a series that can be learnt from and watched: long enough, with enough
/// looks.
[[nodiscard]] bool is_series(const std::vector<io::Acquisition>& acquisitions);

/// Throws Error(usage) when detect.before or detect.after hold no dates.
void require_dates(const RunContext& context);

/// The acquisitions with all bands that the detector requires, in the archive's order; the others become
/// problems. Throws Error(input) when none is left.
[[nodiscard]] std::vector<const io::Acquisition*> usable_looks(const DetectJob& job,
                                                               const algorithms::Detector& detector);

/// Bands to read: those the detector requires, or all that every one of these looks has when it wants those.
/// REQUIRES looks from usable_looks().
[[nodiscard]] std::vector<Band> bands_for(const algorithms::Detector& detector,
                                          const std::vector<const io::Acquisition*>& looks);

/// Removes the change maps of tiles other than these: they are of another comparison.
void remove_other_changes(const std::filesystem::path& folder, const std::vector<TileId>& tiles);

}  // namespace shuibao::pipeline
