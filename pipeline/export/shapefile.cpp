// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "field_rows.hpp"
#include "program_note.hpp"
#include "qgis_style.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

io::Value hectares(const io::VectorFeature& f, const char* name) {
    const auto v = io::to_number(field_of(f, name));
    return v ? io::Value(std::round(*v) / 1e4) : io::Value();
}

// The official lists of values: what is in none of them is left empty, and stands in the other formats.
class OfficialValues {
  public:
    [[nodiscard]] static std::map<std::string, std::string> inputs() {
        std::map<std::string, std::string> map;
        for (const char* name : names)
            map[std::string("dictionary ") + name] = engine::hash_file(file(name).string());
        return map;
    }
    // QTYPE: the official word among those that mean the same.
    [[nodiscard]] std::string type(const io::VectorFeature& f) const {
        if (no_works(f)) return m_deliverables.values("not_works", "").at(0);
        const auto given = text_of(f, "qtype");
        const auto& official = m_deliverables.values("qtypes", "");
        if (holds(official, given)) return given;
        for (const auto& [code, words] : m_disturbances.sections.at("types")) {
            if (!holds(words, given)) continue;
            for (const auto& word : words)
                if (holds(official, word)) return word;
        }
        return "其他扰动";
    }
    // BYD: what people confirmed goes back to them in their words, as far as the list has them; everything
    // else is only suspected.
    [[nodiscard]] io::Value compliance(const io::VectorFeature& f) const {
        if (no_works(f)) return m_deliverables.values("not_works", "").at(1);
        const auto text =
            plain_text(text_of(f, text_of(f, "confirmed").empty() ? "verdict_zh" : "confirmed"));
        return text.empty() ? io::Value() : io::Value(text);
    }
    // PRTYPE: one of the 36.
    [[nodiscard]] io::Value project_type(const io::VectorFeature& f) const {
        const auto given = text_of(f, "project_type");
        for (const auto& [group, words] : m_industries.sections.at("groups"))
            if (holds(words, given)) return given;
        return {};
    }
    // NOTE: what the program noticed, with room behind it for what the team writes.
    [[nodiscard]] io::Value note(const io::VectorFeature& f) const {
        constexpr std::size_t of_program = 190;  // of 254 bytes
        return io::or_null(program_note(m_deliverables, plain_text(text_of(f, "notices")), of_program));
    }
    // QDTYPE: as given, where it is official.
    [[nodiscard]] io::Value change(const io::VectorFeature& f) const {
        const auto given = text_of(f, "change_type");
        return holds(m_deliverables.values("qdtypes", ""), given) ? io::Value(given) : io::Value();
    }
    // QDCS: what the ledger knows, else as far as the change since the last batch implies it.
    [[nodiscard]] io::Value state(const io::VectorFeature& f) const {
        if (const auto known = text_of(f, "construction"); !known.empty()) return known;
        const auto change = text_of(f, "change_type");
        for (const auto& [state, changes] : m_deliverables.sections.at("states"))
            if (holds(changes, change)) return state;
        return {};
    }

  private:
    [[nodiscard]] bool no_works(const io::VectorFeature& f) const {
        return m_feedback.lists("not_works", "", text_of(f, "confirmed"));
    }
    static bool holds(const std::vector<std::string>& list, const std::string& word) {
        return std::find(list.begin(), list.end(), word) != list.end();
    }
    static constexpr const char* names[] = {"disturbances", "industries", "deliverables", "feedback"};
    static std::filesystem::path file(const char* name) {
        return engine::config_file(fmt::format("dictionaries/{}.yaml", name));
    }
    engine::Dictionary m_disturbances = load_dictionary(names[0]),
                       m_industries = load_dictionary(names[1]),
                       m_deliverables = load_dictionary(names[2]), m_feedback = load_dictionary(names[3]);
};

// 扰动图斑 layer with the official short names (domain.md 2.1): one shapefile per 3° zone, because a city may
// lie in two of them.
class ShapefileExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "<county>/RDTB_<county>_<batch>_CM<meridian>.shp with the official short names, CGCS2000 "
                    "3° Gauss–Krüger, one for each zone, with empty fields of the 现场复核 record for the "
                    "field team",
                .purpose = "For ArcGIS, QGIS and the platforms that take official layers",
                .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = OfficialValues::inputs();
        map.merge(word_inputs(input.run));
        map["style"] = engine::hash_bytes(style_text("shapefile.qml"));
        return map;
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
            for (const char* part : {".shp", ".shx", ".dbf", ".prj", ".cpg", ".qml"})
                list.push_back(stem(input, meridian) + part);
        return list;
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const OfficialValues values;
        const ExportWords words(input.run);
        auto record = words.record();
        std::erase_if(record, [](const io::Field& f) { return f.name == "BYD"; });  // stands there anyhow
        std::map<std::string, Stop> by_case;
        for (const auto& stop : visiting_order(input.suspects, words))
            by_case[text_of(*stop.feature, "case_id")] = stop;
        for (const auto& [meridian, features] : zones_of(input)) {
            const auto path = folder / (stem(input, meridian) + ".shp");
            auto data = layer_of(layer(input).crs, meridian, features, values, by_case);
            add_empty(data, record);
            io::write_shapefile(path, data, input.run.settings.text("export.shapefile.encoding"));
            io::write_text(std::filesystem::path(path).replace_extension(".qml"),
                           style_text("shapefile.qml"));
        }
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

    static io::Value plain(const io::VectorFeature& f, const char* name) {
        const auto text = plain_text(text_of(f, name));
        return text.empty() ? io::Value() : io::Value(text);
    }
    static std::string reviewed(const io::VectorFeature& f) {
        return text_of(f, "confirmed").empty() ? "0" : "1";
    }

    static io::LayerData layer_of(const std::string& crs, int meridian,
                                  const std::vector<const io::VectorFeature*>& features,
                                  const OfficialValues& values, const std::map<std::string, Stop>& stops) {
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
                        {"QSX", FieldType::date},          {"HSX", FieldType::date},
                        {"LXSX", FieldType::integer, 8},   {"JD", FieldType::real, 12, 6},
                        {"WD", FieldType::real, 12, 6},    {"BLZT", FieldType::text, 10},
                        {"BLQX", FieldType::date}};
        const io::Transformation move(crs, layer.crs), to_geographic(crs, "EPSG:4490");
        for (const auto* f : features) {
            io::Geometry shape = move(f->shape);
            if (!shape.valid()) shape = shape.made_valid();
            const auto stop = stops.find(text_of(*f, "case_id"));
            const Point place = to_geographic(f->shape.point_inside());
            layer.rows.push_back({std::move(shape),
                                  {plain(*f, "case_id"),
                                   plain(*f, "approval_name"),
                                   plain(*f, "owner"),
                                   values.project_type(*f),
                                   values.type(*f),
                                   hectares(*f, "area_m2"),
                                   hectares(*f, "outside_m2"),
                                   values.state(*f),
                                   values.change(*f),
                                   values.compliance(*f),
                                   reviewed(*f),
                                   values.note(*f),
                                   plain(*f, "tier"),
                                   field_of(*f, "rank"),
                                   field_of(*f, "onset_from"),
                                   field_of(*f, "onset_to"),
                                   stop == stops.end() ? io::Value() : value_of(stop->second, "route"),
                                   place.x,
                                   place.y,
                                   plain(*f, "state"),
                                   field_of(*f, "due")}});
        }
        return layer;
    }
};

const Registration<Exporter, ShapefileExporter> registration{"shapefile", 10};

}  // namespace
}  // namespace shuibao::pipeline
