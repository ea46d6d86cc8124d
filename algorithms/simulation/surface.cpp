// SPDX-License-Identifier: Apache-2.0
#include "surface.hpp"

#include <algorithm>

namespace shuibao::algorithms::simulated {
namespace {

enum Water : std::uint32_t { reservoir, wet_bank, bank, old_bank, river, bar, silt };
enum OfSite : std::uint32_t { open, roof, paved, regrown, site_surfaces };

double summer(int day) {
    const double t = (day_of_year(day) - 205) / 55.0;
    return std::exp(-0.5 * t * t);
}

}  // namespace

Surfaces::Surfaces(const Plan& plan, int day)
    : m_plan(plan),
      m_day(day),
      m_time(day - plan.options.from.days()),
      m_reservoir(plan.weather.reservoir[plan.weather.at(day)]),
      m_river(plan.weather.river[plan.weather.at(day)]),
      m_river_month(plan.weather.river_month[plan.weather.at(day)]) {
    m_list.reserve(plan.land.parcels.size() + plan.sites.size() * site_surfaces + 7);
    add_parcels();
    m_sites = static_cast<std::uint32_t>(m_list.size());
    add_sites();
    m_waters = static_cast<std::uint32_t>(m_list.size());
    add_waters();
}

// Showers wet one village and miss the next; soaked soil is 29 % darker than dry (20–30 % in algorithms.md).
float Surfaces::moisture(double x, double y) const {
    const float wet = m_plan.weather.wet[m_plan.weather.at(m_day)];
    if (wet < 0.02F) return 1;
    const double patch =
        waves(part(part(m_plan.options.seed, 95), static_cast<std::uint64_t>(m_day / 4)), x, y, 280);
    return static_cast<float>(1 - 0.29 * std::min(1.0, static_cast<double>(wet) * (0.65 + 0.7 * patch)));
}

void Surfaces::add_parcels() {
    for (std::size_t i = 0; i < m_plan.land.parcels.size(); ++i) {
        const auto& p = m_plan.land.parcels[i];
        const State state = state_of(p, m_plan.land.seasons[i], m_day);
        Surface s;
        const float wet = p.cover == Cover::village
                              ? 1 - 0.3F * (1 - moisture(static_cast<double>(p.x), static_cast<double>(p.y)))
                              : moisture(static_cast<double>(p.x), static_cast<double>(p.y));
        s.ground = scaled(p.soil, static_cast<double>(wet));
        if (state.straw > 0) s.ground = mixed(s.ground, material::straw, static_cast<double>(state.straw));
        if (state.char_ > 0) s.ground = mixed(s.ground, material::burnt, static_cast<double>(state.char_));
        if (state.film > 0) s.ground = mixed(s.ground, material::film, static_cast<double>(state.film));
        s.plant = p.plant;
        s.green = state.green;
        s.snow = p.cover == Cover::evergreen || p.cover == Cover::deciduous  ? 0.4F
                 : p.cover == Cover::village || p.cover == Cover::greenhouse ? 0.7F
                                                                             : 0.92F;
        m_list.push_back(s);
    }
}

void Surfaces::add_sites() {
    for (std::size_t i = 0; i < m_plan.sites.size(); ++i) {
        const auto& site = m_plan.sites[i];
        const auto& first = site.segment.runs.front();
        const auto wet =
            static_cast<double>(moisture(static_cast<double>(first.col), static_cast<double>(first.row)));
        Draws d(part(part(m_plan.options.seed, 96 + i), static_cast<std::uint64_t>(m_day)));
        Surface s;
        s.ground = scaled(site.soil, wet * (1 + 0.02 * d.gauss()));
        s.plant = material::herbs;
        // Weeds come up where nobody works.
        const bool idle = site.fate == Fate::dormant && m_day > site.onset + 70;
        s.green = static_cast<float>(0.02 + (idle ? 0.2 : 0.03) * summer(m_day));
        s.rough = 0.07F;
        m_list.push_back(s);
        const double shade = 1 + 0.12 * gauss(part(m_plan.options.seed, 97 + 2 * i));
        m_list.push_back({scaled(material::bright_roof, shade), {}, 0, 0.8F, 0.02F, false});
        m_list.push_back({scaled(material::concrete, shade * (0.7 + 0.3 * wet)), {}, 0, 0.8F, 0.02F, false});
        const double grown = site.reverted ? std::clamp((m_day - *site.reverted) / 80.0, 0.0, 1.0) : 0.0;
        s.green = static_cast<float>(grown * (0.12 + 0.6 * summer(m_day)));
        s.rough = 0.02F;
        m_list.push_back(s);
    }
}

void Surfaces::add_waters() {
    const double high = summer(m_day);
    const Spectrum lake = mixed(material::clear_water, material::muddy_water, 0.15 + 0.35 * high),
                   stream = mixed(material::clear_water, material::muddy_water, m_river > 0 ? 1.0 : 0.4);
    const auto ground = [&](const Spectrum& soil, double green) {
        Surface s;
        s.ground = soil;
        s.plant = material::herbs;
        s.green = static_cast<float>(green);
        return s;
    };
    const auto water = [](const Spectrum& colour) { return Surface{colour, {}, 0, 0, 0, true}; };
    const Spectrum dry_mud = scaled(material::mud, 1.25);
    m_list.push_back(water(lake));
    m_list.push_back(ground(material::mud, 0.02));
    m_list.push_back(ground(dry_mud, 0.05 + 0.15 * high));
    m_list.push_back(ground(mixed(dry_mud, material::dry_herbs, 0.4), 0.1 + 0.5 * high));
    m_list.push_back(water(stream));
    m_list.push_back(ground(scaled(material::sand, 0.9), 0.04));
    m_list.push_back(ground(mixed(material::mud, material::sand, 0.3), 0.03));
}

std::uint32_t Surfaces::shore(std::size_t pixel, std::uint32_t parcel) const {
    const std::int16_t h = m_plan.land.height[pixel];
    switch (m_plan.land.parcels[parcel].cover) {
        case Cover::reservoir:
            if (h <= m_reservoir) return m_waters + reservoir;
            return m_waters + std::min<std::uint32_t>(
                                  old_bank, wet_bank + static_cast<std::uint32_t>(h - m_reservoir) / 110);
        case Cover::river:
            return m_waters + (h <= m_river ? river : bar);
        default:
            return h <= m_river ? m_waters + river : h <= m_river_month ? m_waters + silt : parcel;
    }
}

std::uint32_t Surfaces::opened(std::size_t pixel, std::uint32_t parcel) const {
    const auto i = static_cast<std::uint32_t>(m_plan.site[pixel]);
    const auto& site = m_plan.sites[i];
    if (site.reverted && m_day >= *site.reverted)
        return is_field(m_plan.land.parcels[parcel].cover) ? parcel : m_sites + i * site_surfaces + regrown;
    const bool built = m_plan.built[pixel] <= m_time;
    const bool as_roof = site.kind != SiteKind::road && m_plan.built[pixel] % 2 == 1;
    return m_sites + i * site_surfaces + (!built ? open : as_roof ? roof : paved);
}

}  // namespace shuibao::algorithms::simulated
