// SPDX-License-Identifier: Apache-2.0
// `cold`: the published COLD (Zhu et al. 2020, RSE 244:111116) on every pixel of a series.
#include <algorithm>
#include <array>
#include <cmath>

#include <boost/math/special_functions/gamma.hpp>

#include "whole_series.hpp"
#include <shuibao/algorithms/cold.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {

// The published order of bands, and the role of each in the method.
constexpr std::array published_bands{Band::blue, Band::green,  Band::red,
                                     Band::nir,  Band::swir16, Band::swir22};
constexpr std::array tested_bands{Band::green, Band::red, Band::nir, Band::swir16, Band::swir22};
constexpr std::array cloud_bands{Band::green, Band::blue, Band::red};  // Tmask: the first there is …
constexpr std::array shadow_bands{Band::swir16, Band::nir};            // … of each

// The published core counts days from the year 1; its Lasso depends on the phase.
constexpr std::int32_t ordinal_1970 = 719163;
// Of the published core's categories: a break with these signs is vegetation that grows again.
constexpr double regrowth = 200;
// What counts as bare, as in look_stack.cpp; and a loss of greenness that noise does not make.
constexpr double bare_ndvi = 0.34, least_loss = 0.10, bare_index = 0.02;

double chi2_quantile(double probability, std::size_t bands) {
    return 2 * boost::math::gamma_p_inv(static_cast<double>(bands) / 2, probability);
}

// Position of each role among the bands that there are, or -1.
struct Roles {
    std::vector<Band> bands;
    [[nodiscard]] int at(Band b) const {
        const auto it = std::find(bands.begin(), bands.end(), b);
        return it == bands.end() ? -1 : static_cast<int>(it - bands.begin());
    }
};

Roles roles_of(const std::vector<Band>& there) {
    Roles r;
    for (const Band b : published_bands)
        if (std::find(there.begin(), there.end(), b) != there.end()) r.bands.push_back(b);
    return r;
}

ColdOptions options_for(const Roles& roles, const DetectorOptions& o) {
    ColdOptions c;
    c.test_bands.clear();
    for (const Band b : tested_bands)
        if (const int at = roles.at(b); at >= 0) c.test_bands.push_back(at);
    const auto first_of = [&](auto list) {
        return roles.at(*std::find_if(list.begin(), list.end(), [&](Band b) { return roles.at(b) >= 0; }));
    };
    c.tmask_bands = {first_of(cloud_bands), first_of(shadow_bands)};
    c.consecutive = static_cast<int>(o.at("consecutive"));
    c.change_threshold = chi2_quantile(o.at("probability"), c.test_bands.size());
    c.outlier_threshold = chi2_quantile(1 - 1e-5, c.test_bands.size());
    c.max_angle_deg = o.at("angle");
    c.reflective_bands = static_cast<int>(roles.bands.size());
    return c;
}

// All looks at a window. The numbers of 16 pixels lie together, look after look, for that is how looks come;
// they are turned round 16 pixels at a time.
class Stack {
  public:
    /// Memory is kept from one window to the next.
    void read(LookSource& source, std::size_t pixels) {
        m_looks = source.dates().size();
        m_scales.clear();
        const std::size_t blocks = (pixels + lane_count - 1) / lane_count;
        for (std::size_t i = 0; i < m_looks; ++i) {
            const Image& image = source.read(i);
            if (i == 0) {
                roles = roles_of(image.bands);
                m_values.resize(blocks * m_looks * roles.bands.size() * lane_count);
                m_quality.resize(blocks * m_looks * lane_count);
            }
            put(i, image);
        }
    }

