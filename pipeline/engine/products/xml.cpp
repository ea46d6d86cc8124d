// SPDX-License-Identifier: Apache-2.0
#include "xml.hpp"

#include <fmt/format.h>

#include "product.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/io/folder.hpp>

namespace shuibao::engine {

std::string_view local_name(const pugi::xml_node& node) {
    const std::string_view name = node.name();
    return name.substr(name.find(':') + 1);  // npos + 1 = 0
}

pugi::xml_node element(const pugi::xml_node& node, std::string_view name) {
    return node.find_node([&](const pugi::xml_node& n) { return local_name(n) == name; });
}

std::string text_of(const pugi::xml_node& node, std::string_view name) {
    return trimmed(element(node, name).child_value());
}

void load_xml(const std::string& path, pugi::xml_document& document) {
    const std::string text = io::read_text(path, largest_metadata);
    const auto result = document.load_buffer(text.data(), text.size());
    if (!result)
        throw Refusal{"not_xml", fmt::format("{} is not XML: {} near byte {}.", path, result.description(),
                                             result.offset)};
}

}  // namespace shuibao::engine
