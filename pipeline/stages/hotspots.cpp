// SPDX-License-Identifier: Apache-2.0
#include "hotspots.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "layer_files.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

Hotspots::Hotspots(RunContext& c, const std::string& crs) {
    const auto path = c.settings.path("delineate.hotspots");
    const auto words = load_dictionary("hotspots");
    const auto& names = words.values("fields", "date");
    const auto layer = io::read_places(path, crs, "EPSG:4326");  // as FIRMS gives its tables
    const auto tell = [&](const io::LayerNote& note) {
        tell_row(c, "delineate", path, note, "Mend the row in its source; until then it tells no fire.");
    };
    for (const auto& n : layer.notes) tell(n);
    std::vector<Bounds> boxes;
    for (const auto& p : layer.places) {
        const auto day = io::to_date(field_value(p.values, names));
        if (!day) {
            tell({p.row, "no_date",
                  fmt::format("The hotspot has no day that can be read in any of {}.",
                              fmt::join(names, ", "))});
            continue;
        }
        m_list.push_back({p.at, *day});
        boxes.push_back({p.at.x, p.at.y, p.at.x, p.at.y});
    }
    m_index.emplace(boxes);
}

std::size_t Hotspots::count(const io::Geometry& shape, std::optional<Date> first,
                            std::optional<Date> last) const {
    const auto near = m_index->near(shape.bounds(), reach);
    return static_cast<std::size_t>(std::count_if(near.begin(), near.end(), [&](std::size_t k) {
        const auto& h = m_list[k];
        return (!first || h.day >= *first) && (!last || h.day <= *last) && shape.distance(h.place) <= reach;
    }));
}

}  // namespace shuibao::pipeline
