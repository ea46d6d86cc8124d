// SPDX-License-Identifier: Apache-2.0
// Leaflet (BSD-2-Clause), the map library of the report, as the build found it on the system.
#pragma once

#include <string_view>

namespace shuibao::pipeline {

[[nodiscard]] std::string_view leaflet_script();
[[nodiscard]] std::string_view leaflet_style();

}  // namespace shuibao::pipeline
