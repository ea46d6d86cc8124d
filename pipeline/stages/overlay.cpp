// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <algorithm>
#include <map>
#include <numbers>

#include <fmt/format.h>

namespace shuibao::pipeline {
namespace {

using algorithms::GroundType;
using io::Geometry;

// Cutting a range to what is looked at costs more than it saves below so many vertices.
constexpr std::size_t clip_from = 100;

std::vector<Bounds> bounds_of(const std::vector<Project>& projects, Geometry Project::*member) {
    std::vector<Bounds> list;
    for (const auto& p : projects) list.push_back((p.*member).bounds());
    return list;
}

std::vector<Bounds> bounds_of(const std::vector<Clue>& clues) {
    std::vector<Bounds> list;
    for (const auto& [p, name] : clues) list.push_back({p.x, p.y, p.x, p.y});
    return list;
}

GroundType type_of(const std::string& qtype, const engine::Dictionary& words) {
    for (const auto type : {GroundType::spoil, GroundType::borrow, GroundType::non_production})
        if (words.lists("types", algorithms::ground_type_code(type), qtype)) return type;
    return GroundType::other;
}

}  // namespace

Overlay::Overlay(const OverlayInput& input)
    : m_in(input),
      m_exact(bounds_of(input.projects, &Project::exact)),
      m_schematic(bounds_of(input.projects, &Project::schematic)),
      m_clues(bounds_of(input.clues)) {}

std::vector<Case> Overlay::operator()(const Disturbance& d, const std::string& id,
                                      const io::Transformation& to_geographic) const {
    const Geometry shape(d.shape);
    auto overlaps = overlapped(shape);
    std::vector<std::size_t> holders;  // of more than a fifth each
    for (const auto& [project, area] : overlaps)
        if (area > m_in.rules("split_share") * shape.area()) holders.push_back(project);
    std::vector<Case> cases;
    if (holders.size() < 2) {
        cases.push_back(measure(d, id, shape, std::move(overlaps), to_geographic));
        return cases;
    }
    const auto pieces = split(shape, holders);
    for (const auto& piece : pieces)  // one only where the same ground was approved twice
        cases.push_back(measure(d, pieces.size() == 1 ? id : fmt::format("{}-{}", id, cases.size() + 1),
                                piece, overlapped(piece), to_geographic));
    return cases;
}

// Every project that D overlaps, with the planar overlap, greatest first.
std::vector<std::pair<std::size_t, double>> Overlay::overlapped(const Geometry& shape) const {
    std::vector<std::pair<std::size_t, double>> list;
    for (const auto i : m_exact.near(shape.bounds()))
        if (const double area = shape.intersection(m_in.projects[i].exact).area(); area > 0)
            list.emplace_back(i, area);
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return list;
}

// Along the ranges: each holder takes what lies in its range, the rest goes to the nearest piece.
std::vector<Geometry> Overlay::split(const Geometry& shape, const std::vector<std::size_t>& holders) const {
    std::vector<std::vector<Geometry>> pieces;
    Geometry rest = shape;
    for (const auto p : holders) {
        pieces.push_back({rest.intersection(m_in.projects[p].exact)});
        rest = rest.difference(m_in.projects[p].exact);
    }
    for (const auto& part : rest.parts()) {
        std::size_t best = 0;
        double nearest = -1;
        for (std::size_t k = 0; k < pieces.size(); ++k) {
            const double d = part.distance(pieces[k].front());
            if (nearest < 0 || d < nearest) {
                nearest = d;
                best = k;
            }
        }
        pieces[best].push_back(part);
    }
    std::vector<Geometry> out;
    for (const auto& list : pieces)
        if (auto g = io::union_of(list); !g.empty()) out.push_back(std::move(g));
    return out;
}

// The exact ranges that come within `reach` of the bounds, as far as that.
std::vector<Geometry> Overlay::ranges_near(const Bounds& b, double reach) const {
    const Bounds frame{b.min_x - reach, b.min_y - reach, b.max_x + reach, b.max_y + reach};
    std::vector<Geometry> list;
    for (const auto i : m_exact.near(b, reach)) {
        const auto& range = m_in.projects[i].exact;
        list.push_back(range.vertices() > clip_from ? range.within(frame) : range);
    }
    return list;
}

Case Overlay::measure(const Disturbance& d, const std::string& id, const Geometry& shape,
                      std::vector<std::pair<std::size_t, double>> overlaps,
                      const io::Transformation& to_geographic) const {
    Case c;
    c.id = id;
    c.source = &d;
    c.shape = shape;
    c.overlaps = std::move(overlaps);
    auto& f = c.facts;
    f.area = io::geodesic_area(shape, to_geographic);
    f.valid = f.area > 0;  // rings were repaired when they were read, and GEOS gives valid pieces
    f.vanished = d.vanished;
    f.full_pixels = d.full_pixels;
    f.core_share = d.core_share;
    f.water_became_bare = d.kind == ChangeKind::water_to_bare;
    f.type = type_of(d.qtype, m_in.types);
    f.onset_from = d.onset_from;
    f.onset_to = d.onset_to;
    f.seen = m_in.seen;
    f.ranges_known = m_in.ranges_known;
    f.tolerance = algorithms::tolerance(d.ground_sample, m_in.rules);
    measure_range(c, to_geographic);
    const double link = m_in.rules("schematic_distance_m");
    for (const auto i : m_schematic.near(shape.bounds(), link))
        f.schematic_near = f.schematic_near || m_in.projects[i].schematic.distance(shape) <= link;
    if (f.type == GroundType::spoil || f.type == GroundType::borrow) measure_yards(c);
    // Of every polygon: that it is spoil may be found on site.
    c.below = m_in.zones.near(shape, "below", m_in.rules("spoil_distance_m"));
    c.ground = m_in.ground.of(shape, m_in.crs, f.type, f.onset_to);
    const double around = m_in.rules("clue_distance_m");
    for (const auto i : m_clues.near(shape.bounds(), around))
        if (shape.distance(m_in.clues[i].place) <= around) c.clues.push_back(m_in.clues[i].name);
    return c;
}

void Overlay::measure_range(Case& c, const io::Transformation& to_geographic) const {
    auto& f = c.facts;
    const auto& shape = c.shape;
    const double delta = f.tolerance;
    const double reach = 3 * delta + 1;
    // D \ R is taken range by range: what is left gets smaller each time, and no union has to be made.
    Geometry outside = shape;
    for (const auto& [project, area] : c.overlaps) {
        const bool covered = area >= shape.area() * (1 - 1e-12);
        outside = covered ? Geometry() : outside.difference(m_in.projects[project].exact);
        if (outside.empty()) break;
    }
    const bool alone = c.overlaps.empty();
    f.outside = alone ? f.area : outside.empty() ? 0 : io::geodesic_area(outside, to_geographic);
    f.overlap_ratio = f.area > 0 ? std::clamp(1 - f.outside / f.area, 0.0, 1.0) : 0;
    std::vector<Geometry> kept;
    if (!outside.empty()) {
        const auto ranges = ranges_near(outside.bounds(), reach);
        Geometry beyond = outside;
        for (const auto& range : ranges) beyond = beyond.difference(range.buffered(delta));
        const double least = std::numbers::pi * delta * delta;
        const auto parts = beyond.parts();
        for (const auto& part : parts)
            if (part.area() >= least && part.holds_circle(delta)) kept.push_back(part);
        const bool whole = ranges.empty() && alone && kept.size() == parts.size();
        f.outside_tolerant = whole ? f.area : io::geodesic_area(io::joined(kept), to_geographic);
        if (!ranges.empty()) f.depth = outside.depth_beyond(io::joined(ranges));
        // The range that is nearest to the far end may lie beyond what was looked at.
        if (f.depth > reach)
            f.depth = outside.depth_beyond(io::joined(ranges_near(outside.bounds(), f.depth)));
    }
    if (f.overlap_ratio >= m_in.rules("min_overlap") && !c.overlaps.empty()) {
        const auto& p = m_in.projects[c.overlaps.front().first];
        c.project = c.overlaps.front().first;
        f.linked = true;
        f.approved = p.approved;
        f.accepted = p.accepted;
        f.project_area = p.declared_area;
        f.parts_known = !p.parts.empty();
        f.profile = m_in.industries.of(p.type).profile;
    }
    if (m_in.zones.any()) measure_zones(c, kept);
}

// How much of spoil or borrow lies in approved yards, whose they ever are.
void Overlay::measure_yards(Case& c) const {
    auto& f = c.facts;
    const auto member = f.type == GroundType::spoil ? &Project::spoil : &Project::borrow;
    std::vector<Geometry> yards;
    for (const auto& [project, area] : c.overlaps) yards.push_back(m_in.projects[project].*member);
    const double all = c.shape.area();
    if (const auto yard = io::union_of(yards); !yard.empty() && all > 0)
        f.yard_share = std::min(1.0, c.shape.intersection(yard).area() / all);
    for (const auto i : m_schematic.near(c.shape.bounds()))
        f.yard_schematic = f.yard_schematic || m_in.projects[i].yards_schematic.intersects(c.shape);
}

void Overlay::measure_zones(Case& c, const std::vector<Geometry>& outside) const {
    auto& f = c.facts;
    const auto& zones = m_in.zones;
    const double least = m_in.rules("min_overlap");
    const auto hits = zones.over(c.shape);
    bool scope = false;
    for (const auto& h : hits) {
        const auto& z = zones.zone(h.zone);
        scope = scope || zones.has_role(h.zone, "scope");
        if (z.kind == "county" && c.county.empty()) c.county = z.name;  // the greatest share stands first
        if (z.kind == "township" && c.township.empty()) c.township = z.name;
        if (z.kind != "county" && z.kind != "township" && h.share >= least) c.zones.push_back(h);
    }
    if (zones.known("scope")) f.in_scope = scope;
    if (!c.project || f.outside_tolerant <= m_in.rules("exceed_area_m2")) return;
    // A key area that the outside part enters and the project's range does not (53号令 art. 16(1)).
    const Geometry beyond = io::joined(outside);
    for (const auto& h : zones.over(beyond)) {
        if (!zones.has_role(h.zone, "key_area") || h.share * beyond.area() <= m_in.rules("exceed_area_m2"))
            continue;
        const auto held = zones.over(m_in.projects[*c.project].exact);
        if (std::none_of(held.begin(), held.end(),
                         [&](const Zones::Hit& r) { return r.zone == h.zone && r.share >= least; }))
            f.new_key_areas.push_back(zones.zone(h.zone).name);
    }
}

void Overlay::settle(std::vector<Case>& cases, const Each& each) const {
    std::vector<double> outside(m_in.projects.size(), 0);
    for (const auto& k : cases)
        if (k.project) outside[*k.project] += k.facts.outside_tolerant;
    for (auto& k : cases)
        if (k.project) k.facts.project_outside = outside[*k.project];
    relocate(cases, each);
    displace(cases);
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
        else if (cases[k].project && f.depth > m_in.rules("linear_offset_m"))
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
        const Geometry corridor = range.buffered(m_in.rules("linear_offset_m"));
        double displaced = 0;
        for (const auto k : list)
            displaced += length(m_in.zones.part_in(cases[k].shape.difference(corridor), "hill"),
                                cases[k].facts.tolerance);
        for (const auto k : list) cases[k].facts.displaced_share = displaced / section;
    }
}

}  // namespace shuibao::pipeline
