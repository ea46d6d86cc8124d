// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "scene_check.hpp"
#include "scene_choice.hpp"
#include "scene_mask.hpp"
#include "scene_reports.hpp"
#include <shuibao/algorithms/masks.hpp>
#include <shuibao/algorithms/normalisation.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/prospect.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using engine::MaskKind;
using engine::Scene;
using engine::SceneBand;

constexpr int left_out[] = {static_cast<int>(Band::coastal), static_cast<int>(Band::nir09),
                            static_cast<int>(Band::cirrus), static_cast<int>(Band::pan)};

struct PlacedScene {
    const Scene* scene = nullptr;
    SceneReport report;
    Window window;  ///< on the grid, after the shift
};

struct Group {
    io::Acquisition acquisition;
    std::vector<PlacedScene> scenes;
};

// A part of a file name that differs for different texts, whatever they hold.
std::string short_name(const std::string& text) {
    const std::string p = letters_and_digits(text);
    return p.empty() || p.size() > 40 ? p.substr(0, 31) + "x" + engine::hash_bytes(text).substr(0, 8) : p;
}

// Bytes may alias anything, so the compiler must be told that these do not before it takes sixteen at a time.
void keep_common(std::uint8_t* __restrict all, const std::uint8_t* __restrict valid, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) all[k] &= valid[k];
}

// Cuts one tile of one acquisition.
class Cutter {
  public:
    Cutter(const Grid& grid, const Group& group, int cloud_px, int shadow_px)
        : m_grid(grid), m_group(group), m_cloud_px(cloud_px), m_shadow_px(shadow_px) {}

    // False when no scene has a pixel there. Works strip by strip: a strip fits the processor's cache, a tile
    // does not.
    bool cut(TileId tile, const std::filesystem::path& path) const {
        thread_local Strip strip;
        const Window window = m_grid.window(tile);
        io::TileWriter writer(path, m_grid, tile, m_group.acquisition);
        bool any = false;
        for (std::int64_t row = 0; row < window.rows; row += io::TileWriter::strip_rows) {
            const Window part{window.col, window.row + row, window.cols,
                              std::min(io::TileWriter::strip_rows, window.rows - row)};
            prepare(strip.image, part);
            bool covered = false;
            for (const auto& placed : m_group.scenes) {
                if (placed.window.intersection(part).empty()) continue;
                if (!covered) {
                    read(placed, part, window, strip.image, strip);
                    covered = true;
                } else {
                    prepare(strip.other, part);
                    read(placed, part, window, strip.other, strip);
                    merge(strip.image, strip.other);
                }
            }
            if (!covered)
                std::fill_n(strip.image.pixels.plane(0).data(), samples_in(strip.image), std::uint16_t{0});
            const auto quality = strip.image.pixels.quality();
            any = any ||
                  std::any_of(quality.begin(), quality.end(), [](Quality q) { return q != Quality::nodata; });
            writer.write(strip.image);
        }
        if (any) writer.finish();
        return any;
    }

  private:
    // Memory that a thread uses again for every strip.
    struct Strip {
        Image image, other;
        std::vector<std::uint8_t> valid, all;
        MaskBuffers mask;
        std::vector<Quality> classes;
    };

    static std::size_t samples_in(const Image& image) {
        return image.pixels.pixels() * static_cast<std::size_t>(image.pixels.planes());
    }

    void prepare(Image& image, const Window& window) const {
        const auto& a = m_group.acquisition;
        image.date = a.date;
        image.bands = a.bands;
        image.scaling = a.scaling;
        image.pixels.reset(window, static_cast<int>(a.bands.size()));
    }

