// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "field_rows.hpp"
#include "onset_map.hpp"
#include "products.hpp"
#include "qgis_style.hpp"
#include "surroundings.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

constexpr const char* styles[] = {"suspects.qml",   "disturbances.qml", "ranges.qml",    "county.qml",
                                  "unobserved.qml", "change.qml",       "confidence.qml"};

// Projects that open with everything in its place: one of the batch, one in each county's folder.
class ProjectExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {
            .summary =
                "shuibao_<batch>.qgs, and <county>/<stem>.qgs beside its GeoPackage: QGIS 3.22 projects with "
                "relative paths, Chinese titles and labels",
            .purpose = "For QGIS"};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        for (const char* style : styles)
            map[std::string("style ") + style] = engine::hash_bytes(style_text(style));
        for (const auto& l : batch_layers(input, ExportWords(input.run)))
            map["layer " + l.id] = l.source + " " + engine::hash_bytes(l.style);
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        std::vector<std::string> list = {fmt::format("shuibao_{}.qgs", input.batch)};
        for (const auto& stem : counties(input)) list.push_back(stem + "/" + stem + ".qgs");
        return list;
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        const auto title = fmt::format("{} {}", words.text("project"), input.batch);
        io::write_text(folder / files(input).front(), project_text(title, batch_layers(input, words),
                                                                   extent_of(input.disturbances, {}, input)));
        std::vector<std::string> more = {"route", "longitude", "latitude"};
        for (const auto& field : words.record()) more.push_back(field.name);
        for (const auto& stem : counties(input)) {
            auto layers = ranked_layers(input, words, "./" + stem + ".gpkg", more);
            for (auto& l : surrounding_layers(input, words, stem, "./" + stem + ".gpkg", ""))
                layers.insert(layers.end() - 1, std::move(l));
            io::write_text(folder / stem / (stem + ".qgs"),
                           project_text(words.text("project") + " " + stem, layers,
                                        extent_of(input.disturbances, stem, input)));
        }
    }

  private:
    // Folders of counties that have a GeoPackage.
    static std::vector<std::string> counties(const ExportInput& input) {
        std::vector<std::string> list;
        for (const auto& file : input.earlier) {
            const auto slash = file.find('/');
            if (slash != std::string::npos && file.substr(slash + 1) == file.substr(0, slash) + ".gpkg")
                list.push_back(file.substr(0, slash));
        }
        return list;
    }

    static std::vector<ProjectLayer> ranked_layers(const ExportInput& input, const ExportWords& words,
                                                   const std::string& source,
                                                   const std::vector<std::string>& more_of_suspects = {}) {
        const auto style = [&](const char* file, std::vector<std::string> fields,
                               const std::vector<std::string>& more) {
            fields.insert(fields.end(), more.begin(), more.end());
            return with_titles(style_text(file), titles_of(fields, words));
        };
        return {{.id = "shuibao_suspects",
                 .title = words.text("suspects"),
                 .source = source + "|layername=suspects",
                 .style = style("suspects.qml", input.suspects.fields, more_of_suspects),
                 .crs = input.suspects.crs},
                {.id = "shuibao_disturbances",
                 .title = words.text("disturbances"),
                 .source = source + "|layername=disturbances",
                 .style = style("disturbances.qml", input.disturbances.fields, {}),
                 .crs = input.disturbances.crs,
                 .shown = false}};
    }

    // What the GeoPackage of a county holds beside its polygons, above the layer of all disturbances.
    static std::vector<ProjectLayer> surrounding_layers(const ExportInput& input, const ExportWords& words,
                                                        const std::string& stem, const std::string& source,
                                                        const std::string& suffix) {
        std::vector<ProjectLayer> layers;
        const auto add = [&](const char* name, const std::vector<std::string>& fields) {
            layers.push_back({.id = fmt::format("shuibao_{}{}", name, suffix),
                              .title = words.text(name) + (suffix.empty() ? "" : " " + stem),
                              .source = source + "|layername=" + name,
                              .style = with_titles(style_text(fmt::format("{}.qml", name).c_str()),
                                                   titles_of(fields, words)),
                              .crs = input.suspects.crs,
                              .read_only = true});
        };
        add("ranges", Surroundings::range_fields());
        add("county", {"county"});
        return layers;
    }

    static std::vector<ProjectLayer> batch_layers(const ExportInput& input, const ExportWords& words) {
        auto layers = ranked_layers(input, words, "../disturbances.gpkg");
        std::size_t n = 0;
        for (const auto& stem : counties(input))
            for (auto& l : surrounding_layers(input, words, stem, fmt::format("./{0}/{0}.gpkg", stem),
                                              fmt::format("_{}", ++n)))
                layers.insert(layers.end() - 1, std::move(l));
        std::error_code error;
        if (std::filesystem::exists(input.run.output / "observation.gpkg", error))
            layers.push_back({.id = "shuibao_unobserved",
                              .title = "未观测区域",
                              .source = "../observation.gpkg|layername=unobserved",
                              .style = style_text("unobserved.qml"),
                              .crs = input.disturbances.crs});
        const Products products(input.run);
        for (const auto& [name, title] : {std::pair{"change", "变化类型"},
                                          {"onset", "首次见到扰动的月份"},
                                          {"confidence", "变化置信度（%）"}}) {
            const auto file = fmt::format("{}_{}.tif", name, input.batch);
            if (std::binary_search(input.earlier.begin(), input.earlier.end(), file))
                layers.push_back({.id = std::string("shuibao_") + name,
                                  .title = title,
                                  .source = "./" + file,
                                  .style = std::string_view(name) == "onset"
                                               ? onset_style(products.first(), products.last())
                                               : style_text(fmt::format("{}.qml", name).c_str()),
                                  .crs = products.grid().crs(),
                                  .raster = true,
                                  .shown = false});
        }
        return layers;
    }

    static Bounds extent_of(const ExportLayer& layer, const std::string& stem, const ExportInput& input) {
        Bounds all;
        for (const auto* f : layer.rows)
            if (stem.empty() || package_stem(text_of(*f, "county"), input.batch) == stem)
                all.expand(f->shape.bounds());
        if (all.empty()) return {0, 0, 1, 1};
        const double margin = 0.05 * std::max(all.max_x - all.min_x, all.max_y - all.min_y);
        return {all.min_x - margin, all.min_y - margin, all.max_x + margin, all.max_y + margin};
    }
};

const Registration<Exporter, ProjectExporter> registration{"qgis", 60};

}  // namespace
}  // namespace shuibao::pipeline
