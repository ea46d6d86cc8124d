// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "parts.hpp"

namespace shuibao::algorithms::simulated {
namespace {

// Days of the year about which the plain of Henan sows and harvests: wheat greens again in February, stands
// highest about 20 April and is cut in the first days of June; maize follows within a week and is cut at the
// end of September.
struct Crop {
    double peak, rise, fall, height, harvest;  // harvest: days after the peak
};
constexpr Crop wheat_tillers = {-22, 24, 44, 0.47, 100}, wheat = {111, 30, 19, 0.97, 46},
               maize = {222, 20, 22, 0.95, 46}, one_crop = {208, 26, 24, 0.92, 52};

Season season_of(const Crop& c, int first_of_year, double shift, double vigour) {
    Season s;
    s.peak = static_cast<float>(first_of_year + c.peak + shift);
    s.rise = static_cast<float>(c.rise);
    s.fall = static_cast<float>(c.fall);
    s.height = static_cast<float>(std::min(0.98, c.height * vigour));
    s.sown = static_cast<int>(s.peak - 2.6F * s.rise);
    s.harvest = static_cast<int>(s.peak + static_cast<float>(c.harvest));
    return s;
}

// The seasons of one calendar year (the harvest year for winter wheat).
class Year {
  public:
    Year(const Parcel& p, int year, std::vector<Season>& out)
        : m_p(p),
          m_first(new_year(year)),
          m_own(part(p.key, 100 + static_cast<std::uint64_t>(year))),
          m_vigour(static_cast<double>(p.vigour) * (1 + 0.07 * m_own.gauss())),
          m_out(out) {
        // σ of the dates is 12 days: the farmer's habit, the farmer's year, everybody's year.
        Draws habit(part(p.key, 2)), all(part(0x5EA50ULL, static_cast<std::uint64_t>(year)));
        m_shift = 8 * habit.gauss() + 8 * m_own.gauss() + 4 * all.gauss();
    }

    void field() {
        switch (m_p.cover) {
            case Cover::double_crop:
                winter_wheat();
                summer(maize);
                break;
            case Cover::rotated: {
                const double u = m_own.uniform();
                if (u < 0.4) {
                    winter_wheat();
                    summer(maize);
                } else if (u < 0.65) {
                    summer(one_crop);
                } else if (u < 0.8) {
                    winter_wheat();
                } else {
                    vegetables();
                }
                break;
            }
            default:
                summer(one_crop);
        }
    }

  private:
    void winter_wheat() {
        const bool skipped = skip();
        add(wheat_tillers, skipped, false);
        add(wheat, skipped, true);
    }
    void summer(const Crop& c) { add(c, skip(), true); }
    void vegetables() {
        const double peak = m_own.uniform(95, 150);
        add({peak, 15, 13, 0.75, 26}, skip(), false);
        add({peak + m_own.uniform(85, 140), 15, 14, 0.75, 28}, skip(), false);
    }
    bool skip() { return m_own.chance(m_p.cover == Cover::rotated ? 0.09 : 0.065); }

    void add(const Crop& c, bool skipped, bool straw) {
        Season s = season_of(c, m_first, m_shift, m_vigour);
        s.skipped = skipped;
        const bool burnt = straw && m_own.chance(0.015);
        if (skipped) s.height = static_cast<float>(m_own.uniform(0.04, 0.14));  // weeds
        // Wheat that tillers goes on growing: no harvest between.
        if (burnt && !skipped) s.fire = s.harvest + 2 + static_cast<int>(m_own.uniform(0, 8));
        m_out.push_back(s);
    }

