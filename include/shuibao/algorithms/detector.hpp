// SPDX-License-Identifier: Apache-2.0
// What every detector is: it declares its needs, learns a model of "no change" once, and turns blocks into
// Changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/block.hpp>
#include <shuibao/core/change.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::algorithms {

/// What a detector asks of the engine before it sees a pixel.
struct DetectorNeeds {
    std::vector<Band> required;        ///< the run is refused when an acquisition lacks one
    bool all_common = false;           ///< wants every band that all acquisitions have, not only `required`
    int min_dates = 2, max_dates = 2;  ///< 0 = any number
    int halo = 0;                      ///< pixels of neighbourhood around the window to decide
    std::size_t bytes_per_pixel = 0;   ///< working memory per pixel of the (grown) window, all dates together
    std::size_t state_bytes_per_pixel = 0;  ///< persisted per-pixel state; 0 for detectors without memory
};

/// What fit() learned: named numbers, which the engine keeps beside the change maps so that shards and later
/// tiles share them. The same sample gives the same numbers, bit for bit.
struct DetectorModel {
    std::map<std::string, std::vector<double>> values;
};

/// Per-pixel memory of a streaming detector, one row-major plane per named band.
struct DetectorState {
    Window window;
    std::vector<std::string> bands;
    std::vector<std::vector<std::int16_t>> planes;
    std::vector<std::string> applied;  ///< keys of the acquisitions already taken in, sorted
};

/// Values of the detector's own options, by key without prefix.
using DetectorOptions = std::map<std::string, double>;

/// A detector is constructed once per run and is reentrant: const calls come from many threads. It reads no
/// file, no clock and no random source; the same arguments give the same bytes.
class Detector {
  public:
    virtual ~Detector() = default;
    [[nodiscard]] virtual std::string summary() const = 0;
    /// Options under `detect.<name>.`; all numeric.
    [[nodiscard]] virtual std::vector<Option> options() const = 0;
    [[nodiscard]] virtual DetectorNeeds needs() const = 0;

    /// Learns the model of no change from cells: squares of the pixel lattice, spread over the whole area,
    /// each with one Image per date in time order. The cells do not depend on the tile size. Throws
    /// Error(input) when there is too little to learn from.
    [[nodiscard]] virtual DetectorModel fit(std::span<const std::vector<Image>> cells,
                                            const DetectorOptions& options) const = 0;

    /// Decides one window. `images` are in time order and cover `window` grown by needs().halo; what lies
    /// outside every scene is Quality::nodata. `state` is null for detectors without memory; a streaming
    /// detector takes in the images it has not applied yet and updates it.
    [[nodiscard]] virtual Change detect(std::span<const Image> images, const Window& window,
                                        const DetectorModel& model, const DetectorOptions& options,
                                        DetectorState* state) const = 0;
};

}  // namespace shuibao::algorithms
