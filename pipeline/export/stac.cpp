// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "field_rows.hpp"
#include "products.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/cog.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// What a file is to a STAC client, by its ending; others are no assets. `crs` where its coordinates are not
// in that of the imagery.
struct Kind {
    const char *ending, *type, *role, *crs = "";
};
constexpr Kind kinds[] = {
    {".tif", "image/tiff; application=geotiff; profile=cloud-optimized", "data"},
    {".geojson", "application/geo+json", "data", "EPSG:4326"},
    {".fgb", "application/vnd.flatgeobuf", "data"},
    {".gpkg", "application/geopackage+sqlite3", "data"},
    {".csv", "text/csv", "data", "EPSG:4490"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "data", "EPSG:4490"},
    {".html", "text/html", "overview"},
    {".pdf", "application/pdf", "overview"},
    {".qml", "application/xml", "style"},
    {".zip", "application/zip", "data"},
};

// A file of the batch: its name in the Item, and where it lies from <output>.
struct Asset {
    std::string name, file;
    const Kind* kind;
};

// STAC 1.0.0 (github.com/radiantearth/stac-spec) with the projection extension 1.2.0, the one version in
// which proj:epsg and proj:code stand together; processing 1.1.0, file 2.1.0, raster 1.1.0.
class StacExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "stac/collection.json and stac/shuibao_<batch>.json: a Collection and the Item of the "
                    "batch's "
                    "products",
                .purpose = "For catalogues and other systems"};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        for (const auto& a : assets(input)) {
            const auto path = input.run.output / a.file;
            std::error_code error;
            map["asset " + a.name] = std::filesystem::is_regular_file(path, error)
                                         ? engine::hash_file(path.string())
                                         : std::string("missing");
        }
        for (const auto& [id, href] : sources(input)) map["source " + id] = href;
        const Products products(input.run);
        if (products.there())
            map["place"] = fmt::format("{} {} {}", products.first().iso(), products.last().iso(),
                                       place(input, products).dump());
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {"stac/collection.json", fmt::format("stac/shuibao_{}.json", input.batch)};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        const Products products(input.run);
        const auto names = files(input);
        const auto item = item_of(input, products, words);
        io::write_text(folder / names[1], item.dump(1) + "\n");
        io::write_text(folder / names[0], collection_of(input, item, words).dump(1) + "\n");
    }

  private:
    static constexpr const char* collection_id = "shuibao-products";

    // Files of the whole batch that exporters before this one wrote, packages of counties among them, and the
    // layers that all is made from.
    static std::vector<Asset> assets(const ExportInput& input) {
        std::vector<Asset> list;
        for (const auto& file : input.earlier)
            for (const auto& kind : kinds)
                if (file.find('/') == std::string::npos && file.ends_with(kind.ending))
                    list.push_back({file, "export/" + file, &kind});
        for (const auto& kind : kinds)
            if (std::string_view(kind.ending) == ".gpkg")
                list.push_back({"disturbances.gpkg", "disturbances.gpkg", &kind});
        return list;
    }

    // Where a catalogue that is reached from anywhere has this Item, by its own word; empty where it does not
    // say.
    static std::string published_at(const Json& file, const std::string& id) {
        const auto of = [&](const Json& item) -> std::string {
            if (!item.is_object() || item.value("id", Json()) != id || !item.contains("links")) return {};
            for (const auto& l : item["links"]) {
                if (!l.is_object() || l.value("rel", Json()) != "self") continue;
                const auto href = l.value("href", Json());
                if (href.is_string() && href.get<std::string>().starts_with("http"))
                    return plain_text(href.get<std::string>());
            }
            return {};
        };
        if (!file.is_object() || !file.contains("features")) return of(file);
        for (const auto& item : file["features"])
            if (auto href = of(item); !href.empty()) return href;
        return {};
    }

    // Ids of the Items whose looks the batch could use, each with where it is published. Not their files:
    // those lie where this machine has them, and the same results lie elsewhere tomorrow.
    static std::map<std::string, std::string> sources(const ExportInput& input) {
        const auto& store = input.run.store;
        const auto archive = archive_of(store);
        if (!archive) return {};
        std::map<std::string, std::string> map;
        for (const auto& a : archive->acquisitions())
            if (a.date.compact().substr(0, 6) <= input.batch)
                for (const auto& id : a.sources) map[id];
        if (!std::filesystem::exists(store.scenes_file())) return map;
        std::map<std::string, Json> files;
        for (const auto& scene : engine::load_scenes(store.scenes_file()).scenes) {
            const auto it = map.find(scene.id);
            if (it == map.end() || !scene.source.ends_with(".json")) continue;
            const auto [file, is_new] = files.try_emplace(scene.source);
            if (is_new) {
                std::ifstream in(scene.source, std::ios::binary);
                file->second = Json::parse(in, nullptr, false);
            }
            it->second = published_at(file->second, scene.id);
        }
        return map;
    }

    static std::string title_of(const Asset& a, const ExportWords& words) {
        auto title = words.file_title(a.name.substr(0, a.name.find_first_of("_.")));
        if (std::string_view(a.kind->role) == "style") title += "（QGIS 样式）";
        if (std::string_view(a.kind->ending) == ".zip") title = "县级成果包 " + a.name;
        return title;
    }

    static Json interval(const ExportInput& input, const Products& products) {
        const auto month = Date::parse(input.batch.substr(0, 4) + "-" + input.batch.substr(4, 2) + "-01");
        const Date first = products.there() ? products.first() : month.value_or(Date()),
                   last = products.there() ? products.last() : first;
        return Json::array({first.iso() + "T00:00:00Z", last.iso() + "T23:59:59Z"});
    }

    // west, south, east, north in degrees, rounded outwards to 1e-6.
    static Json place(const ExportInput& input, const Products& products) {
        Bounds bounds;
        std::string crs = input.disturbances.crs;
        if (products.there()) {
            bounds = products.grid().bounds(products.area());
            crs = products.grid().crs();
        } else {
            for (const auto* f : input.disturbances.rows) bounds.expand(f->shape.bounds());
        }
        if (bounds.empty())
            return Json::array({-180.0, -90.0, 180.0, 90.0});  // nothing found, nowhere looked
        const auto d = io::transform_bounds(bounds, crs, "EPSG:4326");
        const auto down = [](double v) { return std::floor(v * 1e6) / 1e6; };
        return Json::array({down(d.min_x), down(d.min_y), -down(-d.max_x), -down(-d.max_y)});
    }

    static Json item_of(const ExportInput& input, const Products& products, const ExportWords& words) {
        const auto box = place(input, products);
        const auto w = box[0], s = box[1], e = box[2], n = box[3];
        const auto times = interval(input, products);
        Json item = {
            {"type", "Feature"},
            {"stac_version", "1.0.0"},
            {"stac_extensions",
             Json::array({"https://stac-extensions.github.io/projection/v1.2.0/schema.json",
                          "https://stac-extensions.github.io/processing/v1.1.0/schema.json",
                          "https://stac-extensions.github.io/file/v2.1.0/schema.json",
                          "https://stac-extensions.github.io/raster/v1.1.0/schema.json"})},
            {"id", "shuibao-" + input.batch},
            {"collection", collection_id},
            {"geometry",
             {{"type", "Polygon"},
              {"coordinates",
               Json::array({Json::array({Json::array({w, s}), Json::array({e, s}), Json::array({e, n}),
                                         Json::array({w, n}), Json::array({w, s})})})}}},
            {"bbox", box}};
        Json properties = {{"datetime", nullptr},
                           {"start_datetime", times[0]},
                           {"end_datetime", times[1]},
                           {"title", fmt::format("水土保持遥感监管 {}", input.batch)},
                           {"description", words.text("disclaimer")},
                           {"shuibao:batch", input.batch},
                           {"shuibao:disturbances", input.disturbances.rows.size()},
                           {"shuibao:suspects", input.suspects.rows.size()}};
        properties["shuibao:sources"] = Json::array();
        for (const auto& [id, href] : sources(input)) properties["shuibao:sources"].push_back(plain_text(id));
        properties["processing:level"] = "L4";
        properties["processing:software"] = {{"shuibao", input.run.executor.options().code_version}};
        properties["processing:lineage"] = words.text("lineage");
        properties.update(projection(input.disturbances.crs));
        if (products.there()) {
            const auto& g = products.grid();
            const auto area = products.area();
            const auto bounds = g.bounds(area);
            properties["proj:shape"] = Json::array({area.rows, area.cols});
            properties["proj:transform"] = Json::array({g.gsd(), 0, bounds.min_x, 0, -g.gsd(), bounds.max_y});
        }
        item["properties"] = std::move(properties);
        item["links"] = Json::array({link("root", "collection.json"), link("parent", "collection.json"),
                                     link("collection", "collection.json")});
        for (const auto& [id, href] : sources(input))
            if (!href.empty())
                item["links"].push_back({{"rel", "derived_from"},
                                         {"href", href},
                                         {"type", "application/geo+json"},
                                         {"title", plain_text(id)}});
        item["assets"] = Json::object();
        for (const auto& a : assets(input)) item["assets"][a.name] = asset_of(input, products, words, a);
        return item;
    }

    static Json asset_of(const ExportInput& input, const Products& products, const ExportWords& words,
                         const Asset& a) {
        const auto path = input.run.output / a.file;
        Json asset = {{"href", "../../" + a.file},
                      {"title", title_of(a, words)},
                      {"type", a.kind->type},
                      {"roles", Json::array({a.kind->role})}};
        if (const std::string crs = a.kind->crs; !crs.empty()) asset.update(projection(crs));
        std::error_code error;
        if (!std::filesystem::is_regular_file(path, error)) return asset;  // what made it failed, and said so
        asset["file:size"] = std::filesystem::file_size(path);
        asset["file:checksum"] = "1220" + engine::sha256_file(path.string());  // multihash: SHA-256, 32 bytes
        if (std::string_view(a.kind->ending) == ".tif") {
            const auto facts = io::band_facts(path);
            Json band = {{"description", facts.description},
                         {"data_type", facts.type == "byte" ? "uint8" : facts.type},
                         {"sampling", "area"},
                         {"spatial_resolution", products.grid().gsd()}};
            if (facts.nodata) band["nodata"] = *facts.nodata;
            asset["raster:bands"] = Json::array({std::move(band)});
        }
        return asset;
    }

    static Json projection(const std::string& crs) {
        if (!crs.starts_with("EPSG:")) return {{"proj:epsg", nullptr}, {"proj:wkt2", crs}};
        return {{"proj:epsg", std::stoi(crs.substr(5))}, {"proj:code", crs}};
    }

    static Json link(const char* rel, const std::string& href) {
        return {{"rel", rel}, {"href", href}, {"type", "application/json"}};
    }

    static Json collection_of(const ExportInput& input, const Json& item, const ExportWords& words) {
        auto item_link = link("item", fmt::format("shuibao_{}.json", input.batch));
        item_link["type"] = "application/geo+json";
        return {{"type", "Collection"},
                {"stac_version", "1.0.0"},
                {"stac_extensions", Json::array()},
                {"id", collection_id},
                {"title", "水土保持遥感监管成果"},
                {"description", words.text("disclaimer")},
                {"license", "proprietary"},
                {"extent",
                 {{"spatial", {{"bbox", Json::array({item["bbox"]})}}},
                  {"temporal",
                   {{"interval", Json::array({Json::array({item["properties"]["start_datetime"],
                                                           item["properties"]["end_datetime"]})})}}}}},
                {"links", Json::array({link("root", "collection.json"), std::move(item_link)})}};
    }
};

const Registration<Exporter, StacExporter> registration{"stac", 95};

}  // namespace
}  // namespace shuibao::pipeline
