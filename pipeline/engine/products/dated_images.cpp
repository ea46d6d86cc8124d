// SPDX-License-Identifier: Apache-2.0
// Plain images whose names hold a date, as GF-1/2/6 and ZY-3 are delivered and as people export them: one
// file with all bands or one per band, a mask beside them, placed by a geotransform or by RPC.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "product.hpp"
#include <shuibao/engine/file_name.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/ortho.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::engine {
namespace {

constexpr std::string_view separators = "_-. ";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool all_digits(std::string_view s) {
    return !s.empty() && std::all_of(s.begin(), s.end(), is_digit);
}

std::vector<std::string> words_of(const std::string& stem) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at <= stem.size();) {
        const auto end = std::min(stem.find_first_of(separators, at), stem.size());
        if (end > at) words.push_back(lower(stem.substr(at, end - at)));
        at = end + 1;
    }
    return words;
}

// What the last words of a name say of a file among those of one scene.
enum class Role { bands, panchromatic, mask };
struct NamePart {
    Role role = Role::bands;
    std::string band;             // of a file with one band
    std::string mask, mask_role;  // key and role of its asset
};

// Masks by the last word of their names, and what they hold.
struct MaskWord {
    std::string_view word, key, role;
};
constexpr std::array<MaskWord, 8> mask_words = {{{"scl", "scl", "data"},
                                                 {"fmask", "fmask", "data"},
                                                 {"cloud", "clouds", "cloud"},
                                                 {"clouds", "clouds", "cloud"},
                                                 {"cloudmask", "clouds", "cloud"},
                                                 {"mask", "clouds", "cloud"},
                                                 {"valid", "valid", "data-mask"},
                                                 {"clear", "valid", "data-mask"}}};

bool is_band_name(const std::string& word) {
    if (band_from_common_name(word)) return true;
    if (word.size() < 2 || word.front() != 'b') return false;
    const auto rest = std::string_view(word).substr(1);
    return rest.size() <= 2 && (all_digits(rest) || rest == "8a");
}

// Whether a word says of what kind the file is; then it is no part of the scene's name.
bool understand(const std::string& word, NamePart& part) {
    const auto without_number = [&](std::string_view beginning) {
        return word.starts_with(beginning) && (word.size() == beginning.size() ||
                                               all_digits(std::string_view(word).substr(beginning.size())));
    };
    if (word.size() > 1 && word.back() == 'm' &&
        all_digits(std::string_view(word).substr(0, word.size() - 1)))
        return true;  // 10m, 20m: the same scene in another pixel size
    if (without_number("mss") || word == "mux") return true;
    for (const std::string_view p : {"pan", "nad", "fwd", "bwd"})
        if (without_number(p)) {
            part.role = Role::panchromatic;
            return true;
        }
    for (const auto& m : mask_words)
        if (word == m.word) {
            part.role = Role::mask;
            part.mask = m.key;
            part.mask_role = m.role;
            return true;
        }
    if (!part.band.empty() || !is_band_name(word)) return false;
    part.band = word;
    return true;
}

// Cuts from the end of a stem what `understand` knows.
std::string scene_name(std::string stem, NamePart& part) {
    while (true) {
        if (lower(stem).ends_with("qa_pixel")) {
            part = {.role = Role::mask, .band = {}, .mask = "qa_pixel", .mask_role = "data"};
            stem.resize(stem.size() - 8);
        } else {
            const auto cut = stem.find_last_of(separators);
            if (cut == std::string::npos || cut == 0 || !understand(lower(stem.substr(cut + 1)), part)) break;
            stem.resize(cut);
        }
        while (!stem.empty() && separators.find(stem.back()) != std::string_view::npos) stem.pop_back();
    }
    return stem;
}

