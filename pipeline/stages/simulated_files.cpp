// SPDX-License-Identifier: Apache-2.0
#include "simulated_files.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using io::FieldType;

constexpr double left = 680000, top = 3660000;

// The double that prints as the float does.
double shortest(float value) {
    return std::stod(fmt::format("{}", value));
}

constexpr const char* collection_id = "sentinel-2-l2a";  // as which the images are read

nlohmann::ordered_json bbox_of(const Bounds& degrees) {
    return {degrees.min_x, degrees.min_y, degrees.max_x, degrees.max_y};
}

nlohmann::ordered_json link(const char* rel, const std::string& href, const char* type = "application/json") {
    return {{"rel", rel}, {"href", href}, {"type", type}};
}

std::string moment(Date day) {
    return day.iso() + "T03:00:00Z";  // 11 o'clock in China
}

nlohmann::ordered_json item_of(const SimulatedScene& scene, const Bounds& b) {
    const double gsd = SimulatedArea::gsd * static_cast<double>(scene.coarser);
    const auto g = io::transform_bounds(b, SimulatedArea::crs, "EPSG:4326");
    nlohmann::ordered_json bands = nlohmann::ordered_json::array(), raster = bands;
    for (const auto& band : scene.bands) {
        bands.push_back({{"name", band.name}, {"common_name", band.name}});
        raster.push_back({{"data_type", "uint16"},
                          {"nodata", 0},
                          {"scale", shortest(band.scaling.scale)},
                          {"offset", shortest(band.scaling.offset)},
                          {"spatial_resolution", gsd}});
    }
    return {{"type", "Feature"},
            {"stac_version", "1.0.0"},
            {"stac_extensions",
             {"https://stac-extensions.github.io/eo/v1.0.0/schema.json",
              "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
              "https://stac-extensions.github.io/projection/v1.2.0/schema.json"}},
            {"id", scene.name.id()},
            {"collection", collection_id},
            {"geometry",
             {{"type", "Polygon"},
              {"coordinates",
               {{{g.min_x, g.min_y},
                 {g.max_x, g.min_y},
                 {g.max_x, g.max_y},
                 {g.min_x, g.max_y},
                 {g.min_x, g.min_y}}}}}},
            {"bbox", bbox_of(g)},
            {"properties",
             {{"datetime", moment(scene.name.date)},
              {"platform", scene.platform},
              {"proj:epsg", 32649},  // for readers of 1.0 of the extension
              {"proj:code", SimulatedArea::crs},
              {"gsd", gsd}}},
            {"links", {link("collection", "../collection.json"), link("parent", "../collection.json")}},
            {"assets",
             {{"data",
               {{"href", "../images/" + scene.name.id() + ".tif"},
                {"type", "image/tiff; application=geotiff"},
                {"roles", {"data"}},
                {"eo:bands", bands},
                {"raster:bands", raster}}},
              {"SCL",
               {{"href", "../images/" + scene.name.id() + "_SCL.tif"},
                {"type", "image/tiff; application=geotiff"},
                {"roles", {"data"}},
                {"raster:bands", {{{"data_type", "uint8"}}}}}}}}};
}

}  // namespace

SimulatedArea::SimulatedArea(std::int64_t size)
    : grid(Grid::aligned_to(crs, left, top, gsd, 1024)),
      window(grid.window(Bounds{left, top - gsd * static_cast<double>(size),
                                left + gsd * static_cast<double>(size), top})) {}

io::Geometry SimulatedArea::shape_of(const algorithms::Segment& segment) const {
    auto shape = algorithms::outline(segment, 0, false);
    const auto to_map = [this](Ring& ring) {
        for (auto& p : ring)
            p = {grid.x_of_col(static_cast<double>(window.col) + p.x),
                 grid.y_of_row(static_cast<double>(window.row) - p.y)};
    };
    for (auto& polygon : shape) {
        to_map(polygon.outer);
        for (auto& hole : polygon.holes) to_map(hole);
    }
    return io::Geometry(shape);
}

