// SPDX-License-Identifier: Apache-2.0
// What the looks of a batch could have shown: the smallest detectable site per block of a square kilometre.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <shuibao/io/tile_archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// Everything that the layer depends on, for the unit's key.
[[nodiscard]] std::map<std::string, std::string> sight_inputs(RunContext& context,
                                                              const io::TileArchive& archive);

/// Writes the layer `smallest_detectable`: blocks of 1 km on the grid's lattice with
///   first_day, last_day  the batch's period: what is opened on its first day should be found by its last
///   looks                acquisitions in it
///   clear_looks          median number of clear looks of its pixels
///   seen_share           share of its pixels with at least one of them
///   decided_share        share of its pixels whose clear looks decide with 90 % power (Detector::power;
///   between
///                        epochs: clear in both)
///   smallest_m2          smallest square site that is found with 90 % power wherever in the block it lies;
///   null
///                        where none up to 1 km² is
/// A site counts as found where half of it is decided; the smallest square tried is the one whose whole
/// pixels reach delineate.min_area, the next ones have sides of 2, 3, 4 … lattice steps of 4 pixels. The
/// masks are taken as they are, so clouds hide a site as a whole. It is about ground that was green: fields
/// that lie bare at times take until their next season, and no size helps (`assess --inject` measures both).
void write_sight(RunContext& context, const io::TileArchive& archive, const std::filesystem::path& path);

/// The layer in one sentence; empty where the file is missing or damaged.
[[nodiscard]] std::string sight_summary(const std::filesystem::path& path);

}  // namespace shuibao::pipeline
