// SPDX-License-Identifier: Apache-2.0
#include "delineate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include <fmt/format.h>

#include "change_strips.hpp"
#include "detect.hpp"
#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "layer_files.hpp"
#include "object_model.hpp"
#include "object_types.hpp"
#include "rules.hpp"
#include "sight.hpp"
#include "type_rules.hpp"
#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/prospect.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

algorithms::SegmentationOptions segmentation_options(const engine::Settings& settings, const Grid& grid,
                                                     bool ndvi_alone) {
    algorithms::SegmentationOptions o;
    const double pixel = grid.gsd() * grid.gsd();
    o.seed = settings.number("delineate.seed");
    o.least_seeds = settings.integer("delineate.least_seeds");
    o.grow = std::min(settings.number("delineate.grow"), o.seed);
    const double min_area = settings.number("delineate.min_area");
    o.min_pixels = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(min_area / pixel - 1e-9)));
    o.max_hole = static_cast<std::int64_t>(
        std::floor(std::min(settings.number("delineate.max_hole"), min_area) / pixel + 1e-9));
    const auto model =
        std::make_shared<algorithms::ObjectModel>(load_object_model(object_model_file(settings)));
    if (ndvi_alone) model->know_ndvi_alone();
    o.model = model;
    return o;
}

std::filesystem::path object_model_file(const engine::Settings& settings) {
    return settings.has("delineate.objects") ? std::filesystem::path(settings.path("delineate.objects"))
                                             : engine::config_file("objects/series.yaml");
}

