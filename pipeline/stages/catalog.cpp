// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "scene_mask.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/prospect.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using engine::Rejected;
using engine::Scene;

// Content hashes of files already seen unchanged (same size, time and inode): hashing an archive once is
// enough.
class HashCache {
  public:
    explicit HashCache(std::filesystem::path file) : m_file(std::move(file)) {
        std::ifstream in(m_file);
        const auto j = nlohmann::json::parse(in, nullptr, false);
        if (!j.is_object()) return;  // a lost cache only costs reading the files again
        for (const auto& [key, hash] : j.items())
            if (hash.is_string()) m_known[key] = hash.get<std::string>();
    }
    std::string hash(const std::string& path) {
        struct stat s {};
        if (::stat(path.c_str(), &s) != 0)
            return path.starts_with("/vsi") ? engine::hash_bytes(path) : engine::hash_file(path);
        const std::string key =
            fmt::format("{}|{}|{}.{:09}|{}", path, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ino);
        {
            const std::lock_guard lock(m_mutex);
            if (const auto it = m_known.find(key); it != m_known.end()) return m_used[key] = it->second;
        }
        const std::string h = engine::hash_file(path);
        const std::lock_guard lock(m_mutex);
        return m_used[key] = h;
    }
    void save() const {
        io::write_text(m_file,
                       nlohmann::json(m_used).dump(0, ' ', false, nlohmann::json::error_handler_t::replace));
    }

  private:
    std::filesystem::path m_file;
    std::mutex m_mutex;
    std::map<std::string, std::string> m_known, m_used;
};

struct Refusal {
    std::string code, reason;
};

std::set<std::string> files_of(const Scene& s) {
    std::set<std::string> files;
    for (const auto& b : s.bands) files.insert(b.href);
    if (!s.mask_href.empty()) files.insert(s.mask_href);
    return files;
}

