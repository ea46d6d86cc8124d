// SPDX-License-Identifier: Apache-2.0
// What was found of single rows when a layer was read, told in the name of `screen`.
#pragma once

#include <string>

#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What was mended without loss goes to context.notes and the log, everything else to context.problems with
/// what to do. The unit is "file:row", `file` without its folder.
void tell_row(RunContext& context, const std::string& file, const io::LayerNote& note,
              const std::string& hint);

}  // namespace shuibao::pipeline
