// SPDX-License-Identifier: Apache-2.0
// Layers that people give beside the images: that they are there, what is in them, and what single rows lack.
#pragma once

#include <string>

#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// Content of a vector source as one hash: of all files it consists of, by their names beside each other.
[[nodiscard]] std::string hash_vector(const std::string& path);
/// Throws Error(input), "<what> <path> does not exist.", for a layer that is a file and is not there.
void require_layer(const std::string& what, const std::string& path,
                   const std::string& hint = "Correct its path in the configuration.");

/// Tells what was found of a row of the layer `path` in the name of `stage`. What was mended without loss
/// goes to context.notes and the log, everything else to context.problems with what to do. The unit is
/// "file:row", without the file's folder.
void tell_row(RunContext& context, const std::string& stage, const std::string& path,
              const io::LayerNote& note, const std::string& hint);

}  // namespace shuibao::pipeline
