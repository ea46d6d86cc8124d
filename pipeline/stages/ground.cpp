// SPDX-License-Identifier: Apache-2.0
#include "ground.hpp"

#include <fmt/format.h>

#include "rules.hpp"
#include <shuibao/algorithms/terrain.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::GroundType;

// The largest values that maps show, in SI; what lies beyond is another unit.
constexpr double most_erosivity = 40000, most_erodibility = 0.11;
constexpr int erosivity_bits = 10, erodibility_bits = 30;  // 0.001 and 1e-9, room for 1e11 pixels

algorithms::CoverModel vegetation_of(const std::string& name) {
    return name == "grass"   ? algorithms::CoverModel::grass
           : name == "shrub" ? algorithms::CoverModel::shrub
                             : algorithms::CoverModel::cai;
}

// The numbers of a map option, all of them given.
std::map<std::string, double> numbers_of(const RunContext& c, const char* key,
                                         const std::map<std::string, std::pair<double, double>>& wanted) {
    std::map<std::string, double> numbers;
    const auto given = c.settings.map(key);
    const auto refuse = [&](const std::string& what) {
        std::vector<std::string> names;
        for (const auto& [name, range] : wanted) names.push_back(name);
        throw Error(ErrorCode::usage, fmt::format("{}: {}: {}.", c.settings.origin(key), key, what),
                    fmt::format("Give {} as numbers.", fmt::join(names, ", ")));
    };
    for (const auto& [name, text] : given)
        if (!wanted.contains(name)) refuse(fmt::format("there is no '{}'", name));
    for (const auto& [name, range] : wanted) {
        const auto it = given.find(name);
        if (it == given.end()) refuse(fmt::format("'{}' is missing", name));
        char* end = nullptr;
        const double value = std::strtod(it->second.c_str(), &end);
        if (it->second.empty() || *end != '\0' || !(value >= range.first && value <= range.second))
            refuse(fmt::format("{} = '{}' is no number from {} to {}", name, it->second, range.first,
                               range.second));
        numbers[name] = value;
    }
    return numbers;
}

}  // namespace

std::string elevation_option(const engine::Settings& settings) {
    for (const char* key : {"erosion.dem", "zones.dem"})
        if (settings.has(key)) return key;
    return {};
}

Ground::Ground(const RunContext& c, const algorithms::Rules& rules) : m_rules(rules) {
    const auto& s = c.settings;
    const auto model = elevation_option(s);
    const bool of_zones = s.has("zones.dem");
    m_model_is_of_zones = of_zones && s.path(model) == s.path("zones.dem");
    if (!model.empty()) m_model.emplace(s.path(model));
    if (of_zones && !m_model_is_of_zones) m_steep.emplace(s.path("zones.dem"));
    if (!m_model) return;
    open(c, m_erosivity, "erosion.r", "The raster of erosivity", most_erosivity, erosivity_bits);
    open(c, m_erodibility, "erosion.k", "The raster of erodibility", most_erodibility, erodibility_bits);
    m_csle = s.text("erosion.method") == "csle";

    m_engineering = s.number("erosion.e");
    m_tillage = s.number("erosion.t");
    m_limits = {rules("erosion_tolerable_" + s.text("erosion.region")),
                {rules("erosion_light_below"), rules("erosion_moderate_below"), rules("erosion_strong_below"),
                 rules("erosion_very_strong_to")}};
    if (!m_limits.rise())
        throw Error(ErrorCode::usage, "The limits of the erosion classes in the rule set do not rise.",
                    "Take erosion_tolerable_… and the limits after it from configs/rules/2023-03-01.yaml.");
    if (rules("ndvi_bare") >= rules("ndvi_full"))
        throw Error(ErrorCode::usage, "ndvi_bare is not below ndvi_full in the rule set.",
                    "Take both from configs/rules/2023-03-01.yaml.");
    if (s.has("erosion.face")) {
        const auto n = numbers_of(c, "erosion.face",
                                  {{"silt", {0, 1}},
                                   {"clay", {0, 1}},
                                   {"density", {0.5, 3}},
                                   {"slope", {0, 90}},
                                   {"length", {0.1, 1e4}}});
        m_face = {n.at("silt"), n.at("clay"), n.at("density"), n.at("slope"), n.at("length")};
    }
    if (s.has("erosion.pile")) {
        const auto n = numbers_of(c, "erosion.pile",
                                  {{"shape", {0, 2}},
                                   {"a", {0, 10}},
                                   {"b", {-20, 20}},
                                   {"gravel", {0, 1}},
                                   {"d", {-5, 5}},
                                   {"f", {-0.9, 5}},
                                   {"slope", {1, 90}},
                                   {"length", {0.1, 1e4}}});
        m_pile = {n.at("shape"), n.at("a"), n.at("b"),     n.at("gravel"),
                  n.at("d"),     n.at("f"), n.at("slope"), n.at("length")};
    }
    m_looks = s.text("erosion.cover") == "images";
    if (m_looks && std::filesystem::exists(c.store.acquisitions_file()))
        m_cover = std::make_unique<PlantCover>(
            open_archive(c.store), end_of_batch(c.batch),
            CoverScale{rules("ndvi_bare"), rules("ndvi_full"), rules("cover_seen_share"),
                       vegetation_of(s.text("erosion.b"))});
}

