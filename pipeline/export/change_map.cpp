// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "field_rows.hpp"
#include "products.hpp"
#include <shuibao/core/change.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/cog.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::uint8_t unseen = 255;

// The change map of the whole area in one picture each for kind and confidence.
class ChangeMapExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {
            .summary =
                "change_<batch>.tif (kind of change, with colours) and confidence_<batch>.tif (per cent): "
                "Cloud Optimized GeoTIFF, each with a QML style",
            .purpose = "For GIS and map services"};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = Products(input.run).hashes(input.run);
        for (const char* style : {"change.qml", "confidence.qml"})
            map[std::string("style ") + style] = engine::hash_bytes(style_text(style));
        return map;
    }
    // Nothing where the polygons are of another origin and there are no pixels.
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        if (!Products(input.run).there()) return {};
        std::vector<std::string> list;
        for (const char* name : {"change", "confidence"})
            for (const char* extension : {"tif", "qml"})
                list.push_back(fmt::format("{}_{}.{}", name, input.batch, extension));
        return list;
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const auto names = files(input);
        const Products products(input.run);
        io::CogWriter kinds(folder / names[0], products.grid(), products.area(), look_of_kinds()),
            confidence(
                folder / names[2], products.grid(), products.area(),
                {.nodata = unseen, .description = "变化置信度（%）", .metadata = {{"UNIT", "per cent"}}});
        std::vector<std::uint8_t> bytes;
        products.strips({0, 1, 5}, [&](auto bands) {
            const auto &evidence = bands[0], &sure = bands[1], &kind = bands[2];
            const auto n = evidence.size();
            bytes.resize(n);
            // A kind is shown from even odds on, as the evidence is more often wrong than right below.
            for (std::size_t i = 0; i < n; ++i)
                bytes[i] = evidence[i] == Change::unobserved     ? unseen
                           : evidence[i] < Change::evidence_zero ? std::uint8_t{0}
                                                                 : static_cast<std::uint8_t>(kind[i]);
            kinds.write(bytes);
            for (std::size_t i = 0; i < n; ++i)
                bytes[i] = evidence[i] == Change::unobserved
                               ? unseen
                               : static_cast<std::uint8_t>((sure[i] + 50) / 100);
            confidence.write(bytes);
        });
        kinds.finish();
        confidence.finish();
        io::write_text(folder / names[1], style_text("change.qml"));
        io::write_text(folder / names[3], style_text("confidence.qml"));
    }

  private:
    static io::CogOptions look_of_kinds() {
        return {.colours = {{1, {215, 25, 28}},
                            {2, {152, 78, 163}},
                            {3, {255, 127, 0}},
                            {4, {166, 86, 40}},
                            {5, {55, 126, 184}},
                            {unseen, {128, 128, 128}}},
                .nodata = 0,  // a table of colours has no transparency: no change is not drawn
                .description = "变化类型",
                // The format has no place for names of values but this.
                .metadata = {{"LEGEND",
                              "0 无变化; 1 植被变裸地; 2 植被变建筑; 3 裸地变建筑; 4 裸露面变化; 5 "
                              "水面变裸地; 255 未观测"}}};
    }
};

const Registration<Exporter, ChangeMapExporter> registration{"change_map", 40};

}  // namespace
}  // namespace shuibao::pipeline