    void read(const PlacedScene& placed, const Window& window, const Window& tile, Image& image,
              Strip& strip) const {
        const auto end = window.row + window.rows;
        const io::Reading reading{end < tile.row + tile.rows ? end : io::Reading::end, 0};
        const auto n = image.pixels.pixels();
        const auto& scene = *placed.scene;
        auto &valid = strip.valid, &all = strip.all;
        valid.resize(n);
        all.assign(n, 1);
        for (std::size_t i = 0; i < image.bands.size(); ++i) {
            const auto& b = *std::find_if(scene.bands.begin(), scene.bands.end(),
                                          [&](const SceneBand& s) { return s.band == image.bands[i]; });
            const auto out = image.pixels.plane(static_cast<int>(i));
            const bool moved = placed.report.shift_x != 0 || placed.report.shift_y != 0;
            io::read_band({b.href, b.index, b.nodata, placed.report.shift_x, placed.report.shift_y,
                           moved ? io::Resampling::cubic : io::Resampling::bilinear, b.gain, b.lift, reading},
                          m_grid, window, out, valid);
            if (m_group.acquisition.reflectance) store_physical(b, out);
            keep_common(all.data(), valid.data(), n);
        }
        const auto quality = image.pixels.quality();
        if (scene.mask == MaskKind::none) {
            for (std::size_t k = 0; k < n; ++k) quality[k] = all[k] != 0 ? Quality::clear : Quality::nodata;
            return;
        }
        const int halo = std::max(m_cloud_px, m_shadow_px);
        const Window wide = window.grown(halo);
        auto& classes = strip.classes;
        classes.resize(static_cast<std::size_t>(wide.pixels()));
        const io::Reading around{reading.next_row == io::Reading::end ? io::Reading::end : end - halo, halo};
        read_mask(scene, m_grid, wide, placed.report.shift_x, placed.report.shift_y, strip.mask, classes,
                  around);
        algorithms::grow_masks(classes, static_cast<std::size_t>(wide.cols),
                               static_cast<std::size_t>(wide.rows), m_cloud_px, m_shadow_px);
        for (std::int64_t y = 0; y < window.rows; ++y)
            for (std::int64_t x = 0; x < window.cols; ++x) {
                const auto k = static_cast<std::size_t>(y * window.cols + x);
                quality[k] = all[k] != 0
                                 ? classes[static_cast<std::size_t>((y + halo) * wide.cols + x + halo)]
                                 : Quality::nodata;
            }
    }

    static void store_physical(const SceneBand& b, std::span<std::uint16_t> out) {
        const Scaling stored = stored_scaling(b.band);
        const double gain = b.scale / static_cast<double>(stored.scale),
                     shift =
                         (b.offset - static_cast<double>(stored.offset)) / static_cast<double>(stored.scale);
        if (std::abs(gain - 1) < 1e-6) {
            const int add = static_cast<int>(std::lround(shift));
            if (add == 0) return;
            for (auto& v : out) v = static_cast<std::uint16_t>(std::clamp(v + add, 1, 65535));
            return;
        }
        for (auto& v : out)
            v = static_cast<std::uint16_t>(std::lround(std::clamp(v * gain + shift, 1.0, 65535.0)));
    }

    // The earlier scene (by id) keeps what it sees clearly; the other fills in.
    static void merge(Image& image, const Image& other) {
        const auto q = image.pixels.quality();
        const auto oq = other.pixels.quality();
        for (std::size_t k = 0; k < q.size(); ++k) {
            if (usable(q[k]) || oq[k] == Quality::nodata || (q[k] != Quality::nodata && !usable(oq[k])))
                continue;
            q[k] = oq[k];
            for (int p = 0; p < image.pixels.planes(); ++p)
                image.pixels.plane(p)[k] = other.pixels.plane(p)[k];
        }
    }

    const Grid& m_grid;
    const Group& m_group;
    int m_cloud_px, m_shadow_px;
};

class TileStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Cut scenes into calibrated, masked, co-registered tiles",
                .description =
                    "scenes.json → one GeoTIFF per tile and acquisition, with a quality band; scenes of one "
                    "day and platform are merged.",
                .example = {"shuibao tile --store store -j 2"},
                .shardable = true};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "tile.registration",
               .type = OptionType::flag,
               .fallback = "true",
               .help = "Measure each scene's shift against the reference and correct it"});
        t.add({.key = "tile.registration_threshold",
               .type = OptionType::number,
               .fallback = "0.2",
               .help = "Smaller shifts are left alone, because resampling costs more sharpness than they do",
               .unit = "px",
               .min = 0,
               .max = 3});
        t.add({.key = "tile.max_shift",
               .type = OptionType::number,
               .fallback = "3",
               .help = "Larger shifts are not believed",
               .unit = "px",
               .min = 0.5,
               .max = 20});
        t.add(
            {.key = "tile.reference",
             .help =
                 "Item id of the scene that the others are laid on; default: the clearest by its mask of "
                 "those "
                 "that cover the most area, from 90 % on the earliest; the first in time where no scene has "
                 "a mask"});
        t.add({.key = "tile.cloud_margin",
               .type = OptionType::number,
               .fallback = "30",
               .help = "Rim masked around cloud",
               .unit = "m",
               .min = 0,
               .max = 2000});
        t.add({.key = "tile.shadow_margin",
               .type = OptionType::number,
               .fallback = "50",
               .help = "Rim masked around cloud shadow",
               .unit = "m",
               .min = 0,
               .max = 2000});
        t.add({.key = "tile.bands",
               .type = OptionType::list,
               .help = "Bands to keep, by common name; default: all but coastal, nir09, cirrus, pan"});
        t.add({.key = "tile.normalise",
               .type = OptionType::choice,
               .fallback = "auto",
               .help = "Relative radiometric normalisation to the reference: auto = for DN and "
                       "top-of-atmosphere imagery",
               .choices = {"auto", "always", "never"}});
    }
    void require(const RunContext& c) const override {
        for (const auto& name : c.settings.list("tile.bands"))
            if (!name.empty() && !band_from_common_name(name))
                throw Error(
                    ErrorCode::usage,
                    fmt::format("{}: 'tile.bands' cannot hold '{}'.", c.settings.origin("tile.bands"), name),
                    "Give common names such as blue, green, red, nir, swir16, swir22.");
    }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.store.scenes_file();
    }
    void check(RunContext& c) const override {
        if (!c.prospect || c.prospect->scenes.empty()) return;
        const auto& scenes = c.prospect->scenes;
        const Grid& grid = *c.prospect->grid;
        std::vector<Bounds> frames;
        for (const auto& s : scenes) frames.push_back(io::transform_bounds(s.bounds, s.crs, grid.crs()));
        static_cast<void>(reference_of(c, scenes, frames));
        std::size_t units = 0, there = 0;
        double pixels = 0, bytes = 0;
        for (const auto& g : group(c, scenes, std::vector<SceneReport>(scenes.size()), grid)) {
            auto a = g.acquisition;
            for (const TileId tile : tiles_of(g, grid)) {
                a.tiles.push_back(tile);
                const auto size = static_cast<double>(grid.window(tile).pixels());
                const auto bands = static_cast<double>(a.bands.size() + 1);
                ++units;
                there += c.executor.key("tile", tile.str() + "/" + a.key).empty() ? 0U : 1U;
                pixels += size * bands;
                bytes += size * bands * sizeof(std::uint16_t);
            }
            c.prospect->acquisitions.push_back(std::move(a));
        }
        if (c.batch.empty() && !c.prospect->acquisitions.empty())
            c.batch = c.prospect->acquisitions.back().date.compact().substr(0, 6);
        c.out << fmt::format(
            "tile: {} tiles of {} dates ({} cut before), at most {:.1f} million pixels of bands and mask to "
            "read and {:.1f} MB in the store\n",
            units, c.prospect->acquisitions.size(), there, pixels / 1e6, bytes / 1e6);
    }
    void run(RunContext& c) const override {
        const auto list = engine::load_scenes(c.store.scenes_file());
        const Grid grid = load_grid(c.store);
        std::vector<Bounds> frames;
        for (const auto& s : list.scenes) frames.push_back(io::transform_bounds(s.bounds, s.crs, grid.crs()));
        const Scene& reference = reference_of(c, list.scenes, frames);
        const auto reports = check_scenes(c, list.scenes, frames, reference, grid);
        auto groups = group(c, list.scenes, reports, grid);
        const int cloud_px =
            static_cast<int>(std::ceil(c.settings.number("tile.cloud_margin") / grid.gsd() - 1e-9));
        const int shadow_px =
            static_cast<int>(std::ceil(c.settings.number("tile.shadow_margin") / grid.gsd() - 1e-9));

        std::vector<engine::Unit> units;
        std::map<std::string, std::string> key_of;  // unit → key, to know later which are done
        for (auto& g : groups) {
            auto cutter = std::make_shared<Cutter>(grid, g, cloud_px, shadow_px);
            std::map<std::string, std::string> inputs = {
                {"grid", fmt::format("{} {} {} {} {}", grid.crs(), grid.gsd(), grid.tile_size(),
                                     grid.origin_x(), grid.origin_y())}};
            for (const auto* key : {"tile.cloud_margin", "tile.shadow_margin", "tile.bands"})
                inputs[std::string("option ") + key] = c.settings.text(key);
            for (const auto& p : g.scenes) {
                inputs["scene " + p.scene->id] = scene_key(*p.scene);
                inputs["shift " + p.scene->id] = fmt::format("{} {}", p.report.shift_x, p.report.shift_y);
            }
            for (const TileId tile : tiles_of(g, grid)) {
                const auto path = io::TileArchive::tile_path(c.store.tiles(), tile, g.acquisition.key);
                engine::Unit u;
                u.id = tile.str() + "/" + g.acquisition.key;
                u.inputs = inputs;
                u.outputs = {path};
                const auto strip = static_cast<std::size_t>(grid.tile_size() * io::TileWriter::strip_rows);
                u.memory = strip * (4 * (g.acquisition.bands.size() + 1) + 8) +
                           static_cast<std::size_t>(grid.window(tile).pixels()) / 8 *
                               (g.acquisition.bands.size() + 1);
                u.work = [cutter, tile, path] {
                    if (!cutter->cut(tile, path)) {
                        std::error_code ignored;
                        std::filesystem::remove(path, ignored);
                    }
                };
                units.push_back(std::move(u));
            }
        }
        engine::group_neighbours(units, c.executor.options().jobs);
        const auto counts = c.executor.run("tile", units, plan_of_all);
        io::forget_handles();
        if (!c.executor.options().dry_run) finish(c, grid, groups);
        c.log.write(
            engine::LogLevel::info,
            fmt::format("{} tiles cut, {} up to date, {} failed", counts.run, counts.skipped, counts.failed),
            "tile");
    }

  private:
    static const Scene& reference_of(const RunContext& c, const std::vector<Scene>& scenes,
                                     const std::vector<Bounds>& frames) {
        if (!c.settings.has("tile.reference")) return scenes[default_reference(scenes, frames)];
        const auto wanted = c.settings.text("tile.reference");
        const auto it =
            std::find_if(scenes.begin(), scenes.end(), [&](const Scene& s) { return s.id == wanted; });
        if (it == scenes.end())
            throw Error(
                ErrorCode::usage,
                fmt::format("{}: there is no scene '{}'.", c.settings.origin("tile.reference"), wanted),
                "scenes.json in the store lists the ids.");
        return *it;
    }

    static std::vector<Group> group(const RunContext& c, const std::vector<Scene>& scenes,
                                    const std::vector<SceneReport>& reports, const Grid& grid) {
        const auto wanted = c.settings.list("tile.bands");
        std::map<std::string, Group> by_key;
        for (std::size_t i = 0; i < scenes.size(); ++i) {
            const auto& s = scenes[i];
            if (!reports[i].refused.empty()) continue;
            const std::string key = s.date.compact() + "_" + short_name(s.platform) +
                                    (s.orbit.empty() ? "" : "_" + short_name(s.orbit));
            auto& g = by_key[key];
            std::vector<Band> bands;
            for (const auto& b : s.bands) {
                const bool asked =
                    std::find(wanted.begin(), wanted.end(), common_name(b.band)) != wanted.end();
                const bool dropped = std::find(std::begin(left_out), std::end(left_out),
                                               static_cast<int>(b.band)) != std::end(left_out);
                if (wanted.empty() ? !dropped : asked) bands.push_back(b.band);
            }
            auto& a = g.acquisition;
            if (g.scenes.empty()) {
                a.key = key;
                a.date = s.date;
                a.reflectance = s.reflectance;
                a.bands = bands;
            } else {
                std::erase_if(
                    a.bands, [&](Band b) { return std::find(bands.begin(), bands.end(), b) == bands.end(); });
            }
            a.sources.push_back(s.id);
            Window w = grid.window(io::transform_bounds(s.bounds, s.crs, grid.crs()));
            if (reports[i].shift_x != 0 || reports[i].shift_y != 0 || !io::same_crs(s.crs, grid.crs()))
                w = w.grown(4);
            g.scenes.push_back({&s, reports[i], w});
        }
        std::vector<Group> groups;
        for (auto& [key, g] : by_key)
            if (!g.acquisition.bands.empty()) {
                for (const Band b : g.acquisition.bands)
                    g.acquisition.scaling.push_back(g.acquisition.reflectance ? stored_scaling(b)
                                                                              : Scaling{});
                groups.push_back(std::move(g));
            }
        if (groups.empty() && !c.executor.options().dry_run)
            throw Error(ErrorCode::input, "No scene is left to cut.", "The problems above say why.");
        return groups;
    }

    static std::set<TileId> tiles_of(const Group& g, const Grid& grid) {
        std::set<TileId> tiles;
        for (const auto& p : g.scenes)
            for (const TileId t : grid.tiles(p.window)) tiles.insert(t);
        return tiles;
    }

    // Which tiles exist is known only now; so is the common radiometry.
    static void finish(RunContext& c, const Grid& grid, std::vector<Group>& groups) {
        const engine::GatherLock lock(c.store);
        c.executor.refresh("tile");
        std::vector<io::Acquisition> list;
        for (auto& g : groups) {
            auto& a = g.acquisition;
            for (const TileId t : tiles_of(g, grid)) {
                std::error_code error;
                if (!c.executor.key("tile", t.str() + "/" + a.key).empty() &&
                    std::filesystem::exists(io::TileArchive::tile_path(c.store.tiles(), t, a.key), error))
                    a.tiles.push_back(t);
            }
            if (!a.tiles.empty()) list.push_back(a);
        }
        const auto& selection = c.executor.options().selection;
        if (list.empty() && (selection.shards > 1 || !selection.tiles.empty()))
            return;  // no tile fell to this part, and no other part is done yet
        if (list.empty())
            throw Error(ErrorCode::input, "No tile holds any data.",
                        "The scenes are empty or could not be read; the problems above say why.");
        const std::string mode = c.settings.text("tile.normalise");
        const bool surface = std::all_of(groups.begin(), groups.end(),
                                         [](const Group& g) { return g.scenes.front().scene->surface; });
        if (list.size() > 1 && (mode == "always" || (mode == "auto" && !surface))) normalise(c, grid, list);
        save_acquisitions(c.store, list);
    }

    static void normalise(const RunContext& c, const Grid& grid, std::vector<io::Acquisition>& list) {
        const io::TileArchive archive(c.store.tiles(), grid, list);
        Window window;
        for (const auto& a : list)
            for (const TileId t : a.tiles) {
                const Window w = grid.window(t);
                const auto c0 = window.empty() ? w.col : std::min(w.col, window.col),
                           r0 = window.empty() ? w.row : std::min(w.row, window.row);
                const auto c1 =
                    window.empty() ? w.col + w.cols : std::max(w.col + w.cols, window.col + window.cols);
                const auto r1 =
                    window.empty() ? w.row + w.rows : std::max(w.row + w.rows, window.row + window.rows);
                window = {c0, r0, c1 - c0, r1 - r0};
            }
        // A step of 4 on small areas, coarser on large ones: a million pixels fix a straight line well
        // enough.
        int step = 4;
        while (window.pixels() / (step * step) > 1'500'000) step *= 2;
        for (std::size_t i = 1; i < list.size(); ++i) {
            std::vector<Band> bands;
            for (const Band b : list[i].bands)
                if (b != Band::ndvi && list[0].has(b)) bands.push_back(b);  // an index has a season, no light
            if (bands.empty()) continue;
            const Image fixed = archive.sample(archive.acquisitions()[0], window, bands, step),
                        moving = archive.sample(archive.acquisitions()[i], window, bands, step);
            const auto lines = algorithms::relative_normalisation(fixed, moving);
            if (lines.empty()) {
                c.log.write(engine::LogLevel::warn,
                            fmt::format("{} is not normalised: too few pixels look unchanged", list[i].key),
                            "tile");
                continue;
            }
            for (std::size_t b = 0; b < bands.size(); ++b) {
                auto& s = list[i].scaling[static_cast<std::size_t>(
                    std::find(list[i].bands.begin(), list[i].bands.end(), bands[b]) - list[i].bands.begin())];
                s = {static_cast<float>(lines[b].gain) * s.scale,
                     static_cast<float>(lines[b].gain * static_cast<double>(s.offset) + lines[b].offset)};
                c.log.write(engine::LogLevel::debug,
                            fmt::format("{} {}: gain {:.4f}, offset {:+.4f}", list[i].key,
                                        common_name(bands[b]), lines[b].gain, lines[b].offset),
                            "tile");
            }
        }
    }
};

const Registration<Stage, TileStage> registration{"tile", 20};

}  // namespace
}  // namespace shuibao::pipeline
