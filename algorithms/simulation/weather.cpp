// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "parts.hpp"

namespace shuibao::algorithms::simulated {
namespace {

constexpr double pi = 3.14159265358979;

bool rainy_season(int day) {
    const int d = day_of_year(day);
    return d >= 152 && d <= 258;  // June to mid-September
}

double season_wave(int day, double peak) {
    return std::cos(2 * pi * (day_of_year(day) - peak) / 365.25);
}

// Right to within a year; corrected by the caller.
int estimate_year(int day) {
    return 1970 + static_cast<int>(std::floor(day / 365.2425));
}

// Clear views: 0.13 of them from June to mid-September and 0.36 otherwise, on the average of days that are
// overcast, broken or clear (algorithms.md §2.3). Every spell of some weeks gets its share of each kind, in
// random order: with some dozen looks free draws would make cloudless summers, and summers never seen.
void draw_clear_shares(const Options& o, std::vector<Look>& looks) {
    constexpr std::size_t spell = 11;
    for (std::size_t first = 0, last = 0; first < looks.size(); first = last) {
        const bool rain = rainy_season(looks[first].date.days());
        while (last < looks.size() && last - first < spell && rainy_season(looks[last].date.days()) == rain)
            ++last;
        std::vector<std::pair<std::uint64_t, std::size_t>> order;
        for (std::size_t i = first; i < last; ++i)
            order.emplace_back(part(part(o.seed, 74), static_cast<std::uint64_t>(looks[i].date.days())), i);
        std::sort(order.begin(), order.end());
        for (std::size_t rank = 0; rank < order.size(); ++rank) {
            auto& l = looks[order[rank].second];
            Draws d(order[rank].first);
            const double u = (static_cast<double>(rank) + d.uniform()) / static_cast<double>(order.size());
            const double clear = rain ? 0.05 : 0.20, broken = rain ? 0.16 : 0.32;
            l.clear = static_cast<float>(u < clear            ? 0.99
                                         : u < clear + broken ? 0.04 + 0.92 * (u - clear) / broken
                                                              : 0);
        }
    }
}

}  // namespace

int new_year(int year) {
    const int y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

int year_of(int day) {
    int year = estimate_year(day);
    while (new_year(year) > day) --year;
    while (new_year(year + 1) <= day) ++year;
    return year;
}

Sun sun_on(int day) {
    const double declination = -23.44 * std::cos(2 * pi * (day_of_year(day) + 10) / 365.25);
    return {std::min(68.0, 33 - declination + 10) * pi / 180, 152 * pi / 180};
}

Weather make_weather(const Options& o) {
    Weather w;
    w.first = o.from.days() - 60;
    const auto days = static_cast<std::size_t>(o.to.days() - w.first + 1);
    const std::uint64_t seed = part(o.seed, 71);
    w.wet.resize(days);
    w.snow.resize(days);
    w.reservoir.resize(days);
    w.river.resize(days);
    w.river_month.resize(days);
    std::vector<double> flood(days, 0.0);
    for (int year = year_of(w.first); year <= year_of(o.to.days()); ++year) {
        Draws d(part(seed, static_cast<std::uint64_t>(year)));
        if (!d.chance(0.5)) continue;
        const int peak = new_year(year) + static_cast<int>(d.uniform(185, 240));
        const double crest = d.uniform(170, 330);  // cm above the usual river
        for (int day = peak - 6; day <= peak + 40; ++day)
            if (day >= w.first && day <= o.to.days())
                flood[w.at(day)] = std::max(
                    flood[w.at(day)], crest * std::exp(day < peak ? (day - peak) / 1.5 : (peak - day) / 9.0));
    }
    double wet = 0.2, snow = 0;
    for (int day = w.first; day <= o.to.days(); ++day) {
        const auto i = w.at(day);
        Draws d(part(seed, 100000 + static_cast<std::uint64_t>(day)));
        const bool summer = rainy_season(day);
        const bool rain = d.chance(summer ? 0.26 : 0.11);
        const double amount = d.uniform(0.3, 1.2);
        wet *= std::exp(-1 / (summer ? 3.5 : 6.0));
        const int doy = day_of_year(day);
        const bool winter = doy < 60 || doy > 335;
        if (rain && winter && d.chance(0.45))
            snow = std::max(snow, d.uniform(0.5, 1.0));
        else if (rain)
            wet = std::min(1.0, wet + amount);
        if (snow > 0.05) wet = std::max(wet, 0.5);
        w.wet[i] = static_cast<float>(wet);
        w.snow[i] = static_cast<float>(snow);
        snow = snow > 0.06 ? snow * 0.74 : 0;
        // Fullest after the rains, lowest before them; dry years keep it low.
        const double dry_year = 190 * (waves(seed + 1, day, 0, 420) - 0.35);
        w.reservoir[i] = static_cast<std::int16_t>(
            std::min(0.0, -260 + 170 * season_wave(day, 275) - dry_year + 0.4 * flood[i]));
        w.river[i] = static_cast<std::int16_t>(-110 + 55 * season_wave(day, 215) +
                                               40 * (waves(seed + 2, day, 0, 25) - 0.5) + flood[i]);
        std::int16_t highest = w.river[i];
        for (std::size_t back = 1; back <= 35 && back <= i; ++back)
            highest = std::max(highest, w.river[i - back]);
        w.river_month[i] = highest;
    }
    return w;
}

std::vector<Look> make_looks(const Options& o) {
    std::vector<Look> looks;
    for (int day = o.from.days(); day <= o.to.days(); day += o.revisit) {
        Look l;
        l.date = Date(day);
        Draws d(part(part(o.seed, 72), static_cast<std::uint64_t>(day)));
        // Registration: σ 0.3 px, and now and then a scene that is a pixel off.
        const bool loose = d.chance(0.06);
        const auto shift = [&] {
            return static_cast<float>(loose ? d.uniform(0.6, 1.0) * (d.chance(0.5) ? 1 : -1)
                                            : std::clamp(0.3 * d.gauss(), -1.0, 1.0));
        };
        l.shift_x = shift();
        l.shift_y = shift();
        // What the atmospheric correction leaves: stronger in the blue.
        const double haze = 0.007 * d.gauss(), gain = 0.025 * d.gauss();
        static constexpr std::array<double, 6> blueness = {1.0, 0.75, 0.6, 0.35, 0.12, 0.08};
        for (std::size_t b = 0; b < 6; ++b) {
            l.gain[b] = static_cast<float>(1 + gain + 0.006 * d.gauss());
            l.haze[b] = static_cast<float>(haze * blueness[b] + 0.001 * d.gauss());
        }
        l.offset = l.date >= o.offset_from;
        looks.push_back(l);
    }
    draw_clear_shares(o, looks);
    const auto clear_look = [&](Draws& d, Date after, std::size_t tries) {
        std::size_t best = looks.size();
        for (std::size_t t = 0; t < tries; ++t) {
            const auto i = static_cast<std::size_t>(d.uniform() * static_cast<double>(looks.size()));
            if (looks[i].date < after || looks[i].swath_x > 0) continue;
            if (best == looks.size() || looks[i].clear > looks[best].clear) best = i;
        }
        return best;
    };
    Draws d(part(o.seed, 73));
    const double extent = static_cast<double>(o.size);
    for (int s = 0; s < o.swath_edges; ++s)
        if (const auto i = clear_look(d, o.from, 12); i < looks.size()) {
            looks[i].swath_x = static_cast<float>(d.uniform(0.5, 0.8) * extent);
            looks[i].swath_slope = static_cast<float>(d.uniform(-0.3, -0.15));
        }
    if (o.miscalibrated)
        if (const auto i = clear_look(d, o.monitor_from, 4 * looks.size()); i < looks.size())
            looks[i].miscalibrated = true;
    return looks;
}

}  // namespace shuibao::algorithms::simulated
