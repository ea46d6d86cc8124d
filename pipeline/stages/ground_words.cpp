// SPDX-License-Identifier: Apache-2.0
// What a run may say of the ground, which files that needs, and the words and the JSON of what comes out.

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "ground.hpp"
#include "rounded.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {

std::filesystem::path words_file() {
    return engine::config_file("dictionaries/erosion.yaml");
}

}  // namespace

void declare_erosion(OptionTable& t) {
    t.add({.key = "erosion.dem",
           .type = OptionType::path,
           .help = "Elevation model (m) for erosion, where it is not zones.dem; without either there is no "
                   "erosion class",
           .long_name = "erosion-dem"});
    t.add({.key = "erosion.r",
           .type = OptionType::path,
           .help = "Raster of rainfall erosivity R, any CRS; without it the class comes from slope and cover",
           .unit = "MJ·mm/(hm²·h·a)",
           .long_name = "erosivity"});
    t.add({.key = "erosion.k",
           .type = OptionType::path,
           .help = "Raster of soil erodibility K, any CRS; without it the class comes from slope and cover",
           .unit = "t·hm²·h/(hm²·MJ·mm)",
           .long_name = "erodibility"});
    t.add({.key = "erosion.method",
           .type = OptionType::choice,
           .fallback = "sl773",
           .help = "sl773: disturbed ground of projects, as SL 773-2018 (K × 2.13); csle: the equation of "
                   "regional surveys",
           .choices = {"sl773", "csle"},
           .long_name = "erosion-method"});
    t.add({.key = "erosion.region",
           .type = OptionType::choice,
           .fallback = "northern_rock",
           .help = "Whose tolerable loss ends 微度 (SL 190): 西北黄土高原, 东北黑土, 北方土石山, "
                   "南方红壤丘陵, 西南土石山",
           .choices = {"loess", "black", "northern_rock", "southern_red", "southwest_rock"},
           .long_name = "erosion-region"});
    t.add({.key = "erosion.cover",
           .type = OptionType::choice,
           .fallback = "images",
           .help = "images: vegetation cover of the last clear look since the ground was opened, bare where "
                   "there is none; bare: bare ground everywhere",
           .choices = {"images", "bare"},
           .long_name = "erosion-cover"});
    t.add(
        {.key = "erosion.b",
         .type = OptionType::choice,
         .fallback = "cai",
         .help = "How cover becomes factor B: cai (1 where bare), grass or shrub (half-month ratios of CSLE)",
         .choices = {"cai", "grass", "shrub"},
         .long_name = "erosion-b"});
    auto e =
        number_option("erosion.e", "1", "Factor E of engineering measures; 1 on disturbed ground", "", 0, 1);
    e.long_name = "erosion-e";
    t.add(e);
    auto tillage = number_option("erosion.t", "1", "Factor T of tillage; 1 on disturbed ground", "", 0, 1);
    tillage.long_name = "erosion-t";
    t.add(tillage);
    t.add({.key = "erosion.face",
           .type = OptionType::map,
           .help = "Borrow pits as cut faces of SL 773: {silt, clay (shares), density (g/cm³), slope (°), "
                   "length (m)}; else they count as turned over"});
    t.add({.key = "erosion.pile",
           .type = OptionType::map,
           .help =
               "Spoil as heaps of SL 773: {shape (X), a, b, d, f (the standard's tables), gravel (share), "
               "slope (°), length (m)}; else it counts as turned over"});
}

std::map<std::string, std::string> ground_files(const RunContext& c) {
    std::map<std::string, std::string> files;
    for (const auto& [key, what] :
         {std::pair{"zones.dem", "The elevation model"}, std::pair{"erosion.dem", "The elevation model"},
          std::pair{"erosion.r", "The raster of erosivity"},
          std::pair{"erosion.k", "The raster of erodibility"}})
        if (c.settings.has(key)) files[fmt::format("{} ({})", what, key)] = c.settings.path(key);
    return files;
}

