// SPDX-License-Identifier: Apache-2.0
// The seasonal model: weighted least squares of many pixels at once, one Gram matrix for all features.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <vector>

#include "harmonic_model.hpp"
#include "lanes.hpp"

namespace shuibao::algorithms {
namespace {

constexpr std::size_t terms = season_terms + 1;             // and the trend
constexpr std::size_t gram_size = terms * (terms + 1) / 2;  // lower triangle
constexpr float water_brightness = -2.8F;                   // ln of reflectance; darker than wet soil
constexpr int rounds = 4;                                   // of reweighting
constexpr float bisquare = 4.685F;                          // 95 % efficiency (Holland and Welsch 1977)
// Least spreads: what atmosphere and sun add to any pixel (`algorithms.md` §2.2).
constexpr std::array<float, feature_count> least_spread = {0.04F, 0.03F, 0.06F};
constexpr std::array<float, feature_count> most_spread = {0.40F, 0.30F, 1.00F};
constexpr float spread_base = 0.03F, spread_ratio = 0.01376F;  // of codes: from the least to the most above

constexpr std::size_t at(std::size_t i, std::size_t j) {
    return i * (i + 1) / 2 + j;
}

// Basis of the fit: constant, trend, seasons.
std::array<float, terms> basis_of(const Moment& m) {
    return {1.0F, m.years, m.basis[1], m.basis[2], m.basis[3], m.basis[4]};
}

struct Work {
    std::array<Lane, gram_size> gram;
    std::array<std::array<Lane, terms>, feature_count> rhs;
    std::array<std::array<Lane, terms>, feature_count> beta;
    std::array<Lane, feature_count> spread, deviation;
    Lane weight_sum, count;
    // The same for the second feature alone, where some looks do not tell it; else unused.
    bool apart = false;
    std::array<Lane, gram_size> index_gram;
    Lane index_weight_sum, index_count;
};
constexpr std::size_t index_feature = 1;

// The looks that see any pixel of the block, as numbers: most looks of a cloudy year see none.
struct Seen {
    std::vector<std::array<float, terms>> basis;
    std::vector<Lane> weight;  // 1 where the look sees the pixel
    std::vector<std::array<Lane, feature_count>> x;
    std::vector<bool> tells_index;
    bool all_tell = true;
    float features = feature_count;  // so many of a look are told

