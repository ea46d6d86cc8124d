// SPDX-License-Identifier: Apache-2.0
// What one disturbance cannot tell by itself: sums over a project, sites that moved, displaced lines.
#include <algorithm>
#include <map>

#include "overlay.hpp"

namespace shuibao::pipeline {

using algorithms::GroundType;
using io::Geometry;

void Overlay::settle(std::vector<Case>& cases, const Each& each) const {
    std::vector<double> outside(m_in.projects.size(), 0);
    for (const auto& k : cases)
        if (k.project) outside[*k.project] += k.facts.outside_tolerant;
    for (auto& k : cases)
        if (k.project) k.facts.project_outside = outside[*k.project];
    relocate(cases, each);
    displace(cases);
}

// Sites that lie in no range, and ranges of works under construction where nothing is to be seen.
void Overlay::relocate(std::vector<Case>& cases, const Each& each) const {
    std::vector<double> covered(m_in.projects.size(), 0);
    for (const auto& k : cases)
        for (const auto& [project, area] : k.overlaps) covered[project] += area;
    std::vector<std::vector<algorithms::RelocationPair>> found(cases.size());
    each(cases.size(), [&](std::size_t k) {
        const auto& c = cases[k];
        const auto& f = c.facts;
        const auto& rules = c.law->rules;
        const double least = rules("min_overlap"), reach = rules("relocation_distance_m"),
                     ratio = rules("relocation_area_ratio");
        if (f.overlap_ratio >= least || f.type != GroundType::other || !f.onset_to) return;
        for (const auto i : m_exact.near(c.shape.bounds(), reach)) {
            const auto& p = m_in.projects[i];
            if (!p.under_construction || !p.approved || *f.onset_to < *p.approved) continue;
            if (covered[i] >= least * p.exact.area()) continue;
            const bool owners_known = !c.source->owner.empty() && !p.owner.empty();
            if (owners_known && c.source->owner != p.owner) continue;
            const double larger = c.shape.area() / p.exact.area();
            if (larger > ratio || larger < 1 / ratio) continue;
            const double distance = p.exact.distance(c.shape);
            if (distance > reach) continue;
            found[k].push_back({k, i, {p.key, p.name, distance, larger, owners_known}});
        }
    });
    std::vector<algorithms::RelocationPair> pairs;
    for (auto& list : found) std::move(list.begin(), list.end(), std::back_inserter(pairs));
    for (auto& pair : algorithms::match_one_to_one(std::move(pairs))) {
        auto& f = cases[pair.disturbance].facts;
        f.relocation = std::move(pair.what);
        f.profile = m_in.industries.of(m_in.projects[pair.project].type).profile;
    }
}

// Linear works: the length that lies farther than linear_offset_m from the range, of the range's length, both
// in hills (53号令 art. 16(3)).
void Overlay::displace(std::vector<Case>& cases) const {
    if (!m_in.zones.known("hill")) return;
    std::map<std::string, std::size_t> by_key;
    for (std::size_t i = 0; i < m_in.projects.size(); ++i) by_key[m_in.projects[i].key] = i;
    std::map<std::size_t, std::vector<std::size_t>> of_project;
    for (std::size_t k = 0; k < cases.size(); ++k) {
        const auto& f = cases[k].facts;
        if (!f.profile.linear) continue;
        if (f.relocation)
            of_project[by_key.at(f.relocation->project)].push_back(k);
        else if (cases[k].project && f.depth > cases[k].law->rules("linear_offset_m"))
            of_project[*cases[k].project].push_back(k);
    }
    // A sliver along the limit is long and says nothing: it must hold the circle that parts outside must
    // hold.
    const auto length = [](const Geometry& strip, double radius) {
        double sum = 0;
        for (const auto& part : strip.parts())
            if (radius <= 0 || part.holds_circle(radius))
                sum += algorithms::strip_length(part.area(), part.perimeter());
        return sum;
    };
    for (const auto& [project, list] : of_project) {
        const auto& range = m_in.projects[project].exact;
        const double section = length(m_in.zones.part_in(range, "hill"), 0);
        if (section <= 0) continue;
        double displaced = 0;
        for (const auto k : list) {
            const Geometry corridor = range.buffered(cases[k].law->rules("linear_offset_m"));
            displaced += length(m_in.zones.part_in(cases[k].shape.difference(corridor), "hill"),
                                cases[k].facts.tolerance);
        }
        for (const auto k : list) cases[k].facts.displaced_share = displaced / section;
    }
}

}  // namespace shuibao::pipeline
