// SPDX-License-Identifier: Apache-2.0
#include "stac.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

std::optional<double> number_of(const json& j, const char* key) {
    const auto it = j.find(key);
    return it != j.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

const Sensor* sensor_of(const std::vector<Sensor>& sensors, const std::string& collection,
                        const std::string& platform) {
    const auto matches = [](const std::vector<std::string>& prefixes, const std::string& name) {
        return !name.empty() && std::any_of(prefixes.begin(), prefixes.end(),
                                            [&](const std::string& p) { return lower(name).starts_with(p); });
    };
    for (const auto& s : sensors)
        if (matches(s.collections, collection)) return &s;
    for (const auto& s : sensors)
        if (matches(s.platforms, platform)) return &s;
    return nullptr;
}

std::optional<Band> role_of(const json& description, const std::string& asset, bool single,
                            const Sensor* sensor) {
    for (const char* key : {"common_name", "eo:common_name"})
        if (const auto band = band_from_common_name(text_of(description, key))) return band;
    std::vector<std::string> names = {text_of(description, "name")};
    if (single) names.push_back(asset);
    for (const auto& name : names) {
        if (sensor != nullptr)
            for (const auto& [known, band] : sensor->bands)
                if (lower(known) == lower(name)) return band;
        if (const auto band = band_from_common_name(lower(name))) return band;
    }
    return std::nullopt;
}

MaskKind mask_of(const std::string& key, const json& asset, const Sensor* sensor) {
    const std::string name = lower(key);
    if (sensor != nullptr)
        for (const auto& [known, kind] : sensor->masks)
            if (lower(known) == name) return kind;
    if (name == "scl") return MaskKind::scl;
    if (name == "qa_pixel") return MaskKind::qa_pixel;
    if (name == "fmask") return MaskKind::fmask;
    const auto roles = asset.value("roles", json::array());
    for (const auto& role : roles) {
        if (role == "data-mask") return MaskKind::valid_is_1;
        if (role == "cloud" || role == "mask" || role == "cloud-mask") return MaskKind::masked_is_1;
    }
    return MaskKind::none;
}

}  // namespace

std::string lower(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return s;
}

std::string text_of(const json& j, const char* key, const std::string& fallback) {
    const auto it = j.find(key);
    return it != j.end() && it->is_string() ? it->get<std::string>() : fallback;
}

std::string resolve(const fs::path& file, const std::string& href) {
    if (io::is_remote(href)) {
        if (!io::network_allowed())
            throw Refusal{"network", fmt::format("{} lies on the network; copy it here, or say "
                                                 "--allow-network.",
                                                 href)};
        return href.starts_with("http") ? "/vsicurl/" + href : href;
    }
    if (href.starts_with("/vsi")) return href;
    const std::string path = href.starts_with("file://") ? href.substr(7) : href;
    if (path.starts_with('/')) return path;
    const auto from = file.parent_path().string();
    // "/vsizip//data/a.zip/x" has two slashes for a reason.
    const auto plain = from.starts_with("/vsi") ? from.find('/', 1) + 1 : 0;
    const auto place = fs::path(from.substr(plain)) / path;
    return from.substr(0, plain) + (plain > 0 ? place : fs::absolute(place)).lexically_normal().string();
}

