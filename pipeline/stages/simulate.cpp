// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/algorithms/simulation.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Landscape;
using io::FieldType;
using io::Geometry;
using io::Value;

// North of Nanyang, Henan: fields, hills and the edge of two 3° zones.
constexpr const char* crs = "EPSG:32649";
constexpr double left = 680000, top = 3660000, gsd = 10;

struct Look {
    const char* date;
    int day_of_year;
    bool opened;
};
// Two springs a year apart: the fields are not at the same stage on any two days.
constexpr Look looks[] = {{"2023-05-06", 126, false},
                          {"2023-05-21", 141, false},
                          {"2024-05-10", 131, true},
                          {"2024-05-25", 146, true}};

std::uint16_t scl_of(Quality q) {
    switch (q) {
        case Quality::cloud:
            return 9;
        case Quality::shadow:
            return 3;
        case Quality::water:
            return 6;
        default:
            return 4;
    }
}

// What a site is in law, in turn; the truth that screen must find.
enum class Case { unapproved, compliant, exceeds, before_approval };
const char* code_of(Case c) {
    switch (c) {
        case Case::unapproved:
            return "unapproved";
        case Case::compliant:
            return "compliant";
        case Case::exceeds:
            return "exceeds";
        case Case::before_approval:
            return "before_approval";
    }
    return "";
}

class SimulateStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Make a small archive with known truth",
                .description =
                    "Writes an invented landscape into a folder: STAC Items, four images with clouds and "
                    "masks, approved ranges (GBK shapefile), the true sites with their verdicts, and a "
                    "configuration to run it.",
                .example = {"shuibao simulate demo && shuibao run demo/run.yaml"},
                .positional = "simulate.folder",
                .in_run = false,
                .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "simulate.folder",
               .type = OptionType::path,
               .fallback = "demo",
               .help = "Folder to write to"});
        t.add({.key = "simulate.size",
               .type = OptionType::integer,
               .fallback = "800",
               .help = "Pixels a side, 10 m each",
               .min = 128,
               .max = 8192});
        t.add({.key = "simulate.sites",
               .type = OptionType::integer,
               .fallback = "24",
               .help = "Sites opened between the epochs, as far as there is room",
               .min = 0,
               .max = 10000});
        t.add({.key = "simulate.cloud",
               .type = OptionType::number,
               .fallback = "0.08",
               .help = "Rough share of cloud",
               .min = 0,
               .max = 0.6});
        t.add({.key = "simulate.seed",
               .type = OptionType::integer,
               .fallback = "1",
               .help = "Another number, another landscape",
               .min = 0,
               .max = 1e9});
    }

    void run(RunContext& c) const override {
        const std::filesystem::path folder = c.settings.path("simulate.folder");
        const auto config = folder / "run.yaml";
        if (std::filesystem::exists(config) && !c.overwrite)
            throw Error(ErrorCode::usage, fmt::format("{} exists.", config.string()),
                        "Choose another folder, or say --overwrite.");
        for (const auto& part : {folder, folder / "images", folder / "catalog"})
            io::sweep_temporaries(part, io::Depth::folder);
        algorithms::SimulationOptions o;
        o.size = c.settings.integer("simulate.size");
        o.sites = static_cast<int>(c.settings.integer("simulate.sites"));
        o.cloud = c.settings.number("simulate.cloud");
        o.seed = static_cast<std::uint64_t>(c.settings.integer("simulate.seed"));
        const auto landscape = algorithms::simulate_landscape(o);
        const Grid grid = Grid::aligned_to(crs, left, top, gsd, 1024);
        const Window window = grid.window(Bounds{left, top - gsd * static_cast<double>(o.size),
                                                 left + gsd * static_cast<double>(o.size), top});
        c.executor.parallel_for(std::size(looks), [&](std::size_t i) {
            write_look(folder, grid, window, landscape, static_cast<int>(i));
        });
        write_truth(folder, grid, window, landscape);
        // Last: its presence says that the archive is complete.
        io::write_text(config,
                       "# Made by `shuibao simulate`; run it with `shuibao run` and this file.\n"
                       "imagery:\n  catalog: catalog\napprovals:\n  path: approvals.shp\n"
                       "store: store\noutput: output\n");
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} sites, {} images of {} × {} px → {}", landscape.sites.size(),
                                std::size(looks), o.size, o.size, config.string()),
                    "simulate");
    }

  private:
    static void write_look(const std::filesystem::path& folder, const Grid& grid, const Window& window,
                           const Landscape& landscape, int i) {
        const auto& look = looks[i];
        const auto block =
            algorithms::simulate_look(landscape, i, look.day_of_year, look.opened, window.col, window.row);
        static constexpr const char* names[] = {"blue", "green", "red", "nir", "swir16", "swir22"};
        std::vector<io::GeoTiffBand> bands;
        for (int b = 0; b < block.planes(); ++b) bands.push_back({names[b], block.plane(b), {1e-4F, -0.1F}});
        const std::string day = Date::parse(look.date)->compact(), id = "demo_" + day;
        io::write_geotiff(folder / "images" / (id + ".tif"), grid, window, bands,
                          {.compression = "DEFLATE", .level = 1, .predictor = true, .nodata = 0});
        std::vector<std::uint16_t> scl(block.pixels());
        std::transform(block.quality().begin(), block.quality().end(), scl.begin(), scl_of);
        const io::GeoTiffBand mask{"scl", scl, {}};
        io::write_geotiff(folder / "images" / (id + "_SCL.tif"), grid, window, std::span(&mask, 1),
                          {.compression = "DEFLATE", .bytes = true});
        io::write_text(folder / "catalog" / (id + ".json"),
                       item(id, look, grid.bounds(window)).dump(1) + "\n");
    }

    static nlohmann::ordered_json item(const std::string& id, const Look& look, const Bounds& b) {
        const auto g = io::transform_bounds(b, crs, "EPSG:4326");
        nlohmann::ordered_json bands = nlohmann::ordered_json::array(), raster = bands;
        for (const char* name : {"blue", "green", "red", "nir", "swir16", "swir22"}) {
            bands.push_back({{"name", name}, {"common_name", name}});
            raster.push_back({{"data_type", "uint16"},
                              {"nodata", 0},
                              {"scale", 0.0001},
                              {"offset", -0.1},
                              {"spatial_resolution", gsd}});
        }
        return {{"type", "Feature"},
                {"stac_version", "1.0.0"},
                {"stac_extensions",
                 {"https://stac-extensions.github.io/eo/v1.0.0/schema.json",
                  "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
                  "https://stac-extensions.github.io/projection/v1.0.0/schema.json"}},
                {"id", id},
                {"collection", "sentinel-2-l2a"},
                {"geometry",
                 {{"type", "Polygon"},
                  {"coordinates",
                   {{{g.min_x, g.min_y},
                     {g.max_x, g.min_y},
                     {g.max_x, g.max_y},
                     {g.min_x, g.max_y},
                     {g.min_x, g.min_y}}}}}},
                {"bbox", {g.min_x, g.min_y, g.max_x, g.max_y}},
                {"properties",
                 {{"datetime", std::string(look.date) + "T03:00:00Z"},
                  {"platform", "simulated"},
                  {"proj:epsg", 32649},
                  {"gsd", gsd}}},
                {"links", nlohmann::ordered_json::array()},
                {"assets",
                 {{"data",
                   {{"href", "../images/" + id + ".tif"},
                    {"type", "image/tiff; application=geotiff"},
                    {"roles", {"data"}},
                    {"eo:bands", bands},
                    {"raster:bands", raster}}},
                  {"SCL",
                   {{"href", "../images/" + id + "_SCL.tif"},
                    {"type", "image/tiff; application=geotiff"},
                    {"roles", {"data"}},
                    {"raster:bands", {{{"data_type", "uint8"}}}}}}}}};
    }

    static void write_truth(const std::filesystem::path& folder, const Grid& grid, const Window& window,
                            const Landscape& landscape) {
        io::LayerData truth{"truth",
                            crs,
                            {{"truth_id", FieldType::integer},
                             {"onset_from", FieldType::date},
                             {"onset_to", FieldType::date},
                             {"verdict", FieldType::text}},
                            {}};
        io::LayerData ranges{"approvals",
                             crs,
                             {{"PRNM", FieldType::text, 120},
                              {"PRID", FieldType::text, 30},
                              {"DPOZ", FieldType::text, 80},
                              {"PRTYPE", FieldType::text, 30},
                              {"SEAA", FieldType::text, 60},
                              {"SADT", FieldType::text, 10},
                              {"DAREA", FieldType::real, 16, 4},
                              {"PAPT", FieldType::text, 30},
                              {"CREDIT", FieldType::text, 2}},
                             {}};
        static constexpr const char* types[] = {"公路工程", "房地产工程", "工业园区工程", "露天非金属矿"};
        for (std::size_t i = 0; i < landscape.sites.size(); ++i) {
            auto shape = algorithms::outline(landscape.sites[i], 0, false);
            for (auto& polygon : shape)
                for (auto& p : polygon.outer)
                    p = {grid.x_of_col(static_cast<double>(window.col) + p.x),
                         grid.y_of_row(static_cast<double>(window.row) - p.y)};
            const Geometry site(shape);
            Case kind = static_cast<Case>(i % 4);
            // Too little of a small site would lie outside to count as exceeding.
            if (kind == Case::exceeds && landscape.sites[i].pixels < 80) kind = Case::compliant;
            truth.rows.push_back({site,
                                  {static_cast<std::int64_t>(i), *Date::parse(looks[1].date),
                                   *Date::parse(looks[2].date), std::string(code_of(kind))}});
            if (kind == Case::unapproved) continue;
            const Geometry range = kind == Case::exceeds ? half_of(site) : site.buffered(15);
            ranges.rows.push_back(
                {range,
                 {fmt::format("示范项目第{}号", i), fmt::format("SF{:05}", i),
                  fmt::format("示范建设有限公司{}", i), std::string(types[i % 4]), std::string("市水利局"),
                  std::string(kind == Case::before_approval ? "2024-12-01" : "2022-09-01"),
                  std::round(range.area()) / 1e4, std::string("主体工程区"), std::string("B")}});
        }
        io::write_geopackage(folder / "truth.gpkg", std::span(&truth, 1));
        io::write_shapefile(folder / "approvals.shp", ranges, "GBK");
    }

    // The western part of a site, with its margin: the rest lies outside the approval.
    static Geometry half_of(const Geometry& site) {
        const Bounds b = site.bounds();
        const double x = b.min_x + 0.35 * (b.max_x - b.min_x);
        const Ring ring = {{b.min_x - 50, b.min_y - 50},
                           {x, b.min_y - 50},
                           {x, b.max_y + 50},
                           {b.min_x - 50, b.max_y + 50},
                           {b.min_x - 50, b.min_y - 50}};
        return site.buffered(15).intersection(Geometry(MultiPolygon{Polygon{ring, {}}}));
    }
};

const Registration<Stage, SimulateStage> registration{"simulate", 200};

}  // namespace
}  // namespace shuibao::pipeline
