// SPDX-License-Identifier: Apache-2.0
// The ground under a disturbance: its slope, and how much of it water would carry away (rules §7).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cover.hpp"
#include "terrain.hpp"
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/algorithms/erosion.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// The option that names the elevation model of a run: erosion.dem, else zones.dem; empty without one.
[[nodiscard]] std::string elevation_option(const engine::Settings& settings);

/// Class of a disturbance with all that it was worked out from, but for the modulus: that is never told.
struct Erosion {
    algorithms::ErosionClass intensity = algorithms::ErosionClass::slight;
    std::string range;                             ///< of the class, t/(km²·a)
    std::string method;                            ///< "sl773", "csle", "grid"
    std::string form;                              ///< of sl773: "turned_over", "face", "pile"
    double slope = 0;                              ///< degrees
    double length_slope = 0;                       ///< L · S; 0 where it was not needed
    double measures = 1;                           ///< E · T
    std::optional<double> erosivity, erodibility;  ///< means of the rasters; absent without data
    std::optional<Cover> cover;                    ///< absent: taken as bare
};
[[nodiscard]] nlohmann::ordered_json erosion_to_json(const Erosion& erosion);
/// Throws nlohmann::json::exception for what erosion_to_json did not write.
[[nodiscard]] Erosion erosion_from_json(const nlohmann::json& json);
/// Where the values of a class come from, Chinese, for the score table.
[[nodiscard]] std::string erosion_source(const Erosion& erosion, const engine::Dictionary& words);

/// What is known of the ground; all absent without an elevation model or where it has no data.
struct GroundFacts {
    std::optional<double> slope;        ///< mean, degrees
    std::optional<double> steep_share;  ///< of it steeper than steep_slope_deg, by zones.dem
    std::optional<Erosion> erosion;
};

/// Models and rasters of a run, opened once. Reentrant.
class Ground {
  public:
    /// Refers to `rules`. Throws Error(input) for a raster that cannot be used, Error(usage) for options or
    /// limits that make no sense.
    Ground(const RunContext& context, const algorithms::Rules& rules);
    [[nodiscard]] bool known() const { return m_model.has_value(); }
    /// What it will tell of and from what, in one line.
    [[nodiscard]] std::string plan() const;
    /// `from`: the first day on which the shape was seen open. Throws Error(input) for damaged files.
    [[nodiscard]] GroundFacts of(const io::Geometry& shape, const std::string& crs,
                                 algorithms::GroundType type, std::optional<Date> from) const;
    /// What the rasters did not give for these: of nothing at all the code is "no_overlap", "no_dem" or
    /// "unit", of some "no_data", which is no problem.
    [[nodiscard]] std::vector<engine::Problem> missing(const RunContext& context,
                                                       const std::vector<const GroundFacts*>& facts) const;

  private:
    struct Raster {
        std::optional<io::ValueRaster> raster;
        const char* key = "";
        int bits = 24;                                ///< of OrderFreeMean
        double most = 0;                              ///< greater values are no value in the unit wanted
        mutable std::atomic<std::size_t> beyond = 0;  ///< shapes with such a value
    };
    void open(const RunContext& context, Raster& raster, const char* key, const char* what, double most,
              int bits) const;
    [[nodiscard]] static std::optional<double> mean_under(const Raster& raster, const io::Geometry& shape,
                                                          const std::string& crs);
    [[nodiscard]] TerrainQuestion question() const;
    void estimate(Erosion& erosion, algorithms::GroundType type) const;

    algorithms::Rules m_rules;
    std::optional<TerrainModel> m_model;  ///< erosion.dem, else zones.dem
    std::optional<TerrainModel> m_steep;  ///< zones.dem where it is another
    bool m_model_is_of_zones = false;
    std::unique_ptr<PlantCover> m_cover;
    Raster m_erosivity, m_erodibility;
    bool m_csle = false, m_looks = false;
    algorithms::ErosionLimits m_limits;
    double m_engineering = 1, m_tillage = 1;
    std::optional<algorithms::CutFace> m_face;
    std::optional<algorithms::Pile> m_pile;
};

void declare_erosion(OptionTable& table);
/// Files that erosion and slope need, by the name to complain under.
[[nodiscard]] std::map<std::string, std::string> ground_files(const RunContext& context);
/// Hashes of what the ground is told from, for the manifest; files also go into context.inputs.
[[nodiscard]] std::map<std::string, std::string> ground_hashes(RunContext& context);
[[nodiscard]] engine::Dictionary load_erosion_words();
[[nodiscard]] std::string erosion_words_hash();

}  // namespace shuibao::pipeline
