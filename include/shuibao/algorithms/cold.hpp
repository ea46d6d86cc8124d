// SPDX-License-Identifier: Apache-2.0
// COLD: continuous change detection on the full series of one pixel (Zhu et al. 2020, RSE 244:111116).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <shuibao/algorithms/harmonic_lasso.hpp>
#include <shuibao/algorithms/look.hpp>
#include <shuibao/algorithms/robust_fit.hpp>

namespace shuibao::algorithms {

/// Defaults are those of the published C core (pyxccd); reflectance is in units of 1/10 000.
struct ColdOptions {
    std::vector<int> test_bands{1, 2, 3, 4, 5};  ///< bands of the change test: green, red, NIR, SWIR1, SWIR2
    std::array<int, 2> tmask_bands{1, 4};  ///< bands that betray leftover cloud and shadow: green, SWIR1
    int consecutive = 6;                   ///< looks in a row that must all disagree with the model
    double change_threshold = 15.0863;     ///< on the squared z-distance: χ² of 5 bands at 0.99
    double outlier_threshold = 30.8562;  ///< a single look beyond it is dropped: χ² of 5 bands at 1 − 10⁻⁵
    double max_angle_deg = 45;           ///< mean angle between successive residual vectors of a change
    double tmask_factor = 4.42;          ///< × median successive difference: leftover cloud
    double max_gap_days = 365.25;        ///< a model is not started across a longer gap
    double min_days = 365.25;            ///< a model is not started on a shorter span
    double refit_share = 0.03;           ///< refit when the model has grown by more than this share
    double snow_share = 0.75;            ///< above it the pixel is taken as permanently snowy
    int reflective_bands =
        6;  ///< the first so many must lie within the range below; the rest is only modelled
    double valid_above = 0, valid_below = 10000;  ///< a look with a reflective band outside is no measurement
    double few_looks_brightness =
        400;  ///< with few looks, those brighter than the median by this are left out
    LassoOptions lasso{};
    RobustOptions robust{.tolerance = 1e-3};  ///< of Tmask: it only asks on which side of a limit a look is
};

/// How a segment came about; the published category is this plus the number of terms.
enum class SegmentKind : std::uint8_t {
    regular = 0,
    start = 10,      ///< what precedes the first stable model: a simple fit
    end = 20,        ///< what follows the last break: too short for a stable model
    few_looks = 40,  ///< fewer than 24 clear looks in all: a simple fit through what is not bright
    snow = 50,       ///< permanent snow
};

/// One stretch of time that one model describes.
struct ColdSegment {
    std::int32_t first_day = 0, last_day = 0;  ///< day numbers as given by the caller
    std::int32_t break_day = 0;                ///< first look that disagrees; 0 when there is none
    std::int32_t confirmed_day = 0;  ///< look with which a confirmed break was known; 0 when there is none
    int change_probability = 0;  ///< 100 a confirmed break; 1–99 so many per cent of the looks needed; 0 none
    int observations = 0;        ///< looks behind the fit
    SegmentKind kind = SegmentKind::regular;
    int terms = 0;  ///< 4, 6 or 8
    std::array<Lanes, harmonic_terms>
        coefficients{};  ///< by term, then band; time counted from day 0, per day
    Lanes rmse{};        ///< by band, with n − terms degrees of freedom
    Lanes magnitude{};   ///< by band: median residual of the looks that disagree; 0 without break

    [[nodiscard]] int category() const { return static_cast<int>(kind) + terms; }
};

/// The detector for one list of acquisition days. Keeps its workspace between pixels, so that a pixel costs
/// no allocation; one object per thread. The same input gives the same output, whatever ran before.
///
/// Follows the published procedure look by look: a model starts on ≥ 12 looks over ≥ 1 year that pass Tmask
/// and a stability test, is extended backwards, then grows one look at a time, with 4, 6 or 8 terms from 12,
/// 18 or 24 looks; residuals are scaled by the 24 looks nearest in season. Where this differs from the C
/// core: double instead of single precision; equal season distances are taken most recent first instead of in
/// the order of an unstable sort; a residual direction that rounding puts beyond 1 is 0°; a start segment
/// counts the looks it was fitted to (one less than published); `few_looks` filters whole looks by brightness
/// (the core sorts the green band away from its dates first).
class Cold {
  public:
    /// `days`: ascending day numbers of any epoch. `bands`: 1 to 8. Throws Error(usage) when days descend, a
    /// band number does not exist, or `consecutive` is below 2 or above 32.
    Cold(std::span<const std::int32_t> days, int bands, ColdOptions options = {});