void Ground::open(const RunContext& c, Raster& r, const char* key, const char* what, double most,
                  int bits) const {
    r.key = key;
    r.most = most;
    r.bits = bits;
    if (c.settings.has(key)) r.raster.emplace(c.settings.path(key), what);
}

std::optional<double> Ground::mean_under(const Raster& r, const io::Geometry& shape, const std::string& crs) {
    if (!r.raster) return std::nullopt;
    algorithms::OrderFreeMean mean(r.bits);
    bool beyond = false;
    r.raster->under(shape, crs, {}, [&](const io::ValueBlock& b) {  // no halo: window and core are one
        for (std::size_t i = 0; i < b.inside.size(); ++i) {
            if (b.inside[i] == 0 || b.valid[i] == 0) continue;
            if (b.values[i] >= 0 && b.values[i] <= r.most)
                mean.add(b.values[i]);
            else
                beyond = true;
        }
    });
    if (beyond) ++r.beyond;
    return beyond || mean.count() == 0 ? std::nullopt : std::optional(mean.mean());
}

TerrainQuestion Ground::question() const {
    TerrainQuestion q;
    q.steep = m_rules("steep_slope_deg");
    if (!m_erosivity.raster || !m_erodibility.raster) return q;
    q.cap = m_rules(m_csle ? "csle_length_cap_m" : "sl773_length_cap_m");
    const algorithms::LengthScale scale{m_csle ? 22.13 : 20, q.cap};
    const auto steepness = m_csle ? algorithms::csle_slope_factor : algorithms::sl773_slope_factor;
    q.length_slope = [scale, steepness](double slope, double before, double piece) {
        return algorithms::slope_length_factor(before, piece, algorithms::slope_length_exponent(slope),
                                               scale) *
               steepness(slope);
    };
    return q;
}

GroundFacts Ground::of(const io::Geometry& shape, const std::string& crs, GroundType type,
                       std::optional<Date> from) const {
    GroundFacts facts;
    if (m_steep) {
        TerrainQuestion q;
        q.steep = m_rules("steep_slope_deg");
        if (const auto t = m_steep->under(shape, crs, q)) {
            facts.slope = t->slope;
            facts.steep_share = t->share_steep;
        }
    }
    const auto terrain = m_model ? m_model->under(shape, crs, question()) : std::nullopt;
    if (!terrain) return facts;
    if (!facts.slope) facts.slope = terrain->slope;
    if (m_model_is_of_zones) facts.steep_share = terrain->share_steep;
    Erosion e;
    e.slope = terrain->slope;
    e.erosivity = mean_under(m_erosivity, shape, crs);
    e.erodibility = mean_under(m_erodibility, shape, crs);
    if (m_cover) e.cover = m_cover->of(shape, crs, from);
    e.length_slope = terrain->length_slope;
    estimate(e, type);
    e.range = algorithms::erosion_range(e.intensity, m_limits);
    facts.erosion = std::move(e);
    return facts;
}

