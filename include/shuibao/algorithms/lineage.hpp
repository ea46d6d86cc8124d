// SPDX-License-Identifier: Apache-2.0
// What became of each piece of opened ground from one batch to the next (rules §5).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {

/// A polygon as far as lineage asks: areas in m², perimeter and tolerance δ in m. `x` and `y` (any unit, the
/// same for all) only break ties, so that the order in which polygons are listed never does.
struct LineageNode {
    double area = 0, perimeter = 0, tolerance = 0;
    double x = 0, y = 0;
};

/// Area that a polygon of the batch before and one of this batch share, m².
struct LineageOverlap {
    std::size_t before = 0, after = 0;
    double area = 0;
};

enum class Growth { appeared, grown, shrunk, same };
[[nodiscard]] std::string_view growth_code(Growth growth);

struct Succession {
    std::optional<std::size_t> heir_of;  ///< the one before whose case goes on in it
    std::vector<std::size_t> parents;    ///< all before that it shares ground with, by falling overlap
    Growth growth = Growth::appeared;    ///< of all that share ground together: a split is no shrinking
    double gained = 0;                   ///< m²: area after minus before, of all that share ground together
    double limit = 0;                    ///< m² beyond which that is growth; 0 without a predecessor
    std::string_view limit_by;  ///< the largest of the three: "tolerance" (δ · perimeter) or a rule item
};

struct Lineage {
    std::vector<Succession> after;
    /// For each before: the one after that took it in, where its case ended in a merger.
    std::vector<std::optional<std::size_t>> merged_into;
};

/// Links polygons that share more than `lineage_overlap` of the smaller one. Each case goes on in one polygon
/// at most, and a polygon continues one case at most: the greatest shared area first; a case from which
/// another one was once split off counts the other's area as its own when both end in the same polygon.
/// Growth is a change of area beyond max(δ · perimeter, `change_area_m2`, `change_share` of the area before).
/// `descends(a, b)`: the case of before `a` comes from that of before `b`. O(n log n) in the overlaps.
[[nodiscard]] Lineage trace_lineage(const std::vector<LineageNode>& before,
                                    const std::vector<LineageNode>& after,
                                    const std::vector<LineageOverlap>& overlaps,
                                    const std::function<bool(std::size_t, std::size_t)>& descends,
                                    const Rules& rules);

/// Growth between two areas of one polygon, by the same limits.
[[nodiscard]] Growth growth_between(double before, const LineageNode& after, const Rules& rules);

}  // namespace shuibao::algorithms
