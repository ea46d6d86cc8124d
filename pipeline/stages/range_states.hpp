// SPDX-License-Identifier: Apache-2.0
// What a batch shows of every approved range: works, nothing (未开工), or that it was not observed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "approvals.hpp"
#include "rules.hpp"
#include <shuibao/engine/store.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// What was not observed in a batch (cloud, no data).
class Unobserved {
  public:
    /// Without the file nothing is known to be hidden: polygons that people drew come without such a map.
    Unobserved(const std::filesystem::path& file, const std::string& crs);
    /// Share of the shape that was not observed, 0–1.
    [[nodiscard]] double share(const io::Geometry& shape) const;

  private:
    std::vector<io::Geometry> m_shapes;
    io::BoxIndex m_index;
};

/// One exact range in one batch.
struct RangeLook {
    double disturbed = 0;   ///< planar m² under disturbances; what vanished or is no works does not count
    double unobserved = 0;  ///< share, 0–1
};

/// The codes: `accepted` (验收), `disturbed` (有扰动), `not_observed` (未观测), `not_started` (未开工: no
/// disturbance, and seen well enough to say so), `schematic` (drawn schematically only: not judged).
[[nodiscard]] std::string range_state(const Project& project, const RangeLook& look,
                                      const algorithms::Rules& rules);

/// Of the projects approved in a batch's layer the share that has a range, as `screen` wrote it beside its
/// verdicts: what every statistic carries. Nothing without a layer of ranges, or before `screen`.
[[nodiscard]] std::optional<double> share_with_range(const engine::Store& store, const std::string& batch);

/// Layer `ranges`: every project with a range, in the order of the projects; `looks` stand beside them.
[[nodiscard]] io::LayerData range_layer(const std::vector<Project>& projects,
                                        const std::vector<RangeLook>& looks, const algorithms::Rules& rules,
                                        const std::string& crs);

}  // namespace shuibao::pipeline
