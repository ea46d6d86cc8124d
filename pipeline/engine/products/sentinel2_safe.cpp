// SPDX-License-Identifier: Apache-2.0
// Sentinel-2 Level-1C and Level-2A in SAFE folders, as the Copernicus services deliver them (also inside a
// zip). Source: Sentinel-2 Products Specification Document, issue 14.9 (S2-PDGS-TAS-DI-PSD): user product
// metadata.
#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "product.hpp"
#include "xml.hpp"
#include <shuibao/io/folder.hpp>

namespace shuibao::engine {
namespace {

struct BandOf {
    std::string_view name;
    std::optional<Band> role;
    int gsd;  // m, as sensed
};
// In the order of band_id.
constexpr std::array<BandOf, 13> bands = {{{"B01", Band::coastal, 60},
                                           {"B02", Band::blue, 10},
                                           {"B03", Band::green, 10},
                                           {"B04", Band::red, 10},
                                           {"B05", Band::rededge071, 20},
                                           {"B06", Band::rededge075, 20},
                                           {"B07", Band::rededge078, 20},
                                           {"B08", Band::nir, 10},
                                           {"B8A", Band::nir08, 20},
                                           {"B09", Band::nir09, 60},
                                           {"B10", Band::cirrus, 60},
                                           {"B11", Band::swir16, 20},
                                           {"B12", Band::swir22, 20}}};

double needed_number(const pugi::xml_node& root, std::string_view name) {
    const auto value = number_in(text_of(root, name));
    if (!value || *value == 0) throw Refusal{"incomplete", fmt::format("Its metadata have no {}.", name)};
    return *value;
}

// "…/T49QGF_20200101T030129_B04_10m" → {"B04", 10}; Level-1C says no size.
std::pair<std::string, int> band_and_size(const std::string& path) {
    std::vector<std::string> words;
    std::istringstream name(path.substr(path.rfind('/') + 1));
    for (std::string word; std::getline(name, word, '_');) words.push_back(word);
    if (words.size() > 1 && words.back().size() == 3 && words.back().ends_with("m") &&
        number_in(words.back().substr(0, 2)))
        return {words[words.size() - 2], static_cast<int>(*number_in(words.back().substr(0, 2)))};
    return {words.empty() ? std::string() : words.back(), 0};
}

class Granule {
  public:
    Granule(const ProductFolder& folder, const pugi::xml_node& node) {
        for (const auto& child : node.children()) {
            const auto kind = local_name(child);
            if (kind != "IMAGE_FILE" && kind != "IMAGE_FILE_2A" && kind != "IMAGE_ID") continue;
            std::string path = child.child_value();
            if (kind == "IMAGE_ID")  // before 2016-12: names alone, in folders of that name
                path =
                    fmt::format("GRANULE/{}/IMG_DATA/{}", node.attribute("granuleIdentifier").value(), path);
            const auto [name, size] = band_and_size(path);
            auto& finest = m_images[name];
            if (finest.second.empty() || size < finest.first) finest = {size, path + ".jp2"};
            if (m_root.empty()) m_root = path.substr(0, path.find("/IMG_DATA"));
        }
        if (m_images.empty()) throw Refusal{"incomplete", "Its metadata name no image of a granule."};
        for (auto& [name, image] : m_images) image.second = inside(folder, image.second);
        m_root = inside(folder, m_root);
    }
    /// Path and pixel size (0 = not said) of the finest rendition, empty where there is none.
    [[nodiscard]] std::pair<int, std::string> image(std::string_view name) const {
        const auto it = m_images.find(std::string(name));
        return it == m_images.end() ? std::pair<int, std::string>() : it->second;
    }
    [[nodiscard]] std::string name() const { return m_root.substr(m_root.rfind('/') + 1); }
    // Level-1C since baseline 04.00: opaque clouds are its first band.
    [[nodiscard]] std::string clouds() const {
        const auto path = m_root + "/QI_DATA/MSK_CLASSI_B00.jp2";
        return io::path_kind(path) == io::PathKind::file ? path : std::string();
    }

