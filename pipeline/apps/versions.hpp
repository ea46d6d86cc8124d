// SPDX-License-Identifier: Apache-2.0
// What this program is made of.
#pragma once

#include <string>

namespace shuibao::apps {

/// "GDAL 3.6.2, PROJ 9.1.1, GEOS 3.11.1, OpenCV 4.6.0, Eigen 3.4.0".
[[nodiscard]] std::string library_versions();
/// What `--version` prints: one line, or an object of names and versions.
[[nodiscard]] std::string version_text(bool json);

}  // namespace shuibao::apps
