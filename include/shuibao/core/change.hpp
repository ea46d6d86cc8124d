// SPDX-License-Identifier: Apache-2.0
// What a detector says of each pixel: the change map that delineation turns into polygons.
#pragma once

#include <algorithm>
#include <array>
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
inline constexpr std::size_t change_kinds = 6;

/// What the pixels of a window were before: what was sown together and lies bare together is told from what
/// was opened across fields, by how much they have left it lately, how they differ from their own bare soil,
/// and how green they were at best in each month. A pixel has 22 bytes in eleven planes, row-major; all zero
/// where nothing is known.
struct PixelHistory {
    static constexpr std::size_t planes = 11, terms = 5;
    static constexpr std::size_t lately = 4;  ///< running means of what the looks differ from the season by
    static constexpr double step = 0.005;     ///< NDVI, of a term
    /// Of what lies lower than the own soil of the pixel ever did.
    static constexpr double drop_step = 0.01;
    static constexpr int middle = 128, drop_middle = 64;
    /// Of `recent`: NDVI of the last weeks, NDVI of the last half-year, soil index and ln brightness of the
    /// last two months.
    static constexpr std::array<double, lately> recent_step = {1.0 / 256, 1.0 / 256, 1.0 / 256, 1.0 / 128};

    /// Classes of the greenest look of a month: 0 = none was clear; class c holds NDVI from
    /// `green_floor` + (c − 1) `green_step`, the first and the last also what lies beyond.
    static constexpr std::size_t months = 12;
    static constexpr std::uint8_t green_classes = 15;
    static constexpr double green_floor = 0.10, green_step = 0.05;
    /// Of the month that the map ends in, and of those before.
    using Greenest = std::array<std::uint8_t, months>;
    static constexpr std::uint8_t green_class = 5;  ///< the first of ground called green: NDVI 0.30
    /// The highest class of so many months; 0 = no clear look.
    [[nodiscard]] static std::uint8_t greenest_of(const Greenest& classes, std::size_t of_months) {
        return *std::max_element(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(of_months));
    }
    /// Months since the last of a class or above; `months` = none.
    [[nodiscard]] static std::uint8_t months_since(const Greenest& classes, std::uint8_t least) {
        const auto* last =
            std::find_if(classes.begin(), classes.end(), [&](std::uint8_t c) { return c >= least; });
        return static_cast<std::uint8_t>(last - classes.begin());
    }

    /// What is known of a pixel's own bare soil, of the looks since it may have been opened, and of how green
    /// it was at best; each may be unknown.
    enum class Trait : std::uint8_t {
        own_index,             ///< soil index of its own bare soil
        own_brightness,        ///< ln brightness of that
        index_above_own,       ///< mean soil index since it may have been opened, less own_index
        brightness_above_own,  ///< ln brightness of the last two months, less own_brightness
        green_above_own,       ///< mean NDVI since it may have been opened, less that of its own bare soil
        run_looks,             ///< looks since then that are kept: until it was confirmed, at most 8
        greenest_4,            ///< NDVI of the greenest look of the last four months
        greenest_9,            ///< the same of nine
        since_green,           ///< months since a look had NDVI 0.30 or more; 12 = in none of them
    };
    static constexpr std::size_t traits = 9, kept_traits = 6;  ///< the first are kept, the others are counted
    static constexpr std::array<double, traits> trait_step = {
        1.0 / 256, 1.0 / 64, 1.0 / 256, 1.0 / 128, 1.0 / 256, 1, green_step, green_step, 1};
    /// A class of greenness stands for its middle.
    static constexpr double green_middle = green_floor + (middle - 0.5) * green_step;
    static constexpr std::array<double, traits> trait_middle = {
        0, -1.5, 0, 0, 0, 128, green_middle, green_middle, 127};
    /// In steps about the middle, which is 128; 0 = unknown.
    using Traits = std::array<std::uint8_t, traits>;
    using KeptTraits = std::array<std::uint8_t, kept_traits>;

    Window window;
    std::array<std::vector<std::uint16_t>, planes> values;  ///< empty: the method keeps no history

