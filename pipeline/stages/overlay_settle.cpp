// SPDX-License-Identifier: Apache-2.0
// What one disturbance cannot tell by itself: sums over a project, sites that moved, displaced lines.
#include <algorithm>
#include <map>

#include "overlay.hpp"

namespace shuibao::pipeline {

using algorithms::GroundType;
using io::Geometry;

std::vector<RangeLook> Overlay::settle(std::vector<Case>& cases, const Each& each) const {
    sum_outside(cases, each);
    std::vector<RangeLook> looks(m_in.projects.size());
    for (const auto& k : cases) {
        if (k.facts.vanished || k.facts.type == GroundType::non_production) continue;
        for (const auto& [project, area] : k.overlaps) looks[project].disturbed += area;
    }
    each(looks.size(), [&](std::size_t i) {
        if (const auto& range = m_in.projects[i].exact; !range.empty())
            looks[i].unobserved = m_in.unobserved.share(range);
    });
    relocate(cases, looks, each);
    displace(cases);
    return looks;
}

// Σ EAREA_T per project: of what may be accused only, and every place once, however often it was drawn.
// What people found to be no works in an earlier batch is not known before `rank` reads the ledger.
void Overlay::sum_outside(std::vector<Case>& cases, const Each& each) const {
    std::vector<std::vector<std::size_t>> counted(m_in.projects.size());
    for (std::size_t k = 0; k < cases.size(); ++k)
        if (cases[k].project && cases[k].facts.outside_tolerant > 0 &&
            !algorithms::gated(cases[k].facts, cases[k].law->rules))
            counted[*cases[k].project].push_back(k);
    std::vector<double> sums(m_in.projects.size(), 0);
    each(sums.size(), [&](std::size_t p) {
        const auto& list = counted[p];
        if (list.size() == 1) sums[p] = cases[list.front()].facts.outside_tolerant;
        if (list.size() < 2) return;
        std::vector<Geometry> parts;
        for (const auto k : list) parts.push_back(cases[k].beyond);
        sums[p] = io::geodesic_area(io::union_of(parts), io::Transformation(m_in.crs, "EPSG:4490"));
    });
    for (auto& k : cases) {
        if (k.project) k.facts.project_outside = sums[*k.project];
        k.beyond = {};
    }
}

// Linear works move along their corridor: a compact site is none of theirs. Rows of dots are short each.
bool Overlay::in_corridor(const Case& c, const Project& p) const {
    const auto& profile = m_in.industries.of(p.type).profile;
    const auto& rules = c.law->rules;
    const auto elongated = [&](const Geometry& g) {
        const double length = algorithms::strip_length(g.area(), g.perimeter());
        return length * length >= rules("corridor_elongation") * g.area();
    };
    if (!profile.linear || !elongated(p.exact)) return true;
    return (profile.dots || elongated(c.shape)) && c.shape.depth_beyond(p.exact) <= rules("corridor_m");
}

// Sites that lie in no range, and ranges of works under construction where nothing is to be seen although
// they were looked at.
void Overlay::relocate(std::vector<Case>& cases, const std::vector<RangeLook>& looks, const Each& each) const {
    std::vector<std::vector<algorithms::RelocationPair>> found(cases.size());
    each(cases.size(), [&](std::size_t k) {
        const auto& c = cases[k];
        const auto& f = c.facts;
        const auto& rules = c.law->rules;
        if (f.overlap_ratio >= rules("min_overlap") || f.type != GroundType::other || !f.onset_to) return;
        if (algorithms::gated(f, rules)) return;  // it would take the range from a site that may be accused
        const double reach = rules("relocation_distance_m"), ratio = rules("relocation_area_ratio");
        for (const auto i : m_exact.near(c.shape.bounds(), reach)) {
            const auto& p = m_in.projects[i];
            if (!p.under_construction || !p.approved || *f.onset_to < *p.approved) continue;
            if (range_state(p, looks[i], rules) != "not_started") continue;
            const bool owners_known = !c.source->owner.empty() && !p.owner.empty();
            if (owners_known && c.source->owner != p.owner) continue;
            const double larger = c.shape.area() / p.exact.area();
            if (larger > ratio || larger < 1 / ratio) continue;
            const double distance = p.exact.distance(c.shape);
            if (distance > reach || !in_corridor(c, p)) continue;
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
