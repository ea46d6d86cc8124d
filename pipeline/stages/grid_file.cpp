// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

Grid load_grid(const engine::Store& store) {
    std::ifstream in(store.grid_file());
    if (!in)
        throw Error(ErrorCode::usage, "The store " + store.root().string() + " has no grid yet.",
                    "Run `shuibao catalog` first, or `shuibao run`.");
    try {
        const auto j = nlohmann::json::parse(in);
        return {j.at("crs"), j.at("gsd"), j.at("tile_size"), j.at("origin_x"), j.at("origin_y")};
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorCode::input, store.grid_file().string() + " cannot be read: " + e.what() + ".",
                    "Restore it from a backup, or start a new store.");
    }
}

void save_grid(const engine::Store& store, const Grid& grid) {
    const nlohmann::ordered_json j = {{"crs", grid.crs()},
                                      {"gsd", grid.gsd()},
                                      {"tile_size", grid.tile_size()},
                                      {"origin_x", grid.origin_x()},
                                      {"origin_y", grid.origin_y()}};
    io::write_text(store.grid_file(), j.dump(1) + "\n");
}

}  // namespace shuibao::pipeline
