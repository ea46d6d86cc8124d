// SPDX-License-Identifier: Apache-2.0
#include "field_rows.hpp"
#include "qgis_style.hpp"
#include "surroundings.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

// A county's layers under their long names, with styles and Chinese column titles inside.
class GeoPackageExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {
            .summary =
                "<county>/<stem>.gpkg: layers suspects (with the order of visits and empty fields for the "
                "field team), disturbances, ranges (approved) and county (its border), long names, styles "
                "inside",
            .purpose = "For QGIS and QField",
            .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        map.merge(Surroundings::inputs(input));
        for (const char* style : {"suspects.qml", "disturbances.qml", "ranges.qml", "county.qml"})
            map[std::string("style ") + style] = engine::hash_bytes(style_text(style));
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".gpkg"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        std::vector<io::LayerData> layers = {
            long_layer(input.suspects, visiting_order(input.suspects, words)),
            long_layer(input.disturbances)};
        add_empty(layers[0], words.record());
        layers.push_back(m_surroundings.ranges(input));
        layers.push_back(m_surroundings.border(input));
        for (auto& layer : layers)
            layer.style = with_titles(style_text((layer.name + ".qml").c_str()), titles_of(layer, words));
        io::write_geopackage(folder / files(input).front(), layers);
    }

  private:
    Surroundings m_surroundings;
};

const Registration<Exporter, GeoPackageExporter> registration{"gpkg", 20};

}  // namespace
}  // namespace shuibao::pipeline
