// SPDX-License-Identifier: Apache-2.0
#include "field_rows.hpp"
#include "qgis_style.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace {

// A county's layers under their long names, with styles and Chinese column titles inside.
class GeoPackageExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "<county>/<stem>.gpkg: layers suspects (with the order of visits) and disturbances, long "
                    "names, styles inside",
                .purpose = "For QGIS and QField",
                .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        for (const char* style : {"suspects.qml", "disturbances.qml"})
            map[std::string("style ") + style] = engine::hash_bytes(style_text(style));
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".gpkg"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        std::vector<io::LayerData> layers = {long_layer(input.suspects, visiting_order(input.suspects)),
                                             long_layer(input.disturbances)};
        layers[0].style = with_titles(style_text("suspects.qml"), titles_of(layers[0], words));
        layers[1].style = with_titles(style_text("disturbances.qml"), titles_of(layers[1], words));
        io::write_geopackage(folder / files(input).front(), layers);
    }
};

const Registration<Exporter, GeoPackageExporter> registration{"gpkg", 20};

}  // namespace
}  // namespace shuibao::pipeline
