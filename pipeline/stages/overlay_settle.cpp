// SPDX-License-Identifier: Apache-2.0
// What one disturbance cannot tell by itself: sums over a project, sites that moved, displaced lines.
#include <algorithm>
#include <map>
#include <optional>

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
// Ground that people hold nothing against does not count.
void Overlay::sum_outside(std::vector<Case>& cases, const Each& each) const {
    std::vector<std::vector<std::size_t>> counted(m_in.projects.size());
    for (std::size_t k = 0; k < cases.size(); ++k)
        if (cases[k].project && cases[k].facts.outside_tolerant > 0 &&
            !algorithms::gated(cases[k].facts, cases[k].law->rules))
            counted[*cases[k].project].push_back(k);
    if (!m_in.cleared.empty()) {
        std::vector<ClearedGround::Spot> spots;
        for (const auto& k : cases) spots.push_back({k.id, k.shape});
        m_in.cleared.meet(spots);
    }
    std::vector<double> sums(m_in.projects.size(), 0);
    each(sums.size(), [&](std::size_t p) {
        const auto& list = counted[p];
        if (list.empty()) return;
        std::optional<io::Transformation> to_geographic;  // dear to make
        const auto area = [&](const Geometry& g) {
            if (!to_geographic) to_geographic.emplace(m_in.crs, "EPSG:4490");
            return io::geodesic_area(g, *to_geographic);
        };
        std::vector<Geometry> parts;
        bool cleared = false;
        for (const auto k : list) {
            auto& facts = cases[k].facts;
            auto part = m_in.cleared.without(cases[k].beyond);
            if (part.area() < cases[k].beyond.area()) {
                cleared = true;
                facts.cleared = std::min(facts.outside_tolerant, area(cases[k].beyond) - area(part));
            }
            parts.push_back(std::move(part));
        }
        sums[p] = list.size() == 1 && !cleared ? cases[list.front()].facts.outside_tolerant
                                               : area(io::union_of(parts));
    });
    for (auto& k : cases) {
        if (k.project) k.facts.project_outside = sums[*k.project];
        k.beyond = {};
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
