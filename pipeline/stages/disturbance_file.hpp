// SPDX-License-Identifier: Apache-2.0
// Disturbances on disk, between delineate and screen.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <shuibao/core/disturbance.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

[[nodiscard]] std::string_view kind_name(ChangeKind kind);
[[nodiscard]] ChangeKind kind_from_name(std::string_view name);

struct DisturbanceSet {
    std::string crs;
    std::vector<Disturbance> list;
    std::vector<io::LayerNote> notes;
};

void write_disturbances(const std::filesystem::path& path, const std::string& crs,
                        const std::vector<Disturbance>& list);

/// Reads what delineate wrote, or polygons that people digitised: every attribute may be missing. Onset is
/// taken from onset_from/onset_to (or the official BDT/ADT style names), the type from QTYPE. Throws
/// Error(input) as io::read_layer.
[[nodiscard]] DisturbanceSet read_disturbances(const std::string& path, const io::ReadOptions& options);

}  // namespace shuibao::pipeline
