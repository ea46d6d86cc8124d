// SPDX-License-Identifier: Apache-2.0
#include "scene_files.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "scene_cache.hpp"
#include "scene_mask.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using engine::Scene;

// What 98 % of a band's values do not reach, of what `of` makes of them; nothing where there is no data.
// `nodata`: where the Item says none, that of the file.
template <class Of>
std::optional<float> high_value(const engine::SceneBand& b, std::optional<double> nodata, Of of) {
    constexpr double share = .98;
    auto values = io::sample_values(b.href, b.index);
    std::erase_if(values,
                  [&](float v) { return std::isnan(v) || (nodata && v == static_cast<float>(*nodata)); });
    if (values.empty()) return std::nullopt;
    std::transform(values.begin(), values.end(), values.begin(), of);
    const auto high =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), high, values.end());
    return *high;
}

// An index lies between −1 and 1, but for noise over dark water. Throws engine::Refusal.
void require_index(const engine::SceneBand& b, std::optional<double> nodata) {
    constexpr float most = 1.05F;
    const auto high =
        high_value(b, nodata, [&](float v) { return std::abs(static_cast<float>(v * b.scale + b.offset)); });
    if (high && *high > most)
        throw engine::Refusal{
            "no_index",
            fmt::format("NDVI lies between -1 and 1, and band {} of {} reaches {:g} with its scale {:g} and "
                        "offset {:g}: give raster:bands scale and offset in its Item, or imagery.scale.",
                        b.index, b.href, *high, b.scale, b.offset)};
}

// Fractions would all become 0 or 1, and an index of water below 0. Numbers without a scale that keep below 2
// are taken for fractions of one.
void fit_to_integers(engine::SceneBand& b, const io::BandInfo& file, std::optional<double> nodata,
                     bool reflectance) {
    constexpr double steps = 10'000;  // as stored_scaling()
    if (reflectance && b.band == Band::ndvi) {
        require_index(b, nodata);
        b.gain = b.scale * steps;
        b.lift = (b.offset + 1) * steps;
        b.scale = 1 / steps;
        b.offset = -1;
        return;
    }
    if (!file.type.starts_with("Float")) return;
    if (reflectance) {
        b.gain = b.scale * steps;
        b.scale = 1 / steps;
        return;
    }
    constexpr float most = 2;
    const auto high = high_value(b, nodata, [](float v) { return v; });
    if (high && *high <= most) b.gain = steps;
}

// Opens every file. Throws engine::Refusal.
void look_into(Scene& s, SceneCache* cache) {
    double finest = 0;
    std::map<std::string, io::RasterInfo> infos;
    std::map<std::string, std::string> hash_of;
    for (const auto& file : files_of(s)) {
        std::error_code error;
        if (!file.starts_with("/vsi") && !std::filesystem::exists(file, error))
            throw error ? engine::Refusal{"unreadable", fmt::format("The asset {} cannot be reached: {}.",
                                                                    file, error.message())}
                        : engine::Refusal{"missing_asset", fmt::format("The asset {} does not exist.", file)};
        try {
            infos[file] = io::describe_raster(file);
            if (cache != nullptr) hash_of[file] = cache->hash(file);
        } catch (const Error& e) {
            throw engine::Refusal{"unreadable", e.what()};
        }
    }
    for (auto& b : s.bands) {
        const auto& info = infos[b.href];
        try {
            io::probe_raster(b.href, b.index);
        } catch (const Error& e) {
            throw engine::Refusal{"truncated", e.what()};
        }
        if (info.crs.empty())
            throw engine::Refusal{"no_georeference",
                                  fmt::format("{} has no CRS or geotransform.{}", b.href,
                                              info.rational ? " It has RPC: name the image itself in "
                                                              "imagery.catalog, not its Item."
                                                            : "")};
        b.gsd = info.gsd_x;
        const auto& file = info.described[static_cast<std::size_t>(b.index) - 1];
        if (b.band == Band::ndvi && s.bands.size() == 1 && file.type.starts_with("Float"))
            s.reflectance = true;  // an index in fractions is what it says
        fit_to_integers(b, file, b.nodata ? b.nodata : info.nodata, s.reflectance);
        if (finest == 0 || info.gsd_x < finest) {
            finest = info.gsd_x;
            s.crs = info.crs;
            s.bounds = info.bounds();
        }
    }
    if (!s.mask_href.empty()) {
        try {
            io::probe_raster(s.mask_href, 1);
            if (cache != nullptr) s.clear = std::round(1000 * clear_share(s)) / 1000;
        } catch (const Error& e) {
            throw engine::Refusal{"truncated", e.what()};
        }
    }
    if (s.geographic) {
        Bounds here;
        try {
            here = io::transform_bounds(s.bounds, s.crs, "EPSG:4326");
        } catch (const Error& e) {
            throw engine::Refusal{"wrong_crs", e.what()};
        }
        // The Item's box may be rounded or hold the whole scene of which this is a part; it may not lie
        // elsewhere.
        const double margin = 0.01;
        const Bounds item{s.geographic->min_x - margin, s.geographic->min_y - margin,
                          s.geographic->max_x + margin, s.geographic->max_y + margin};
        if (!item.intersects(here))
            throw engine::Refusal{
                "wrong_reference",
                fmt::format(
                    "The image lies at {:.3f},{:.3f} but its Item says {:.3f},{:.3f} (longitude, latitude).",
                    here.min_x, here.min_y, s.geographic->min_x, s.geographic->min_y)};
    }
    // Landsat 8/9 call their near infrared nir08; detectors ask for nir.
    const auto has = [&](Band band) {
        return std::any_of(s.bands.begin(), s.bands.end(), [&](const auto& b) { return b.band == band; });
    };
    if (!has(Band::nir))
        for (auto& b : s.bands)
            if (b.band == Band::nir08) b.band = Band::nir;
    std::sort(s.bands.begin(), s.bands.end(), [](const auto& a, const auto& b) { return a.band < b.band; });
    // What the files hold, not where they lie: an archive that moves is still the same archive.
    std::map<std::string, std::string> parts;
    for (const auto& b : s.bands) parts[std::string(common_name(b.band))] = hash_of[b.href];
    if (!s.mask_href.empty()) parts["mask"] = hash_of[s.mask_href];
    if (cache != nullptr) s.fingerprint = engine::hash_values(parts);
}

}  // namespace

std::set<std::string> files_of(const Scene& s) {
    std::set<std::string> files;
    for (const auto& b : s.bands) files.insert(b.href);
    if (!s.mask_href.empty()) files.insert(s.mask_href);
    return files;
}

void examine(Scene& s, SceneCache* cache) {
    const auto key = cache == nullptr ? std::string() : cache->key_of(s, files_of(s));
    if (!key.empty() && cache->recall(key, s)) return;
    look_into(s, cache);
    if (!key.empty()) cache->remember(key, s);
}

}  // namespace shuibao::pipeline
