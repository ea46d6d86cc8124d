// SPDX-License-Identifier: Apache-2.0
// Metadata in XML, looked up by the local names of their elements: prefixes and versions of schemas differ.
#pragma once

#include <string>
#include <string_view>

#include <pugixml.hpp>

namespace shuibao::engine {

/// The part of an element's name behind its prefix.
[[nodiscard]] std::string_view local_name(const pugi::xml_node& node);
/// The first element of that name at or below `node`, in document order; empty when there is none.
[[nodiscard]] pugi::xml_node element(const pugi::xml_node& node, std::string_view name);
/// Its text without blanks around it; empty when there is none.
[[nodiscard]] std::string text_of(const pugi::xml_node& node, std::string_view name);
/// Parses a file. Throws Refusal where it is not XML, Error(input) where it cannot be read.
void load_xml(const std::string& path, pugi::xml_document& document);

}  // namespace shuibao::engine
