// SPDX-License-Identifier: Apache-2.0
// STAC Items as scenes.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <shuibao/engine/scene.hpp>

namespace shuibao::engine {

/// ASCII letters in lower case.
[[nodiscard]] std::string lower(std::string text);
/// The text under a key, or `fallback` where there is none.
[[nodiscard]] std::string text_of(const nlohmann::json& j, const char* key, const std::string& fallback = {});
/// A path, an URL or a /vsi name that `file` mentions, as GDAL opens it. Throws Refusal for the network,
/// where that is not allowed.
[[nodiscard]] std::string resolve(const std::filesystem::path& file, const std::string& href);
/// The scene that an Item describes; relative names start from the folder of `path`. Throws Refusal, and what
/// nlohmann::json throws for malformed ones.
[[nodiscard]] Scene scene_of_item(const std::filesystem::path& path, const nlohmann::json& item,
                                  const std::vector<Sensor>& sensors);

}  // namespace shuibao::engine
