// SPDX-License-Identifier: Apache-2.0
// How harmonic's models and tracks lie in the planes of its state. The numbers are kept as they are used.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "harmonic_model.hpp"
#include "lanes.hpp"
#include <shuibao/algorithms/detector.hpp>

namespace shuibao::algorithms::harmonic_state {

// Of a season: its mean, and four waves of twelve bits in three planes.
inline constexpr std::size_t planes_of_terms = 4;

// The planes of the state. A pixel takes 2 bytes in each: 100 bytes.
enum Plane : std::size_t {
    terms = 0,
    greenest = terms + feature_count * planes_of_terms,
    spread = greenest + month_count / 4,
    soil = spread + 2,
    soil_looks_ground = soil + feature_count,
    leverage = soil_looks_ground + 1,
    bare_share = leverage + month_count / 4,
    material = bare_share + half_months / 4,
    persistence,
    before,
    first,
    last,
    skip_run,
    status_greens,
    alarm,
    looks_epoch,
    recent,
    ring = recent + 3,
    plane_count = ring + PixelTrack::ring_size,
};

inline std::uint16_t pair_of(std::int32_t high, std::int32_t low) {
    return static_cast<std::uint16_t>((high & 255) << 8 | (low & 255));
}
inline std::int32_t high_of(std::uint16_t v) {
    return v >> 8;
}
inline std::int32_t low_of(std::uint16_t v) {
    return v & 255;
}
// Twelve bits with their sign: nothing is all zero.
inline std::int32_t signed12_of(std::int32_t v) {
    return ((v & 0xFFF) ^ 0x800) - 0x800;
}

inline std::int32_t signed_of(std::uint16_t v) {
    return static_cast<std::int16_t>(v);
}
inline std::uint16_t stored(std::int32_t v) {
    return static_cast<std::uint16_t>(static_cast<std::int16_t>(v));
}

// One block of pixels between the planes and the kernels. The numbers are kept as they are used: nothing is
// lost.
struct Packed {
    // What has a plane of its own, as a number without sign.
    struct Whole {
        Plane plane;
        LaneInt PixelTrack::*lane;
        bool of_run;  // means nothing once the run is over
    };
    static constexpr std::array<Whole, 6> whole_planes = {{{material, &PixelTrack::material, false},
                                                           {persistence, &PixelTrack::persistence, false},
                                                           {before, &PixelTrack::before, true},
                                                           {first, &PixelTrack::first, true},
                                                           {last, &PixelTrack::last, false},
                                                           {alarm, &PixelTrack::alarm, false}}};

    DetectorState& state;
    std::size_t from, n;  // pixels of the block that exist

    [[nodiscard]] std::uint16_t& at(std::size_t plane, std::size_t l) const {
        return state.planes[plane][from + l];
    }

    // The low byte of its plane: two bits of ground, two of how often it was tilled.
    [[nodiscard]] static std::int32_t ground_of(std::uint16_t v) { return low_of(v) & 3; }
    [[nodiscard]] static std::int32_t sown_of(std::uint16_t v) { return low_of(v) >> 2 & 3; }

    // The planes are too many for the processor to see that each is read from its beginning to its end.
    void fetch_ahead() const {
        constexpr std::size_t ahead = 8 * lane_count, line = 64 / sizeof(std::uint16_t);
        if (from % line == 0)
            for (const auto& plane : state.planes)
                __builtin_prefetch(plane.data() + std::min(from + ahead, plane.size()));
    }

    // Plane by plane: the pixels of a block lie together in each. Most blocks are full, and a number of
    // pixels that the compiler knows is a few vectors.
    template <class To>
    SHUIBAO_INLINE void each(std::size_t plane, const To& to) const {
        std::uint16_t* __restrict values = state.planes[plane].data() + from;
        if (n == lane_count)
            for (std::size_t l = 0; l < lane_count; ++l) to(l, values[l]);
        else
            for (std::size_t l = 0; l < n; ++l) to(l, values[l]);
    }

