// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "field_rows.hpp"
#include "products.hpp"
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// What a file is to a STAC client, by its ending; others are no assets.
struct Kind {
    const char *ending, *type, *role;
};
constexpr Kind kinds[] = {
    {".tif", "image/tiff; application=geotiff; profile=cloud-optimized", "data"},
    {".geojson", "application/geo+json", "data"},
    {".fgb", "application/vnd.flatgeobuf", "data"},
    {".csv", "text/csv", "data"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "data"},
    {".html", "text/html", "overview"},
    {".pdf", "application/pdf", "overview"},
};

// STAC 1.0.0 (github.com/radiantearth/stac-spec) with the projection extension 1.2.0, the one version in
// which proj:epsg and proj:code stand together.
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
        for (const auto& [name, kind] : assets(input)) map["asset " + name] = kind->type;
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

    // Files of the whole batch that exporters before this one wrote.
    static std::vector<std::pair<std::string, const Kind*>> assets(const ExportInput& input) {
        std::vector<std::pair<std::string, const Kind*>> list;
        for (const auto& file : input.earlier)
            for (const auto& kind : kinds)
                if (file.find('/') == std::string::npos && file.ends_with(kind.ending))
                    list.emplace_back(file, &kind);
        return list;
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
             Json::array({"https://stac-extensions.github.io/projection/v1.2.0/schema.json"})},
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
        item["assets"] = Json::object();
        for (const auto& [file, kind] : assets(input)) {
            Json asset = {{"href", "../" + file}, {"type", kind->type}, {"roles", Json::array({kind->role})}};
            // GeoJSON is in degrees whatever the imagery is in.
            if (std::string_view(kind->ending) == ".geojson") asset.update(projection("EPSG:4326"));
            item["assets"][file] = std::move(asset);
        }
        return item;
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

const Registration<Exporter, StacExporter> registration{"stac", 80};

}  // namespace
}  // namespace shuibao::pipeline