    void gather(const std::int16_t* looks, std::span<const Moment> moments, std::size_t told) {
        features = static_cast<float>(told);
        basis.clear();
        weight.clear();
        x.clear();
        tells_index.clear();
        all_tell = true;
        for (const Moment& m : moments) {
            Lane w;
            float any = 0;
            for (std::size_t l = 0; l < lane_count; ++l) {
                w[l] = looks[l] == not_seen ? 0.0F : 1.0F;
                any += w[l];
            }
            if (any > 0) {
                basis.push_back(basis_of(m));
                weight.push_back(w);
                tells_index.push_back(m.tells_index);
                all_tell = all_tell && m.tells_index;
                auto& v = x.emplace_back();
                for (std::size_t f = 0; f < feature_count; ++f)
                    for (std::size_t l = 0; l < lane_count; ++l)
                        v[f][l] = static_cast<float>(looks[f * lane_count + l]) * (1.0F / feature_unit);
            }
            looks += feature_count * lane_count;
        }
    }
};

// Weights of one look from its distance to the fit; adds to the deviations.
inline void reweigh(const std::array<float, terms>& b, const std::array<Lane, feature_count>& x, bool index,
                    float told, const std::array<Lane, feature_count>& inverse, Work& w, Lane& weight) {
    std::array<Lane, feature_count> residual;
    Lane square{};
    for (std::size_t f = 0; f < feature_count; ++f) {
        const auto& beta = w.beta[f];
        for (std::size_t l = 0; l < lane_count; ++l) {
            const float fit = beta[0][l] + b[1] * beta[1][l] + b[2] * beta[2][l] + b[3] * beta[3][l] +
                              b[4] * beta[4][l] + b[5] * beta[5][l];
            const float r = x[f][l] - fit;
            residual[f][l] = r < 0 ? -r : r;
            const float z = index || f != index_feature ? r * inverse[f][l] : 0.0F;
            square[l] += z * z;
        }
    }
    // One weight for all features: what spoils a look spoils all of it.
    for (std::size_t l = 0; l < lane_count; ++l) {
        const float u = square[l] * (1.0F / told / (bisquare * bisquare));
        const float v = u < 1.0F ? 1.0F - u : 0.0F;
        weight[l] *= v * v;
    }
    for (std::size_t f = 0; f < feature_count; ++f)
        for (std::size_t l = 0; l < lane_count && (index || f != index_feature); ++l)
            w.deviation[f][l] += weight[l] * residual[f][l];
}

// One look's part of a Gram matrix.
inline void add_square(const std::array<float, terms>& b, const Lane& weight,
                       std::array<Lane, gram_size>& gram) {
    for (std::size_t i = 0; i < terms; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            const float p = b[i] * b[j];
            Lane& g = gram[at(i, j)];
            for (std::size_t l = 0; l < lane_count; ++l) g[l] += p * weight[l];
        }
}

SHUIBAO_LANES void accumulate(const Seen& seen, bool robust, Work& w) {
    for (auto& g : w.gram) g.fill(0);
    for (auto& f : w.rhs)
        for (auto& g : f) g.fill(0);
    for (auto& d : w.deviation) d.fill(0);
    w.weight_sum.fill(0);
    w.count.fill(0);
    w.apart = !seen.all_tell;
    if (w.apart) {
        for (auto& g : w.index_gram) g.fill(0);
        w.index_weight_sum.fill(0);
        w.index_count.fill(0);
    }
    std::array<Lane, feature_count> inverse{};
    if (robust)
        for (std::size_t f = 0; f < feature_count; ++f)
            for (std::size_t l = 0; l < lane_count; ++l) inverse[f][l] = 1.0F / w.spread[f][l];
    for (std::size_t k = 0; k < seen.basis.size(); ++k) {
        const auto& b = seen.basis[k];
        const auto& x = seen.x[k];
        const bool index = seen.tells_index[k];
        Lane weight = seen.weight[k];
        for (std::size_t l = 0; l < lane_count; ++l) w.count[l] += weight[l];
        if (w.apart && index)
            for (std::size_t l = 0; l < lane_count; ++l) w.index_count[l] += weight[l];
        if (robust) reweigh(b, x, index, seen.features - (index ? 0.0F : 1.0F), inverse, w, weight);
        for (std::size_t l = 0; l < lane_count; ++l) w.weight_sum[l] += weight[l];
        add_square(b, weight, w.gram);
        if (w.apart && index) {
            for (std::size_t l = 0; l < lane_count; ++l) w.index_weight_sum[l] += weight[l];
            add_square(b, weight, w.index_gram);
        }
        for (std::size_t f = 0; f < feature_count; ++f) {
            if (!index && f == index_feature) continue;
            Lane weighted;
            for (std::size_t l = 0; l < lane_count; ++l) weighted[l] = weight[l] * x[f][l];
            for (std::size_t i = 0; i < terms; ++i) {
                Lane& g = w.rhs[f][i];
                for (std::size_t l = 0; l < lane_count; ++l) g[l] += b[i] * weighted[l];
            }
        }
    }
}

// Ridge, so that sparse summers bend nothing: more for the trend, and as good as no second harmonic or trend
// where there are too few looks for them.
void stiffen(std::array<Lane, gram_size>& gram, const Lane& count) {
    for (std::size_t l = 0; l < lane_count; ++l) {
        const float few = count[l] < 18 ? 1000.0F : 0.01F, fewer = count[l] < 12 ? 1000.0F : 0.25F;
        const std::array<float, terms> ridge = {1e-4F, fewer, 0.01F, 0.01F, few, few};
        for (std::size_t i = 0; i < terms; ++i) gram[at(i, i)][l] += ridge[i];
    }
}

// Cholesky in place.
SHUIBAO_LANES void factorise(std::array<Lane, gram_size>& g) {
    for (std::size_t i = 0; i < terms; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            Lane sum = g[at(i, j)];
            for (std::size_t k = 0; k < j; ++k)
                for (std::size_t l = 0; l < lane_count; ++l) sum[l] -= g[at(i, k)][l] * g[at(j, k)][l];
            if (i == j) {
                for (std::size_t l = 0; l < lane_count; ++l)
                    g[at(i, i)][l] = std::sqrt(sum[l] > 1e-6F ? sum[l] : 1e-6F);
            } else {
                for (std::size_t l = 0; l < lane_count; ++l) g[at(i, j)][l] = sum[l] / g[at(j, j)][l];
            }
        }
}

// L⁻¹ x in place.
SHUIBAO_LANES void forward(const std::array<Lane, gram_size>& g, std::array<Lane, terms>& x) {
    for (std::size_t i = 0; i < terms; ++i) {
        for (std::size_t k = 0; k < i; ++k)
            for (std::size_t l = 0; l < lane_count; ++l) x[i][l] -= g[at(i, k)][l] * x[k][l];
        for (std::size_t l = 0; l < lane_count; ++l) x[i][l] /= g[at(i, i)][l];
    }
}

SHUIBAO_LANES void backward(const std::array<Lane, gram_size>& g, std::array<Lane, terms>& x) {
    for (std::size_t i = terms; i-- > 0;) {
        for (std::size_t k = i + 1; k < terms; ++k)
            for (std::size_t l = 0; l < lane_count; ++l) x[i][l] -= g[at(k, i)][l] * x[k][l];
        for (std::size_t l = 0; l < lane_count; ++l) x[i][l] /= g[at(i, i)][l];
    }
}

void solve(Work& w) {
    stiffen(w.gram, w.count);
    factorise(w.gram);
    if (w.apart) {
        stiffen(w.index_gram, w.index_count);
        factorise(w.index_gram);
    }
    for (std::size_t f = 0; f < feature_count; ++f) {
        const auto& gram = w.apart && f == index_feature ? w.index_gram : w.gram;
        w.beta[f] = w.rhs[f];
        forward(gram, w.beta[f]);
        backward(gram, w.beta[f]);
    }
}

// 1.2533: mean absolute deviation → standard deviation of a normal.
void respread(Work& w) {
    constexpr float few = 6;  // looks that tell the second feature: of fewer nothing is known
    for (std::size_t f = 0; f < feature_count; ++f) {
        const bool apart = w.apart && f == index_feature;
        const Lane& sum = apart ? w.index_weight_sum : w.weight_sum;
        for (std::size_t l = 0; l < lane_count; ++l) {
            const float s = 1.2533F * w.deviation[f][l] / std::max(sum[l], 1.0F);
            w.spread[f][l] = apart && w.index_count[l] < few ? most_spread[f]
                                                             : std::clamp(s, least_spread[f], most_spread[f]);
        }
    }
}

std::int32_t clamp_round(float v, float most) {
    return lane_round(std::clamp(v, -most, most));
}

constexpr float leverage_step = 0.35F;  // 16 steps of ln(1 + h), up to 190

std::int32_t leverage_code(float h) {
    return std::clamp(lane_round(lane_log(1.0F + std::max(h, 0.0F)) / leverage_step), 0, 15);
}

constexpr float least_share = 0.004F, most_share = 0.98F;
const float share_base = lane_log(least_share / (1 - least_share));
const float share_step = (lane_log(most_share / (1 - most_share)) - share_base) / 15;

std::int32_t share_code(float p) {
    const float c = std::clamp(p, least_share, most_share);
    return std::clamp(lane_round((lane_log(c / (1 - c)) - share_base) / share_step), 0, 15);
}

// Half-months in which ground that nobody tills is green: May to the middle of October.
constexpr std::size_t first_warm = 8, last_warm = 18;

// What the history says beyond the fit: own soil, when it is bare, what kind of ground it is.
struct History {
    std::array<std::array<float, lane_count>, feature_count> soil{};
    Lane soil_index_looks{};  // of soil_looks, those that tell the second feature
    Lane soil_looks{}, green_looks{}, water_looks{}, count{};
    Lane warm_bare{};
    Lane last{};  // years of the last look, as Moment::years
    std::array<Lane, half_months> bare{}, seen{};
};

void look_back(const std::int16_t* looks, std::span<const Moment> moments, const FeatureSet& set,
               History& h) {
    const auto steps = [](float v) { return static_cast<std::int32_t>(v * feature_unit); };
    const std::int32_t max_ndvi = steps(set.soil_max_ndvi), least_ndvi = steps(set.soil_least_ndvi),
                       green = steps(set.bare_max_ndvi), dark = steps(water_brightness),
                       film = steps(set.film_brightness), cloud = steps(set.cloud_brightness);
    for (const Moment& m : moments) {
        // Looks without the second feature have that of visible light in its place.
        const FeatureSet& told = m.tells_index ? set : visible_features();
        const std::int32_t min_index = steps(told.soil_min_index), film_index = steps(told.film_min_index);
        const auto bin = static_cast<std::size_t>(m.half_month);
        const bool warm = bin >= first_warm && bin <= last_warm;
        for (std::size_t l = 0; l < lane_count; ++l) {
            if (looks[l] == not_seen) continue;
            const std::int32_t ndvi = looks[l], index = looks[lane_count + l],
                               level = looks[2 * lane_count + l];
            h.count[l] += 1;
            h.last[l] = m.years;
            h.seen[bin][l] += 1;
            if (ndvi > green) h.green_looks[l] += 1;
            if (level < dark && ndvi < max_ndvi) h.water_looks[l] += 1;
            // Soil, or what covers it every year: film over beds is bright and has no soil in its spectrum.
            if (ndvi < max_ndvi && ndvi > least_ndvi && level < cloud &&
                (index > min_index || (index > film_index && level > film))) {
                h.bare[bin][l] += 1;
                h.soil_looks[l] += 1;
                if (warm) h.warm_bare[l] += 1;
                if (m.tells_index) h.soil_index_looks[l] += 1;
                for (std::size_t f = 0; f < feature_count; ++f)
                    if (m.tells_index || f != index_feature)
                        h.soil[f][l] += static_cast<float>(looks[f * lane_count + l]) * (1.0F / feature_unit);
            }
        }
        looks += feature_count * lane_count;
    }
}

}  // namespace

Moment moment_of(Date date) {
    Moment m;
    m.date = date;
    const double angle = 2 * std::numbers::pi * date.days() / days_per_year;
    m.basis = {1.0F, static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle)),
               static_cast<float>(std::cos(2 * angle)), static_cast<float>(std::sin(2 * angle))};
    const std::chrono::year_month_day calendar{std::chrono::sys_days{std::chrono::days{date.days()}}};
    const auto day = static_cast<int>(static_cast<unsigned>(calendar.day()));
    m.year = static_cast<int>(calendar.year());
    m.month = static_cast<int>(static_cast<unsigned>(calendar.month())) - 1;
    m.half_month = 2 * m.month + (day > 15 ? 1 : 0);
    m.in_half_month =
        day > 15 ? std::min(static_cast<float>(day - 16) / 15.5F, 1.0F) : static_cast<float>(day - 1) / 15;
    return m;
}

