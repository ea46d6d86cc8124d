// SPDX-License-Identifier: Apache-2.0
// The libraries that numbers depend on.
#pragma once

#include <string>

namespace shuibao::algorithms {

/// "OpenCV 4.6.0, Eigen 3.4.0": what is linked, or was compiled in.
[[nodiscard]] std::string library_versions();

}  // namespace shuibao::algorithms
