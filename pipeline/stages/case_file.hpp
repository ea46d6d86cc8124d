// SPDX-License-Identifier: Apache-2.0
// Judged cases on disk, between screen, rank and explain.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "overlay.hpp"
#include "project_register.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

/// Everything the rules were applied to, as JSON with full precision: judge() of
/// facts_from_json() gives the same verdict again.
[[nodiscard]] nlohmann::ordered_json facts_to_json(const algorithms::Facts& facts);
/// Throws nlohmann::json::exception for what facts_to_json did not write.
[[nodiscard]] algorithms::Facts facts_from_json(const nlohmann::json& json);

/// What the rows of cases refer to.
struct CaseWords {
    const std::vector<Project>& projects;
    const ProjectRegister& register_of_projects;
    const Zones& zones;
    const Industries& industries;
    const engine::Dictionary& words;
    const engine::Dictionary& erosion_words;
    const std::string& batch;
};
/// The layer `screened` without rows: one per case with verdict, flags, areas, links, and `facts` and
/// `context` (zones, clues, slope, erosion) as JSON.
[[nodiscard]] io::LayerData case_layer(const std::string& crs);
[[nodiscard]] io::LayerData::Row case_row(const Case& c, const CaseWords& words);

}  // namespace shuibao::pipeline
