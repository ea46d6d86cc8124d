// SPDX-License-Identifier: Apache-2.0
// Fires that satellites saw (火点): what tells burnt ground from opened ground, which no band that is
// followed does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

class Hotspots {
  public:
    /// How far from its centre the fire of a hotspot may lie: half the diagonal of a pixel of VIIRS, 375 m.
    static constexpr double reach = 265;

    /// The layer `delineate.hotspots`, or a CSV with longitude and latitude (WGS 84); field names come from
    /// configs/dictionaries/hotspots.yaml. A row without a place or a day tells nothing: it is told with its
    /// row. Throws Error(input) for a layer that cannot be read. REQUIRES that the option is given, and a CRS
    /// in metres.
    Hotspots(RunContext& context, const std::string& crs);
    /// Those that have a place and a day.
    [[nodiscard]] std::size_t size() const { return m_list.size(); }
    /// Those within `reach` of a shape that were seen from the first day to the last. Reentrant.
    [[nodiscard]] std::size_t count(const io::Geometry& shape, std::optional<Date> first,
                                    std::optional<Date> last) const;

  private:
    struct Hotspot {
        Point place;
        Date day;
    };
    std::vector<Hotspot> m_list;
    std::optional<io::BoxIndex> m_index;
};

}  // namespace shuibao::pipeline
