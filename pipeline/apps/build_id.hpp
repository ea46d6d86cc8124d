// SPDX-License-Identifier: Apache-2.0
// What this program was made of; written at build time by scripts/dev/build_id.cmake.
#pragma once

#include <map>
#include <string>

namespace shuibao::apps {

extern const char* const program_version;
/// Version and hash of all sources.
extern const char* const build_id;
/// Of the stages whose results hang on some of the sources only: version and hash of these.
[[nodiscard]] const std::map<std::string, std::string>& stage_codes();

}  // namespace shuibao::apps
