// SPDX-License-Identifier: Apache-2.0
// Landsat Collection 2 Level-2 (surface reflectance), as the USGS delivers it: images beside their MTL file.
// Source: Landsat 8-9 C2 L2 Science Product Guide (LSDS-1619); Landsat 4-7 (LSDS-1618).
#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "product.hpp"
#include "xml.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/io/folder.hpp>

namespace shuibao::engine {
namespace {

using Group = std::map<std::string, std::string>;
using Metadata = std::map<std::string, Group>;  // group → key → value

// GROUP = NAME … KEY = "VALUE" … END_GROUP = NAME. A key of an inner group belongs to it alone.
Metadata read_text_form(const std::string& path) {
    std::istringstream text(io::read_text(path, largest_metadata));
    Metadata metadata;
    std::vector<std::string> groups;
    for (std::string line; std::getline(text, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const auto key = trimmed(line.substr(0, equals));
        auto value = trimmed(line.substr(equals + 1));
        if (value.size() > 1 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        if (key == "GROUP")
            groups.push_back(value);
        else if (key == "END_GROUP" && !groups.empty())
            groups.pop_back();
        else if (!groups.empty())
            metadata[groups.back()][key] = value;
    }
    return metadata;
}

Metadata read_xml_form(const std::string& path) {
    pugi::xml_document document;
    load_xml(path, document);
    Metadata metadata;
    for (const auto& group : element(document, "LANDSAT_METADATA_FILE").children())
        for (const auto& entry : group.children())
            metadata[group.name()][entry.name()] = trimmed(entry.child_value());
    return metadata;
}

std::string value_of(const Metadata& m, const std::string& group, const std::string& key) {
    const auto g = m.find(group);
    if (g == m.end()) return {};
    const auto v = g->second.find(key);
    return v == g->second.end() ? std::string() : v->second;
}

std::string needed(const Metadata& m, const std::string& group, const std::string& key) {
    auto value = value_of(m, group, key);
    if (value.empty()) throw Refusal{"incomplete", fmt::format("Its MTL file has no {} in {}.", key, group)};
    return value;
}

double number(const std::string& text, const std::string& key) {
    const auto value = number_in(text);
    if (!value) throw Refusal{"incomplete", fmt::format("'{}' is no number for {}.", text, key)};
    return *value;
}

struct BandOf {
    int number;
    Band role;
};
constexpr std::array<BandOf, 7> oli = {{{1, Band::coastal},
                                        {2, Band::blue},
                                        {3, Band::green},
                                        {4, Band::red},
                                        {5, Band::nir08},
                                        {6, Band::swir16},
                                        {7, Band::swir22}}};
constexpr std::array<BandOf, 6> tm = {{{1, Band::blue},
                                       {2, Band::green},
                                       {3, Band::red},
                                       {4, Band::nir08},
                                       {5, Band::swir16},
                                       {7, Band::swir22}}};

std::span<const BandOf> bands_of(const std::string& sensor) {
    if (sensor.starts_with("OLI")) return oli;
    if (sensor == "TM" || sensor.starts_with("ETM")) return tm;
    throw Refusal{"sensor",
                  fmt::format("The sensor '{}' has no surface reflectance that shuibao knows.", sensor)};
}

class Landsat final : public Product {
  public:
    void find(const ProductFolder& folder, const ProductOptions& /*options*/,
              Findings& found) const override {
        constexpr std::array<std::string_view, 2> forms = {"_MTL.txt", "_MTL.xml"};
        std::set<std::string> done;
        for (const auto form : forms)
            for (const auto& file : folder.files) {
                if (!file.ends_with(form)) continue;
                const auto id = file.substr(0, file.size() - form.size());
                if (!done.insert(id).second) continue;
                for (const auto& other : folder.files)
                    if (other.starts_with(id)) found.taken.insert(other);
                make_items(folder.at(file), id, found, [&] {
                    const auto metadata =
                        form == forms[0] ? read_text_form(folder.at(file)) : read_xml_form(folder.at(file));
                    found.items.push_back({folder.at(file), item_of(folder, metadata)});
                });
            }
    }

  private:
    static nlohmann::json item_of(const ProductFolder& folder, const Metadata& m) {
        const std::string contents = "PRODUCT_CONTENTS", image = "IMAGE_ATTRIBUTES",
                          reflectance = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS",
                          place = "PROJECTION_ATTRIBUTES";
        if (const auto collection = value_of(m, contents, "COLLECTION_NUMBER"); collection != "02")
            throw Refusal{"collection",
                          fmt::format("The product is of collection '{}'; shuibao reads 02, its "
                                      "MTL file says so under PRODUCT_CONTENTS.",
                                      collection)};
        const auto level = needed(m, contents, "PROCESSING_LEVEL");
        if (!level.starts_with("L2"))
            throw Refusal{
                "level",
                fmt::format("The product is of level {}: get its Level-2 (surface reflectance).", level)};
        ItemMaker item(needed(m, contents, "LANDSAT_PRODUCT_ID"), "landsat-c2-l2");
        auto time = value_of(m, image, "SCENE_CENTER_TIME");
        if (time.empty()) time = "00:00:00Z";
        item.set("datetime", needed(m, image, "DATE_ACQUIRED") + "T" + time);
        item.set("platform", platform_name(needed(m, image, "SPACECRAFT_ID")));
        item.set("processing:level", "L2");
        const auto sensor = needed(m, image, "SENSOR_ID");
        item.set("instruments", {platform_name(sensor)});
        if (const auto cloud = value_of(m, image, "CLOUD_COVER"); !cloud.empty())
            item.set("eo:cloud_cover", number(cloud, "CLOUD_COVER"));
        std::vector<std::array<double, 2>> ring;
        for (const std::string corner : {"UL", "UR", "LR", "LL"}) {
            const auto key = [&](const char* axis) {
                return fmt::format("CORNER_{}_{}_PRODUCT", corner, axis);
            };
            const auto lon = value_of(m, place, key("LON")), lat = value_of(m, place, key("LAT"));
            if (!lon.empty() && !lat.empty())
                ring.push_back({number(lon, key("LON")), number(lat, key("LAT"))});
        }
        item.footprint(ring);
        bool any = false;
        for (const auto& b : bands_of(sensor)) {
            const auto file = value_of(m, contents, fmt::format("FILE_NAME_BAND_{}", b.number));
            if (file.empty()) continue;
            any = true;
            const auto factor = [&](const char* what) {
                const auto key = fmt::format("REFLECTANCE_{}_BAND_{}", what, b.number);
                return number(needed(m, reflectance, key), key);
            };
            const auto name = fmt::format("SR_B{}", b.number);
            item.asset(name, inside(folder, file),
                       {{.name = name,
                         .role = b.role,
                         .scale = factor("MULT"),
                         .offset = factor("ADD"),
                         .nodata = 0,
                         .gsd = 30}});
        }
        if (!any) throw Refusal{"incomplete", "Its MTL file names no band of surface reflectance."};
        if (const auto qa = value_of(m, contents, "FILE_NAME_QUALITY_L1_PIXEL"); !qa.empty())
            item.mask("qa_pixel", inside(folder, qa), "data");
        return item.finish();
    }
};

const Registration<Product, Landsat> registration{"landsat_c2", 20};

}  // namespace
}  // namespace shuibao::engine
