// SPDX-License-Identifier: Apache-2.0
#include "screen_input.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "layer_files.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

using io::Geometry;

void report(RunContext& c, const DisturbanceSet& set, const std::string& path) {
    for (const auto& n : set.notes) tell_row(c, "screen", path, n, "Correct the polygon in its source.");
}

void forget_later_days(DisturbanceSet& set, Date end) {
    for (std::size_t i = 0; i < set.list.size(); ++i) {
        auto& d = set.list[i];
        const auto last = d.onset_to ? d.onset_to : d.onset_from;
        if (!last || *last <= end) continue;
        set.notes.push_back(
            {set.rows[i], "date",
             fmt::format("Its onset ({}) lies after the end of the batch ({}); it is taken as "
                         "unknown.",
                         last->iso(), end.iso())});
        d.onset_from.reset();
        d.onset_to.reset();
    }
}

std::string batch_of(const DisturbanceSet& set) {
    std::optional<Date> newest;
    for (const auto& d : set.list)
        if (d.onset_to && (!newest || *newest < *d.onset_to)) newest = d.onset_to;
    if (!newest)
        throw Error(ErrorCode::usage, "The batch is not known: no polygon has a date.",
                    "Give --batch YYYYMM.");
    return newest->compact().substr(0, 6);
}

std::string local_crs(const std::string& crs, const Bounds& b) {
    const auto centre =
        io::Transformation(crs, "EPSG:4490")(Point{(b.min_x + b.max_x) / 2, (b.min_y + b.max_y) / 2});
    if (std::abs(centre.x - io::gauss_kruger_meridian(centre.x)) <= 1.5)
        return fmt::format("EPSG:{}", io::gauss_kruger_code(centre.x));
    // Beyond the zones of CGCS2000: UTM.
    const int zone = static_cast<int>(std::clamp(std::floor((centre.x + 180) / 6) + 1, 1.0, 60.0));
    return fmt::format("EPSG:{}{:02}", centre.y < 0 ? 327 : 326, zone);
}

std::string working_crs(DisturbanceSet& set) {
    if (!io::is_geographic(set.crs)) return set.crs;
    Bounds all;
    for (const auto& d : set.list) all.expand(Geometry(d.shape).bounds());
    const auto crs = all.empty() ? std::string("EPSG:4546") : local_crs(set.crs, all);
    const io::Transformation move(set.crs, crs);
    for (auto& d : set.list) d.shape = move(Geometry(d.shape)).polygons();
    return crs;
}

}  // namespace shuibao::pipeline
