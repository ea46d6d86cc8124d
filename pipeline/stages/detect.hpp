// SPDX-License-Identifier: Apache-2.0
// The two ways through `detect`: between epochs, and along a series. Both write the change maps of a batch.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
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
    bool quiet = false;                         ///< nothing is written or reported: somebody only looks
};

/// Method and options of this run. Throws Error(input) when the store has no tiles.
[[nodiscard]] DetectJob detect_job(RunContext& context, const io::TileArchive& archive);

/// A series as `detect` follows it.
struct SeriesPlan {
    std::vector<const io::Acquisition*> looks;  ///< in time order
    algorithms::SeriesTimes times;
    std::vector<Band> bands;  ///< that are read; a look may lack some (DetectorNeeds::mixes)
    /// Those of them that a look has.
    [[nodiscard]] std::vector<Band> bands_of(const io::Acquisition& look) const;
};
/// Throws Error(input) when the looks make no series for this method.
[[nodiscard]] SeriesPlan plan_series(const DetectJob& job, const algorithms::SeriesDetector& detector);

/// What detection between epochs has learnt of unchanged ground: there while the batch's change maps come
/// from two epochs, and not where they come from a series.
[[nodiscard]] std::filesystem::path epochs_model(const engine::Store& store, const std::string& batch);

/// Two epochs as `detect` compares them.
struct PairPlan {
    std::vector<const io::Acquisition*> before, after;
    std::vector<Band> bands;
};
/// Throws Error(input) when the looks make no pair.
[[nodiscard]] PairPlan plan_pair(const DetectJob& job, const algorithms::PairwiseDetector& detector);
/// The change of a look before anything else sees it; REQUIRED to be reentrant.
using EditLook = std::function<void(const io::Acquisition&, Image&)>;
/// Both epochs over a window: the only look, or the composite of several.
[[nodiscard]] std::array<Image, 2> read_epochs(const DetectJob& job, const PairPlan& plan,
                                               const Window& window, const EditLook& edit = {});
/// The model of no change of a batch. Throws Error(usage) when there is none.
[[nodiscard]] algorithms::DetectorModel pair_model(const DetectJob& job);

void declare_pair(OptionTable& table);
void declare_series(OptionTable& table);
void detect_pair(const DetectJob& job, const algorithms::PairwiseDetector& detector);
void detect_series(const DetectJob& job, const algorithms::SeriesDetector& detector);

/// True when the acquisitions are a series that can be learnt from and watched: long enough, with enough
/// looks.
[[nodiscard]] bool is_series(const std::vector<io::Acquisition>& acquisitions);

/// Throws Error(usage) when detect.before or detect.after hold no dates.
void require_dates(const RunContext& context);

/// Whether what is detected in tells NDVI and nothing else.
[[nodiscard]] bool follows_ndvi_alone(RunContext& c, const io::TileArchive& archive);

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
