// SPDX-License-Identifier: Apache-2.0
#include "yaml_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>

namespace shuibao::engine {

YAML::Node parse_yaml(const std::filesystem::path& file) {
    try {
        return YAML::LoadFile(file.string());
    } catch (const YAML::BadFile&) {
        throw Error(ErrorCode::usage, fmt::format("{} cannot be read.", file.string()),
                    "Check the path and its permissions.");
    } catch (const YAML::Exception& e) {
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: this is not valid YAML: {}.", file.string(), e.mark.line + 1, e.msg),
                    "Compare with the file that comes with shuibao.");
    }
}

void refuse(const std::filesystem::path& file, const YAML::Node& at, const std::string& what,
            const std::string& hint) {
    // An empty file has no mark.
    throw Error(ErrorCode::usage,
                fmt::format("{}:{}: {}", file.string(), std::max(at.Mark().line, 0) + 1, what), hint);
}

}  // namespace shuibao::engine