void Ground::estimate(Erosion& e, GroundType type) const {
    const double cap = m_rules("sl773_length_cap_m");
    std::optional<double> modulus;
    if (!m_csle && e.erosivity && type == GroundType::borrow && m_face) {
        e.form = "face";
        modulus = algorithms::cut_face_loss(*e.erosivity, *m_face, cap);
    } else if (!m_csle && e.erosivity && type == GroundType::spoil && m_pile) {
        e.form = "pile";
        modulus = algorithms::pile_loss(*e.erosivity, *m_pile, cap);
    } else if (e.erosivity && e.erodibility) {
        if (!m_csle) e.form = "turned_over";
        const double k = *e.erodibility * (m_csle ? 1 : m_rules("turned_over_factor"));
        e.measures = m_engineering * m_tillage;
        modulus = algorithms::soil_loss(*e.erosivity, k, e.length_slope, e.cover ? e.cover->vegetation : 1,
                                        m_engineering, m_tillage);
    }
    e.method = !modulus ? "grid" : m_csle ? "csle" : "sl773";
    e.intensity = modulus ? algorithms::erosion_class(*modulus, m_limits)
                          : algorithms::erosion_by_slope_and_cover(e.slope, e.cover ? e.cover->share : 0);
}

std::string Ground::plan() const {
    const bool both = m_erosivity.raster && m_erodibility.raster;
    return fmt::format("{}; cover: {}",
                       both ? (m_csle ? "CSLE" : "SL 773") : "table of slope and cover (SL 190)",
                       m_looks ? "last clear look" : "none, bare ground");
}

std::vector<engine::Problem> Ground::missing(const RunContext& c,
                                             const std::vector<const GroundFacts*>& facts) const {
    std::vector<engine::Problem> list;
    if (facts.empty()) return list;
    if (!m_model) {
        for (const char* key : {"erosion.r", "erosion.k"})
            if (c.settings.has(key))
                list.push_back(
                    {"screen", key, "no_dem",
                     fmt::format("{} is given, but no elevation model: there are no erosion classes.", key),
                     "Set erosion.dem or zones.dem."});
        return list;
    }
    const auto say = [&](const char* key, const std::string& path, std::size_t n, const char* then) {
        if (n > 0)
            list.push_back({"screen", key, n == facts.size() ? "no_overlap" : "no_data",
                            fmt::format("{}: {} has no data under {} of {} disturbances: {}.", key, path, n,
                                        facts.size(), then),
                            "Check its extent and CRS with gdalinfo."});
    };
    std::size_t no_height = 0, no_r = 0, no_k = 0;
    for (const auto* f : facts) {
        no_height += f->erosion ? 0U : 1U;
        no_r += f->erosion && !f->erosion->erosivity ? 1U : 0U;
        no_k += f->erosion && !f->erosion->erodibility ? 1U : 0U;
    }
    const auto model = elevation_option(c.settings);
    say(model.c_str(), c.settings.path(model), no_height, "they have no erosion class");
    for (const auto* r : {&m_erosivity, &m_erodibility}) {
        if (!r->raster) continue;
        const auto& path = r->raster->path();
        if (r->beyond > 0)
            list.push_back(
                {"screen", r->key, "unit",
                 fmt::format("{}: {} has values outside 0–{:g} under {} of {} disturbances: it is not "
                             "in SI units, and their class comes from slope and cover.",
                             r->key, path, r->most, r->beyond.load(), facts.size()),
                 "Convert it: R in US units × 17.02, K in US units × 0.1317."});
        say(r->key, path, (r == &m_erosivity ? no_r : no_k) - r->beyond,
            "their class comes from slope and cover");
    }
    return list;
}

}  // namespace shuibao::pipeline
