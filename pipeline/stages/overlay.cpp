// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
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

// People drew it on images of this ground sample, on a grid of pixels that nobody stated: within half a pixel
// of the outline none is sure to be whole (exact on average over all positions of the grid for rectangles
// along it). delineate measures its polygons' cores likewise.
void measure_pixels(algorithms::Facts& f, const Geometry& shape, double sample) {
    const double core = shape.buffered(-sample / 2).area(), all = shape.area();
    if (f.full_pixels < 0) f.full_pixels = static_cast<int>(std::min(core / (sample * sample), 1e9));
    if (f.core_share < 0 && all > 0) f.core_share = core / all;
}

// The day on which the ground was approved: that of the parts it lies in, the earliest where there are
// several.
std::optional<Date> approved_where(const Project& p, const Geometry& shape, double least) {
    std::optional<Date> first;
    for (const auto& part : p.dated)
        if (shape.intersection(part.range).area() >= least * shape.area())
            first = first ? std::min(*first, part.approved) : part.approved;
    return first ? first : p.approved;
}

template <class Counts>
std::vector<Geometry> only(const std::vector<Geometry>& parts, const Counts& counts) {
    std::vector<Geometry> kept;
    std::copy_if(parts.begin(), parts.end(), std::back_inserter(kept), counts);
    return kept;
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
    const Law& law = m_in.laws.at(d.onset_to);
    auto overlaps = overlapped(shape);
    std::vector<std::size_t> holders;  // of more than a fifth each
    for (const auto& [project, area] : overlaps)
        if (area > law.rules("split_share") * shape.area()) holders.push_back(project);
    std::vector<Case> cases;
    if (holders.size() < 2) {
        cases.push_back(measure(d, id, law, shape, std::move(overlaps), to_geographic));
        return cases;
    }
    const auto pieces = split(shape, holders);
    for (const auto& piece : pieces)  // one only where the same ground was approved twice
        cases.push_back(measure(d, pieces.size() == 1 ? id : fmt::format("{}-{}", id, cases.size() + 1), law,
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

Case Overlay::measure(const Disturbance& d, const std::string& id, const Law& law, const Geometry& shape,
                      std::vector<std::pair<std::size_t, double>> overlaps,
                      const io::Transformation& to_geographic) const {
    Case c;
    c.id = id;
    c.source = &d;
    c.law = &law;
    c.shape = shape;
    c.overlaps = std::move(overlaps);
    auto& f = c.facts;
    f.area = io::geodesic_area(shape, to_geographic);
    f.valid = f.area > 0;  // rings were repaired when they were read, and GEOS gives valid pieces
    f.vanished = d.vanished;
    f.drawn = d.full_pixels < 0;
    f.full_pixels = d.full_pixels;
    f.core_share = d.core_share;
    if (d.ground_sample && (f.full_pixels < 0 || f.core_share < 0))
        measure_pixels(f, shape, *d.ground_sample);
    f.water_became_bare = d.kind == ChangeKind::water_to_bare;
    f.type = type_of(d.qtype, m_in.types);
    f.onset_from = d.onset_from;
    f.onset_to = d.onset_to;
    f.seen = m_in.seen;
    f.ranges_known = m_in.ranges_known;
    f.tolerance = algorithms::tolerance(d.ground_sample, law.rules);
    measure_range(c, to_geographic);
    f.schematic_near = schematic_near(shape, law.rules("schematic_distance_m"));
    if (f.type == GroundType::spoil || f.type == GroundType::borrow) measure_yards(c);
    // Of every polygon: that it is spoil may be found on site.
    c.below = m_in.zones.near(shape, "below", law.rules("spoil_distance_m"));
    c.ground = m_in.ground.of(shape, m_in.crs, f.type, f.onset_to);
    const double around = c.law->rules("clue_distance_m");
    for (const auto i : m_clues.near(shape.bounds(), around))
        if (shape.distance(m_in.clues[i].place) <= around) c.clues.push_back(m_in.clues[i].name);
    return c;
}

void Overlay::measure_range(Case& c, const io::Transformation& to_geographic) const {
    auto& f = c.facts;
    const auto& shape = c.shape;
    const Law& law = *c.law;
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
    if (!outside.empty()) {
        const auto ranges = ranges_near(outside.bounds(), reach);
        const double least = std::numbers::pi * delta * delta;
        const auto counts = [&](const Geometry& part) {
            return part.area() >= least && part.holds_circle(delta);
        };
        // What does not count as a whole has no part that does.
        const auto all = outside.parts();
        auto kept = only(all, counts);
        const bool whole = ranges.empty() && alone && kept.size() == all.size();
        if (!ranges.empty() && !kept.empty()) {
            Geometry beyond = io::joined(kept);
            for (const auto& range : ranges) beyond = beyond.difference(range.buffered(delta));
            kept = only(beyond.parts(), counts);
        }
        c.beyond = io::joined(kept);
        f.outside_tolerant = whole ? f.area : io::geodesic_area(c.beyond, to_geographic);
        if (!ranges.empty()) f.depth = outside.depth_beyond(io::joined(ranges));
        // The range that is nearest to the far end may lie beyond what was looked at.
        if (f.depth > reach)
            f.depth = outside.depth_beyond(io::joined(ranges_near(outside.bounds(), f.depth)));
    }
    if (f.overlap_ratio >= c.law->rules("min_overlap") && !c.overlaps.empty()) {
        const auto& p = m_in.projects[c.overlaps.front().first];
        c.project = c.overlaps.front().first;
        f.linked = true;
        f.approved = approved_where(p, shape, law.rules("min_overlap"));
        f.accepted = p.accepted;
        f.project_area = p.declared_area;
        f.parts_known = !p.parts.empty();
        f.profile = m_in.industries.of(p.type).profile;
    }
    if (m_in.zones.any()) measure_zones(c);
    if (!c.project) c.beyond = {};
}

// A schematic range links only where no exact one is nearer: then "only a schematic range is near" is not
// true.
bool Overlay::schematic_near(const Geometry& shape, double reach) const {
    const auto nearest = [&](const io::BoxIndex& index, Geometry Project::*range) {
        double least = std::numeric_limits<double>::infinity();
        for (const auto i : index.near(shape.bounds(), reach))
            least = std::min(least, (m_in.projects[i].*range).distance(shape));
        return least;
    };
    const double schematic = nearest(m_schematic, &Project::schematic);
    return schematic <= reach && schematic <= nearest(m_exact, &Project::exact);
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

void Overlay::measure_zones(Case& c) const {
    auto& f = c.facts;
    const auto& zones = m_in.zones;
    const double least = c.law->rules("min_overlap");
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
    if (!c.project || c.beyond.empty()) return;
    // A key area that the outside part enters and the project's range does not (rules §3.4).
    const double noise = c.law->rules("new_key_area_m2");
    for (const auto& h : zones.over(c.beyond)) {
        if (!zones.has_role(h.zone, "key_area") || h.share * c.beyond.area() <= noise) continue;
        const auto& range = m_in.projects[*c.project].exact;
        const auto held = zones.over(range);
        if (std::none_of(held.begin(), held.end(), [&](const Zones::Hit& r) {
                return r.zone == h.zone && r.share * range.area() > noise;
            }))
            f.new_key_areas.push_back(zones.zone(h.zone).name);
    }
}

}  // namespace shuibao::pipeline