    /// Appends the segments of one pixel to `out`, in order of time. `values`: band after band, each with one
    /// value per day, in the unit of the options; `looks`: one per day. Of looks on the same day the first
    /// clear one counts. A pixel that is never seen gives no segment. Values that are not finite count as
    /// hidden. Requires values.size() == bands · days and looks.size() == days, else Error(usage). O(looks ·
    /// (bands · terms² + 24 · bands · terms)) plus the fits of starting models.
    void run(std::span<const float> values, std::span<const Look> looks, std::vector<ColdSegment>& out);

  private:
    using Index = std::uint16_t;
    struct Member {
        std::int32_t season;  // quarter days into the mean year
        Index date;
        auto operator<=>(const Member&) const = default;
    };
    static constexpr std::int32_t quarter_days = 1461;  // of the mean year

    [[nodiscard]] static std::int32_t season_of(std::int32_t day) {
        const std::int32_t q = 4 * (day % quarter_days) % quarter_days;
        return q < 0 ? q + quarter_days : q;
    }

    [[nodiscard]] bool measured(std::span<const float> values, std::size_t date);
    void monitor(std::vector<ColdSegment>& out);
    [[nodiscard]] bool initialise(std::vector<ColdSegment>& out);
    [[nodiscard]] bool stable() const;
    void extend_back(std::size_t earliest);
    void record_start(std::vector<ColdSegment>& out);
    [[nodiscard]] bool step(std::vector<ColdSegment>& out);
    void refit(int terms);
    void close_open(std::vector<ColdSegment>& out);
    void close_short(std::vector<ColdSegment>& out);
    void few_looks(std::span<const float> values, std::vector<ColdSegment>& out);
    void snow(std::span<const float> values, std::span<const Look> looks, std::vector<ColdSegment>& out);

    void find_variogram();
    void screen(std::size_t from, std::size_t to);
    void drop_noise(std::size_t from, std::size_t to);
    void fit_simple(std::size_t from, std::size_t to);
    void look_at(std::size_t slot, std::size_t live, const Lanes& scale);
    [[nodiscard]] Lanes scale_of(const Lanes& rmse) const;
    [[nodiscard]] Lanes seasonal_rmse(std::int32_t day);
    [[nodiscard]] double mean_angle(std::size_t from, std::size_t to) const;
    [[nodiscard]] Lanes median_residual(std::size_t from, std::size_t to);
    void describe(ColdSegment& segment) const;
    [[nodiscard]] std::int32_t day(std::size_t live) const { return m_basis.day(m_live[live]); }
    [[nodiscard]] std::size_t first_at(std::int32_t day) const;

    ColdOptions m_options;
    HarmonicBasis m_basis;
    std::size_t m_bands = 0, m_conse = 0;
    Lanes m_tested{};  // 1 for bands of the change test, else 0
    BisquareFitter m_fitter;

    // One pixel. The model covers m_live[m_start, m_stop); m_dense is the first look after the last long gap.
    std::vector<Lanes> m_y;     // by date
    std::vector<Index> m_live;  // dates in play, ascending: clear, and not dropped as noise
    Lanes m_variogram{};
    std::size_t m_start = 0, m_stop = 0, m_dense = 0, m_first_segment = 0;
    bool m_trained = false, m_fresh = false;
    std::size_t m_fitted = 0, m_fitted_span = 0;  // m_stop at the last refit; looks that set its pace
    HarmonicSums m_sums;
    HarmonicFit m_fit;
    ColdSegment m_open;
    std::vector<Member> m_members;             // looks behind the model, by season
    std::vector<Lanes> m_squares;              // squared residuals by date, filled on demand …
    std::vector<std::uint32_t> m_squares_fit;  // … for the fit of this number
    std::uint32_t m_fit_number = 0;
    std::size_t m_window = 0;         // looks in the window below
    std::vector<Lanes> m_z, m_raw;    // scaled and raw residuals of the looks under test
    std::vector<double> m_distance2;  // their squared lengths
    std::vector<double> m_scratch, m_design;
    std::vector<bool> m_noise;
};

}  // namespace shuibao::algorithms