float leverage_of(std::int32_t code) {
    static const auto table = [] {
        std::array<float, 16> t{};
        for (std::size_t i = 0; i < t.size(); ++i) t[i] = lane_exp(leverage_step * static_cast<float>(i));
        return t;
    }();
    return table[static_cast<std::size_t>(code)];
}

float share_of(std::int32_t code) {
    static const auto table = [] {
        std::array<float, 16> t{};
        for (std::size_t i = 0; i < t.size(); ++i)
            t[i] = 1.0F / (1.0F + lane_exp(-(share_base + share_step * static_cast<float>(i))));
        return t;
    }();
    return table[static_cast<std::size_t>(code)];
}

std::int32_t spread_code(float spread) {
    return std::clamp(lane_round(lane_log(std::max(spread, 1e-6F) / spread_base) * (1 / spread_ratio)), 0,
                      255);
}

std::int32_t spread_of(std::int32_t code) {
    static const auto table = [] {
        std::array<std::int32_t, 256> t{};
        for (std::int32_t i = 0; i < 256; ++i)
            t[static_cast<std::size_t>(i)] =
                lane_round(spread_base * lane_exp(static_cast<float>(i) * spread_ratio) *
                           static_cast<float>(feature_unit));
        return t;
    }();
    return table[static_cast<std::size_t>(code)];
}

