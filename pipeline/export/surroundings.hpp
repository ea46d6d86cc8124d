// SPDX-License-Identifier: Apache-2.0
// What is drawn around the polygons so that they can be judged on the spot: approved ranges, county borders.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "field_rows.hpp"

namespace shuibao::pipeline {

/// Ranges and borders of a run, read when they are first asked for and kept for all counties. Reentrant.
class Surroundings {
  public:
    Surroundings();
    ~Surroundings();
    /// Layer `ranges` (防治责任范围): the ranges that the county's border touches, or the extent of its
    /// disturbances where no border is known. In the CRS of the suspects; empty without approvals.
    [[nodiscard]] io::LayerData ranges(const ExportInput& county) const;
    /// Of those the ones near a suspect: what its pictures show, and the range it was linked to.
    [[nodiscard]] io::LayerData ranges_near_suspects(const ExportInput& county) const;
    /// Layer `county`: the county's border; without rows where `zones.layers` has none of that name.
    [[nodiscard]] io::LayerData border(const ExportInput& county) const;
    /// Fields of the layers, for titles.
    [[nodiscard]] static std::vector<std::string> range_fields();

    /// What the manifest hashes.
    [[nodiscard]] static std::map<std::string, std::string> inputs(const ExportInput& input);

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
    [[nodiscard]] const Impl& read(const ExportInput& input) const;
};

}  // namespace shuibao::pipeline
