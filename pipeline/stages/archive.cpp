// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

// The double that prints as the float does: 0.0001, not 0.00009999999747378752.
double shortest(float value) {
    return std::stod(fmt::format("{}", value));
}

}  // namespace

void save_acquisitions(const engine::Store& store, const std::vector<io::Acquisition>& list) {
    nlohmann::ordered_json j = nlohmann::ordered_json::array();
    for (const auto& a : list) {
        nlohmann::ordered_json o = {
            {"key", a.key}, {"date", a.date.iso()}, {"reflectance", a.reflectance}, {"sources", a.sources}};
        for (std::size_t i = 0; i < a.bands.size(); ++i)
            o["bands"].push_back({{"band", common_name(a.bands[i])},
                                  {"scale", shortest(a.scaling[i].scale)},
                                  {"offset", shortest(a.scaling[i].offset)}});
        o["tiles"] = nlohmann::ordered_json::array();
        for (const auto& t : a.tiles) o["tiles"].push_back(t.str());
        j.push_back(std::move(o));
    }
    io::write_text(store.acquisitions_file(), j.dump(1) + "\n");
}

io::TileArchive open_archive(const engine::Store& store) {
    std::ifstream in(store.acquisitions_file());
    if (!in)
        throw Error(ErrorCode::usage, fmt::format("The store {} has no tiles yet.", store.root().string()),
                    "Run `shuibao tile` first, or `shuibao run`.");
    std::vector<io::Acquisition> list;
    try {
        for (const auto& o : nlohmann::ordered_json::parse(in)) {
            io::Acquisition a;
            a.key = o.at("key");
            a.date = Date::parse(o.at("date").get<std::string>()).value();
            a.reflectance = o.at("reflectance");
            a.sources = o.at("sources").get<std::vector<std::string>>();
            for (const auto& b : o.at("bands")) {
                a.bands.push_back(band_from_common_name(b.at("band").get<std::string>()).value());
                a.scaling.push_back({b.at("scale"), b.at("offset")});
            }
            for (const auto& t : o.at("tiles"))
                a.tiles.push_back(TileId::parse(t.get<std::string>()).value());
            list.push_back(std::move(a));
        }
    } catch (const std::exception& e) {
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be read: {}.", store.acquisitions_file().string(), e.what()),
                    "Run `shuibao tile` again.");
    }
    return {store.tiles(), load_grid(store), std::move(list)};
}

std::vector<std::string> require_whole(const RunContext& c, const std::string& stage, const std::string& plan,
                                       const std::string& what) {
    auto m = c.executor.missing(stage, plan);
    if (!m.open.empty())
        throw Error(
            ErrorCode::temporary,
            fmt::format("{} of {} {}, {} is one of them.", m.open.size(), m.planned, what, m.open.front()),
            fmt::format("Run `shuibao {}` to its end, in all its shards, then this again.", stage));
    return std::move(m.failed);
}

const std::string& resolve_batch(RunContext& c) {
    if (c.batch.empty()) {
        const auto archive = open_archive(c.store);
        Date newest;
        for (const auto& a : archive.acquisitions()) newest = std::max(newest, a.date);
        c.batch = newest.compact().substr(0, 6);
    }
    return c.batch;
}

Window supervised_area(const RunContext& c, const Grid& grid) {
    Bounds all;
    if (c.settings.has("imagery.area")) {
        const auto extent = io::layer_extent(c.settings.path("imagery.area"));
        all = io::transform_bounds(extent.bounds, extent.crs, grid.crs());
    } else {
        for (const auto& s : engine::load_scenes(c.store.scenes_file()).scenes)
            all.expand(io::transform_bounds(s.bounds, s.crs, grid.crs()));
    }
    return grid.window(all);
}

Window enclosing(const Window& a, const Window& b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    const auto c0 = std::min(a.col, b.col), r0 = std::min(a.row, b.row);
    return {c0, r0, std::max(a.col + a.cols, b.col + b.cols) - c0,
            std::max(a.row + a.rows, b.row + b.rows) - r0};
}

Window enclosing_tiles(const Grid& grid, const std::vector<TileId>& tiles) {
    Window all;
    for (const TileId t : tiles) all = enclosing(all, grid.window(t));
    return all;
}

}  // namespace shuibao::pipeline