    /// Pixels [block · 16, + 16): reflectance in 1/10 000, band after band, and whether each look counts.
    struct Pixel {
        std::vector<float> values;
        std::vector<Look> seen;
    };
    void gather(std::size_t block, std::array<Pixel, lane_count>& pixels) const {
        const std::size_t bands = roles.bands.size();
        for (auto& p : pixels) {
            p.values.resize(bands * m_looks);
            p.seen.resize(m_looks);
        }
        const std::uint16_t* from = m_values.data() + block * m_looks * bands * lane_count;
        const Quality* quality = m_quality.data() + block * m_looks * lane_count;
        for (std::size_t i = 0; i < m_looks; ++i, quality += lane_count) {
            for (std::size_t l = 0; l < lane_count; ++l)
                pixels[l].seen[i] = usable(quality[l])            ? Look::clear
                                    : quality[l] == Quality::snow ? Look::snow
                                                                  : Look::hidden;
            for (std::size_t b = 0; b < bands; ++b, from += lane_count) {
                const auto& [gain, base] = m_scales[i * bands + b];
                for (std::size_t l = 0; l < lane_count; ++l)
                    pixels[l].values[b * m_looks + i] = static_cast<float>(from[l]) * gain + base;
            }
        }
    }

    Roles roles;

  private:
    void put(std::size_t i, const Image& image) {
        const auto copy = [](auto from, auto* to, std::size_t stride) {
            for (std::size_t p = 0; p < from.size(); p += lane_count, to += stride)
                std::copy_n(from.data() + p, std::min(lane_count, from.size() - p), to);
        };
        copy(image.pixels.quality(), m_quality.data() + i * lane_count, m_looks * lane_count);
        const std::size_t bands = roles.bands.size();
        for (std::size_t b = 0; b < bands; ++b) {
            const int plane = image.plane_of(roles.bands[b]);
            const auto scaling = image.scaling[static_cast<std::size_t>(plane)];
            m_scales.emplace_back(scaling.scale * 1e4F, scaling.offset * 1e4F);
            copy(image.pixels.plane(plane), m_values.data() + (i * bands + b) * lane_count,
                 m_looks * bands * lane_count);
        }
    }

    std::size_t m_looks = 0;
    std::vector<std::uint16_t> m_values;
    std::vector<Quality> m_quality;
    std::vector<std::pair<float, float>> m_scales;
};

// One break: what was expected on its day, and what was seen from then on.
struct Break {
    double ndvi_before = 0, ndvi_after = 0, index_after = 0;
    double distance2 = 0;  // of the median residual
    bool grows = false;    // vegetation comes back
    bool towards_soil = false;
};

Break break_of(const ColdSegment& s, const Roles& roles, const ColdOptions& options) {
    const std::int32_t day = s.break_day;
    const HarmonicBasis basis(std::span(&day, 1));
    HarmonicRow x = basis.row(0);
    x[1] = day;  // the coefficients' time: days, from day 0
    const auto before = [&](int band) {
        double y = 0;
        for (std::size_t k = 0; k < harmonic_terms; ++k)
            y += s.coefficients[k][static_cast<std::size_t>(band)] * x[k];
        return std::clamp(y, 1.0, 10000.0);
    };
    const auto change = [&](int band) { return s.magnitude[static_cast<std::size_t>(band)]; };
    const auto after = [&](int band) { return std::clamp(before(band) + change(band), 1.0, 10000.0); };
    const int blue = roles.at(Band::blue), green = roles.at(Band::green), red = roles.at(Band::red),
              nir = roles.at(Band::nir), swir = roles.at(Band::swir16);
    Break b;
    b.ndvi_before = (before(nir) - before(red)) / (before(nir) + before(red));
    b.ndvi_after = (after(nir) - after(red)) / (after(nir) + after(red));
    if (blue >= 0 && swir >= 0) {
        const double up = after(swir) + after(red), down = after(nir) + after(blue);
        b.index_after = (up - down) / (up + down);
    } else if (green >= 0) {
        b.index_after = (after(red) - after(green)) / (after(red) + after(green));
    }
    for (const int band : options.test_bands) {
        const double z = change(band) / std::max(s.rmse[static_cast<std::size_t>(band)], 1e-6);
        b.distance2 += z * z;
    }
    b.grows = change(nir) > -regrowth && change(red) < regrowth && (swir < 0 || change(swir) < regrowth);
    b.towards_soil =
        change(red) > 0 && b.ndvi_after < bare_ndvi && b.ndvi_before - b.ndvi_after >= least_loss;
    return b;
}

