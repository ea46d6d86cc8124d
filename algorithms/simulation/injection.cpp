// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "parts.hpp"
#include <shuibao/algorithms/injection.hpp>

namespace shuibao::algorithms {
namespace {

using namespace simulated;
using std::numbers::pi;

// Position in the site: inside or not, and how far the work has to come to get there (0 … 1).
struct Spot {
    bool inside = false;
    double way = 0;
};

struct Outline {
    SiteShape shape;
    double length, width;  // m, full axes
    double turn;           // radians
    std::array<double, 3> wobble, phase;

    [[nodiscard]] Spot at(double x, double y) const {
        const double u = x * std::cos(turn) + y * std::sin(turn), v = y * std::cos(turn) - x * std::sin(turn);
        if (shape == SiteShape::compact) {
            const double a = std::atan2(v / width, u / length);
            double rim = 1;
            for (std::size_t k = 0; k < wobble.size(); ++k)
                rim += wobble[k] * std::sin(static_cast<double>(k + 2) * a + phase[k]);
            const double r = 2 * std::hypot(u / length, v / width) / rim;
            return {r <= 1, r};  // opened from its middle
        }
        const bool inside = std::abs(u) <= length / 2 && std::abs(v) <= width / 2;
        return {inside, u / length + 0.5};  // opened from one end
    }
};

Spectrum soil_of(Draws& d) {
    const double kind = d.uniform();
    const Spectrum base = kind < 0.60   ? material::subsoil
                          : kind < 0.75 ? material::rock
                          : kind < 0.85 ? material::sand
                                        : mixed(material::subsoil, material::concrete, 0.5);
    return scaled(base, std::exp(0.12 * d.gauss()));
}

// Reflectance of a band that the spectra do not hold, between those that they do.
float in_band(const std::array<float, 6>& s, Band band, bool& ground) {
    ground = true;
    const auto red_edge = [&](float t) { return s[2] + t * (s[3] - s[2]); };
    switch (band) {
        case Band::coastal:
            return 0.85F * s[0];
        case Band::blue:
            return s[0];
        case Band::green:
            return s[1];
        case Band::red:
            return s[2];
        case Band::rededge071:
            return red_edge(0.25F);
        case Band::rededge075:
            return red_edge(0.50F);
        case Band::rededge078:
            return red_edge(0.75F);
        case Band::nir:
        case Band::nir08:
        case Band::nir09:
            return s[3];
        case Band::swir16:
            return s[4];
        case Band::swir22:
            return s[5];
        case Band::pan:
            return (s[0] + s[1] + s[2]) / 3;
        case Band::ndvi:
            return (s[3] - s[2]) / (s[3] + s[2]);
        case Band::cirrus:
            break;
    }
    ground = false;
    return 0;
}

}  // namespace

std::string site_shape_name(SiteShape shape) {
    return shape == SiteShape::compact ? "compact" : shape == SiteShape::platform ? "platform" : "strip";
}

double InjectedSite::chance(std::uint64_t n) const {
    return simulated::uniform(key + n * 0x9E3779B97F4A7C15ULL);  // SplitMix64's sequence from this key
}

float InjectedSite::share(std::size_t pixel, Date day) const {
    const int age = day.days() - onset.days();
    if (age < 0) return 0;
    const auto first = opens.begin() + static_cast<std::ptrdiff_t>(pixel * parts);
    const auto n =
        std::count_if(first, first + parts, [&](std::uint8_t t) { return t != never && t <= age; });
    return static_cast<float>(n) / parts;
}

InjectedSite draw_site(const InjectionOptions& o, std::uint64_t number) {
    InjectedSite site;
    site.key = part(part(o.seed, 0x1A3C), number);
    Draws d(site.key);
    const double kind = d.uniform();
    site.shape = kind < 0.45 ? SiteShape::compact : kind < 0.80 ? SiteShape::platform : SiteShape::strip;
    const double wanted = o.min_area * std::pow(o.max_area / o.min_area, d.uniform());
    Outline outline{site.shape, 0, 0, d.uniform(0, pi), {}, {}};
    for (std::size_t k = 0; k < outline.wobble.size(); ++k) {
        outline.wobble[k] = 0.10 * d.uniform();
        outline.phase[k] = d.uniform(0, 2 * pi);
    }
    if (site.shape == SiteShape::strip) {
        outline.width = std::clamp(std::sqrt(wanted) / 5, 8.0, 40.0) * d.uniform(0.8, 1.25);
        outline.length = wanted / outline.width;
    } else {
        const double ratio = d.uniform(1, site.shape == SiteShape::compact ? 2 : 2.5);
        const double full = site.shape == SiteShape::compact ? pi / 4 : 1;
        outline.width = std::sqrt(wanted / (full * ratio));
        outline.length = outline.width * ratio;
    }
    const auto days = static_cast<double>(o.last.days() - o.first.days() + 1);
    site.onset = Date(o.first.days() + static_cast<std::int32_t>(d.uniform() * days));
    site.growth = static_cast<int>(d.uniform() * (std::min(o.longest_growth, 253) + 1));
    site.soil = soil_of(d);

    constexpr int side = 4;
    const double reach = 1.35 * std::max(outline.length, outline.width);
    const double dx = d.uniform(), dy = d.uniform();  // where in its pixel the middle lies
    const int half = static_cast<int>(std::ceil(reach / 2 / o.gsd)) + 1, size = 2 * half + 1;
    std::vector<std::uint8_t> all(static_cast<std::size_t>(size * size) * InjectedSite::parts,
                                  InjectedSite::never);
    int c0 = size, c1 = -1, r0 = size, r1 = -1;
    std::size_t open = 0;
    for (int r = 0; r < size; ++r)
        for (int c = 0; c < size; ++c)
            for (int p = 0; p < InjectedSite::parts; ++p) {
                const double x = (c - half - dx + (p % side + 0.5) / side) * o.gsd,
                             y = (r - half - dy + (static_cast<double>(p / side) + 0.5) / side) * o.gsd;
                const Spot spot = outline.at(x, y);
                if (!spot.inside) continue;
                // A tenth is opened at once.
                const double t = std::max(0.0, (std::clamp(spot.way, 0.0, 1.0) - 0.1) / 0.9) * site.growth;
                all[static_cast<std::size_t>(r * size + c) * InjectedSite::parts +
                    static_cast<std::size_t>(p)] = static_cast<std::uint8_t>(std::lround(t));
                ++open;
                c0 = std::min(c0, c), c1 = std::max(c1, c), r0 = std::min(r0, r), r1 = std::max(r1, r);
            }
    site.area = static_cast<double>(open) * o.gsd * o.gsd / InjectedSite::parts;
    site.cols = c1 - c0 + 1;
    site.rows = r1 - r0 + 1;
    for (int r = r0; r <= r1; ++r) {
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(r * size + c0) * InjectedSite::parts;
        site.opens.insert(site.opens.end(), from,
                          from + static_cast<std::ptrdiff_t>(site.cols) * InjectedSite::parts);
    }
    return site;
}

void lay_into(const InjectedSite& site, std::int64_t col, std::int64_t row, Image& look) {
    const auto& w = look.pixels.window();
    const auto day = static_cast<std::uint64_t>(look.date.days());
    const double dry = uniform(part(site.key, 7000 + day));
    const auto wet =
        static_cast<float>(1 - 0.25 * dry * dry);  // seldom soaked; soaked soil is a quarter darker
    for (std::size_t b = 0; b < look.bands.size(); ++b) {
        bool ground = false;
        const bool ratio = look.bands[b] == Band::ndvi;  // what darkens all bands alike leaves it
        const float soil = in_band(site.soil, look.bands[b], ground) * (ratio ? 1 : wet);
        if (!ground) continue;
        const auto plane = look.pixels.plane(static_cast<int>(b));
        const Scaling s = look.scaling[b];
        for (int r = 0; r < site.rows; ++r)
            for (int c = 0; c < site.cols; ++c) {
                const std::int64_t x = col + c - w.col, y = row + r - w.row;
                if (x < 0 || y < 0 || x >= w.cols || y >= w.rows) continue;
                const auto pixel = static_cast<std::size_t>(r * site.cols + c);
                const float open = site.share(pixel, look.date);
                if (open <= 0) continue;
                auto& stored = plane[static_cast<std::size_t>(y * w.cols + x)];
                // Work changes the surface every fortnight; all bands of a pixel together.
                const double rough = ratio ? 1 : 1 + 0.06 * gauss(part(part(site.key, pixel), day / 14));
                const float was = static_cast<float>(stored) * s.scale + s.offset,
                            is = was + open * (soil * static_cast<float>(rough) - was);
                stored = static_cast<std::uint16_t>(
                    std::clamp(std::lround((is - s.offset) / s.scale), 0L, 65535L));
            }
    }
}

LandStratum land_stratum(std::vector<double> ndvi) {
    if (ndvi.empty()) return LandStratum::unseen;
    std::sort(ndvi.begin(), ndvi.end());
    const auto at = [&](double q) {
        return ndvi[static_cast<std::size_t>(q * static_cast<double>(ndvi.size() - 1) + 0.5)];
    };
    const auto bare = std::lower_bound(ndvi.begin(), ndvi.end(), 0.34) - ndvi.begin();
    if (at(0.95) < 0.40) return LandStratum::open;
    if (at(0.1) >= 0.50) return LandStratum::evergreen;
    if (static_cast<double>(bare) >= 0.05 * static_cast<double>(ndvi.size())) return LandStratum::field;
    return LandStratum::other;
}

std::string land_stratum_name(LandStratum stratum) {
    switch (stratum) {
        case LandStratum::unseen:
            return "never seen";
        case LandStratum::open:
            return "open ground";
        case LandStratum::field:
            return "bare at times";
        case LandStratum::evergreen:
            return "green all year";
        case LandStratum::other:
            return "green with a season";
    }
    return "?";
}

}  // namespace shuibao::algorithms
