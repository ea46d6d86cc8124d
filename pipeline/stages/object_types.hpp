// SPDX-License-Identifier: Apache-2.0
// What each polygon of a batch is taken for, with what that was taken from.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hotspots.hpp"
#include "terrain.hpp"
#include <shuibao/algorithms/object_type.hpp>
#include <shuibao/core/disturbance.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// `delineate.types`, or shuibao's own.
[[nodiscard]] std::filesystem::path type_rules_file(const engine::Settings& settings);
/// What types depend on beside the change maps: hashes of the rules, of the elevation model and of
/// the hotspots.
[[nodiscard]] std::map<std::string, std::string> type_inputs(const RunContext& context);

class ObjectTypes {
  public:
    /// `hotspots`: none where they are not known. Throws Error for rules or an elevation model that cannot be
    /// used.
    ObjectTypes(const RunContext& context, const Grid& grid, const Hotspots* hotspots);
    /// Sets image_type and type_evidence, and lowers the confidence where the rule says so. `segments` are
    /// what `list` was made of, in the same order. O(n log n) and the pixels.
    void tell(const std::vector<algorithms::Segment>& segments, std::vector<Disturbance>& list) const;

  private:
    [[nodiscard]] algorithms::TypeInputs inputs_of(const algorithms::Segment& segment,
                                                   const Disturbance& disturbance) const;
    const RunContext& m_context;
    const Grid& m_grid;
    algorithms::TypeRules m_rules;
    std::optional<TerrainModel> m_heights;
    const Hotspots* m_hotspots;
};

}  // namespace shuibao::pipeline