// Opens every file of a scene; throws Refusal when the scene cannot be used. Without `hashes` only headers
// and the first and last blocks are read.
void examine(Scene& s, HashCache* hashes) {
    double finest = 0;
    std::map<std::string, io::RasterInfo> infos;
    std::map<std::string, std::string> hash_of;
    for (const auto& file : files_of(s)) {
        std::error_code error;
        if (!file.starts_with("/vsi") && !std::filesystem::exists(file, error))
            throw error ? Refusal{"unreadable",
                                  fmt::format("The asset {} cannot be reached: {}.", file, error.message())}
                        : Refusal{"missing_asset", fmt::format("The asset {} does not exist.", file)};
        try {
            infos[file] = io::describe_raster(file);
            if (hashes != nullptr) hash_of[file] = hashes->hash(file);
        } catch (const Error& e) {
            throw Refusal{"unreadable", e.what()};
        }
    }
    for (auto& b : s.bands) {
        const auto& info = infos[b.href];
        try {
            io::probe_raster(b.href, b.index);
        } catch (const Error& e) {
            throw Refusal{"truncated", e.what()};
        }
        if (info.crs.empty())
            throw Refusal{"no_georeference", fmt::format("{} has no CRS or geotransform.", b.href)};
        b.gsd = info.gsd_x;
        if (finest == 0 || info.gsd_x < finest) {
            finest = info.gsd_x;
            s.crs = info.crs;
            s.bounds = info.bounds();
        }
    }
    if (!s.mask_href.empty()) {
        try {
            io::probe_raster(s.mask_href, 1);
            if (hashes != nullptr) s.clear = std::round(1000 * clear_share(s)) / 1000;
        } catch (const Error& e) {
            throw Refusal{"truncated", e.what()};
        }
    }
    if (s.geographic) {
        Bounds here;
        try {
            here = io::transform_bounds(s.bounds, s.crs, "EPSG:4326");
        } catch (const Error& e) {
            throw Refusal{"wrong_crs", e.what()};
        }
        // The Item's box may be rounded or hold the whole scene of which this is a part; it may not lie
        // elsewhere.
        const double margin = 0.01;
        const Bounds item{s.geographic->min_x - margin, s.geographic->min_y - margin,
                          s.geographic->max_x + margin, s.geographic->max_y + margin};
        if (!item.intersects(here))
            throw Refusal{
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
    if (hashes != nullptr) s.fingerprint = engine::hash_values(parts);
}

class CatalogStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Read STAC catalogues into a checked list of scenes",
                .description =
                    "STAC Items, ItemCollections, catalogs or folders of them → <store>/scenes.json: every "
                    "scene accepted, or set aside with its reason.",
                .example = {"shuibao catalog --catalog archive/ --from 2023-01-01 --store store"}};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "imagery.catalog",
               .type = OptionType::path_list,
               .help = "STAC Items, ItemCollections, catalogs, or folders of them"});
        t.add({.key = "imagery.from", .help = "First day of imagery to use, YYYY-MM-DD; default: all"});
        t.add({.key = "imagery.to", .help = "Last day of imagery to use, YYYY-MM-DD; default: all"});
        t.add({.key = "imagery.area",
               .type = OptionType::path,
               .help = "Vector file whose extent limits the area; default: where the imagery is"});
        t.add({.key = "grid.crs",
               .help = "CRS of the analysis grid, e.g. EPSG:32649; default: that of most scenes"});
        t.add({.key = "grid.gsd",
               .type = OptionType::number,
               .help = "Pixel size of the analysis grid; default: that of the finest band",
               .unit = "unit of the CRS",
               .min = 1e-9});
        t.add({.key = "grid.tile_size",
               .type = OptionType::integer,
               .fallback = "2048",
               .help = "Tile size: large tiles read each image block about once, small ones spread over more "
                       "machines",
               .unit = "px",
               .min = 16,
               .max = 16384});
    }
    void require(const RunContext& c) const override {
        static_cast<void>(inputs_of(c));
        for (const char* key : {"imagery.from", "imagery.to"}) static_cast<void>(c.settings.day(key));
        const auto crs = c.settings.text("grid.crs");
        try {
            if (!crs.empty()) static_cast<void>(io::is_geographic(crs));
        } catch (const Error& e) {
            throw Error(ErrorCode::usage, fmt::format("{}: {}", c.settings.origin("grid.crs"), e.what()),
                        e.hint());
        }
    }
    void check(RunContext& c) const override {
        auto list = read(c);
        const auto described = list.scenes.size();
        sift(c, list, nullptr);
        c.out << fmt::format("catalog: {} scenes described, {} usable, {} set aside\n", described,
                             list.scenes.size(), list.rejected.size());
        for (const auto& r : list.rejected)
            c.out << fmt::format("  {} {}: {}\n", r.code, r.id.empty() ? r.source : r.id, r.reason);
        double bytes = 0;
        for (const auto& s : list.scenes)
            for (const auto& file : files_of(s)) {
                std::error_code error;
                const auto size = std::filesystem::file_size(file, error);
                if (!error) bytes += static_cast<double>(size);
            }
        c.out << fmt::format("catalog: {:.1f} MB of images to hash, those seen before unchanged excepted\n",
                             bytes / 1e6);
        if (!c.prospect) return;
        c.prospect->grid = settled_grid(c, list);
        c.prospect->scenes = std::move(list.scenes);
    }
    void run(RunContext& c) const override {
        auto list = read(c);
        if (c.executor.options().dry_run) {
            c.log.write(engine::LogLevel::info,
                        fmt::format("{} scenes would be examined", list.scenes.size()), "catalog");
            return;
        }
        HashCache hashes(c.store.root() / "hashes.json");
        sift(c, list, &hashes);
        hashes.save();
        for (const auto& s : list.scenes) c.inputs[s.source + "#" + s.id] = s.fingerprint;
        tell_of_masks(c, list.scenes);
        save_grid(c.store, settled_grid(c, list));
        engine::save_scenes(c.store.scenes_file(), list);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} scenes, {} set aside", list.scenes.size(), list.rejected.size()),
                    "catalog");
    }

  private:
    // Leaves the scenes that can be used; the others become `rejected`, and problems where nobody asked for
    // it.
    static void sift(RunContext& c, engine::SceneList& list, HashCache* hashes) {
        std::vector<Refusal> refusals(list.scenes.size());
        std::atomic<std::size_t> done{0};
        c.executor.parallel_for(list.scenes.size(), [&](std::size_t i) {
            try {
                examine(list.scenes[i], hashes);
            } catch (const Refusal& r) {
                refusals[i] = r;
            }
            c.log.progress("catalog", ++done, list.scenes.size());
        });
        io::forget_handles();
        std::vector<Scene> accepted;
        for (std::size_t i = 0; i < list.scenes.size(); ++i) {
            auto& s = list.scenes[i];
            if (refusals[i].code.empty())
                accepted.push_back(std::move(s));
            else
                list.rejected.push_back({s.source, s.id, refusals[i].code, refusals[i].reason});
        }
        list.scenes = without_duplicates(std::move(accepted), list.rejected);
        select(c, list);
        std::sort(list.rejected.begin(), list.rejected.end());
        for (const auto& r : list.rejected)
            if (r.code != "outside_dates" && r.code != "outside_area")
                c.problems.add({"catalog", r.id.empty() ? r.source : r.id, r.code, r.reason,
                                "Mend or remove it; a run goes on without it."});
        if (!list.scenes.empty()) return;
        std::string why;
        for (const auto& r : list.rejected)
            why += fmt::format(" {}: {}", r.id.empty() ? r.source : r.id, r.reason);
        throw Error(
            ErrorCode::input,
            "No usable scene is left." + (why.empty() ? std::string(" The catalogue holds none.") : why),
            "Check imagery.catalog, imagery.from, imagery.to and imagery.area.");
    }

    static std::vector<std::string> inputs_of(const RunContext& c) {
        auto inputs = c.settings.list("imagery.catalog");
        if (inputs.empty() || inputs.front().empty())
            throw Error(ErrorCode::usage, "imagery.catalog is not set.",
                        "Name the STAC files or folders with the images: --catalog PATH.");
        return inputs;
    }

    static engine::SceneList read(const RunContext& c) {
        const auto inputs = inputs_of(c);
        const auto sensors = engine::load_sensors();
        engine::SceneList all;
        for (const auto& input : inputs) {
            auto one = engine::read_catalogue(input, sensors);
            std::move(one.scenes.begin(), one.scenes.end(), std::back_inserter(all.scenes));
            std::move(one.rejected.begin(), one.rejected.end(), std::back_inserter(all.rejected));
        }
        std::sort(all.scenes.begin(), all.scenes.end(), [](const Scene& a, const Scene& b) {
            return std::tie(a.date, a.id, a.source) < std::tie(b.date, b.id, b.source);
        });
        return all;
    }

    // A cloud that nobody masks looks like ground torn open; an asset whose role nobody knows is no mask.
    static void tell_of_masks(RunContext& c, const std::vector<Scene>& scenes) {
        std::string first;
        std::size_t without = 0;
        for (const auto& s : scenes)
            if (s.mask == engine::MaskKind::none && without++ == 0) first = s.id;
        if (without == 0) return;
        const auto what = fmt::format(
            "{} of {} scenes have no mask of clouds, {} is one of them: an asset with the role cloud, "
            "cloud-mask, "
            "mask or data-mask, or one of configs/sensors.",
            without, scenes.size(), first);
        c.log.write(engine::LogLevel::info, what, "catalog");
        c.notes.push_back({"catalog", first, "no_mask", what, ""});
    }

    static std::vector<Scene> without_duplicates(std::vector<Scene> scenes, std::vector<Rejected>& rejected) {
        std::vector<Scene> kept;
        std::map<std::string, std::string> ids, contents;  // → the Item that had it first
        for (auto& s : scenes) {
            if (const auto [other, fresh] = ids.try_emplace(s.id, s.source); !fresh)
                rejected.push_back(
                    {s.source, s.id, "duplicate",
                     fmt::format("{}: another Item has the same id, {}.", s.source, other->second)});
            else if (s.fingerprint.empty())  // `check` hashes nothing
                kept.push_back(std::move(s));
            else if (const auto [twin, first] = contents.try_emplace(s.date.iso() + s.fingerprint, s.source);
                     !first)
                rejected.push_back({s.source, s.id, "duplicate",
                                    fmt::format("{}: another Item of the same day has the same images, {}.",
                                                s.source, twin->second)});
            else
                kept.push_back(std::move(s));
        }
        return kept;
    }

    static void select(const RunContext& c, engine::SceneList& list) {
        const auto from = c.settings.day("imagery.from"), to = c.settings.day("imagery.to");
        std::optional<io::LayerExtent> area;
        if (c.settings.has("imagery.area")) area = io::layer_extent(c.settings.path("imagery.area"));
        std::erase_if(list.scenes, [&](const Scene& s) {
            if ((from && s.date < *from) || (to && s.date > *to)) {
                list.rejected.push_back(
                    {s.source, s.id, "outside_dates",
                     "The scene is of " + s.date.iso() + ", outside imagery.from…imagery.to."});
                return true;
            }
            if (area && !io::transform_bounds(area->bounds, area->crs, s.crs).intersects(s.bounds)) {
                list.rejected.push_back(
                    {s.source, s.id, "outside_area", "The scene does not touch imagery.area."});
                return true;
            }
            return false;
        });
    }

    static Grid settled_grid(const RunContext& c, const engine::SceneList& list) {
        std::error_code error;
        if (std::filesystem::exists(c.store.grid_file(), error)) {
            const Grid grid = load_grid(c.store);
            const auto differs = [&](const char* key, bool other, const std::string& have) {
                if (c.settings.has(key) && c.settings.origin(key) != "default" && other)
                    throw Error(ErrorCode::usage,
                                fmt::format("{}: the store's grid has {} {}, not {}.", c.settings.origin(key),
                                            key, have, c.settings.text(key)),
                                "A store keeps its grid for life: drop the key, or use another store.");
            };
            differs("grid.tile_size", c.settings.integer("grid.tile_size") != grid.tile_size(),
                    std::to_string(grid.tile_size()));
            differs("grid.gsd", c.settings.number("grid.gsd") != grid.gsd(), fmt::format("{}", grid.gsd()));
            differs("grid.crs",
                    !c.settings.has("grid.crs") || !io::same_crs(c.settings.text("grid.crs"), grid.crs()),
                    grid.crs());
            return grid;
        }
        std::string crs = c.settings.text("grid.crs");
        if (crs.empty()) {
            std::map<std::string, int> votes;
            for (const auto& s : list.scenes) ++votes[s.crs];
            crs = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                  })->first;
        }
        double gsd = c.settings.number("grid.gsd"), left = 0, top = 0;
        bool placed = false;
        double finest = 0;
        for (const auto& s : list.scenes)
            for (const auto& b : s.bands)
                if (io::same_crs(s.crs, crs) && (finest == 0 || b.gsd < finest)) {
                    finest = b.gsd;
                    left = s.bounds.min_x;
                    top = s.bounds.max_y;
                    placed = true;
                }
        if (gsd <= 0) gsd = finest;
        if (gsd <= 0)
            throw Error(ErrorCode::usage,
                        "No scene is in the grid's CRS " + crs + ", so its pixel size is unknown.",
                        "Set grid.gsd.");
        // Cut the lattice where the imagery has its pixel edges, if the sizes agree; else at round numbers.
        if (!placed || gsd != finest) left = top = 0;
        return Grid::aligned_to(crs, left, top, gsd, static_cast<int>(c.settings.integer("grid.tile_size")));
    }
};

const Registration<Stage, CatalogStage> registration{"catalog", 10};

}  // namespace
}  // namespace shuibao::pipeline