class ColdDetector final : public WholeSeries {
  public:
    [[nodiscard]] std::string summary() const override {
        return "COLD (Zhu et al. 2020), the whole series anew with every batch; for comparison";
    }
    [[nodiscard]] DetectorNeeds needs() const override {
        auto n = WholeSeries::needs();
        n.bytes_per_look = published_bands.size() * sizeof(std::uint16_t) + sizeof(Quality);
        return n;
    }
    [[nodiscard]] std::vector<Option> options() const override {
        return {
            number_option("consecutive", "6",
                          "Looks in a row that must all disagree with the model; published: 6", "", 2, 32),
            number_option("probability", "0.99",
                          "Of χ² with one degree of freedom per tested band: a look disagrees when its "
                          "squared distance lies above that quantile; published: 0.99",
                          "", 0.5, 0.999999),
            number_option("angle", "45",
                          "Largest mean angle between successive residual vectors of a change; published: "
                          "45",
                          "°", 1, 180),
            number_option("direction", "0",
                          "0 = every break but those of the published category regrowth; 1 = only breaks "
                          "from vegetation to bare ground, which finds fewer sites in woods (seed 11)",
                          "", 0, 1)};
    }
    [[nodiscard]] std::vector<Band> bands(std::span<const Band> common) const override {
        std::vector<Band> list;
        for (const Band b : common)
            if (std::find(published_bands.begin(), published_bands.end(), b) != published_bands.end())
                list.push_back(b);
        return list;
    }

  protected:
    void judge(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
               std::span<Finding> found) const override {
        std::vector<std::int32_t> days;
        for (const Date d : source.dates()) days.push_back(d.days() + ordinal_1970);
        thread_local Stack stack;
        stack.read(source, found.size());
        const auto settings = options_for(stack.roles, options);
        Cold cold(days, static_cast<int>(stack.roles.bands.size()), settings);
        const bool direction = options.at("direction") >= 0.5;
        std::array<Stack::Pixel, lane_count> block;
        std::vector<ColdSegment> segments;
        for (std::size_t p = 0; p < found.size(); ++p) {
            if (p % lane_count == 0) stack.gather(p / lane_count, block);
            const auto& [values, seen] = block[p % lane_count];
            for (std::size_t i = seen.size(); i-- > 0 && found[p].last == 0;)
                if (seen[i] == Look::clear) found[p].last = days[i] - ordinal_1970;
            if (found[p].last == 0) continue;
            segments.clear();
            cold.run(values, seen, segments);
            conclude(segments, stack.roles, settings, times.monitor_from.days() + ordinal_1970, direction,
                     found[p]);
        }
    }

  private:
    // The first break that counts, unless vegetation came back later.
    static void conclude(const std::vector<ColdSegment>& segments, const Roles& roles,
                         const ColdOptions& options, std::int32_t monitor_from, bool direction, Finding& f) {
        for (const ColdSegment& s : segments) {
            const bool watched = s.break_day >= monitor_from;
            if (s.kind == SegmentKind::regular && (watched || s.last_day >= monitor_from)) f.judged = true;
            if (!watched || s.change_probability == 0) continue;
            f.judged = true;
            const Break b = break_of(s, roles, options);
            if (b.grows) {
                if (s.change_probability == 100) f.ratio = 0;
                continue;
            }
            if (f.ratio > 0 || (direction && !b.towards_soil)) continue;
            f.ratio = s.change_probability == 100 ? std::max(1.0, b.distance2 / options.change_threshold)
                                                  : s.change_probability / 100.0;
            f.deviations = std::sqrt(b.distance2);
            f.from = s.last_day - ordinal_1970;
            f.to = s.break_day - ordinal_1970;
            f.alarm = s.confirmed_day > 0 ? s.confirmed_day - ordinal_1970 : 0;
            f.kind = !b.towards_soil              ? ChangeKind::surface
                     : b.index_after > bare_index ? ChangeKind::vegetation_to_bare
                                                  : ChangeKind::vegetation_to_built;
        }
    }
};

const Registration<Detector, ColdDetector> registration{"cold", 30};

}  // namespace
}  // namespace shuibao::algorithms
