// SPDX-License-Identifier: Apache-2.0
// Entry points for text that comes from outside: each returns or throws nothing but Error, whatever it is
// given.
#pragma once

#include <filesystem>
#include <string_view>

namespace shuibao::fuzz {

/// Where the targets put the bytes that the readers take from files; removed at the end of the program.
[[nodiscard]] const std::filesystem::path& folder();
void write(const std::filesystem::path& path, std::string_view bytes);

void stac(std::string_view text);      ///< engine::read_catalogue, and the scene list written and read back
void products(std::string_view text);  ///< the same of metadata of SAFE and Landsat products
void settings(std::string_view text);  ///< engine::Settings with the options of all stages
void rules(std::string_view text);     ///< engine::RuleSet and engine::Dictionary
void words(std::string_view text);     ///< TileId, Date and printable text: what is accepted prints to itself

}  // namespace shuibao::fuzz