std::map<std::string, std::string> ground_hashes(RunContext& c) {
    std::map<std::string, std::string> hashes;
    for (const auto& [what, path] : ground_files(c)) hashes[what] = c.inputs[path] = engine::hash_file(path);
    if (hashes.empty()) return hashes;
    hashes["dictionary erosion"] = erosion_words_hash();
    for (const auto& [key, value] : c.settings.canonical("erosion."))
        if (key != "option erosion.dem" && key != "option erosion.r" && key != "option erosion.k")
            hashes[key] = value;  // of files the content counts, not the place
    if (c.settings.text("erosion.cover") == "images" && std::filesystem::exists(c.store.acquisitions_file()))
        hashes["looks"] = engine::hash_file(c.store.acquisitions_file().string());
    return hashes;
}

engine::Dictionary load_erosion_words() {
    return load_dictionary("erosion");
}
std::string erosion_words_hash() {
    return engine::hash_file(words_file().string());
}

nlohmann::ordered_json erosion_to_json(const Erosion& e) {
    nlohmann::ordered_json j = {{"class", algorithms::erosion_code(e.intensity)},
                                {"range", e.range},
                                {"method", e.method},
                                {"slope_deg", rounded(e.slope, 10)}};
    if (!e.form.empty()) j["form"] = e.form;
    if (e.erosivity) j["erosivity"] = rounded(*e.erosivity, 1);
    if (e.erodibility) j["erodibility"] = rounded(*e.erodibility, 1e4);
    if (e.length_slope > 0) j["length_slope"] = rounded(e.length_slope, 100);
    if (e.measures != 1) j["measures"] = e.measures;
    if (e.cover)
        j["cover"] = {{"share", rounded(e.cover->share, 100)},
                      {"b", rounded(e.cover->vegetation, 100)},
                      {"from", e.cover->first.iso()},
                      {"to", e.cover->last.iso()}};
    return j;
}

Erosion erosion_from_json(const nlohmann::json& j) {
    Erosion e;
    e.intensity = algorithms::erosion_from_code(j.at("class").get<std::string>())
                      .value_or(algorithms::ErosionClass::slight);
    j.at("range").get_to(e.range);
    j.at("method").get_to(e.method);
    j.at("slope_deg").get_to(e.slope);
    e.form = j.value("form", "");
    e.length_slope = j.value("length_slope", 0.0);
    e.measures = j.value("measures", 1.0);
    if (j.contains("erosivity")) e.erosivity = j.at("erosivity").get<double>();
    if (j.contains("erodibility")) e.erodibility = j.at("erodibility").get<double>();
    if (j.contains("cover")) {
        const auto& c = j.at("cover");
        e.cover = Cover{c.at("share").get<double>(), c.at("b").get<double>(),
                        Date::parse(c.at("from").get<std::string>()).value_or(Date()),
                        Date::parse(c.at("to").get<std::string>()).value_or(Date())};
    }
    return e;
}

std::string erosion_source(const Erosion& e, const engine::Dictionary& words) {
    const bool heap_or_face = e.form == "face" || e.form == "pile";
    std::string text = words.text("methods", e.method);
    if (!e.form.empty()) text += "（" + words.text("forms", e.form) + "）";
    text += "：";
    if (e.method != "grid") text += fmt::format("R {:.0f}，", e.erosivity.value_or(0));
    if (heap_or_face) return text + "坡度、坡长按设定";
    if (e.method != "grid")
        text += fmt::format("K {:.4f}，L·S {:.1f}，", e.erodibility.value_or(0), e.length_slope);
    if (e.measures != 1) text += fmt::format("E·T {:.2f}，", e.measures);
    text += fmt::format("坡度 {:.0f}°，", e.slope);
    if (!e.cover) return text + "按裸地计（无清晰影像或设定如此）";
    text += fmt::format("植被盖度 {:.0f} %", e.cover->share * 100);
    if (e.method != "grid") text += fmt::format("（B {:.2f}）", e.cover->vegetation);
    text += fmt::format("，影像 {}", e.cover->first.iso());
    if (e.cover->last != e.cover->first) text += " – " + e.cover->last.iso();
    return text;
}

}  // namespace shuibao::pipeline