    const Parcel& m_p;
    int m_first;
    Draws m_own;
    double m_vigour, m_shift = 0;
    std::vector<Season>& m_out;
};

double plateau(double day, double from, double to, double ease) {
    return 1 / (1 + std::exp(-(day - from) / ease)) / (1 + std::exp((day - to) / ease));
}

}  // namespace

std::vector<Season> seasons_of(const Parcel& p, int from, int to) {
    std::vector<Season> out;
    if (!is_field(p.cover) && p.cover != Cover::greenhouse) return out;
    for (int year = year_of(from); year <= year_of(to); ++year) Year(p, year, out).field();
    // Land out of use: what would have been sown is not.
    for (auto& s : out)
        if (p.idle_to > 0 && s.harvest > p.idle_from && s.sown < p.idle_to) {
            s.height = 0;
            s.fire = 0;
            s.skipped = true;
        }
    std::sort(out.begin(), out.end(), [](const Season& a, const Season& b) { return a.peak < b.peak; });
    return out;
}

State state_of(const Parcel& p, const std::vector<Season>& seasons, int day) {
    State s;
    Draws own(part(p.key, 3));
    const double doy = day_of_year(day), late = 5 * own.gauss(), vigour = static_cast<double>(p.vigour);
    const auto bump = [&](double peak, double width) {
        const double t = (doy - late - peak) / width;
        return std::exp(-0.5 * t * t);
    };
    double green = 0;
    switch (p.cover) {
        case Cover::evergreen:
            green = 0.86 + 0.08 * bump(200, 70);
            break;
        case Cover::deciduous:
            green = 0.08 + 0.84 * plateau(doy - late, 98, 305, 7);
            break;
        case Cover::edge:  // rows of trees, or tracks with grass on their banks
            green = part(p.key, 4) % 5 < 2 ? 0.08 + 0.7 * plateau(doy - late, 98, 305, 7)
                                           : 0.08 + 0.3 * bump(200, 60);
            break;
        case Cover::orchard:
            green = 0.18 + 0.62 * vigour * plateau(doy - late, 100, 300, 10);
            break;
        case Cover::grass:
            green = 0.08 + 0.62 * vigour * bump(205, 55);
            break;
        case Cover::rock:
            green = 0.02 + 0.12 * bump(205, 55);
            break;
        case Cover::village:
            green = vigour * (0.1 + 0.8 * plateau(doy - late, 95, 305, 8));
            break;
        default:
            break;
    }
    if (p.cover == Cover::greenhouse && day >= p.film_since) {
        // Film from October to May; half open in summer.
        const double cold = 1 - plateau(doy + 2 * late, 148, 283, 3);
        s.film = static_cast<float>(0.9 * cold);
        s.green = static_cast<float>(std::clamp((1 - cold) * 0.45 * vigour + 0.08 * cold, 0.0, 0.98));
        return s;
    }
    const Season* last = nullptr;
    for (const auto& c : seasons) {
        const auto t = static_cast<double>(static_cast<float>(day) - c.peak);
        if (day <= c.harvest) {
            const double z = t / static_cast<double>(t < 0 ? c.rise : c.fall);
            if (z > -5) green += static_cast<double>(c.height) * std::exp(-0.5 * z * z);
        } else if (!c.skipped && c.height > 0.3F) {
            last = &c;
        }
        if (c.fire > 0 && day >= c.fire && day < c.fire + 45)
            s.char_ = std::max(s.char_, static_cast<float>(std::exp(-(day - c.fire) / 11.0) * 0.95));
    }
    if (p.idle_to > 0 && day >= p.idle_from && day < p.idle_to) green += 0.06 + 0.24 * vigour * bump(205, 50);
    // Stubble stays until it rots or the next crop is sown.
    if (last != nullptr && s.char_ < 0.2F) {
        const auto sown_since = std::any_of(seasons.begin(), seasons.end(), [&](const Season& c) {
            return c.sown > last->harvest - 10 && day > c.sown + 12 && c.peak > last->peak && !c.skipped;
        });
        s.straw = static_cast<float>((sown_since ? 0.25 : 0.7) * std::exp(-(day - last->harvest) / 32.0));
    }
    s.green = static_cast<float>(std::clamp(green, 0.0, 0.98));
    return s;
}

}  // namespace shuibao::algorithms::simulated
