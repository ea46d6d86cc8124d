// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "scene_cache.hpp"
#include "scene_files.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/file_name.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/prospect.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using engine::Rejected;
using engine::Scene;

class CatalogStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "Read STAC catalogues and sensor folders into a checked list of scenes",
            .description =
                "STAC Items, ItemCollections and catalogs, Sentinel-2 SAFE and Landsat Collection 2 folders, "
                "GF and ZY images with RPC, images with a date in their names, or folders of them → "
                "<store>/scenes.json: every scene accepted, or set aside with its reason. Items that were "
                "made of products stand in <store>/items/.",
            .example = {"shuibao catalog --catalog archive/ --from 2023-01-01 --store store",
                        "shuibao catalog --catalog S2A_MSIL2A_20200101T030129_….SAFE --store store"}};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "imagery.catalog",
               .type = OptionType::path_list,
               .help = "STAC Items, ItemCollections, catalogs, Sentinel-2 SAFE (also zipped) or Landsat "
                       "Collection 2 products, images with a date in their names, or folders of them"});
        t.add({.key = "imagery.bands",
               .type = OptionType::list,
               .help =
                   "What the bands of images without Item and band names are, in their order, e.g. [blue, "
                   "green, red, nir]; default: what the file or its satellite says"});
        t.add({.key = "imagery.scale",
               .type = OptionType::number,
               .help =
                   "Reflectance for a step of the numbers in images without Item, e.g. 0.0001; default: what "
                   "the file or its satellite says, else the numbers are laid on each other"});
        t.add(
            {.key = "imagery.offset",
             .type = OptionType::number,
             .help =
                 "Reflectance of the number 0 in images without Item; default: what the file says, else 0"});
        t.add({.key = "imagery.dem",
               .type = OptionType::path,
               .help =
                   "Heights with which images with RPC are laid on the ground; default: the mean height that "
                   "their RPC name",
               .unit = "m"});
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
        static_cast<void>(products_of(c, {}));
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
        auto list = read(c, {});
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
        const auto items = c.store.root() / "items";
        const bool dry = c.executor.options().dry_run;
        auto list = read(c, dry ? std::filesystem::path() : items);
        if (dry) {
            c.log.write(engine::LogLevel::info,
                        fmt::format("{} scenes would be examined", list.scenes.size()), "catalog");
            return;
        }
        SceneCache cache(c.store.root(), c.executor.code_of("catalog"));
        sift(c, list, &cache);
        cache.save();
        for (const auto& s : list.scenes) c.inputs[s.source + "#" + s.id] = s.fingerprint;
        tell_of_masks(c, list.scenes);
        save_items(items, list);
        save_grid(c.store, settled_grid(c, list));
        engine::save_scenes(c.store.scenes_file(), list);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} scenes, {} set aside", list.scenes.size(), list.rejected.size()),
                    "catalog");
    }

  private:
    // Leaves the scenes that can be used; the others become `rejected`, and problems where nobody asked for
    // it.
    static void sift(RunContext& c, engine::SceneList& list, SceneCache* cache) {
        std::vector<engine::Refusal> refusals(list.scenes.size());
        std::atomic<std::size_t> done{0};
        c.executor.parallel_for(list.scenes.size(), [&](std::size_t i) {
            try {
                examine(list.scenes[i], cache);
            } catch (const engine::Refusal& r) {
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
                        "Name the STAC files, the products or the folders with the images: --catalog PATH.");
        return inputs;
    }

    // `written`: where views of images are kept; empty = nowhere.
    static engine::ProductOptions products_of(const RunContext& c, const std::filesystem::path& written) {
        engine::ProductOptions o;
        for (const auto& name : c.settings.list("imagery.bands")) {
            if (name.empty()) continue;
            const auto band = band_from_common_name(name);
            if (!band)
                throw Error(
                    ErrorCode::usage,
                    fmt::format("{}: there is no band '{}'.", c.settings.origin("imagery.bands"), name),
                    "Use the common names of STAC: blue, green, red, nir, nir08, swir16, swir22 …");
            o.bands.push_back(*band);
        }
        if (c.settings.has("imagery.scale")) o.scale = c.settings.number("imagery.scale");
        if (c.settings.has("imagery.offset")) o.offset = c.settings.number("imagery.offset");
        o.crs = c.settings.text("grid.crs");
        o.gsd = c.settings.number("grid.gsd");
        if (c.settings.has("imagery.dem")) o.dem = c.settings.path("imagery.dem");
        if (!written.empty()) o.written = std::filesystem::absolute(written).lexically_normal().string();
        return o;
    }

    static void save_items(const std::filesystem::path& folder, const engine::SceneList& list) {
        for (const auto& item : list.made)
            io::save_text(folder / (engine::file_name_of(item.id) + ".json"), item.json);
    }

    static engine::SceneList read(const RunContext& c, const std::filesystem::path& written) {
        const auto inputs = inputs_of(c);
        const auto options = products_of(c, written);
        const auto sensors = engine::load_sensors();
        engine::SceneList all;
        for (const auto& input : inputs) {
            auto one = engine::read_catalogue(input, sensors, options);
            std::move(one.scenes.begin(), one.scenes.end(), std::back_inserter(all.scenes));
            std::move(one.rejected.begin(), one.rejected.end(), std::back_inserter(all.rejected));
            std::move(one.made.begin(), one.made.end(), std::back_inserter(all.made));
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
