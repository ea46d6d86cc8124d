// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

io::Value hectares(const io::VectorFeature& f, const char* name) {
    const auto v = io::to_number(field_of(f, name));
    return v ? io::Value(std::round(*v) / 1e4) : io::Value();
}

// 扰动图斑 layer with the official short names (domain.md 2.1): one shapefile per 3° zone, because a city may
// lie in two of them.
class ShapefileExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "<county>/RDTB_<county>_<batch>_CM<meridian>.shp with the official short names, CGCS2000 "
                    "3° Gauss–Krüger, one for each zone",
                .purpose = "For ArcGIS, QGIS and the platforms that take official layers",
                .scope = ExportScope::county};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "export.shapefile.encoding",
               .type = OptionType::choice,
               .fallback = "UTF-8",
               .help = "Encoding of the texts; GBK for older ArcGIS",
               .choices = {"UTF-8", "GBK"},
               .long_name = "shapefile-encoding"});
        t.add({.key = "export.shapefile.layer",
               .type = OptionType::choice,
               .fallback = "disturbances",
               .help = "What goes in: all disturbances, or the suspects only",
               .choices = {"disturbances", "suspects"},
               .long_name = "shapefile-layer"});
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        std::vector<std::string> list;
        for (const auto& [meridian, features] : zones_of(input))
            for (const char* part : {".shp", ".shx", ".dbf", ".prj", ".cpg"})
                list.push_back(stem(input, meridian) + part);
        return list;
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        for (const auto& [meridian, features] : zones_of(input))
            io::write_shapefile(folder / (stem(input, meridian) + ".shp"),
                                layer_of(layer(input).crs, meridian, features),
                                input.run.settings.text("export.shapefile.encoding"));
    }

  private:
    using Zones = std::map<int, std::vector<const io::VectorFeature*>>;  // by central meridian

    static std::string stem(const ExportInput& input, int meridian) {
        return fmt::format("{}_CM{}", input.stem, meridian);
    }
    static const ExportLayer& layer(const ExportInput& input) {
        return input.run.settings.text("export.shapefile.layer") == "suspects" ? input.suspects
                                                                               : input.disturbances;
    }
    static Zones zones_of(const ExportInput& input) {
        const auto& source = layer(input);
        const io::Transformation to_geographic(source.crs, "EPSG:4490");
        Zones zones;
        for (const auto* f : source.rows)
            zones[io::gauss_kruger_meridian(to_geographic(f->shape.point_inside()).x)].push_back(f);
        // An empty batch is a result too: one empty shapefile, in the zone the country's middle lies in.
        if (zones.empty()) zones[114] = {};
        return zones;
    }

    static io::LayerData layer_of(const std::string& crs, int meridian,
                                  const std::vector<const io::VectorFeature*>& features) {
        using io::FieldType;
        io::LayerData layer;
        layer.name = "RDTB";
        layer.crs = fmt::format("EPSG:{}", io::gauss_kruger_code(meridian));
        layer.fields = {{"QDNM", FieldType::text, 40},     {"PRNM", FieldType::text, 254},
                        {"DPOZ", FieldType::text, 120},    {"PRTYPE", FieldType::text, 40},
                        {"QTYPE", FieldType::text, 30},    {"QAREA", FieldType::real, 16, 4},
                        {"EAREA", FieldType::real, 16, 4}, {"QDCS", FieldType::text, 10},
                        {"QDTYPE", FieldType::text, 30},   {"BYD", FieldType::text, 40},
                        {"RST", FieldType::text, 2},       {"NOTE", FieldType::text, 254},
                        {"FXDJ", FieldType::text, 10},     {"PXH", FieldType::integer, 8},
                        {"QSX", FieldType::date},          {"HSX", FieldType::date}};
        const io::Transformation move(crs, layer.crs);
        for (const auto* f : features) {
            const auto qtype = text_of(*f, "qtype");
            io::Geometry shape = move(f->shape);
            if (!shape.valid()) shape = shape.made_valid();
            layer.rows.push_back(
                {std::move(shape),
                 {field_of(*f, "case_id"), field_of(*f, "approval_name"), field_of(*f, "owner"),
                  field_of(*f, "project_type"), qtype.empty() ? "其他扰动" : qtype, hectares(*f, "area_m2"),
                  hectares(*f, "outside_m2"), io::Value(), field_of(*f, "change_type"),
                  field_of(*f, "verdict_zh"), std::string("0"), field_of(*f, "notices"), field_of(*f, "tier"),
                  field_of(*f, "rank"), field_of(*f, "onset_from"), field_of(*f, "onset_to")}});
        }
        return layer;
    }
};

const Registration<Exporter, ShapefileExporter> registration{"shapefile", 10};

}  // namespace
}  // namespace shuibao::pipeline
