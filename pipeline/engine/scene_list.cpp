// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr std::array<std::string_view, 6> mask_names = {"none",  "scl",        "qa_pixel",
                                                        "fmask", "valid_is_1", "masked_is_1"};

ordered_json box(const Bounds& b) {
    return {b.min_x, b.min_y, b.max_x, b.max_y};
}
Bounds unbox(const ordered_json& j) {
    return {j.at(0), j.at(1), j.at(2), j.at(3)};
}

ordered_json scene_object(const Scene& s) {
    ordered_json o = {{"id", s.id},
                      {"date", s.date.iso()},
                      {"collection", s.collection},
                      {"platform", s.platform},
                      {"orbit", s.orbit},
                      {"reflectance", s.reflectance},
                      {"surface", s.surface},
                      {"crs", s.crs},
                      {"bounds", box(s.bounds)},
                      {"mask", mask_name(s.mask)},
                      {"mask_href", s.mask_href},
                      {"clear", s.clear},
                      {"fingerprint", s.fingerprint},
                      {"source", s.source}};
    for (const auto& b : s.bands) {
        ordered_json e = {{"band", common_name(b.band)},
                          {"href", b.href},
                          {"index", b.index},
                          {"gsd", b.gsd},
                          {"scale", b.scale},
                          {"offset", b.offset}};
        if (b.nodata) e["nodata"] = *b.nodata;
        if (b.gain != 1) e["gain"] = b.gain;
        if (b.lift != 0) e["lift"] = b.lift;
        o["bands"].push_back(std::move(e));
    }
    return o;
}

Scene scene_of_object(const ordered_json& o) {
    Scene s;
    s.id = o.at("id");
    s.date = Date::parse(o.at("date").get<std::string>()).value();
    s.collection = o.at("collection");
    s.platform = o.at("platform");
    s.orbit = o.at("orbit");
    s.reflectance = o.at("reflectance");
    s.surface = o.at("surface");
    s.crs = o.at("crs");
    s.bounds = unbox(o.at("bounds"));
    s.mask = mask_from_name(o.at("mask").get<std::string>());
    s.mask_href = o.at("mask_href");
    s.clear = o.at("clear");
    s.fingerprint = o.at("fingerprint");
    s.source = o.at("source");
    for (const auto& e : o.at("bands")) {
        SceneBand b;
        b.band = band_from_common_name(e.at("band").get<std::string>()).value();
        b.href = e.at("href");
        b.index = e.at("index");
        b.gsd = e.at("gsd");
        b.scale = e.at("scale");
        b.offset = e.at("offset");
        if (e.contains("nodata")) b.nodata = e["nodata"].get<double>();
        b.gain = e.value("gain", 1.0);
        b.lift = e.value("lift", 0.0);
        s.bands.push_back(std::move(b));
    }
    return s;
}

}  // namespace

std::string_view mask_name(MaskKind kind) {
    return mask_names[static_cast<std::size_t>(kind)];
}

MaskKind mask_from_name(std::string_view name) {
    const auto it = std::find(mask_names.begin(), mask_names.end(), name);
    if (it == mask_names.end())
        throw Error(ErrorCode::usage, fmt::format("There is no mask kind '{}'.", name),
                    fmt::format("Known are: {}.", fmt::join(mask_names, ", ")));
    return static_cast<MaskKind>(it - mask_names.begin());
}

std::vector<Sensor> load_sensors() {
    std::vector<Sensor> sensors;
    std::set<fs::path> files;
    for (const auto& entry : fs::directory_iterator(config_file("sensors")))
        if (entry.path().extension() == ".yaml") files.insert(entry.path());
    for (const auto& file : files) {
        try {
            const auto root = YAML::LoadFile(file.string());
            Sensor s;
            s.name = file.stem().string();
            for (const auto& c : root["collections"]) s.collections.push_back(c.as<std::string>());
            for (const auto& p : root["platforms"]) s.platforms.push_back(p.as<std::string>());
            for (const auto& b : root["bands"]) {
                const auto band = band_from_common_name(b.second.as<std::string>());
                if (!band)
                    throw Error(ErrorCode::usage, fmt::format("{}: there is no band '{}'.", file.string(),
                                                              b.second.as<std::string>()));
                s.bands.emplace_back(b.first.as<std::string>(), *band);
            }
            if (root["scale"]) s.scale = root["scale"].as<double>();
            if (root["offset"]) s.offset = root["offset"].as<double>();
            s.surface = root["surface"] && root["surface"].as<bool>();
            for (const auto& m : root["masks"])
                s.masks.emplace_back(m.first.as<std::string>(), mask_from_name(m.second.as<std::string>()));
            sensors.push_back(std::move(s));
        } catch (const YAML::Exception& e) {
            throw Error(ErrorCode::usage,
                        fmt::format("The sensor file {}:{} cannot be read: {}.", file.string(),
                                    e.mark.line + 1, e.msg),
                        "Mend it; the files beside it show the form.");
        }
    }
    return sensors;
}

std::string scene_text(const Scene& scene) {
    return scene_object(scene).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Scene> scene_from_text(const std::string& text) {
    try {
        return scene_of_object(ordered_json::parse(text));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

void save_scenes(const fs::path& file, const SceneList& list) {
    ordered_json j = {{"scenes", ordered_json::array()}, {"rejected", ordered_json::array()}};
    for (const auto& s : list.scenes) j["scenes"].push_back(scene_object(s));
    for (const auto& r : list.rejected)
        j["rejected"].push_back({{"source", r.source}, {"id", r.id}, {"code", r.code}, {"reason", r.reason}});
    io::write_text(file, j.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

SceneList load_scenes(const fs::path& file) {
    std::ifstream in(file);
    if (!in)
        throw Error(ErrorCode::usage, "There is no scene list " + file.string() + ".",
                    "Run `shuibao catalog` first, or `shuibao run`.");
    SceneList list;
    try {
        const auto j = ordered_json::parse(in);
        for (const auto& o : j.at("scenes")) list.scenes.push_back(scene_of_object(o));
        for (const auto& r : j.at("rejected"))
            list.rejected.push_back({r.at("source"), r.at("id"), r.at("code"), r.at("reason")});
    } catch (const std::exception& e) {
        throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", file.string(), e.what()),
                    "Run `shuibao catalog` again.");
    }
    return list;
}

}  // namespace shuibao::engine
