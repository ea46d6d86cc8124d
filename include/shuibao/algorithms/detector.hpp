// SPDX-License-Identifier: Apache-2.0
// What every detector is: it declares its needs, learns a model of "no change" once, and turns blocks into
// Changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/block.hpp>
#include <shuibao/core/change.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::algorithms {

/// What a detector asks of the engine before it sees a pixel.
struct DetectorNeeds {
    std::vector<Band> required;  ///< an acquisition that lacks one is left out
    std::vector<std::vector<Band>> or_else =
        {};                            ///< each may stand in for it where more acquisitions have it
    std::vector<Band> mixes = {};      ///< series: follows looks without these beside looks that have them
    bool all_common = false;           ///< wants every band that all acquisitions have, not only `required`
    int min_dates = 2, max_dates = 2;  ///< 0 = any number
    int halo = 0;                      ///< pixels of neighbourhood around the window to decide
    std::size_t bytes_per_pixel = 0;   ///< working memory per pixel of the (grown) window, all dates together
    std::size_t bytes_per_look = 6;    ///< series: the same per look; three features of 16 bits
    bool tells_history = false;        ///< fills Change::history
    std::size_t state_bytes_per_pixel = 0;  ///< persisted per-pixel state; 0 for detectors without memory
};

/// What fit() learned: named numbers, which the engine keeps beside the change maps so that shards and later
/// tiles share them. The same sample gives the same numbers, bit for bit.
struct DetectorModel {
    std::map<std::string, std::vector<double>> values;
};

/// Per-pixel memory of a series detector: one row-major plane of 16-bit integers per named band. Values mean
/// what the detector says of them; an all-zero pixel is one that was never fitted.
struct DetectorState {
    Window window;
    std::vector<std::vector<std::uint16_t>> planes;

    /// Makes this a state of another window in place, keeping its memory; all zero.
    void reset(const Window& w, std::size_t count) {
        window = w;
        planes.resize(count);
        for (auto& p : planes) p.assign(static_cast<std::size_t>(w.pixels()), 0);
    }
    /// The same for a window whose values the caller is about to set: they are anything until then.
    void shape(const Window& w, std::size_t count) {
        window = w;
        planes.resize(count);
        for (auto& p : planes) p.resize(static_cast<std::size_t>(w.pixels()));
    }
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
};

/// A named level of a statistic.
struct Level {
    std::string name;
    double value = 0;
};

/// What a comparison of two epochs says of one pixel, for people to look at.
struct PairAccount {
    bool seen = false;                       ///< usable in both epochs; nothing else is set where it is not
    bool water = false;                      ///< water in one of them that has not become land: never marked
    std::string stratum;                     ///< whose unchanged ground it is measured against
    double statistic = 0;                    ///< score as a multiple of the median of unchanged ground
    std::vector<Level> levels;               ///< of the statistic, ascending
    double ndvi_before = 0, ndvi_after = 0;  ///< means of 3 × 3 pixels
    double most_ndvi_after = 0;              ///< greener ground is never marked
};

/// Compares two epochs, against a model of no change that it learns once from the whole area.
class PairwiseDetector : public Detector {
  public:
    /// Learns the model of no change from cells: squares of the pixel lattice, spread over the whole area,
    /// each with one Image per date in time order. The cells do not depend on the tile size. Throws
    /// Error(input) when there is too little to learn from.
    [[nodiscard]] virtual DetectorModel fit(std::span<const std::vector<Image>> cells,
                                            const DetectorOptions& options) const = 0;

    /// Decides one window. `images` are in time order and cover `window` grown by needs().halo; what lies
    /// outside every scene is Quality::nodata. `change` becomes the window's map, whatever it was; its memory
    /// is used again.
    virtual void detect(std::span<const Image> images, const Window& window, const DetectorModel& model,
                        const DetectorOptions& options, Change& change) const = 0;

    /// How one pixel is decided; `images` cover it grown by needs().halo. The numbers are detect()'s own.
    [[nodiscard]] virtual PairAccount account(std::span<const Image> images, const Window& pixel,
                                              const DetectorModel& model,
                                              const DetectorOptions& options) const = 0;
};

/// The looks at one window that a store holds, in time order.
class LookSource {
  public:
    virtual ~LookSource() = default;
    /// Dates of all looks, ascending.
    [[nodiscard]] virtual std::span<const Date> dates() const = 0;
    /// Bands in which the series is followed, of which a look may lack some where DetectorNeeds::mixes;
    /// none: those of its looks, which are alike.
    [[nodiscard]] virtual std::span<const Band> bands() const { return {}; }
    /// The looks that the state has not taken in yet are [applied(), dates().size()).
    [[nodiscard]] virtual std::size_t applied() const = 0;
    /// Look i over the whole window; valid until the next call. Throws Error(input).
    [[nodiscard]] virtual const Image& read(std::size_t i) = 0;
};

