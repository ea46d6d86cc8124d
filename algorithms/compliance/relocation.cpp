// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include <shuibao/algorithms/compliance.hpp>

namespace shuibao::algorithms {

double strip_length(double area, double perimeter) {
    // a + b = perimeter / 2, a · b = area.
    return (perimeter + std::sqrt(std::max(0.0, perimeter * perimeter - 16 * area))) / 4;
}

std::vector<RelocationPair> match_one_to_one(std::vector<RelocationPair> pairs) {
    const auto order = [](const RelocationPair& p) {
        return std::tuple(!p.what.same_owner, p.what.distance, std::abs(std::log(p.what.area_ratio)),
                          p.disturbance, p.project);
    };
    std::sort(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
    std::set<std::size_t> disturbances, projects;
    std::vector<RelocationPair> matched;
    for (auto& p : pairs)
        if (!disturbances.contains(p.disturbance) && !projects.contains(p.project)) {
            disturbances.insert(p.disturbance);
            projects.insert(p.project);
            matched.push_back(std::move(p));
        }
    return matched;
}

}  // namespace shuibao::algorithms
