// SPDX-License-Identifier: Apache-2.0
#include "product.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

namespace shuibao::engine {
using nlohmann::json;

ItemMaker::ItemMaker(const std::string& id, const std::string& collection)
    : m_item({{"type", "Feature"},
              {"stac_version", "1.0.0"},
              {"stac_extensions",
               {"https://stac-extensions.github.io/eo/v1.1.0/schema.json",
                "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
                "https://stac-extensions.github.io/processing/v1.1.0/schema.json",
                "https://stac-extensions.github.io/sat/v1.0.0/schema.json"}},
              {"id", id},
              {"geometry", nullptr},
              {"properties", {{"shuibao:collection", collection}}},
              {"links", json::array()},
              {"assets", json::object()}}) {}

void ItemMaker::set(const std::string& property, json value) {
    m_item["properties"][property] = std::move(value);
}

void ItemMaker::asset(const std::string& key, const std::string& href, const std::vector<MadeBand>& bands) {
    json names = json::array(), values = json::array();
    for (const auto& b : bands) {
        json name = {{"name", b.name}}, value = json::object();
        if (b.role) name["common_name"] = common_name(*b.role);
        if (b.scale) value["scale"] = *b.scale;
        if (b.offset) value["offset"] = *b.offset;
        if (b.nodata) value["nodata"] = *b.nodata;
        if (b.gsd) value["spatial_resolution"] = *b.gsd;
        names.push_back(std::move(name));
        values.push_back(std::move(value));
    }
    m_item["assets"][key] = {{"href", href},
                             {"roles", {"data"}},
                             {"eo:bands", std::move(names)},
                             {"raster:bands", std::move(values)}};
}

void ItemMaker::mask(const std::string& key, const std::string& href, const std::string& role) {
    m_item["assets"][key] = {{"href", href}, {"roles", {role}}};
}

void ItemMaker::footprint(std::vector<std::array<double, 2>> ring) {
    if (ring.size() < 3) return;
    if (ring.front() != ring.back()) ring.push_back(ring.front());
    std::array<double, 4> box = {ring[0][0], ring[0][1], ring[0][0], ring[0][1]};
    for (const auto& [x, y] : ring)
        box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x), std::max(box[3], y)};
    m_item["geometry"] = {{"type", "Polygon"}, {"coordinates", json::array({ring})}};
    m_item["bbox"] = box;
}

void ItemMaker::footprint(const Bounds& b) {
    footprint({{b.min_x, b.min_y}, {b.max_x, b.min_y}, {b.max_x, b.max_y}, {b.min_x, b.max_y}});
}

json ItemMaker::finish() const {
    return m_item;
}

std::string platform_name(const std::string& text) {
    auto name = lower(text);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::optional<double> number_in(const std::string& text) {
    double value = 0;
    const auto end = text.data() + text.size();
    return !text.empty() && std::from_chars(text.data(), end, value).ptr == end ? std::optional(value)
                                                                                : std::nullopt;
}

std::string inside(const ProductFolder& folder, const std::string& path) {
    const std::filesystem::path p(path);
    const bool leaves = path.empty() || path.find('\0') != std::string::npos || p.is_absolute() ||
                        path.find('\\') != std::string::npos ||
                        std::any_of(p.begin(), p.end(), [](const auto& part) { return part == ".."; });
    if (leaves)
        throw Refusal{"leaves_folder",
                      fmt::format("Its metadata name the file '{}', which is not inside the product.", path)};
    return folder.at(path);
}

}  // namespace shuibao::engine