    [[nodiscard]] bool empty() const { return values[0].empty(); }
    void clear() {
        for (auto& v : values) v.clear();
    }
    void resize(const Window& w) {
        window = w;
        for (auto& v : values) v.assign(static_cast<std::size_t>(w.pixels()), 0);
    }
    /// What is told of a pixel takes sixteen bytes, two to a plane, the first of them in the high half, and
    /// after these the classes of the months, four to a plane. Which byte is which, and what is put there:
    static constexpr std::size_t bytes = 16, drop_byte = terms, first_recent = drop_byte + 1,
                                 first_trait = first_recent + lately;
    /// Term k of a season: NDVI as a + b cos ωt + c sin ωt + d cos 2ωt + e sin 2ωt. Byte k.
    [[nodiscard]] static int coded_term(std::size_t k, double v) {
        return coded(v / step, k == 0 ? 1 : middle);
    }
    /// By how much its NDVI lies below that of its own bare soil now (0 where either is unknown); `tilled`:
    /// somebody tills it.
    [[nodiscard]] static int coded_drop(double drop, bool tilled) {
        return std::clamp(rounded(drop / drop_step) + drop_middle, 0, 127) + (tilled ? 128 : 0);
    }
    /// Running mean k of observed − expected.
    [[nodiscard]] static int coded_recent(std::size_t k, double v) {
        return coded(v / recent_step[k], middle);
    }
    /// One of kept_traits that is known; 0 is put where it is not.
    [[nodiscard]] static int coded_trait(std::size_t k, double v) {
        return coded((v - trait_middle[k]) / trait_step[k], middle);
    }
    [[nodiscard]] static std::uint16_t pair(int high, int low) {
        return static_cast<std::uint16_t>(high << 8 | low);
    }
    static constexpr std::size_t first_month_plane = bytes / 2;
    [[nodiscard]] static std::uint16_t four_months(int first, int second, int third, int fourth) {
        return static_cast<std::uint16_t>(first | second << 4 | third << 8 | fourth << 12);
    }
    /// Ground that was water now and then; its season is not known.
    void set_water(std::size_t i) { values[0][i] = 0, values[1][i] = 0, values[2][i] = 1; }
    [[nodiscard]] bool water(std::size_t i) const { return !known(i) && values[2][i] == 1; }
    [[nodiscard]] KeptTraits kept_traits_of(std::size_t i) const {
        const auto byte = [](int v) { return static_cast<std::uint8_t>(v); };
        return {byte(values[5][i] >> 8),  byte(values[5][i] & 255), byte(values[6][i] >> 8),
                byte(values[6][i] & 255), byte(values[7][i] >> 8),  byte(values[7][i] & 255)};
    }
    [[nodiscard]] Traits traits_of(std::size_t i) const;
    [[nodiscard]] Greenest greenest(std::size_t i) const {
        Greenest g{};
        for (std::size_t k = 0; k < months; ++k)
            g[k] = static_cast<std::uint8_t>(values[first_month_plane + k / 4][i] >> 4 * (k % 4) & 15);
        return g;
    }
    /// Terms of pixel i in steps; all zero where nothing is known.
    [[nodiscard]] std::array<int, terms> season(std::size_t i) const {
        return {values[0][i] >> 8, values[0][i] & 255, values[1][i] >> 8, values[1][i] & 255,
                values[2][i] >> 8};
    }
    [[nodiscard]] bool known(std::size_t i) const { return values[0][i] != 0; }
    [[nodiscard]] int drop(std::size_t i) const { return (values[2][i] & 127) - drop_middle; }
    [[nodiscard]] bool tilled(std::size_t i) const { return (values[2][i] & 128) != 0; }
    /// In steps; 0 where nothing is known.
    [[nodiscard]] std::array<int, lately> recent(std::size_t i) const {
        if (!known(i)) return {};
        return {(values[3][i] >> 8) - middle, (values[3][i] & 255) - middle, (values[4][i] >> 8) - middle,
                (values[4][i] & 255) - middle};
    }

  private:
    [[nodiscard]] static int rounded(double v) { return static_cast<int>(v + (v < 0 ? -0.5 : 0.5)); }
    /// Steps to a byte that is not 0.
    [[nodiscard]] static int coded(double steps, int zero) {
        const double bounded = steps < -512 ? -512 : steps > 512 ? 512 : steps;
        const int v = rounded(bounded) + zero;
        return v < 1 ? 1 : v > 255 ? 255 : v;
    }
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
    PixelHistory history;                   ///< of methods that learn one; also of pixels without evidence

    Change() = default;
    explicit Change(const Window& w) { reset(w); }

    /// Makes this the map of another window in place, keeping its memory: all unobserved, no history.
    void reset(const Window& w) {
        window = w;
        const auto n = static_cast<std::size_t>(w.pixels());
        evidence.assign(n, unobserved);
        for (auto* plane : {&confidence, &magnitude, &onset_from, &onset_to}) plane->assign(n, 0);
        kind.assign(n, ChangeKind::none);
        history.clear();
    }

    /// Stores evidence (log-odds), the confidence 1/(1+e^−evidence) and the magnitude (null standard
    /// deviations) of pixel i, rounded and saturated.
    void set(std::size_t i, double log_odds, double deviations);

    /// Stored evidence at or above which a level of log-odds is reached.
    [[nodiscard]] static int stored(double log_odds);
};

}  // namespace shuibao
