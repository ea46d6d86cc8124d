// SPDX-License-Identifier: Apache-2.0
// Approved responsibility ranges (防治责任范围), dissolved per project.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// One approved project with all its parts.
struct Project {
    std::string key;  ///< project number where the layer has one, else name and owner
    std::string name, owner, type, authority, credit;
    std::vector<std::string> parts;  ///< 组成部分, sorted
    std::optional<Date> approved;    ///< earliest approval date of its parts
    double declared_area = 0;        ///< DAREA, m²; the area of the ranges when it is not stated
    io::Geometry exact, schematic;   ///< dissolved; either may be empty
};

/// Reads `approvals.path` into `crs`, sorted by key. What was mended goes to context.notes, what was lost to
/// context.problems. Throws Error(input) when the layer has no range, or no field names a project.
[[nodiscard]] std::vector<Project> read_approvals(RunContext& context, const std::string& crs);

void declare_approvals(OptionTable& table);

}  // namespace shuibao::pipeline