Scene scene_of_item(const fs::path& path, const json& item, const std::vector<Sensor>& sensors) {
    const std::string id = item.is_object() ? text_of(item, "id") : std::string();
    if (id.empty()) throw Refusal{"no_id", "The Item has no id."};
    const std::string version = text_of(item, "stac_version");
    if (!version.starts_with("1.0.") && !version.starts_with("1.1."))
        throw Refusal{"stac_version",
                      fmt::format("The Item says stac_version '{}'; shuibao reads 1.0 and 1.1.", version)};
    const json& p = item.at("properties");
    Scene s;
    s.id = id;
    s.source = path.string();
    // Items that were made here are in no collection (that takes a link to one), and say which they are like.
    s.collection = text_of(item, "collection", text_of(p, "shuibao:collection"));
    s.platform = lower(text_of(p, "platform", text_of(p, "constellation", "unknown")));
    if (const auto orbit = number_of(p, "sat:relative_orbit")) s.orbit = fmt::format("R{:03.0f}", *orbit);
    const std::string when = p.contains("datetime") && p["datetime"].is_string()
                                 ? text_of(p, "datetime")
                                 : text_of(p, "start_datetime");
    if (when.empty()) throw Refusal{"no_date", "The Item has no datetime."};
    const auto date = Date::parse(when);
    if (!date) throw Refusal{"bad_date", fmt::format("The Item's datetime '{}' is no date.", when)};
    s.date = *date;
    if (const auto box = item.find("bbox");
        box != item.end() && box->is_array() && (box->size() == 4 || box->size() == 6)) {
        const std::size_t half = box->size() / 2;
        s.geographic = Bounds{box->at(0).get<double>(), box->at(1).get<double>(), box->at(half).get<double>(),
                              box->at(half + 1).get<double>()};
    }
    const Sensor* sensor = sensor_of(sensors, s.collection, s.platform);
    const std::string level = lower(text_of(p, "processing:level", s.collection));
    s.surface = (sensor != nullptr && sensor->surface) || level.find("l2") != std::string::npos;
    const auto item_gsd = number_of(p, "gsd");
    std::map<Band, SceneBand> best;
    bool scaled = false;
    for (const auto& [key, asset] : item.at("assets").items()) {
        const std::string href = text_of(asset, "href");
        const std::string extension = lower(fs::path(href).extension().string());
        if (href.empty() || extension == ".json" || extension == ".xml" || extension == ".png" ||
            extension == ".jpg")
            continue;
        if (const MaskKind kind = mask_of(key, asset, sensor); kind != MaskKind::none) {
            s.mask = kind;
            s.mask_href = resolve(path, href);
            continue;
        }
        const json described =
            asset.contains("bands") ? asset["bands"] : asset.value("eo:bands", json::array());
        const json raster = asset.value("raster:bands", asset.value("bands", json::array()));
        const std::size_t n = std::max<std::size_t>(1, described.size());
        for (std::size_t b = 0; b < n; ++b) {
            const json d = b < described.size() ? described[b] : json::object();
            const auto role = role_of(d, key, n == 1, sensor);
            if (!role) continue;
            const json r = b < raster.size() ? raster[b] : json::object();
            SceneBand band;
            band.band = *role;
            band.href = resolve(path, href);
            band.index = static_cast<int>(b) + 1;
            const auto first = [&, &whole = asset](const char* long_name, const char* name) {
                auto v = number_of(r, long_name);
                if (!v) v = number_of(r, name);
                return v ? v : number_of(whole, long_name);
            };
            band.gsd = number_of(d, "gsd").value_or(
                first("raster:spatial_resolution", "spatial_resolution")
                    .value_or(number_of(asset, "gsd").value_or(item_gsd.value_or(0))));
            auto scale = first("raster:scale", "scale"), offset = first("raster:offset", "offset");
            band.nodata = first("nodata", "nodata");
            if (!scale && sensor != nullptr && band.band != Band::ndvi) {
                scale = sensor->scale;
                if (!offset) offset = sensor->offset;
            }
            scaled = scaled || scale.has_value();
            band.scale = scale.value_or(1);
            band.offset = offset.value_or(0);
            const auto it = best.find(*role);
            // The finest of several renderings of one role; the name decides between equals, never the
            // order in the file.
            if (it == best.end() || band.gsd < it->second.gsd ||
                (band.gsd == it->second.gsd && band.href < it->second.href))
                best[*role] = band;
        }
    }
    // What can be worked out of the bands needs no file.
    if (best.contains(Band::red) && (best.contains(Band::nir) || best.contains(Band::nir08)))
        best.erase(Band::ndvi);
    for (auto& [role, band] : best) s.bands.push_back(std::move(band));
    if (s.bands.empty())
        throw Refusal{"no_bands",
                      "The Item has no asset whose bands are known by common name or sensor file."};
    s.reflectance = scaled;
    return s;
}

}  // namespace shuibao::engine