void fit_pixels(const std::int16_t* looks, std::span<const Moment> moments, const FeatureSet& set,
                const HarmonicOptions& o, PixelModel& model) {
    Work w;
    thread_local Seen clear;
    clear.gather(looks, moments, set.told);
    accumulate(clear, false, w);
    solve(w);
    for (std::size_t f = 0; f < feature_count; ++f) w.spread[f].fill(most_spread[f]);
    accumulate(clear, true, w);  // for the spreads
    respread(w);
    for (int round = 0; round < rounds; ++round) {
        accumulate(clear, true, w);
        respread(w);
        solve(w);
    }
    History h;
    look_back(looks, moments, set, h);

    // Variance of a prediction in the middle of each month, the trend held where the last look is: beyond it
    // nothing is known of it.
    for (std::size_t month = 0; month < month_count; ++month) {
        const double angle = 2 * std::numbers::pi * (static_cast<double>(month) + 0.5) / 12;
        const std::array<float, terms> b = {1.0F,
                                            0.0F,
                                            static_cast<float>(std::cos(angle)),
                                            static_cast<float>(std::sin(angle)),
                                            static_cast<float>(std::cos(2 * angle)),
                                            static_cast<float>(std::sin(2 * angle))};
        std::array<Lane, terms> x;
        for (std::size_t i = 0; i < terms; ++i) x[i].fill(b[i]);
        x[1] = h.last;
        forward(w.gram, x);
        for (std::size_t l = 0; l < lane_count; ++l) {
            float sum = 0;
            for (std::size_t i = 0; i < terms; ++i) sum += x[i][l] * x[i][l];
            model.leverage[month][l] = leverage_code(sum);
        }
    }
    constexpr std::array<std::size_t, season_terms> kept = {0, 2, 3, 4, 5};
    for (std::size_t l = 0; l < lane_count; ++l) {
        const float n = h.count[l], soil = h.soil_looks[l];
        for (std::size_t f = 0; f < feature_count; ++f) {
            model.terms[f][0][l] =
                clamp_round((w.beta[f][kept[0]][l] + h.last[l] * w.beta[f][1][l]) * feature_unit, 32767);
            constexpr float wave_unit = feature_unit / PixelModel::wave_steps;
            for (std::size_t i = 1; i < season_terms; ++i)
                model.terms[f][i][l] = PixelModel::wave_steps *
                                       clamp_round(w.beta[f][kept[i]][l] * wave_unit, PixelModel::wave_most);
            model.spread[f][l] = spread_of(spread_code(w.spread[f][l]));
            // Shrunk to fields in general by the weight of two looks.
            const float told = f == index_feature ? h.soil_index_looks[l] : soil;
            const float mean = (h.soil[f][l] + 2 * set.field_soil.mean[f]) / (told + 2);
            model.soil[f][l] = clamp_round(mean * feature_unit, 32767);
        }
        model.soil_looks[l] = static_cast<std::int32_t>(std::min(soil, 255.0F));
        model.looks[l] = static_cast<std::int32_t>(std::min(n, 255.0F));
        model.sown[l] = static_cast<std::int32_t>(std::min(h.warm_bare[l], 3.0F));
        Ground ground = Ground::seasonal;
        if (n < static_cast<float>(o.least_looks))
            ground = Ground::unknown;
        else if (h.water_looks[l] > 0.1F * n)
            ground = Ground::water;
        else if (h.green_looks[l] < 0.06F * n || h.green_looks[l] < 2)
            ground = Ground::bare;
        model.ground[l] = static_cast<std::int32_t>(ground);
        // Smoothed around the year, drawn to the pixel's own share of bare looks by the weight of one look.
        const float overall = (soil + 0.2F) / (n + 2);
        constexpr std::array<float, 5> kernel = {0.25F, 0.6F, 1.0F, 0.6F, 0.25F};
        for (std::size_t b = 0; b < half_months; ++b) {
            float bare = 0, seen = 0;
            for (std::size_t k = 0; k < kernel.size(); ++k) {
                const std::size_t from = (b + half_months + k - 2) % half_months;
                bare += kernel[k] * h.bare[from][l];
                seen += kernel[k] * h.seen[from][l];
            }
            model.bare_share[b][l] = share_code((bare + overall) / (seen + 1));
        }
    }
}

}  // namespace shuibao::algorithms
