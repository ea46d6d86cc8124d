// SPDX-License-Identifier: Apache-2.0
// Disturbances as `screen` takes them in: the batch they are of, the CRS they are measured in, what is wrong.
#pragma once

#include <string>

#include "disturbance_file.hpp"
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What the set says of its rows: mended ones to context.notes, the others to context.problems.
void report(RunContext& context, const DisturbanceSet& set, const std::string& path);

/// What was first seen after the batch ended was not seen in it: such days become unknown, and are noted.
void forget_later_days(DisturbanceSet& set, Date end);

/// The month of the last image a digitised polygon speaks of. Throws Error(usage) where none has a date.
[[nodiscard]] std::string batch_of(const DisturbanceSet& set);

/// A CRS in metres for these bounds: the 3-degree zone of their middle, UTM beyond the zones of CGCS2000.
[[nodiscard]] std::string local_crs(const std::string& crs, const Bounds& bounds);

/// Distances need metres: polygons in degrees are moved to the zone of their middle. Gives the set's CRS.
[[nodiscard]] std::string working_crs(DisturbanceSet& set);

}  // namespace shuibao::pipeline