    // Three planes hold four numbers of twelve bits: their upper four bits are the fourth.
    SHUIBAO_INLINE void read_twelve(std::size_t plane, std::array<LaneInt, 4>& numbers) const {
        LaneInt fourth{};
        for (std::size_t k = 0; k < 3; ++k)
            each(plane + k, [&](std::size_t l, std::uint16_t v) {
                numbers[k][l] = signed12_of(v);
                fourth[l] |= (v >> 12) << (4 * k);
            });
        for (std::size_t l = 0; l < lane_count; ++l) numbers[3][l] = signed12_of(fourth[l]);
    }
    [[nodiscard]] static std::uint16_t twelve(std::int32_t number, std::int32_t fourth, std::size_t k) {
        return static_cast<std::uint16_t>((number & 0xFFF) | (fourth >> (4 * k) & 15) << 12);
    }

    SHUIBAO_INLINE void read_feature(PixelModel& m, std::size_t f) const {
        const std::size_t plane = terms + f * planes_of_terms;
        each(plane, [&](std::size_t l, std::uint16_t v) { m.terms[f][0][l] = signed_of(v); });
        std::array<LaneInt, 4> waves{};
        read_twelve(plane + 1, waves);
        for (std::size_t i = 0; i < waves.size(); ++i)
            for (std::size_t l = 0; l < lane_count; ++l)
                m.terms[f][i + 1][l] = waves[i][l] * PixelModel::wave_steps;
        each(soil + f, [&](std::size_t l, std::uint16_t v) { m.soil[f][l] = signed_of(v); });
    }
    // The part of a model that is reported: seasons and soils, and what ground it is.
    SHUIBAO_INLINE void read_told(PixelModel& m) const {
        for (std::size_t f = 0; f < feature_count; ++f) read_feature(m, f);
        each(spread, [&](std::size_t l, std::uint16_t v) {
            m.spread[0][l] = spread_of(high_of(v));
            m.spread[1][l] = spread_of(low_of(v));
        });
        each(soil_looks_ground, [&](std::size_t l, std::uint16_t v) {
            m.soil_looks[l] = high_of(v);
            m.ground[l] = ground_of(v);
            m.sown[l] = sown_of(v);
        });
    }
    SHUIBAO_INLINE void read(PixelModel& m) const {
        read_told(m);
        each(spread + 1, [&](std::size_t l, std::uint16_t v) { m.spread[2][l] = spread_of(high_of(v)); });
        for (std::size_t k = 0; k < month_count; ++k)
            each(leverage + k / 4,
                 [&](std::size_t l, std::uint16_t v) { m.leverage[k][l] = v >> (4 * (k % 4)) & 15; });
        for (std::size_t k = 0; k < half_months; ++k)
            each(bare_share + k / 4,
                 [&](std::size_t l, std::uint16_t v) { m.bare_share[k][l] = v >> (4 * (k % 4)) & 15; });
        each(looks_epoch, [&](std::size_t l, std::uint16_t v) { m.looks[l] = high_of(v); });
        for (std::size_t l = n; l < lane_count; ++l)  // harmless, so that the padding computes nothing odd
            for (auto& s : m.spread) s[l] = static_cast<std::int32_t>(feature_unit);
    }
    void write(const PixelModel& m, std::size_t l, std::int32_t epoch) const {
        for (std::size_t f = 0; f < feature_count; ++f) {
            const std::size_t plane = terms + f * planes_of_terms;
            at(plane, l) = stored(m.terms[f][0][l]);
            const auto wave = [&](std::size_t i) { return m.terms[f][i][l] / PixelModel::wave_steps; };
            for (std::size_t k = 0; k < 3; ++k) at(plane + 1 + k, l) = twelve(wave(k + 1), wave(4), k);
            at(soil + f, l) = stored(m.soil[f][l]);
        }
        const auto code = [&](std::size_t f) {
            return spread_code(static_cast<float>(m.spread[f][l]) * (1.0F / feature_unit));
        };
        at(spread, l) = pair_of(code(0), code(1));
        at(spread + 1, l) = pair_of(code(2), low_of(at(spread + 1, l)));  // mean_index beside it
        at(soil_looks_ground, l) = pair_of(m.soil_looks[l], m.ground[l] | m.sown[l] << 2);
        const auto nibbles = [&](std::size_t plane, const auto& values) {
            for (std::size_t k = 0; k < values.size(); k += 4) {
                std::int32_t v = 0;
                for (std::size_t i = 0; i < 4; ++i) v |= values[k + i][l] << (4 * i);
                at(plane + k / 4, l) = static_cast<std::uint16_t>(v);
            }
        };
        nibbles(leverage, m.leverage);
        nibbles(bare_share, m.bare_share);
        at(looks_epoch, l) = pair_of(m.looks[l], epoch);
    }
    SHUIBAO_INLINE void read(PixelTrack& t) const {
        for (const auto& [plane, lane, of_run] : whole_planes)
            each(plane, [&, to = lane](std::size_t l, std::uint16_t v) { (t.*to)[l] = v; });
        each(skip_run, [&](std::size_t l, std::uint16_t v) {
            t.skip[l] = high_of(v);
            t.run[l] = low_of(v);
        });
        each(status_greens, [&](std::size_t l, std::uint16_t v) {
            t.status[l] = high_of(v) & 15;
            t.since_green[l] = high_of(v) >> 4;
            t.greens[l] = low_of(v) & 15;
            t.builts[l] = low_of(v) >> 4;
        });
        read_twelve(recent, t.recent);
        for (std::size_t k = 0; k < t.greenest.size(); ++k)
            each(greenest + k, [&](std::size_t l, std::uint16_t v) { t.greenest[k][l] = v; });
        each(spread + 1, [&](std::size_t l, std::uint16_t v) { t.mean_index[l] = low_of(v); });
        // In the place of the days since the look before: the first look of a run has none.
        each(ring, [&](std::size_t l, std::uint16_t v) { t.mean_ndvi[l] = high_of(v); });
        for (std::size_t k = 0; k < PixelTrack::ring_size; ++k)
            each(ring + k, [&](std::size_t l, std::uint16_t v) {
                t.ring_days[k][l] = k == 0 ? 0 : high_of(v);
                t.ring_evidence[k][l] = static_cast<std::int8_t>(low_of(v));
            });
    }
    SHUIBAO_INLINE void write(const PixelTrack& t) const {
        // One plane: value(l, what is there) for every pixel.
        const auto put = [&](std::size_t plane, const auto& value) {
            each(plane, [&](std::size_t l, std::uint16_t& v) { v = value(l, v); });
        };
        // What was kept of a run that is over means nothing any more, and zeros take no room.
        const auto runs = [&](std::size_t l, std::size_t k) {
            return t.run[l] > static_cast<std::int32_t>(k) ? 0xFFFF : 0;
        };
        for (const auto& [plane, lane, of_run] : whole_planes)
            put(plane, [&, of = lane, always = of_run ? 0 : 0xFFFF](std::size_t l, std::uint16_t) {
                return static_cast<std::uint16_t>(std::clamp((t.*of)[l], 0, 65535) & (runs(l, 0) | always));
            });
        put(skip_run, [&](std::size_t l, std::uint16_t) { return pair_of(t.skip[l], t.run[l]); });
        put(status_greens, [&](std::size_t l, std::uint16_t) {
            return pair_of(t.status[l] | t.since_green[l] << 4, t.greens[l] | t.builts[l] << 4);
        });
        put(spread + 1, [&](std::size_t l, std::uint16_t v) {
            return pair_of(high_of(v), t.mean_index[l] & runs(l, 0));
        });
        for (std::size_t k = 0; k < 3; ++k)
            put(recent + k,
                [&](std::size_t l, std::uint16_t) { return twelve(t.recent[k][l], t.recent[3][l], k); });
        for (std::size_t k = 0; k < t.greenest.size(); ++k)
            put(greenest + k,
                [&](std::size_t l, std::uint16_t) { return static_cast<std::uint16_t>(t.greenest[k][l]); });
        for (std::size_t k = 0; k < PixelTrack::ring_size; ++k) {
            const LaneInt& days = k == 0 ? t.mean_ndvi : t.ring_days[k];
            put(ring + k, [&](std::size_t l, std::uint16_t) {
                return static_cast<std::uint16_t>(pair_of(days[l], t.ring_evidence[k][l]) & runs(l, k));
            });
        }
    }
};

}  // namespace shuibao::algorithms::harmonic_state
