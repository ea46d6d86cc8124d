// SPDX-License-Identifier: Apache-2.0
// A small landscape looked at through years, in memory: one kind of ground per pixel, with weather and noise
// that depend on pixel and day only, so that any look can be drawn alone.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <shuibao/algorithms/detector.hpp>
#include <shuibao/core/ndvi.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::test {

using Spectrum = std::array<double, 6>;  ///< reflectance in blue, green, red, NIR, SWIR 1.6 µm, SWIR 2.2 µm
inline constexpr Spectrum field_soil{0.08, 0.11, 0.14, 0.21, 0.25, 0.20},
    leaves{0.03, 0.06, 0.04, 0.42, 0.17, 0.08}, subsoil{0.12, 0.18, 0.25, 0.35, 0.42, 0.34},
    rock{0.16, 0.18, 0.20, 0.24, 0.26, 0.24}, lake{0.05, 0.05, 0.03, 0.015, 0.008, 0.005},
    cloud_top{0.55, 0.56, 0.57, 0.60, 0.45, 0.35};

inline Spectrum mixed(const Spectrum& a, const Spectrum& b, double share_of_b) {
    Spectrum s;
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = a[i] + share_of_b * (b[i] - a[i]);
    return s;
}

inline Date day(const std::string& text) {
    return Date::parse(text).value();
}

/// Uniform in [0, 1), a hash of two numbers (splitmix64, Steele et al. 2014).
inline double chance(std::uint64_t a, std::uint64_t b) {
    std::uint64_t z = (a * 0x9E3779B97F4A7C15ULL) ^ (b + 0xD1B54A32D192ED03ULL);
    for (int i = 0; i < 2; ++i) {
        z += 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= z >> 31;
    }
    return static_cast<double>(z >> 11) * 0x1.0p-53;
}

inline double day_of_year(Date d) {
    return d.days() - Date::parse(d.iso().substr(0, 4) + "-01-01")->days() + 1;
}

/// Cover of a field of winter wheat and maize, as on the plain of the Huai.
inline double double_crop(Date d, bool wheat = true, bool maize = true) {
    const auto bell = [](double x, double width) { return std::exp(-0.5 * x * x / (width * width)); };
    const double t = day_of_year(d);
    return (wheat ? 0.9 * bell(t - 100, 32) + 0.35 * bell(t - 345, 25) : 0) +
           (maize ? 0.95 * bell(t - 222, 22) : 0);
}

/// What a pixel is on a day.
using Ground = std::function<Spectrum(Date)>;

struct Landscape {
    std::vector<Ground> pixels;
    std::vector<Date> dates;
    double cloud = 0.35;   ///< share of pixels and looks that the mask says are cloud
    double missed = 0.01;  ///< share of cloud that the mask does not know of
    bool four_bands = false;
    bool ndvi_alone = false;  ///< looks hold the index of what they would hold else
    /// Every so manieth look is by another satellite: four bands, other numbers. 0 = none.
    std::size_t other_every = 0;
    Date all_cloud_from{65000};  ///< nothing is seen from this day on
    int cloudy_pixel = -1;       ///< this pixel is not seen from cloudy_from on
    Date cloudy_from{};

    [[nodiscard]] Window window() const { return {3, 7, static_cast<std::int64_t>(pixels.size()), 1}; }

    [[nodiscard]] bool is_other(std::size_t look) const {
        return other_every > 0 && look % other_every == other_every - 1;
    }
    /// As the engine has it where looks differ.
    [[nodiscard]] std::vector<Band> bands() const {
        if (ndvi_alone) return {Band::ndvi};
        if (other_every == 0) return {};
        return {Band::blue, Band::green, Band::red, Band::nir, Band::swir16};
    }

