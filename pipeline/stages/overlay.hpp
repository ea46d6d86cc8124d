// SPDX-License-Identifier: Apache-2.0
// Disturbances × approved ranges × zones → the facts that the rules are applied to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "approvals.hpp"
#include "cleared_ground.hpp"
#include "clues.hpp"
#include "ground.hpp"
#include "industries.hpp"
#include "range_states.hpp"
#include "rules.hpp"
#include "zones.hpp"
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/disturbance.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>

namespace shuibao::pipeline {

/// One disturbance, or one piece of it, with what the overlay says.
struct Case {
    std::string id;
    const Disturbance* source = nullptr;
    io::Geometry shape;
    io::Geometry beyond;  ///< its parts outside that EAREA_T measures, until the sums are made
    algorithms::Facts facts;
    std::optional<std::size_t> project;                    ///< linked: the greatest overlap
    std::vector<std::pair<std::size_t, double>> overlaps;  ///< project, planar m²; by falling area
    std::vector<Zones::Hit> zones;                         ///< sensitive zones it lies in
    std::vector<std::size_t> below;  ///< settlements, roads, rivers close to it: what spoil endangers
    std::string county, township;
    std::vector<std::string> clues;  ///< public reports and video clues close by, in the order of their layer
    GroundFacts ground;              ///< slope and erosion
    const Law* law = nullptr;        ///< that measured and judges it: the one of the day it was first seen
    algorithms::Judgement judgement;
};

/// What every case is laid over; all in one metric CRS. Kept by reference.
struct OverlayInput {
    const std::vector<Project>& projects;
    const Zones& zones;
    const Industries& industries;
    const engine::Dictionary& types;  ///< configs/dictionaries/disturbances.yaml
    const Laws& laws;
    const std::vector<Clue>& clues;
    const Ground& ground;
    const Unobserved& unobserved;
    ClearedGround& cleared;  ///< meets the cases when sums are made
    std::string crs;  ///< of everything here
    bool ranges_known = true;
    std::optional<Date> seen;  ///< end of the batch
};

/// Measures one disturbance at a time; reentrant. A case costs O(log n) in the number of ranges and zones.
class Overlay {
  public:
    explicit Overlay(const OverlayInput& input);

    /// Usually one case; several where projects share the disturbance (more than split_share each).
    [[nodiscard]] std::vector<Case> operator()(const Disturbance& d, const std::string& id,
                                               const io::Transformation& to_geographic) const;

    /// What is known only when all cases are measured: Σ EAREA_T per project, sites that moved, and linear
    /// works that were displaced. `each(n, body)` runs body(0…n−1), in any order, at once or not. Gives what
    /// the batch shows of each project's range.
    using Each = std::function<void(std::size_t, const std::function<void(std::size_t)>&)>;
    std::vector<RangeLook> settle(std::vector<Case>& cases, const Each& each) const;

  private:
    [[nodiscard]] std::vector<std::pair<std::size_t, double>> overlapped(const io::Geometry& shape) const;
    [[nodiscard]] std::vector<io::Geometry> split(const io::Geometry& shape,
                                                  const std::vector<std::size_t>& holders) const;
    [[nodiscard]] std::vector<io::Geometry> ranges_near(const Bounds& bounds, double reach) const;
    [[nodiscard]] Case measure(const Disturbance& d, const std::string& id, const Law& law,
                               const io::Geometry& shape, std::vector<std::pair<std::size_t, double>> overlaps,
                               const io::Transformation& to_geographic) const;
    void measure_range(Case& c, const io::Transformation& to_geographic) const;
    void measure_yards(Case& c) const;
    void measure_zones(Case& c) const;
    [[nodiscard]] bool schematic_near(const io::Geometry& shape, double reach) const;
    void sum_outside(std::vector<Case>& cases, const Each& each) const;
    [[nodiscard]] bool in_corridor(const Case& c, const Project& p) const;
    void relocate(std::vector<Case>& cases, const std::vector<RangeLook>& looks, const Each& each) const;
    void displace(std::vector<Case>& cases) const;

    OverlayInput m_in;
    io::BoxIndex m_exact, m_schematic, m_clues;
};

}  // namespace shuibao::pipeline
