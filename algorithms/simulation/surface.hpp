// SPDX-License-Identifier: Apache-2.0
// What every kind of ground looks like on one day: computed per parcel, looked up per pixel.
#pragma once

#include "parts.hpp"

namespace shuibao::algorithms::simulated {

/// ρ = ground · texture · (1 − g) + plant · g with g = min(1, green · (2 − texture)): dark soil is fertile.
struct Surface {
    Spectrum ground = {}, plant = {};
    float green = 0;
    float snow = 0.9F;  ///< share of lying snow that is seen from above
    float rough = 0;    ///< amplitude of brightness from pixel to pixel that work changes every two weeks
    bool water = false;
};

class Surfaces {
  public:
    Surfaces(const Plan& plan, int day);

    /// Index of the surface of a pixel. O(1).
    [[nodiscard]] std::uint32_t of(std::size_t pixel) const {
        std::uint32_t index = m_plan.land.parcel[pixel];
        if (m_plan.land.height[pixel] != Land::dry) index = shore(pixel, index);
        if (m_plan.site[pixel] >= 0 && m_plan.opened[pixel] <= m_time) index = opened(pixel, index);
        return index;
    }
    [[nodiscard]] const Surface& operator[](std::uint32_t index) const { return m_list[index]; }

  private:
    [[nodiscard]] std::uint32_t shore(std::size_t pixel, std::uint32_t parcel) const;
    [[nodiscard]] std::uint32_t opened(std::size_t pixel, std::uint32_t parcel) const;
    void add_parcels();
    void add_sites();
    void add_waters();
    [[nodiscard]] float moisture(double x, double y) const;  ///< factor on the soil's brightness

    const Plan& m_plan;
    int m_day, m_time;
    std::uint32_t m_sites = 0, m_waters = 0;
    std::int16_t m_reservoir, m_river, m_river_month;
    std::vector<Surface> m_list;
};

}  // namespace shuibao::algorithms::simulated