    [[nodiscard]] Image draw(std::size_t look) const {
        Image image;
        const Date d = dates[look];
        image.date = d;
        const bool other = is_other(look);
        for (const Band b : {Band::blue, Band::green, Band::red, Band::nir, Band::swir16, Band::swir22})
            if (!(four_bands || other) || b <= Band::nir) image.bands.push_back(b);
        image.scaling.assign(image.bands.size(), other ? Scaling{5e-5F, -0.02F} : Scaling{1e-4F, -0.1F});
        image.pixels = Block<std::uint16_t>(window(), static_cast<int>(image.bands.size()));
        const auto t = static_cast<std::uint64_t>(d.days());
        const double light = 1 + 0.06 * (chance(t, 1) - 0.5);
        for (std::size_t p = 0; p < pixels.size(); ++p) {
            const bool hidden = chance(t, 100 + p) < cloud || d >= all_cloud_from ||
                                (static_cast<int>(p) == cloudy_pixel && d >= cloudy_from);
            image.pixels.quality()[p] = hidden ? Quality::cloud : Quality::clear;
            const Spectrum s = hidden || chance(t, 5000 + p) < missed ? cloud_top : pixels[p](d);
            for (std::size_t b = 0; b < image.bands.size(); ++b) {
                const double noise = 0.02 * (chance(t, 9000 + 10 * p + b) - 0.5);
                const double r = std::max(s[b] * light * (1 + 4 * noise) + 0.2 * noise, 0.0);
                image.pixels.plane(static_cast<int>(b))[p] =
                    static_cast<std::uint16_t>(std::lround(other ? (r + 0.02) * 2e4 : (r + 0.1) * 1e4));
            }
        }
        return ndvi_alone ? index_of(image) : image;
    }
    [[nodiscard]] static Image index_of(const Image& full) {
        Image image = full;
        image.bands = {Band::ndvi};
        image.scaling = {{1e-4F, -1.0F}};
        image.pixels = Block<std::uint16_t>(full.pixels.window(), 1);
        for (std::size_t p = 0; p < full.pixels.pixels(); ++p) {
            image.pixels.quality()[p] = full.pixels.quality()[p];
            image.pixels.plane(0)[p] = static_cast<std::uint16_t>(std::lround((ndvi_of(full, p) + 1) * 1e4));
        }
        return image;
    }
};

inline std::vector<Date> every(int days, const char* from, const char* to) {
    std::vector<Date> list;
    for (std::int32_t d = day(from).days(); d <= day(to).days(); d += days) list.emplace_back(d);
    return list;
}

/// The first `count` looks of a landscape, of which `applied` are in the state already.
class MemoryLooks final : public algorithms::LookSource {
  public:
    MemoryLooks(const Landscape& land, std::size_t count, std::size_t applied)
        : m_land(land), m_bands(land.bands()), m_count(count), m_applied(applied) {}
    [[nodiscard]] std::span<const Band> bands() const override { return m_bands; }
    [[nodiscard]] std::span<const Date> dates() const override {
        return std::span(m_land.dates).first(m_count);
    }
    [[nodiscard]] std::size_t applied() const override { return m_applied; }
    [[nodiscard]] const Image& read(std::size_t i) override {
        if (i >= m_count) throw std::logic_error("a look of the future was asked for");
        m_image = m_land.draw(i);
        return m_image;
    }

  private:
    const Landscape& m_land;
    std::vector<Band> m_bands;
    std::size_t m_count, m_applied;
    Image m_image;
};

/// A series detector as the engine sees it, with its documented defaults.
class Follower {
  public:
    explicit Follower(Date monitor_from, const std::string& method = "harmonic")
        : m_any(Registry<algorithms::Detector>::make(method)) {
        detector = dynamic_cast<const algorithms::SeriesDetector*>(m_any.get());
        for (const auto& o : m_any->options()) options[o.key] = std::stod(o.fallback);
        times.monitor_from = monitor_from;
    }
    [[nodiscard]] algorithms::DetectorState fresh(const Landscape& land) const {
        algorithms::DetectorState state;
        state.reset(land.window(), detector->state_bands().size());
        return state;
    }
    /// Brings a state that holds `applied` looks to the first `count`.
    void advance(const Landscape& land, std::size_t applied, std::size_t count,
                 algorithms::DetectorState& state) const {
        MemoryLooks looks(land, count, applied);
        detector->advance(looks, times, options, state);
    }
    /// Takes in the looks in parts that end at `ends`.
    [[nodiscard]] algorithms::DetectorState follow(const Landscape& land,
                                                   const std::vector<std::size_t>& ends) const {
        auto state = fresh(land);
        std::size_t applied = 0;
        for (const auto end : ends) {
            advance(land, applied, end, state);
            applied = end;
        }
        return state;
    }
    [[nodiscard]] Change report(const algorithms::DetectorState& state, Date newest,
                                int report_days = 120) const {
        auto t = times;
        t.report_from = Date(newest.days() - report_days + 1);
        t.report_to = newest;
        Change change;
        detector->report(state, t, options, change);
        return change;
    }
    /// What is said of a landscape on a day, after one batch up to it.
    [[nodiscard]] Change seen_on(const Landscape& land, Date d) const {
        const auto n = static_cast<std::size_t>(std::upper_bound(land.dates.begin(), land.dates.end(), d) -
                                                land.dates.begin());
        return report(follow(land, {n}), land.dates[n - 1]);
    }

    const algorithms::SeriesDetector* detector = nullptr;
    algorithms::DetectorOptions options;
    algorithms::SeriesTimes times;

  private:
    std::unique_ptr<algorithms::Detector> m_any;
};

}  // namespace shuibao::test