// The first day that a name holds: 20200131, 20200131T…, 20200131112310, 2020-01-31, 2020_01_31.
std::optional<Date> day_in(const std::string& name) {
    const auto day = [](const std::string& digits) -> std::optional<Date> {
        return digits >= "19700101" && digits < "21000101" ? Date::parse(digits) : std::nullopt;
    };
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (!is_digit(name[at]) || (at > 0 && is_digit(name[at - 1]))) continue;
        std::size_t end = at;
        while (end < name.size() && is_digit(name[end])) ++end;
        if (end - at == 8 || end - at == 14)
            if (const auto d = day(name.substr(at, 8))) return d;
        const auto s = std::string_view(name).substr(at);
        const bool parted = end - at == 4 && s.size() >= 10 &&
                            separators.find(s[4]) != std::string_view::npos && s[7] == s[4] &&
                            (s.size() == 10 || !is_digit(s[10]));
        if (parted)
            if (const auto d = day(std::string(s.substr(0, 4)) + std::string(s.substr(5, 2)) +
                                   std::string(s.substr(8, 2))))
                return d;
    }
    return std::nullopt;
}

struct Satellite {
    std::string platform, collection;
    bool numbered = false;  // the bands are blue, green, red, near infrared where nobody says otherwise
};

Satellite satellite_of(const std::vector<std::string>& words) {
    const auto has = [&](std::string_view word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    for (const auto& w : words) {
        if (w == "s2" || w == "s2a" || w == "s2b" || w == "s2c")
            return {"sentinel-2" + w.substr(2),
                    has("l1c") || has("msil1c") ? "sentinel-2-l1c" : "sentinel-2-l2a", false};
        if (w.size() == 4 && w[0] == 'l' && w[2] == '0' && is_digit(w[3]) &&
            std::string_view("cetmo").find(w[1]) != std::string_view::npos)
            return {fmt::format("landsat-{}", w[3]), "", false};
        if (w.size() >= 3 && w.starts_with("gf") && is_digit(w[2]))
            return {"gf-" + w.substr(2), "gaofen", true};
        if (w.size() >= 3 && w.starts_with("zy") && is_digit(w[2]))
            return {fmt::format("zy-{}", w[2]), "gaofen", true};
    }
    return {"unknown", "", false};
}

// The files of one scene.
struct Group {
    std::string name;
    std::vector<std::pair<std::string, NamePart>> files;
};

class DatedImages final : public Product {
  public:
    void find(const ProductFolder& folder, const ProductOptions& options, Findings& found) const override {
        std::map<std::string, Group> groups;
        for (const auto& file : folder.files) {
            if (found.taken.contains(file)) continue;
            const std::filesystem::path path(file);
            const auto extension = lower(path.extension().string());
            if (extension != ".tif" && extension != ".tiff" && extension != ".img" && extension != ".jp2")
                continue;
            NamePart part;
            const auto name = scene_name(path.stem().string(), part);
            auto& group = groups[name];
            group.name = name;
            group.files.emplace_back(file, part);
            found.taken.insert(file);
        }
        for (const auto& [name, group] : groups)
            make_items(folder.at(group.files.front().first), name, found, [&, &scene = group] {
                found.items.push_back(
                    {folder.at(scene.files.front().first), item_of(folder, scene, options)});
            });
    }
    [[nodiscard]] bool last_resort() const override { return true; }

  private:
    static nlohmann::json item_of(const ProductFolder& folder, const Group& group,
                                  const ProductOptions& options) {
        const auto day = day_in(group.files.front().first);
        if (!day)
            throw Refusal{"no_date",
                          fmt::format("The name {} holds no date (20200131 or 2020-01-31), and no STAC "
                                      "Item speaks of the image.",
                                      group.files.front().first)};
        const auto satellite = satellite_of(words_of(group.name));
        ItemMaker item(group.name, satellite.collection);
        item.set("datetime", day->iso() + "T00:00:00Z");
        bool any = false, bytes = false;
        Bounds place;
        int number = 0;
        for (const auto& [file, part] : group.files) {
            ++number;
            if (part.role == Role::panchromatic) continue;
            auto path = folder.at(file);
            auto info = io::describe_raster(path);
            if (info.rational) {
                const auto view =
                    fmt::format("{}/{}-{}.vrt", options.written, file_name_of(group.name), number);
                io::save_text(view, io::ortho_view(path, {options.crs, options.gsd, options.dem}));
                path = view;
                info = io::describe_raster(view);
            }
            if (!info.crs.empty()) place.expand(io::transform_bounds(info.bounds(), info.crs, "EPSG:4326"));
            if (part.role == Role::mask) {
                item.mask(part.mask, path, part.mask_role);
                continue;
            }
            any = true;
            bytes = bytes || std::any_of(info.described.begin(), info.described.end(),
                                         [](const auto& b) { return b.type == "Byte"; });
            item.asset(part.band.empty() ? fmt::format("image{}", number) : part.band, path,
                       bands_of(file, info, part, satellite, options));
        }
        if (!any)
            throw Refusal{"no_bands",
                          fmt::format("Of {} there is no image with bands: a panchromatic one or a mask "
                                      "alone is not enough.",
                                      group.name)};
        // A sensor's scale is that of its 16-bit products.
        if (!bytes && satellite.platform != "unknown") item.set("platform", satellite.platform);
        if (!place.empty()) item.footprint(place);
        return item.finish();
    }

    static std::vector<MadeBand> bands_of(const std::string& file, const io::RasterInfo& info,
                                          const NamePart& part, const Satellite& satellite,
                                          const ProductOptions& options) {
        const auto n = info.described.size();
        std::vector<MadeBand> bands(n);
        for (std::size_t b = 0; b < n; ++b) {
            const auto& d = info.described[b];
            bands[b].name = lower(d.description);
            bands[b].role = band_from_common_name(bands[b].name);
            // A VRT says 1 and 0 where nobody said anything.
            const bool said = d.scale.value_or(1) != 1 || d.offset.value_or(0) != 0;
            bands[b].scale = options.scale ? options.scale : said ? d.scale : std::nullopt;
            bands[b].offset = options.offset ? options.offset : said ? d.offset : std::nullopt;
            bands[b].nodata = info.nodata;
            bands[b].gsd = info.gsd_x > 0 ? std::optional(info.gsd_x) : std::nullopt;
            if (!bands[b].name.empty() && !bands[b].role)
                bands[b].name = d.description;  // B8A, as it is written
        }
        const bool named = std::any_of(bands.begin(), bands.end(), [](const auto& b) {
            return b.role || is_band_name(lower(b.name));  // not "Layer_1"
        });
        if (n == 1 && !part.band.empty()) {
            bands[0].name = part.band;
            bands[0].role = band_from_common_name(part.band);
        } else if (!named && !options.bands.empty()) {
            if (options.bands.size() != n)
                throw Refusal{"bands", fmt::format("{} has {} bands, imagery.bands names {}.", file, n,
                                                   options.bands.size())};
            for (std::size_t b = 0; b < n; ++b) {
                bands[b].role = options.bands[b];
                bands[b].name = common_name(options.bands[b]);
            }
        } else if (!named && !by_colour(info, bands)) {
            if (!satellite.numbered || n < 3)
                throw Refusal{"bands",
                              fmt::format("{} does not say what its {} bands are: name them in the file, "
                                          "or in imagery.bands, e.g. [blue, green, red, nir].",
                                          file, n)};
            constexpr std::array<Band, 4> order = {Band::blue, Band::green, Band::red, Band::nir};
            for (std::size_t b = 0; b < std::min(n, order.size()); ++b) {
                bands[b].role = order[b];
                bands[b].name = common_name(order[b]);
            }
        }
        return bands;
    }

    // Red, green and blue as the file itself calls them.
    static bool by_colour(const io::RasterInfo& info, std::vector<MadeBand>& bands) {
        int known = 0;
        for (std::size_t b = 0; b < bands.size(); ++b)
            if (const auto role = band_from_common_name(lower(info.described[b].colour)); role && known < 3) {
                bands[b].role = role;
                bands[b].name = common_name(*role);
                ++known;
            }
        return known == 3;
    }
};

const Registration<Product, DatedImages> registration{"dated_images", 100};

}  // namespace
}  // namespace shuibao::engine
