// SPDX-License-Identifier: Apache-2.0
// The list of acquisitions that `tile` leaves behind and later stages read.
#pragma once

#include <shuibao/engine/store.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// How a tile stores reflectance (Sentinel-2's own since baseline 04.00: its numbers pass unchanged), and
/// NDVI from −1 up.
[[nodiscard]] constexpr Scaling stored_scaling(Band band) {
    return {1e-4F, band == Band::ndvi ? -1.0F : -0.1F};
}

/// Grid and acquisitions of a store. Throws Error(usage) telling which stage to run when they are missing.
[[nodiscard]] io::TileArchive open_archive(const engine::Store& store);
void save_acquisitions(const engine::Store& store, const std::vector<io::Acquisition>& acquisitions);

/// The batch of this run: the one configured, else the month of the newest acquisition. Settles it in
/// `context`.
const std::string& resolve_batch(RunContext& context);

/// Name of the plan of a stage that has one for all that the store holds (engine::Executor::run).
inline constexpr const char* plan_of_all = "all";

/// REQUIRES of a stage that gathers that another has done what it planned, in all its shards: throws
/// Error(temporary), which names the first of what is open, worded "12 of 64 `what`". Returns the units that
/// were tried and failed. Nothing is asked of a store without a plan.
std::vector<std::string> require_whole(const RunContext& context, const std::string& stage,
                                       const std::string& plan, const std::string& what);

/// The area under supervision: the extent of imagery.area, else of all scenes. Independent of the tiles.
[[nodiscard]] Window supervised_area(const RunContext& context, const Grid& grid);

/// The smallest window that holds both, or all; an empty one counts for nothing.
[[nodiscard]] Window enclosing(const Window& a, const Window& b);
[[nodiscard]] Window enclosing_tiles(const Grid& grid, const std::vector<TileId>& tiles);

}  // namespace shuibao::pipeline