/// When a series is learnt from and when it is watched.
struct SeriesTimes {
    Date monitor_from;  ///< first day that is judged; what lies before is history
    Date report_from;   ///< first day of the batch: a pixel without a clear look since then is unobserved
    Date report_to;     ///< last day of it: months are counted back from the one it lies in
};

/// What a series detector says of one pixel on one day, for people to look at. Vectors are in the order of
/// SeriesDetector::features().
struct SeriesAccount {
    bool learnt = false;           ///< there is a model; nothing else is set where there is none
    std::string ground;            ///< what the history shows; says whether the pixel is judged at all
    bool judged = false;           ///< this kind of ground is judged
    int history_looks = 0;         ///< clear looks that the model was learnt from (255 = so many or more)
    std::vector<double> expected;  ///< what the model in force expects on the day
    std::vector<double> spread;    ///< standard deviation of that prediction
    double bare_chance = 0;        ///< that such ground is bare in this half-month
    double skipped_season = 0;     ///< chance that the field lies fallow for this season
    double statistic = 0;          ///< as levels() grade it
    double log_odds = 0;           ///< of lasting disturbance, as the change map has it
    std::string status;            ///< "stable", "watch", "suspected", "confirmed", "reverted",
                                   ///< "finished"
    std::optional<Date> onset_from, onset_to;  ///< interval of the onset, where there is anything to date
};

/// Follows every pixel through all dates and keeps what it needs to go on in a per-pixel state, so that a
/// batch reads its own looks only. Batches are invisible: taking in looks in two calls or in one gives the
/// same state, bit for bit (`algorithms.md` O18).
class SeriesDetector : public Detector {
  public:
    /// Which of the bands that every look has are read, ascending.
    [[nodiscard]] virtual std::vector<Band> bands(std::span<const Band> common) const = 0;
    /// Names of the state's planes, in order.
    [[nodiscard]] virtual std::vector<std::string> state_bands() const = 0;
    /// Whether any look may alter a plane, not only what is learnt once a year: stored quickly, not small.
    [[nodiscard]] virtual bool alters_with_looks(std::size_t /*plane*/) const { return true; }
    /// Takes in the new looks of `looks` (which covers state.window). A state of zeros is a new one.
    virtual void advance(LookSource& looks, const SeriesTimes& times, const DetectorOptions& options,
                         DetectorState& state) const = 0;
    /// What the state says now: `change` becomes the map of its window, whatever it was; its memory is used
    /// again.
    virtual void report(const DetectorState& state, const SeriesTimes& times, const DetectorOptions& options,
                        Change& change) const = 0;
    /// advance() and then report(). A method that has a pixel at hand when its last look is taken in tells it
    /// there and then, which spares it going over the state twice.
    virtual void advance_and_report(LookSource& looks, const SeriesTimes& times,
                                    const DetectorOptions& options, DetectorState& state,
                                    Change& change) const {
        advance(looks, times, options, state);
        report(state, times, options, change);
    }

    /// Chance that a pixel of vegetated ground, opened before the first of these clear looks (days,
    /// ascending) at these bands, counts as a site after the last of them: log-odds >= 0. What cannot be seen
    /// must be said.
    [[nodiscard]] virtual double power(std::span<const Date> clear, std::span<const Band> /*bands*/,
                                       const DetectorOptions& /*options*/) const {
        return clear.empty() ? 0 : 1;
    }

    /// Names of what is looked at of each look that has these bands. None: this method gives no accounts, and
    /// the three functions below are not called.
    [[nodiscard]] virtual std::vector<std::string> features(std::span<const Band> /*bands*/) const {
        return {};
    }
    /// Those of one pixel (row-major index) of a look in a series of these bands; empty where it is not
    /// usable, NaN for what a look does not tell.
    [[nodiscard]] virtual std::vector<double> measure(const Image& /*image*/, std::size_t /*pixel*/,
                                                      std::span<const Band> /*series*/) const {
        return {};
    }
    /// Levels of SeriesAccount::statistic, ascending.
    [[nodiscard]] virtual std::vector<Level> levels(const DetectorOptions& /*options*/) const { return {}; }
    /// What the state of a series of these bands says of one pixel (row-major index in its window) on a day.
    /// A state that is brought forward look by look tells the pixel's history with the numbers of detection
    /// itself.
    [[nodiscard]] virtual SeriesAccount account(const DetectorState& /*state*/, std::size_t /*pixel*/,
                                                Date /*day*/, std::span<const Band> /*series*/,
                                                const DetectorOptions& /*options*/) const {
        return {};
    }
};

}  // namespace shuibao::algorithms
