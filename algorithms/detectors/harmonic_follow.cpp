// SPDX-License-Identifier: Apache-2.0
// The cumulative log-likelihood ratio (Page 1954): opened ground against what the pixel does anyway, where
// that holds its season, its own bare soil, and a season that was skipped.
#include <algorithm>
#include <array>
#include <cmath>

#include "harmonic_model.hpp"
#include "lanes.hpp"
#include <shuibao/core/change.hpp>

namespace shuibao::algorithms {
namespace {

constexpr float outlier = 0.03F;  // share of looks that mean nothing: missed cloud, shadow
constexpr std::array<float, feature_count> outlier_range = {0.5F, 0.5F, 1.5F};
constexpr float normal3 = 0.0634936F;        // (2π)^(−3/2)
constexpr float least = -3.0F, most = 5.0F;  // bounds of one look's evidence
constexpr std::int32_t statistic_cap = 40 * PixelTrack::statistic_unit;
constexpr int green_gap_days = 15;
// Built over: neither soil nor plants, as the kinds of change are told; ground is soil again well above that.
constexpr float built_most_index = 0.02F, built_most_ndvi = 0.40F, soil_least_index = 0.06F;
constexpr std::int32_t built_looks = 4;  // independent ones, so over at least 45 days
constexpr float mixed_share = 0.2F;
constexpr std::array<float, feature_count> mixed_spread = {0.10F, 0.08F, 0.25F};

// The parts of a model that are kept as codes, decoded once for all looks.
struct Decoded {
    std::array<Lane, half_months> chance;
    std::array<Lane, month_count> widening;  // factor on the spread
    std::array<Lane, half_months + 1>
        elapsed;  // half-months of bare season from the start of the year to each bin
};

// Half-months of bare season that have gone by for pixel l on a day: the clock by which fields are sown anew.
float season_clock(const Decoded& d, std::size_t l, const Moment& m) {
    const auto bin = static_cast<std::size_t>(m.half_month);
    return static_cast<float>(m.year) * d.elapsed[half_months][l] + d.elapsed[bin][l] +
           m.in_half_month * d.chance[bin][l];
}

Decoded decode(const PixelModel& model) {
    // The codes are nibbles: tables that the compiler can see need no call per value.
    struct Tables {
        std::array<float, 16> share, widening;
    };
    static const Tables tables = [] {
        Tables t{};
        for (std::int32_t i = 0; i < 16; ++i) {
            t.share[static_cast<std::size_t>(i)] = share_of(i);
            t.widening[static_cast<std::size_t>(i)] = std::sqrt(leverage_of(i));
        }
        return t;
    }();
    Decoded d;
    for (std::size_t b = 0; b < half_months; ++b)
        for (std::size_t l = 0; l < lane_count; ++l)
            d.chance[b][l] = tables.share[static_cast<std::size_t>(model.bare_share[b][l])];
    for (std::size_t m = 0; m < month_count; ++m)
        for (std::size_t l = 0; l < lane_count; ++l)
            d.widening[m][l] = tables.widening[static_cast<std::size_t>(model.leverage[m][l])];
    d.elapsed[0].fill(0);
    for (std::size_t b = 0; b < half_months; ++b)
        for (std::size_t l = 0; l < lane_count; ++l) d.elapsed[b + 1][l] = d.elapsed[b][l] + d.chance[b][l];
    return d;
}

struct Step {
    Lane material, persistence;  // κℓ of both statistics
    Lane ndvi, index, green;     // green: 1 where the look is as green as the season has it
    LaneInt skip;
    bool tells_index = true;
    std::array<LaneInt, PixelTrack::recent_count> recent;
};

// ε-free density of three independent normals.
inline float density(float a, float b, float c, float scale) {
    return scale * lane_exp(-0.5F * (a * a + b * b + c * c));
}

// A third of the time of a quarter went here when the compiler gave up on the long loop
// (-fopt-info-vec-missed tells): it wants pointers that do not overlap, and what is chosen by a comparison in
// loops of its own.
SHUIBAO_LANES void weigh(const std::int16_t* __restrict look, const Moment& m, const FeatureSet& set,
                         const HarmonicOptions& o, const PixelModel& __restrict model,
                         const Decoded& __restrict decoded, const PixelTrack& __restrict track,
                         const float* __restrict then, const float* __restrict now, Step& __restrict s) {
    const float index = m.tells_index ? 1.0F : 0.0F;
    const bool tells_brightness = set.told == feature_count, tells_index = m.tells_index && tells_brightness;
    const float outlier_density = 1.0F / (outlier_range[0] * (tells_index ? outlier_range[1] : 1.0F) *
                                          (tells_brightness ? outlier_range[2] : 1.0F));
    const float mixed_index_spread = tells_index ? mixed_spread[1] : integrated_out,
                mixed_brightness_spread = tells_brightness ? mixed_spread[2] : integrated_out;
    const auto month = static_cast<std::size_t>(m.month), bin = static_cast<std::size_t>(m.half_month);
    std::array<Lane, feature_count> x, season, spread;
    for (std::size_t f = 0; f < feature_count; ++f)
        for (std::size_t l = 0; l < lane_count; ++l) {
            x[f][l] = static_cast<float>(look[f * lane_count + l]) * (1.0F / feature_unit);
            float v = static_cast<float>(model.terms[f][0][l]);
            for (std::size_t i = 1; i < season_terms; ++i)
                v += m.basis[i] * static_cast<float>(model.terms[f][i][l]);
            season[f][l] = v * (1.0F / feature_unit);
        }
    const Lane &chance = decoded.chance[bin], &widening = decoded.widening[month];
    for (std::size_t f = 0; f < feature_count; ++f)
        for (std::size_t l = 0; l < lane_count; ++l)
            spread[f][l] = static_cast<float>(model.spread[f][l]) * (1.0F / feature_unit) * widening[l];
    if (!tells_index) spread[1].fill(integrated_out);
    if (!tells_brightness) spread[2].fill(integrated_out);
    const auto day = m.date.days();
    const std::array<float, feature_count> own = set.field_soil.spread;
    const float own_scale = normal3 / (own[0] * own[1] * own[2]);
    for (std::size_t l = 0; l < lane_count; ++l) {
        const float gap = static_cast<float>(day - track.last[l]);
        const float kappa = std::min(std::max(gap / o.independent_days, 0.25F), 1.0F);
        // A field is what the warm months saw bare; what nobody tills does not lie fallow.
        const float field = std::min(static_cast<float>(model.sown[l]), 2.0F) * 0.5F;
        const float prior = o.wild_skip + field * (o.field_skip - o.wild_skip);
        // What a field does changes when it is sown anew, in its bare season; not in the middle of a crop.
        const float seasons = field * std::max(now[l] - then[l], 0.0F);
        const float keep =
            lane_exp(-std::max(gap, 0.0F) * ((1 - field) / o.glitch_days + field / o.fallow_days) - seasons);
        const float w =
            static_cast<float>(track.skip[l]) * (1.0F / PixelTrack::skip_one) * keep + prior * (1 - keep);

        const float a = (x[0][l] - season[0][l]) / spread[0][l],
                    b = index * (x[1][l] - season[1][l]) / spread[1][l],
                    c = (x[2][l] - season[2][l]) / spread[2][l];
        const float p_season =
            (1 - outlier) * density(a, b, c, normal3 / (spread[0][l] * spread[1][l] * spread[2][l])) +
            outlier * outlier_density;
        const auto& film = set.film;
        const float p_soil =
            (1 - film.share) *
                density(
                    (x[0][l] - static_cast<float>(model.soil[0][l]) * (1.0F / feature_unit)) / own[0],
                    index * (x[1][l] - static_cast<float>(model.soil[1][l]) * (1.0F / feature_unit)) / own[1],
                    (x[2][l] - static_cast<float>(model.soil[2][l]) * (1.0F / feature_unit)) / own[2],
                    own_scale) +
            film.share * density((x[0][l] - film.mean[0]) / film.spread[0],
                                 index * (x[1][l] - film.mean[1]) / film.spread[1],
                                 (x[2][l] - film.mean[2]) / film.spread[2],
                                 normal3 / (film.spread[0] * film.spread[1] * film.spread[2]));
        float p_pure = 0;
        for (const auto& material : set.opened)
            p_pure += material.share *
                      density((x[0][l] - material.mean[0]) / material.spread[0],
                              index * (x[1][l] - material.mean[1]) / material.spread[1],
                              (x[2][l] - material.mean[2]) / material.spread[2],
                              normal3 / (material.spread[0] * material.spread[1] * material.spread[2]));
        // Half the pixel opened: the rim of a site, a road narrower than a pixel.
        const auto& subsoil = set.opened[0].mean;
        const float p_mixed =
            density((x[0][l] - 0.5F * (season[0][l] + subsoil[0])) / mixed_spread[0],
                    index * (x[1][l] - 0.5F * (season[1][l] + subsoil[1])) / mixed_index_spread,
                    (x[2][l] - 0.5F * (season[2][l] + subsoil[2])) / mixed_brightness_spread,
                    normal3 / (mixed_spread[0] * mixed_index_spread * mixed_brightness_spread));
        const float p_opened =
            (1 - outlier) * ((1 - mixed_share) * p_pure + mixed_share * p_mixed) + outlier * outlier_density;
        const float usual = (1 - chance[l]) * p_season + chance[l] * p_soil;
        const float bare = (1 - outlier) * p_soil + outlier * outlier_density;
        const float p_null = (1 - w) * usual + w * bare;
        const float from_null = lane_log(p_null);
        const float l_material = std::min(std::max(lane_log(p_opened) - from_null, least), most);
        const float l_bare = std::min(std::max(lane_log(bare) - from_null, least), most);
        s.material[l] = kappa * l_material;
        s.persistence[l] = kappa * l_bare;
        s.skip[l] = std::clamp(lane_round(w * bare / p_null * PixelTrack::skip_one), 0, PixelTrack::skip_one);
    }
    s.ndvi = x[0];
    // Unknown: what a run begins with is bare soil until a look tells.
    for (std::size_t l = 0; l < lane_count; ++l)
        s.index[l] = m.tells_index ? x[1][l] : static_cast<float>(model.soil[1][l]) * (1.0F / feature_unit);
    for (std::size_t l = 0; l < lane_count; ++l)
        s.green[l] =
            (x[0][l] > season[0][l] - 2 * spread[0][l]) & (x[0][l] > set.bare_max_ndvi) ? 1.0F : 0.0F;
    for (std::size_t k = 0; k < PixelTrack::recent_count; ++k) {
        const std::size_t f = PixelTrack::recent_feature[k];
        const float unit = PixelTrack::recent_unit[k], most_told = PixelTrack::recent_most / unit,
                    forget = 1 / PixelTrack::recent_days[k];
        const float told = f == 1 ? index : 1.0F;  // a look that tells no index changes nothing there
        for (std::size_t l = 0; l < lane_count; ++l) {
            const float gap = static_cast<float>(day - track.last[l]);
            const float off = std::min(std::max(x[f][l] - season[f][l], -most_told), most_told) * unit;
            const auto mean = static_cast<float>(track.recent[k][l]);
            const float weight = told * (1 - lane_exp(-std::max(gap, 0.0F) * forget));
            s.recent[k][l] = lane_round(mean + weight * (off - mean));
        }
    }
}

std::int32_t percent(float v) {
    return std::clamp(lane_round(v * 100), -100, 155) + 100;
}

// Counts a look that says the same as the one before; true when it is far enough from that to count.
bool independent(PixelTrack& t, std::size_t l, LaneInt& count) {
    if (count[l] > 0 && t.since_green[l] < green_gap_days) return false;
    count[l] = std::min(count[l] + 1, 15);
    t.since_green[l] = 0;
    return true;
}

// Whether confirmed ground has been built over: soil before, and then looks in a row without any. Soil that
// comes back opens it again.
void look_for_roofs(PixelTrack& t, std::size_t l, const Step& s) {
    const bool confirmed = t.status[l] == static_cast<std::int32_t>(Status::confirmed),
               built = t.status[l] == static_cast<std::int32_t>(Status::built);
    if (!s.tells_index || (!confirmed && !built)) return;
    const bool bare = s.ndvi[l] < built_most_ndvi;
    if (confirmed && bare && s.index[l] <= built_most_index) {
        if (t.builts[l] == 0 && t.mean_index[l] < percent(soil_least_index)) return;  // it never was soil
        if (independent(t, l, t.builts) && t.builts[l] >= built_looks) {
            t.status[l] = static_cast<std::int32_t>(Status::built);
            t.builts[l] = 0;
        }
    } else if (bare && s.index[l] >= soil_least_index) {
        if (confirmed)
            t.builts[l] = 0;
        else if (independent(t, l, t.builts) && t.builts[l] >= 2) {
            t.status[l] = static_cast<std::int32_t>(Status::confirmed);
            t.builts[l] = 0;
        }
    } else if (built) {
        t.builts[l] = 0;
    }
}

// The bookkeeping of one pixel that a look has changed. `tilled`: somebody tills it.
void enter(PixelTrack& t, std::size_t l, std::int32_t day, const Step& s, const HarmonicOptions& o,
           bool tilled) {
    const auto status = [&](Status v) { t.status[l] = static_cast<std::int32_t>(v); };
    const bool alarmed = is_open(t.status[l]);
    const auto stepped = [](std::int32_t from, float by) {
        return std::clamp(from + lane_round(by * PixelTrack::statistic_unit), 0, statistic_cap);
    };
    t.material[l] = stepped(t.material[l], s.material[l]);
    t.persistence[l] = stepped(t.persistence[l], s.persistence[l]);
    t.skip[l] = s.skip[l];
    const std::int32_t level = std::max(t.material[l], t.persistence[l]);
    const std::int32_t previous = t.last[l];
    t.last[l] = day;
    t.since_green[l] = std::clamp(t.since_green[l] + day - previous, 0, green_gap_days);

    if (alarmed) {
        if (s.green[l] > 0) {
            t.builts[l] = 0;
            (void)independent(t, l, t.greens);
            if (t.greens[l] >= 2) {  // grown over again: kept for the record, watched anew
                const bool sure = t.status[l] != static_cast<std::int32_t>(Status::suspected);
                status(sure && !tilled ? Status::restored : Status::reverted);
                t.material[l] = t.persistence[l] = t.run[l] = t.greens[l] = 0;
                return;
            }
        } else if (s.ndvi[l] < 0.34F) {
            t.greens[l] = 0;
        }
    } else if (level == 0) {
        t.run[l] = 0;
        if (t.status[l] == static_cast<std::int32_t>(Status::watch)) status(Status::stable);
        return;
    }
    const std::int32_t ndvi = percent(s.ndvi[l]), index = percent(s.index[l]);
    const float larger = std::max(s.material[l], s.persistence[l]);
    // Looks go on being kept after the first suspicion, for which a few are enough: what the later ones say
    // bears on when it began.
    const bool full = t.run[l] == static_cast<std::int32_t>(PixelTrack::ring_size);
    std::int32_t newest = t.first[l];  // look of the run
    for (std::size_t i = 1; i < static_cast<std::size_t>(t.run[l]); ++i) newest += t.ring_days[i][l];
    const bool lasting = t.run[l] > 0 && day - newest > PixelTrack::longest_gap;
    if (!alarmed || (t.status[l] == static_cast<std::int32_t>(Status::suspected) && !full && !lasting)) {
        const std::int32_t evidence = std::clamp(lane_round(larger * PixelTrack::ring_unit), -128, 127);
        if (t.run[l] == 0) {
            t.before[l] = previous;
            t.first[l] = day;
            t.mean_ndvi[l] = ndvi;
            t.mean_index[l] = index;
        } else if (lasting) {
            // A gap too long to keep: the looks before it become part of it, so that the onset stays inside.
            t.first[l] = day;
            t.run[l] = 0;
        } else if (full) {  // forget the oldest
            t.before[l] = t.first[l];
            t.first[l] += t.ring_days[1][l];
            for (std::size_t i = 0; i + 1 < PixelTrack::ring_size; ++i) {
                t.ring_days[i][l] = t.ring_days[i + 1][l];
                t.ring_evidence[i][l] = t.ring_evidence[i + 1][l];
            }
            --t.run[l];
        }
        const auto k = static_cast<std::size_t>(t.run[l]);
        t.ring_days[0][l] = 0;
        if (k > 0) t.ring_days[k][l] = day - newest;
        t.ring_evidence[k][l] = evidence;
        ++t.run[l];
    }
    t.mean_ndvi[l] += lane_round(0.3F * static_cast<float>(ndvi - t.mean_ndvi[l]));
    if (s.tells_index) t.mean_index[l] += lane_round(0.3F * static_cast<float>(index - t.mean_index[l]));
    look_for_roofs(t, l, s);
    const auto reaches = [&](float h) { return level >= lane_round(h * PixelTrack::statistic_unit); };
    if (alarmed) {
        if (reaches(o.confirm) && t.status[l] == static_cast<std::int32_t>(Status::suspected))
            status(Status::confirmed);
        if (level == 0) {  // it was nothing after all
            status(Status::stable);
            t.run[l] = t.greens[l] = t.builts[l] = 0;
        }
    } else if (reaches(o.suspect)) {
        status(reaches(o.confirm) ? Status::confirmed : Status::suspected);
        t.alarm[l] = day;
        t.greens[l] = t.builts[l] = 0;
    } else if (reaches(o.watch)) {
        status(Status::watch);
    }
}

// Most looks leave most pixels where they were: at nothing. Those of the others are `busy`.
SHUIBAO_LANES void pass_by(const std::int16_t* __restrict look, std::int32_t day, const Step& __restrict s,
                           const PixelModel& __restrict model, PixelTrack& __restrict t,
                           Lane& __restrict then, const Lane& __restrict now,
                           std::array<std::uint8_t, lane_count>& __restrict busy) {
    LaneInt seen, enters;
    for (std::size_t l = 0; l < lane_count; ++l) {
        // A whole number each: comparisons of numbers of several widths would stay scalar.
        const std::int32_t something = t.material[l] | t.persistence[l] | t.run[l];
        const std::int32_t rises = (s.material[l] > 0 ? -1 : 0) | (s.persistence[l] > 0 ? -1 : 0);
        const std::int32_t open = is_open(t.status[l]) ? -1 : 0;
        const std::int32_t seasonal = model.ground[l] == static_cast<std::int32_t>(Ground::seasonal) ? -1 : 0;
        seen[l] = std::int32_t{look[l]} != std::int32_t{not_seen} ? -1 : 0;
        enters[l] = ((something != 0 ? -1 : 0) | rises | open) & seasonal & seen[l];
        const std::int32_t stays = seen[l] & ~enters[l], skips = stays & seasonal;
        t.skip[l] = (s.skip[l] & skips) | (t.skip[l] & ~skips);
        t.last[l] = (day & stays) | (t.last[l] & ~stays);
    }
    for (std::size_t l = 0; l < lane_count; ++l) then[l] = seen[l] != 0 ? now[l] : then[l];
    for (std::size_t k = 0; k < PixelTrack::recent_count; ++k)
        for (std::size_t l = 0; l < lane_count; ++l)
            t.recent[k][l] = (s.recent[k][l] & seen[l]) | (t.recent[k][l] & ~seen[l]);
    for (std::size_t l = 0; l < lane_count; ++l) busy[l] = enters[l] != 0 ? 1 : 0;
}

}  // namespace

void see_green(PixelTrack& track, const std::int16_t* ndvi, LaneInt& month_of_last, std::int32_t month) {
    constexpr auto year = static_cast<std::int32_t>(month_count);
    std::int32_t longest = 0;
    LaneInt passed;  // months since the last look: what they hold is a year old
    for (std::size_t l = 0; l < lane_count; ++l) {
        const std::int32_t by = std::min(std::max(month - month_of_last[l], 0), year);
        passed[l] = ndvi[l] == not_seen ? 0 : by;
        longest = std::max(longest, passed[l]);
        month_of_last[l] = ndvi[l] == not_seen ? month_of_last[l] : month;
    }
    for (std::int32_t back = 0; back < longest; ++back) {
        const auto k = static_cast<std::size_t>((month - back) % year);
        const std::int32_t others = ~(15 << 4 * (k % 4));
        for (std::size_t l = 0; l < lane_count; ++l)
            track.greenest[k / 4][l] &= passed[l] > back ? others : -1;
    }
    constexpr auto floor = static_cast<float>(PixelHistory::green_floor),
                   steps = static_cast<float>(1 / PixelHistory::green_step),
                   highest = static_cast<float>(PixelHistory::green_classes);
    const auto k = static_cast<std::size_t>(month % year);
    const auto shift = static_cast<int>(4 * (k % 4));
    LaneInt& four = track.greenest[k / 4];
    for (std::size_t l = 0; l < lane_count; ++l) {
        const float above = (static_cast<float>(ndvi[l]) * (1.0F / feature_unit) - floor) * steps;
        const auto told = static_cast<std::int32_t>(std::min(std::max(above + 1, 1.0F), highest));
        const std::int32_t seen = ndvi[l] == not_seen ? 0 : told;
        four[l] = (four[l] & ~(15 << shift)) | std::max(four[l] >> shift & 15, seen) << shift;
    }
}

void follow_pixels(const std::int16_t* looks, std::span<const Moment> moments, const FeatureSet& set,
                   const HarmonicOptions& o, const PixelModel& model, PixelTrack& track) {
    Step step;
    const Decoded decoded = decode(model);
    Lane then, now;
    LaneInt month;
    Moment before;  // of the last look, which most pixels of a block share
    for (std::size_t l = 0; l < lane_count; ++l) {
        if (track.last[l] > 0 && before.date.days() != track.last[l]) before = moment_of(Date(track.last[l]));
        month[l] = track.last[l] > 0 ? months_of(before) : 0;
        then[l] = track.last[l] > 0 ? season_clock(decoded, l, before) : 0;
    }
    for (const Moment& m : moments) {
        const std::int16_t* look = looks;
        looks += feature_count * lane_count;
        const auto day = m.date.days();
        if (!shows_any(look)) continue;
        see_green(track, look, month, months_of(m));
        for (std::size_t l = 0; l < lane_count; ++l) now[l] = season_clock(decoded, l, m);
        step.tells_index = m.tells_index;
        weigh(look, m, m.tells_index ? set : without_index(set), o, model, decoded, track, then.data(),
              now.data(), step);
        std::array<std::uint8_t, lane_count> busy;
        pass_by(look, day, step, model, track, then, now, busy);
        for (std::size_t l = 0; l < lane_count; ++l)
            if (busy[l] != 0) enter(track, l, day, step, o, model.sown[l] > 0);
    }
}

}  // namespace shuibao::algorithms