  private:
    std::string m_root;
    std::map<std::string, std::pair<int, std::string>> m_images;
};

// "lat lon lat lon …".
std::vector<std::array<double, 2>> ring_of(const pugi::xml_node& root) {
    std::istringstream text(text_of(element(root, "Global_Footprint"), "EXT_POS_LIST"));
    std::vector<std::array<double, 2>> ring;
    for (double lat = 0, lon = 0; text >> lat >> lon;) ring.push_back({lon, lat});
    return ring;
}

// What is added to the digital numbers of each band before they are divided: −1000 since baseline 04.00.
std::map<int, double> offsets_of(const pugi::xml_node& root, std::string_view name) {
    std::map<int, double> offsets;
    for (auto node = element(root, name); node; node = node.next_sibling())
        if (const auto value = number_in(node.child_value()); value && local_name(node) == name)
            offsets[node.attribute("band_id").as_int(-1)] = *value;
    return offsets;
}

class Sentinel2 final : public Product {
  public:
    void find(const ProductFolder& folder, const ProductOptions& /*options*/,
              Findings& found) const override {
        std::string metadata;
        for (const auto& file : folder.files)
            if (file == "MTD_MSIL1C.xml" || file == "MTD_MSIL2A.xml" ||
                (file.starts_with("S2") && file.find("_MTD_SAFL") != std::string::npos &&
                 file.ends_with(".xml")))
                metadata = file;
        const bool named = folder.name.starts_with("S2") && folder.name.ends_with(".SAFE");
        if (metadata.empty() && !named) return;
        found.whole = true;
        make_items(metadata.empty() ? folder.path : folder.at(metadata), folder.name, found, [&] {
            if (metadata.empty())
                throw Refusal{
                    "incomplete",
                    fmt::format("{} has no MTD_MSIL1C.xml or MTD_MSIL2A.xml: it was not unpacked or "
                                "downloaded whole.",
                                folder.path)};
            read(folder, folder.at(metadata), found);
        });
    }

  private:
    static void read(const ProductFolder& folder, const std::string& metadata, Findings& found) {
        pugi::xml_document document;
        load_xml(metadata, document);
        const auto level = text_of(document, "PROCESSING_LEVEL");
        const bool surface = level.starts_with("Level-2A");
        if (!surface && level != "Level-1C")
            throw Refusal{
                "level",
                fmt::format("The product is of level '{}'; shuibao reads Level-1C and Level-2A.", level)};
        auto id = text_of(document, "PRODUCT_URI");
        if (id.empty()) id = text_of(document, "PRODUCT_URI_2A");
        if (id.empty()) id = folder.name;
        if (id.ends_with(".SAFE")) id.resize(id.size() - 5);

        const double quantification = needed_number(
            document, surface
                          ? (element(document, "BOA_QUANTIFICATION_VALUE") ? "BOA_QUANTIFICATION_VALUE"
                                                                           : "L2A_BOA_QUANTIFICATION_VALUE")
                          : "QUANTIFICATION_VALUE");
        const auto offsets = offsets_of(document, surface ? "BOA_ADD_OFFSET" : "RADIO_ADD_OFFSET");
        std::vector<pugi::xml_node> granules;
        for (const auto& list : element(document, "Product_Organisation").children("Granule_List"))
            for (const auto& node : list.children()) granules.push_back(node);
        if (granules.empty()) throw Refusal{"incomplete", "Its metadata name no granule."};
        for (const auto& node : granules) {
            const Granule granule(folder, node);
            const auto name = granules.size() == 1 ? id : id + "_" + granule.name();
            ItemMaker item(name, surface ? "sentinel-2-l2a" : "sentinel-2-l1c");
            item.set("datetime", text_of(document, "PRODUCT_START_TIME"));
            item.set("platform", platform_name(text_of(document, "SPACECRAFT_NAME")));
            item.set("instruments", {"msi"});
            item.set("processing:level", surface ? "L2A" : "L1C");
            if (const auto orbit = number_in(text_of(document, "SENSING_ORBIT_NUMBER")))
                item.set("sat:relative_orbit", static_cast<int>(*orbit));
            if (const auto cloud = number_in(text_of(document, "Cloud_Coverage_Assessment")))
                item.set("eo:cloud_cover", *cloud);
            item.footprint(ring_of(document));
            for (std::size_t i = 0; i < bands.size(); ++i) {
                const auto [size, path] = granule.image(bands[i].name);
                if (path.empty()) continue;
                const auto offset = offsets.find(static_cast<int>(i));
                item.asset(std::string(bands[i].name), path,
                           {{.name = std::string(bands[i].name),
                             .role = bands[i].role,
                             .scale = 1 / quantification,
                             .offset = offset == offsets.end() ? 0 : offset->second / quantification,
                             .nodata = 0,
                             .gsd = size > 0 ? size : bands[i].gsd}});
            }
            if (const auto scl = granule.image("SCL").second; !scl.empty())
                item.mask("SCL", scl, "data");
            else if (const auto clouds = granule.clouds(); !clouds.empty())
                item.mask("clouds", clouds, "cloud");
            found.items.push_back({metadata, item.finish()});
        }
    }
};

const Registration<Product, Sentinel2> registration{"sentinel2_safe", 10};

}  // namespace
}  // namespace shuibao::engine
