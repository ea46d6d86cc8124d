// SPDX-License-Identifier: Apache-2.0
// A satellite archive of several years over an invented plain, with the truth about every pixel and day.
// Lengths are pixels of 10 m unless a name says otherwise; days count from 1970-01-01 as in Date.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/date.hpp>

namespace shuibao::algorithms::simulated {

/// Surface reflectance in blue, green, red, nir, swir16, swir22.
using Spectrum = std::array<float, 6>;

struct Options {
    std::int64_t size = 800;  ///< pixels a side, 128 … 4096
    std::uint64_t seed = 1;
    Date from = Date(18628), to = Date(19722);  ///< 2021-01-01 … 2023-12-31
    Date monitor_from = Date(19357);            ///< sites open from here on; before it only old ones did
    int revisit = 5;                            ///< days between looks (Sentinel-2 pair: 5)
    int sites = 24;                             ///< opened in [monitor_from, to], as far as there is room
    int old_sites = 6;                          ///< opened before monitor_from: stable bare ground
    int bands = 6;                              ///< 6, or 4 (blue, green, red, nir)
    /// Looks from this day on are stored with 1000 added to the numbers (Sentinel-2 baseline 04.00).
    Date offset_from = Date(19017);  ///< 2022-01-25
    int swath_edges = 2;             ///< looks that the edge of the swath cuts
    bool miscalibrated = false;      ///< one look of the monitored time is 0.1 too bright in all bands
};

/// What a pixel is, as written to cover.tif.
enum class Cover : std::uint8_t {
    double_crop = 1,  ///< winter wheat and summer maize
    single_crop,
    rotated,    ///< the crops change from year to year
    idle,       ///< out of use for several seasons inside the archive
    orchard,    ///< trees over grass
    evergreen,  ///< forest
    deciduous,  ///< forest
    grass,
    village,
    greenhouse,  ///< plastic film in the cold season
    reservoir,
    river,  ///< channel and bars; flooded fields keep their class
    rock,
    edge,      ///< tracks and rows of trees between fields
    old_site,  ///< opened before the monitored time
};
inline constexpr int cover_count = 15;
[[nodiscard]] const char* name_of(Cover cover);
[[nodiscard]] constexpr bool is_field(Cover c) {
    return c == Cover::double_crop || c == Cover::single_crop || c == Cover::rotated || c == Cover::idle;
}

/// Ground that is worked as one.
struct Parcel {
    Cover cover = Cover::grass;
    float x = 0, y = 0;              ///< about its middle
    std::uint64_t key = 0;           ///< seeds everything about it
    Spectrum soil = {};              ///< dry
    Spectrum plant = {};             ///< closed canopy, or the material of what is no plant
    float vigour = 1;                ///< productivity
    int film_since = 0;              ///< greenhouses: first day of film
    int idle_from = 0, idle_to = 0;  ///< days without a crop, when longer than a season
};

/// One crop from sowing to harvest: canopy = height · exp(−(t−peak)²/2σ²) with σ = rise before the peak and
/// fall after it, and nothing after the harvest.
struct Season {
    float peak = 0, rise = 1, fall = 1, height = 0;
    int sown = 0, harvest = 0;
    bool skipped = false;  ///< the field lay bare from `sown` to `harvest`
    int fire = 0;          ///< day on which the stubble was burnt, 0 = never
};

/// What covers a parcel on one day. The shares are of the ground; `green` lies above them.
struct State {
    float green = 0;  ///< canopy, 0–1
    float straw = 0, char_ = 0, film = 0;
};

/// The land without its sites.
struct Land {
    std::int64_t size = 0;
    std::vector<Parcel> parcels;
    std::vector<std::vector<Season>> seasons;  ///< per parcel, by time
    std::vector<std::uint32_t> parcel;         ///< per pixel, row-major: index into parcels
    std::vector<Cover> cover;
    std::vector<float> texture;           ///< brightness of the pixel's soil relative to its parcel's
    std::vector<float> slope_x, slope_y;  ///< rise to the east and to the south, m/m
    std::vector<std::int16_t> height;     ///< cm above the datum of the water body; `dry` elsewhere
    static constexpr std::int16_t dry = 32767;
};

/// Day by day from `first`: what the weather did to the ground.
struct Weather {
    int first = 0;
    std::vector<float> wet;                      ///< top soil, 0 dry … 1 soaked
    std::vector<float> snow;                     ///< cover, 0–1
    std::vector<std::int16_t> reservoir, river;  ///< water level, cm
    std::vector<std::int16_t> river_month;       ///< highest river of the last 35 days
    [[nodiscard]] std::size_t at(int day) const { return static_cast<std::size_t>(day - first); }
};

enum class SiteKind { construction, road, quarry, spoil };
[[nodiscard]] const char* name_of(SiteKind kind);
enum class Fate { open, built, reverted, dormant };

/// A place that people open.
struct Site {
    SiteKind kind = SiteKind::construction;
    Fate fate = Fate::open;
    bool old = false;             ///< opened before the monitored time
    int onset = 0;                ///< first day of opening
    int complete = 0;             ///< last day of growth inside the archive
    std::optional<int> reverted;  ///< day from which the ground is worked or green again
    Spectrum soil = {};           ///< its open ground, dry
    Segment segment;              ///< pixels opened until the end of the archive
};

/// Something that looks like a site and is none.
struct LookAlike {
    const char* kind = "";  ///< skipped_season, idle, fire, greenhouse, flood, drawdown, old_site
    int from = 0, to = 0;   ///< days, inside the archive
    Segment segment;
};

/// One look from above.
struct Look {
    Date date;
    float shift_x = 0, shift_y = 0;  ///< the content lies this far east and south of its place
    float clear = 0;                 ///< share that the mask will call clear, before snow and swath
    Spectrum gain = {}, haze = {};
    bool offset = false;                 ///< 1000 is added to the numbers
    bool miscalibrated = false;          ///< 0.1 is added to the reflectance
    float swath_x = 0, swath_slope = 0;  ///< data lies where x < swath_x + swath_slope · y; 0, 0 = everywhere
};

/// All that is decided before a pixel is drawn. The same options give the same plan on any machine.
struct Plan {
    Options options;
    Land land;
    Weather weather;
    std::vector<Site> sites;           ///< new ones first, then old ones
    std::vector<std::int16_t> site;    ///< per pixel: index into sites, -1 = none
    std::vector<std::int16_t> opened;  ///< per pixel of a site: day of opening − options.from
    std::vector<std::int16_t> built;   ///< per pixel: day of roof or concrete − options.from; 32767 = never
    std::vector<Look> looks;           ///< by date
};
/// Throws Error(usage) when the dates leave nothing to simulate.
[[nodiscard]] Plan make_plan(const Options& options);

/// Fallow, burnt, flooded, covered and uncovered ground with its days, by kind, then by first pixel and day.
[[nodiscard]] std::vector<LookAlike> look_alikes(const Plan& plan);

/// What a site was opened on.
struct GroundUnder {
    Cover cover = Cover::grass;  ///< of most of its pixels; the lower code on a tie
    /// Root mean square over the bands of ln(site's open ground / soil of the parcel), both dry, averaged
    /// over its pixels: 0 = the field's own soil.
    double contrast = 0;
};
[[nodiscard]] GroundUnder ground_under(const Plan& plan, std::size_t site);

/// What a parcel bears on a day.
[[nodiscard]] State state_of(const Parcel& parcel, const std::vector<Season>& seasons, int day);

/// A drawn look. Codes of the mask are those of Sentinel-2's scene classification (SCL).
struct Picture {
    std::vector<std::vector<std::uint16_t>> bands;  ///< (ρ [+ 0.1]) · 10 000, at least 1; 0 = no data
    std::vector<std::uint16_t> scl;
    struct SiteView {
        std::int32_t open = 0, clear = 0;  ///< pixels open that day; of these, clear by the mask
    };
    std::vector<SiteView> sites;
    /// Pixels: with data; clear by the mask; of these truly under thin cloud, in a cloud's shadow; clear sky
    /// that the mask calls cloud; called snow.
    std::int64_t data = 0, clear = 0, missed_cloud = 0, missed_shadow = 0, false_cloud = 0, snow = 0;
};
/// Draws look `i`. Reentrant; O(pixels); needs about 20 bytes a pixel.
[[nodiscard]] Picture draw(const Plan& plan, std::size_t i);

/// First look on which the mask shows at least half of the ground a site had opened, from the views of all
/// looks in order.
[[nodiscard]] std::optional<Date> first_clear(const Plan& plan, std::size_t site,
                                              const std::vector<std::vector<Picture::SiteView>>& views);

/// How often a pixel of a site was seen clear while it was open, by the mask: mean over all its pixels, to
/// 0.1.
[[nodiscard]] double clear_looks(const Plan& plan, std::size_t site,
                                 const std::vector<std::vector<Picture::SiteView>>& views);

}  // namespace shuibao::algorithms::simulated
