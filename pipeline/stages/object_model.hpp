// SPDX-License-Identifier: Apache-2.0
// `configs/objects`: how sites are told from fields that lie bare.
#pragma once

#include <filesystem>

#include <shuibao/algorithms/objects.hpp>

namespace shuibao::pipeline {

/// Throws Error(config) naming file and line.
[[nodiscard]] algorithms::ObjectModel load_object_model(const std::filesystem::path& file);

}  // namespace shuibao::pipeline
