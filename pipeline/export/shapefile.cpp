// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

io::Value get(const io::VectorFeature& f, const char* name) {
    const auto it = f.values.find(name);
    return it == f.values.end() ? io::Value() : it->second;
}

io::Value hectares(const io::VectorFeature& f, const char* name) {
    const auto v = io::to_number(get(f, name));
    return v ? io::Value(std::round(*v) / 1e4) : io::Value();
}

// 扰动图斑 layer with the official short names (domain.md 2.1): one shapefile per 3° zone, because a city may
// lie in two of them.
class ShapefileExporter final : public Exporter {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Shapefiles RDTB_<batch>_<zone> in CGCS2000 3° Gauss–Krüger with the official short names";
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
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input,
                                                 const engine::Settings& settings) const override {
        std::vector<std::string> list;
        for (const auto& [meridian, features] : zones_of(input, settings))
            for (const char* part : {".shp", ".shx", ".dbf", ".prj", ".cpg"})
                list.push_back(stem(input, meridian) + part);
        return list;
    }
    void write(const ExportInput& input, const engine::Settings& settings,
               const std::filesystem::path& folder) const override {
        const auto& source = layer(input, settings);
        for (const auto& [meridian, features] : zones_of(input, settings))
            io::write_shapefile(folder / (stem(input, meridian) + ".shp"),
                                layer_of(source.crs, meridian, features),
                                settings.text("export.shapefile.encoding"));
    }

  private:
    using Zones = std::map<int, std::vector<const io::VectorFeature*>>;  // by central meridian

    static std::string stem(const ExportInput& input, int meridian) {
        return fmt::format("RDTB_{}_CM{}", input.batch, meridian);
    }
    static const io::VectorLayer& layer(const ExportInput& input, const engine::Settings& settings) {
        return settings.text("export.shapefile.layer") == "suspects" ? input.suspects : input.disturbances;
    }
    static Zones zones_of(const ExportInput& input, const engine::Settings& settings) {
        const auto& source = layer(input, settings);
        const io::Transformation to_geographic(source.crs, "EPSG:4490");
        Zones zones;
        for (const auto& f : source.features)
            zones[io::gauss_kruger_meridian(to_geographic(f.shape.point_inside()).x)].push_back(&f);
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
            const auto qtype = io::to_text(get(*f, "qtype"));
            io::Geometry shape = move(f->shape);
            if (!shape.valid()) shape = shape.made_valid();
            layer.rows.push_back(
                {std::move(shape),
                 {get(*f, "case_id"), get(*f, "approval_name"), get(*f, "owner"), get(*f, "project_type"),
                  qtype.empty() ? "其他扰动" : qtype, hectares(*f, "area_m2"), hectares(*f, "outside_m2"),
                  io::Value(), get(*f, "change_type"), get(*f, "verdict_zh"), std::string("0"),
                  get(*f, "notices"), get(*f, "tier"), get(*f, "rank"), get(*f, "onset_from"),
                  get(*f, "onset_to")}});
        }
        return layer;
    }
};

const Registration<Exporter, ShapefileExporter> registration{"shapefile", 10};

}  // namespace
}  // namespace shuibao::pipeline
