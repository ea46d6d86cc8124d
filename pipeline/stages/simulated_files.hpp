// SPDX-License-Identifier: Apache-2.0
// What the two kinds of simulated archive write alike.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/band.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// A square of the plain north of Nanyang, Henan, near the edge of two 3° zones.
struct SimulatedArea {
    explicit SimulatedArea(std::int64_t size);
    static constexpr const char* crs = "EPSG:32649";
    static constexpr double gsd = 10;
    Grid grid;
    Window window;
    /// Segments of the landscape are counted from the upper-left pixel of the window.
    [[nodiscard]] io::Geometry shape_of(const algorithms::Segment& segment) const;
};

/// What a date's files are called by.
struct SceneName {
    const char* prefix = "";
    Date date;
    [[nodiscard]] std::string id() const { return prefix + date.compact(); }
};

/// One date as files: images/ID.tif, images/ID_SCL.tif and catalog/ID.json (STAC 1.0.0).
struct SimulatedScene {
    SceneName name;
    std::vector<io::GeoTiffBand> bands;  ///< named by common name, with the scaling that the Item states
    std::span<const std::uint16_t> scl;
    std::string platform = "simulated";
    std::int64_t coarser = 1;  ///< its pixels are as wide as so many of the area's
};
void write_scene(const std::filesystem::path& folder, const SimulatedArea& area, const SimulatedScene& scene);
/// collection.json, the STAC Collection that the Items name. REQUIRES at least one scene.
void write_collection(const std::filesystem::path& folder, const SimulatedArea& area,
                      std::span<const SceneName> scenes);

/// Approved ranges with the fields and the spelling that counties use.
class SimulatedApprovals {
  public:
    SimulatedApprovals();
    void add(std::int64_t number, const io::Geometry& range, Date approved, bool schematic = false);
    void write(const std::filesystem::path& folder) const;  ///< approvals.shp, GBK

  private:
    io::LayerData m_layer;
};

enum class Side { west, end };  ///< end: of the longer axis
/// A third of a site on one side, with a margin: most of the site lies outside this range.
[[nodiscard]] io::Geometry part_of_site(const io::Geometry& site, Side side);

/// run.yaml, written last: its presence says that the archive is complete.
void write_run_config(const std::filesystem::path& folder);

/// Options of `--kind series` and the writing of it; part of stage `simulate`.
void declare_simulated_series(OptionTable& table);
void simulate_series(RunContext& context, const std::filesystem::path& folder);

}  // namespace shuibao::pipeline