void write_scene(const std::filesystem::path& folder, const SimulatedArea& area,
                 const SimulatedScene& scene) {
    const double gsd = SimulatedArea::gsd * static_cast<double>(scene.coarser);
    const Grid grid = Grid::aligned_to(SimulatedArea::crs, left, top, gsd, 1024);
    const Window window = grid.window(area.grid.bounds(area.window));
    io::write_geotiff(folder / "images" / (scene.name.id() + ".tif"), grid, window, scene.bands,
                      {.compression = "DEFLATE", .level = 1, .predictor = true, .nodata = 0});
    const io::GeoTiffBand mask{"scl", scene.scl, {}};
    io::write_geotiff(folder / "images" / (scene.name.id() + "_SCL.tif"), grid, window, std::span(&mask, 1),
                      {.compression = "DEFLATE", .bytes = true});
    io::write_text(folder / "catalog" / (scene.name.id() + ".json"),
                   item_of(scene, grid.bounds(window)).dump(1) + "\n");
}

void write_collection(const std::filesystem::path& folder, const SimulatedArea& area,
                      std::span<const SceneName> scenes) {
    const auto degrees = io::transform_bounds(area.grid.bounds(area.window), SimulatedArea::crs, "EPSG:4326");
    const auto [first, last] = std::minmax_element(
        scenes.begin(), scenes.end(), [](const auto& a, const auto& b) { return a.date < b.date; });
    nlohmann::ordered_json links = {link("root", "collection.json")};
    for (const auto& s : scenes) links.push_back(link("item", "catalog/" + s.id() + ".json", "application/geo+json"));
    const nlohmann::ordered_json collection = {
        {"type", "Collection"},
        {"stac_version", "1.0.0"},
        {"id", collection_id},
        {"description", "Simulated images of a plain, as Sentinel-2 level 2A would show it."},
        {"license", "CC0-1.0"},
        {"extent",
         {{"spatial", {{"bbox", nlohmann::ordered_json::array({bbox_of(degrees)})}}},
          {"temporal",
           {{"interval",
             nlohmann::ordered_json::array(
                 {nlohmann::ordered_json::array({moment(first->date), moment(last->date)})})}}}}},
        {"links", links}};
    io::write_text(folder / "collection.json", collection.dump(1) + "\n");
}

SimulatedApprovals::SimulatedApprovals()
    : m_layer{"approvals",
              SimulatedArea::crs,
              {{"PRNM", FieldType::text, 120},
               {"PRID", FieldType::text, 30},
               {"DPOZ", FieldType::text, 80},
               {"PRTYPE", FieldType::text, 30},
               {"SEAA", FieldType::text, 60},
               {"SADT", FieldType::text, 10},
               {"DAREA", FieldType::real, 16, 4},
               {"PAPT", FieldType::text, 30},
               {"VECTYPE", FieldType::text, 20},
               {"CREDIT", FieldType::text, 2}},
              {}} {}

void SimulatedApprovals::add(std::int64_t number, const io::Geometry& range, Date approved, bool schematic) {
    static constexpr std::array<const char*, 4> types = {"公路工程", "房地产工程", "工业园区工程",
                                                         "露天非金属矿"};
    m_layer.rows.push_back(
        {range,
         {fmt::format("示范项目第{}号", number), fmt::format("SF{:05}", number),
          fmt::format("示范建设有限公司{}", number),
          std::string(types[static_cast<std::size_t>(number) % types.size()]), std::string("市水利局"),
          approved.iso(), std::round(range.area()) / 1e4, std::string("主体工程区"),
          std::string(schematic ? "示意性范围" : "防治责任范围"), std::string("B")}});
}

void SimulatedApprovals::write(const std::filesystem::path& folder) const {
    io::write_shapefile(folder / "approvals.shp", m_layer, "GBK");
}

io::Geometry part_of_site(const io::Geometry& site, Side side) {
    Bounds b = site.bounds();
    const double width = b.max_x - b.min_x, depth = b.max_y - b.min_y, margin = 50;
    b = {b.min_x - margin, b.min_y - margin, b.max_x + margin, b.max_y + margin};
    if (side == Side::west || width >= depth)
        b.max_x = b.min_x + margin + 0.35 * width;
    else
        b.max_y = b.min_y + margin + 0.35 * depth;
    const Ring ring = {
        {b.min_x, b.min_y}, {b.max_x, b.min_y}, {b.max_x, b.max_y}, {b.min_x, b.max_y}, {b.min_x, b.min_y}};
    return site.buffered(15).intersection(io::Geometry(MultiPolygon{Polygon{ring, {}}}));
}

void write_run_config(const std::filesystem::path& folder) {
    io::write_text(folder / "run.yaml",
                   "# Made by `shuibao simulate`; run it with `shuibao run` and this file.\n"
                   "imagery:\n  catalog: catalog\napprovals:\n  path: approvals.shp\n"
                   "store: store\noutput: output\n");
}

}  // namespace shuibao::pipeline