namespace {

constexpr std::int64_t gate_pixels = 8;  // below it nobody is accused (rules §2)

MultiPolygon on_map(MultiPolygon shape, const Grid& grid) {
    const auto move = [&](Ring& ring) {
        for (auto& p : ring) p = {grid.x_of_col(p.x), grid.y_of_row(-p.y)};
    };
    for (auto& polygon : shape) {
        move(polygon.outer);
        for (auto& hole : polygon.holes) move(hole);
    }
    return shape;
}

std::vector<std::string> measure_names() {
    std::vector<std::string> names;
    for (std::size_t k = 0; k < algorithms::measure_count; ++k)
        names.emplace_back(name_of(static_cast<algorithms::Measure>(k)));
    return names;
}

class DelineateStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Turn change maps into disturbance polygons (扰动图斑)",
                .description =
                    "Change maps → polygons across tiles: seeds grown to their surroundings, minimum mapping "
                    "unit, small holes filled, stairs generalised; the area nobody saw; and, per block of 1 "
                    "km², the "
                    "smallest site that the batch's looks could have shown.",
                .example = {"shuibao delineate -c run.yaml --min-area 2000"}};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "delineate.seed",
               .type = OptionType::number,
               .fallback = "0",
               .help = "Evidence (log-odds) that an object must reach; 0 = as likely as not; with "
                       "delineate.objects beside what that file asks",
               .min = -2.5,
               .max = 100});
        t.add({.key = "delineate.least_seeds",
               .type = OptionType::integer,
               .fallback = "3",
               .help = "Pixels of an object that must reach it, where delineate.objects does not decide",
               .min = 1,
               .max = 1e6});
        t.add({.key = "delineate.objects",
               .type = OptionType::path,
               .help =
                   "How sites are told from fields that lie bare, where the method tells what pixels were "
                   "(harmonic); default: shuibao's own (configs/objects/series.yaml)"});
        t.add({.key = "delineate.candidates",
               .type = OptionType::flag,
               .fallback = "false",
               .help =
                   "Write the objects of all levels and their pixels, with what is measured of each, beside "
                   "the polygons (candidates.gpkg, pixels.npy, pixels_again.npy), to learn delineate.objects "
                   "from"});
        t.add({.key = "delineate.types",
               .type = OptionType::path,
               .help = "What a disturbance is taken for: rules of types; default: shuibao's own "
                       "(configs/objects/types.yaml)"});
        t.add({.key = "delineate.hotspots",
               .type = OptionType::path,
               .help = "Fires seen from space (火点), any OGR vector of places with a day, or a CSV with "
                       "latitude and longitude, as FIRMS gives them: ground that nobody tills and that burnt "
                       "when it turned bare is taken for burnt"});
        t.add({.key = "delineate.grow",
               .type = OptionType::number,
               .fallback = "-1.213",
               .help = "Evidence down to which an object grows, where delineate.objects does not decide; the "
                       "default is half the score of an even chance",
               .min = -2.5,
               .max = 100});
        t.add({.key = "delineate.lasting_share",
               .type = OptionType::number,
               .fallback = "0.5",
               .help = "Confidence that an object reaches at most where two epochs were compared: of the "
                       "ground that looks different, the share that people opened for good. The rest was "
                       "ploughed, sown or mown, which two epochs do not tell apart: even odds where nothing "
                       "is known of the region",
               .min = 0.01,
               .max = 1});
        t.add({.key = "delineate.min_area",
               .type = OptionType::number,
               .fallback = "1000",
               .help = "Minimum mapping unit; 0.1 hm² is the smallest area the rules judge",
               .unit = "m²",
               .min = 0,
               .max = 1e9});
        t.add({.key = "delineate.max_hole",
               .type = OptionType::number,
               .fallback = "500",
               .help = "Holes up to this size are filled; never more than delineate.min_area",
               .unit = "m²",
               .min = 0,
               .max = 1e9});
        t.add({.key = "delineate.generalise",
               .type = OptionType::flag,
               .fallback = "true",
               .help = "Turn the stairs of pixels into slopes, area kept"});
        t.add({.key = "delineate.min_unobserved",
               .type = OptionType::number,
               .fallback = "10000",
               .help = "Smallest gap that is drawn as not observed",
               .unit = "m²",
               .min = 0,
               .max = 1e12});
    }

    void require(const RunContext& c) const override {
        (void)load_object_model(object_model_file(c.settings));
        (void)load_type_rules(type_rules_file(c.settings));
        if (c.settings.has("delineate.hotspots"))
            require_layer("The layer of hotspots", c.settings.path("delineate.hotspots"));
    }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.store.acquisitions_file();
    }
    void check(RunContext& c) const override {
        if (!c.prospect) return;
        if (c.prospect->grid)
            if (const auto hotspots = read_hotspots(c, *c.prospect->grid))
                c.out << fmt::format("hotspots: {}\n", hotspots->size());
        std::set<TileId> tiles;
        double pixels = 0;
        for (const auto& a : c.prospect->acquisitions)
            for (const TileId t : a.tiles)
                if (tiles.insert(t).second)
                    pixels += static_cast<double>(c.prospect->grid->window(t).pixels());
        if (!tiles.empty())
            c.out << fmt::format("delineate: {} change maps, {:.1f} million pixels\n", tiles.size(),
                                 pixels / 1e6);
    }
    void run(RunContext& c) const override {
        const auto archive = open_archive(c.store);
        const std::string batch = resolve_batch(c);
        const Grid& grid = archive.grid();
        if (!c.executor.options().dry_run) {
            const auto failed = require_whole(c, "detect", batch, "change maps are not made");
            if (!c.executor.counts().contains("detect"))  // else this run has told it already
                for (const auto& unit : failed)
                    c.problems.add({"delineate", unit, "failed",
                                    "The change map of this tile could not be made: its ground counts as not "
                                    "observed.",
                                    "Run `shuibao detect` again: it says why."});
        }
        std::vector<TileId> tiles;
        for (const auto& a : archive.acquisitions())
            tiles.insert(tiles.end(), a.tiles.begin(), a.tiles.end());
        std::sort(tiles.begin(), tiles.end());
        tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());

        // Before the unit is planned: what is wrong with the layer is said on every run.
        const auto hotspots = read_hotspots(c, grid);
        engine::Unit u;
        u.id = batch;
        u.inputs = c.settings.canonical("delineate.");
        u.inputs.merge(type_inputs(c));
        u.inputs["objects"] = engine::hash_file(object_model_file(c.settings).string());
        const Window area = supervised_area(c, grid);
        std::error_code none;
        const bool between_epochs = std::filesystem::exists(epochs_model(c.store, batch), none);
        const bool ndvi_alone = follows_ndvi_alone(c, archive);
        u.inputs["looks"] = between_epochs ? "two epochs" : ndvi_alone ? "a series of NDVI" : "a series";
        u.inputs["area"] = fmt::format("{} {} {} {}", area.col, area.row, area.cols, area.rows);
        for (const TileId t : tiles) {
            std::error_code error;
            const bool there = std::filesystem::exists(c.store.changes(batch) / (t.str() + ".tif"), error);
            u.inputs["change " + t.str()] =
                there ? c.executor.key("detect", t.str() + "/" + batch) : std::string("not observed");
        }
        const auto disturbances = c.store.batch(batch) / "disturbances.gpkg",
                   unobserved = c.store.batch(batch) / "unobserved.gpkg";
        const auto candidates = c.store.batch(batch) / "candidates.gpkg",
                   pixels = c.store.batch(batch) / "pixels.npy",
                   again = c.store.batch(batch) / "pixels_again.npy";
        const bool all_levels = c.settings.flag("delineate.candidates");
        u.outputs = {disturbances, unobserved};
        if (all_levels) u.outputs.insert(u.outputs.end(), {candidates, pixels, again});
        u.memory =
            (std::size_t{64} << 20) + ChangeStrips::memory(c.executor, enclosing_tiles(grid, tiles).cols);
        std::optional<std::size_t> found;
        double unseen = 0;
        u.work = [&] {
            Work work(c, grid, c.store.changes(batch), enclosing_tiles(grid, tiles), area, between_epochs,
                      ndvi_alone);
            work.read(std::any_of(tiles.begin(), tiles.end(), [&](TileId t) {
                return io::change_has_history(c.store.changes(batch), grid, t);
            }));
            if (all_levels) {
                work.write_candidates(candidates);
                work.write_pixels(pixels, false);
                work.write_pixels(again, true);
            }
            Measures measures;
            const auto list = work.disturbances(measures, hotspots ? &*hotspots : nullptr);
            found = list.size();
            write_disturbances(disturbances, grid.crs(), list, measures);
            unseen = work.write_unobserved(unobserved);
        };
        const auto sight = c.store.batch(batch) / "sight.gpkg";
        engine::Unit s;
        s.id = batch + " sight";
        std::string unknown;
        try {
            s.inputs = sight_inputs(c, archive);
        } catch (const Error& e) {  // detect was told on the command line what to compare
            unknown = e.what();
        }
        s.inputs["area"] = u.inputs["area"];
        s.outputs = {sight};
        s.memory = static_cast<std::size_t>(area.pixels() / 16 * 7) + (std::size_t{64} << 20);
        s.work = [&] { write_sight(c, archive, sight); };
        std::vector<engine::Unit> units = {std::move(u)};
        if (unknown.empty()) units.push_back(std::move(s));  // much of it waits for no other thread
        const auto counts = c.executor.run("delineate", std::move(units));
        if (!unknown.empty() && !c.executor.options().dry_run) {
            std::error_code ignored;
            std::filesystem::remove(sight, ignored);  // of other looks
            c.log.warn("What the looks of the batch could have shown is not known: " + unknown);
            c.notes.push_back({"delineate", batch, "smallest_detectable", "Not known: " + unknown, ""});
        }
        if (found) {
            c.log.write(engine::LogLevel::info,
                        fmt::format("{} disturbances, {:.1f} hm² not observed", *found, unseen / 1e4),
                        "delineate");
        } else if (counts.skipped > 0 && counts.skipped == counts.planned) {
            c.log.write(engine::LogLevel::info, "polygons up to date", "delineate");
        }
        // Said by every run: no disturbance where nothing could be seen is no result.
        if (const auto text = sight_summary(sight); !text.empty() && !c.executor.options().dry_run) {
            c.log.write(engine::LogLevel::info, text, "delineate");
            c.notes.push_back({"delineate", batch, "smallest_detectable", text + ".", ""});
        }
    }

  private:
    static std::optional<Hotspots> read_hotspots(RunContext& c, const Grid& grid) {
        if (!c.settings.has("delineate.hotspots")) return std::nullopt;
        return std::optional<Hotspots>(std::in_place, c, grid.crs());
    }

    // One delineation of a whole area.
    class Work {
      public:
        Work(const RunContext& c, const Grid& grid, std::filesystem::path changes, const Window& window,
             const Window& area, bool between_epochs, bool ndvi_alone)
            : m_context(c), m_grid(grid), m_changes(std::move(changes)), m_window(window), m_area(area) {
            m_options = segmentation_options(c.settings, grid, ndvi_alone);
            m_seen = end_of_batch(c.batch);
            if (!between_epochs) return;
            m_options.most_confidence = c.settings.number("delineate.lasting_share");
            m_options.half_pixels = gate_pixels;
        }

        void read(bool history) {
            m_history = history;
            m_built_over = load_dictionary("disturbances").text("completion", "built");
            const ChangeStrips maps(m_context.executor, m_grid, m_changes, m_window, history);
            std::optional<algorithms::Synchrony> synchrony;
            if (history) synchrony = maps.synchrony();
            m_strips.resize(maps.count());
            m_unseen.resize(maps.count());
            maps.each([&](std::size_t i) {
                auto runs = maps.runs(i, m_options, synchrony ? &*synchrony : nullptr, m_area, m_seen);
                m_strips[i] = std::move(runs.grown);
                m_unseen[i] = std::move(runs.unseen);
            });
            engine::check_stop();
        }

        [[nodiscard]] std::vector<Disturbance> disturbances(Measures& measures,
                                                            const Hotspots* hotspots) const {
            const auto segments = algorithms::connect(m_strips, m_options);
            std::vector<Disturbance> list(segments.size());
            constexpr std::size_t chunk = 64;  // objects that share one coordinate transformation
            m_context.executor.parallel_for((segments.size() + chunk - 1) / chunk, [&](std::size_t k) {
                const io::Transformation to_geographic(m_grid.crs(), "EPSG:4490");
                for (std::size_t i = k * chunk; i < std::min(segments.size(), (k + 1) * chunk); ++i)
                    list[i] = describe(segments[i], static_cast<std::int64_t>(i + 1), to_geographic);
            });
            ObjectTypes(m_context, m_grid, hotspots).tell(segments, list);
            if (m_history) measures.names = measure_names();
            for (const auto& s : segments)
                if (s.evidence) {
                    auto& row = measures.values.emplace_back();
                    for (const double v : *s.evidence) row.push_back(std::round(v * 1e4) / 1e4);
                }
            return list;
        }

        // What `scripts/dev/fit-objects` learns from.
        void write_candidates(const std::filesystem::path& path) const {
            auto options = m_options;
            options.all_levels = true;
            io::LayerData layer;
            layer.name = "candidates";
            layer.crs = m_grid.crs();
            layer.fields = {{"id", io::FieldType::integer}};
            for (const auto& name : measure_names()) layer.fields.push_back({name, io::FieldType::real});
            for (const auto& s : algorithms::connect(m_strips, options)) {
                if (!s.evidence) continue;
                std::vector<io::Value> values = {static_cast<std::int64_t>(layer.rows.size() + 1)};
                values.insert(values.end(), s.evidence->begin(), s.evidence->end());
                layer.rows.push_back(
                    {io::Geometry(on_map(algorithms::outline(s, 0, false), m_grid)), values});
            }
            io::write_geopackage(path, std::span(&layer, 1));
        }

        // The same, of pixels: column and row of each on the lattice, then what PixelScore::names() lists, as
        // a NumPy array (format 1.0) of records. `again`: what the second model is told; nothing without the
        // first. Held in memory: to learn from, small areas do.
        void write_pixels(const std::filesystem::path& path, bool again) const {
            std::vector<float> values;
            const auto& model = *m_options.model;
            if (m_history && (!again || model.pixels)) {
                const ChangeStrips maps(m_context.executor, m_grid, m_changes, m_window, true);
                for (std::size_t i = 0; i < maps.count(); ++i)
                    maps.visit(
                        i, model, again ? &*model.pixels : nullptr, m_seen,
                        [&](std::int64_t row, std::int64_t col, std::span<const double> of_pixel) {
                            values.insert(values.end(), {static_cast<float>(col), static_cast<float>(row)});
                            for (const double v : of_pixel) values.push_back(static_cast<float>(v));
                        });
            }
            std::vector<std::string> columns = {"col", "row"};
            const auto& names =
                again ? algorithms::PixelScore::names_again() : algorithms::PixelScore::names();
            columns.insert(columns.end(), names.begin(), names.end());
            std::string types;
            for (const auto& name : columns) types += fmt::format("('{}', '<f4'), ", name);
            auto header = fmt::format("{{'descr': [{}], 'fortran_order': False, 'shape': ({},), }}", types,
                                      values.size() / columns.size());
            constexpr std::size_t before = 10, multiple = 64;
            header.resize((header.size() + before + multiple) / multiple * multiple - before - 1, ' ');
            header += '\n';
            std::string text("\x93NUMPY\x01\x00", 8);
            text += static_cast<char>(header.size() & 255);
            text += static_cast<char>(header.size() >> 8);
            text += header;
            const auto* bytes = reinterpret_cast<const char*>(values.data());  // NOLINT
            text.append(bytes, values.size() * sizeof(float));
            io::write_text(path, text);
        }

        double write_unobserved(const std::filesystem::path& path) const {
            const double pixel = m_grid.gsd() * m_grid.gsd();
            const algorithms::SegmentationOptions options{
                .min_pixels = std::max<std::int64_t>(
                    1, static_cast<std::int64_t>(m_context.settings.number("delineate.min_unobserved") /
                                                 pixel))};
            io::LayerData layer;
            layer.name = "unobserved";
            layer.crs = m_grid.crs();
            layer.fields = {{"id", io::FieldType::integer}, {"area_m2", io::FieldType::real}};
            const io::Transformation to_geographic(m_grid.crs(), "EPSG:4490");
            double total = 0;
            for (const auto& s : algorithms::connect(m_unseen, options)) {
                const io::Geometry shape(on_map(algorithms::outline(s, 0, false), m_grid));
                const double area = io::geodesic_area(shape, to_geographic);
                total += area;
                layer.rows.push_back({shape, {static_cast<std::int64_t>(layer.rows.size() + 1), area}});
            }
            io::write_geopackage(path, std::span(&layer, 1));
            return total;
        }

      private:
        [[nodiscard]] Disturbance describe(const algorithms::Segment& s, std::int64_t id,
                                           const io::Transformation& to_geographic) const {
            Disturbance d;
            d.id = id;
            d.shape = on_map(
                algorithms::outline(s, m_options.max_hole, m_context.settings.flag("delineate.generalise")),
                m_grid);
            io::Geometry shape(d.shape);
            if (!shape.valid()) {  // slopes of one object may meet; its pixel edges never do
                d.shape = on_map(algorithms::outline(s, m_options.max_hole, false), m_grid);
                shape = io::Geometry(d.shape);
            }
            d.area_m2 = io::geodesic_area(shape, to_geographic);
            d.onset_from = Date(s.onset_from);
            d.onset_to = Date(s.onset_to);
            d.confidence = std::round(s.confidence * 1e4) / 1e4;
            d.magnitude = std::round(s.magnitude * 100) / 100;
            d.kind = s.kind;
            if (m_history) set_finished(s, d);
            d.ground_sample = m_grid.gsd();
            d.full_pixels = static_cast<int>(s.pixels);
            const double core = shape.buffered(-m_grid.gsd() / 2).area() / shape.area();
            d.core_share = std::round(core * 1e4) / 1e4;
            return d;
        }

        // What of it has been built over since it was opened: for 完工, which takes two batches (rules §5).
        void set_finished(const algorithms::Segment& s, Disturbance& d) const {
            const auto built = s.kinds[static_cast<std::size_t>(ChangeKind::bare_to_built)];
            d.bare_share =
                std::round((1 - static_cast<double>(built) / static_cast<double>(s.pixels)) * 1e4) / 1e4;
            if (2 * built > s.pixels) d.completion = m_built_over;
        }

        const RunContext& m_context;
        const Grid& m_grid;
        std::filesystem::path m_changes;
        Window m_window, m_area;
        Date m_seen;
        bool m_history = false;
        std::string m_built_over;  // the word for it
        algorithms::SegmentationOptions m_options;
        std::vector<algorithms::RunStrip> m_strips, m_unseen;
    };
};

const Registration<Stage, DelineateStage> registration{"delineate", 40};

}  // namespace
}  // namespace shuibao::pipeline
