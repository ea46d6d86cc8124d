// SPDX-License-Identifier: Apache-2.0
#include "versions.hpp"

#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "build_id.hpp"
#include <shuibao/algorithms/versions.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::apps {

std::string library_versions() {
    return io::library_versions() + ", " + algorithms::library_versions();
}

std::string version_text(bool json) {
    if (!json) return fmt::format("shuibao {} ({})\n", program_version, library_versions());
    nlohmann::ordered_json j = {{"shuibao", program_version}};
    std::istringstream in(library_versions());
    for (std::string part; std::getline(in >> std::ws, part, ',');) {
        const auto space = part.find(' ');
        j[part.substr(0, space)] = part.substr(space + 1);
    }
    return j.dump(1) + "\n";
}

}  // namespace shuibao::apps
