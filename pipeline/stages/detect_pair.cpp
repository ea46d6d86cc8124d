// SPDX-License-Identifier: Apache-2.0
// Detection between two epochs: a model of no change from sampled cells, then tile by tile.
#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "detect.hpp"
#include <shuibao/algorithms/composite.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::PairwiseDetector;

constexpr std::int64_t cell_size = 256;  // pixels; cells of the sample lie on the grid's lattice
constexpr std::size_t cells_wanted = 64;

struct DateRange {
    Date from, to;
    [[nodiscard]] bool holds(Date d) const { return from <= d && d <= to; }
};

DateRange range_of(const RunContext& c, const char* key) {
    const std::string text = c.settings.text(key);
    const auto slash = text.find('/');
    const auto from = Date::parse(text.substr(0, slash)),
               to = slash == std::string::npos ? from : Date::parse(text.substr(slash + 1));
    if (!from || !to || *to < *from)
        throw Error(ErrorCode::usage,
                    fmt::format("{}: '{}' cannot be '{}'.", c.settings.origin(key), key, text),
                    "Give one date or a range, e.g. 2024-01-01/2024-03-31.");
    return {*from, *to};
}

// The looks that are compared.
using Epochs = PairPlan;

Epochs epochs_of(const RunContext& c, const std::vector<const io::Acquisition*>& all) {
    const auto days = static_cast<std::int32_t>(c.settings.integer("detect.epoch_days"));
    const DateRange after = c.settings.has("detect.after")
                                ? range_of(c, "detect.after")
                                : DateRange{Date(all.back()->date.days() - days), all.back()->date};
    const DateRange before = c.settings.has("detect.before")
                                 ? range_of(c, "detect.before")
                                 : DateRange{all.front()->date, Date(all.front()->date.days() + days)};
    Epochs e;
    for (const auto* a : all)
        if (after.holds(a->date)) e.after.push_back(a);
    for (const auto* a : all)
        if (before.holds(a->date) && (e.after.empty() || a->date < e.after.front()->date))
            e.before.push_back(a);
    if (e.before.empty() || e.after.empty())
        throw Error(
            ErrorCode::input,
            fmt::format("There is no pair of dates to compare: {} before ({} to {}) and {} after ({} to {}).",
                        e.before.size(), before.from.iso(), before.to.iso(), e.after.size(), after.from.iso(),
                        after.to.iso()),
            "Add scenes, or set detect.before and detect.after to dates that the store has.");
    return e;
}

// Where both epochs have scenes: from the scenes themselves, because tiles reach further.
Window common_area(const RunContext& c, const Epochs& e, const Grid& grid) {
    const auto scenes = engine::load_scenes(c.store.scenes_file()).scenes;
    const auto covered = [&](const std::vector<const io::Acquisition*>& list) {
        Window w;
        for (const auto* a : list)
            for (const auto& s : scenes)
                if (std::find(a->sources.begin(), a->sources.end(), s.id) != a->sources.end())
                    w = enclosing(w, grid.window(io::transform_bounds(s.bounds, s.crs, grid.crs())));
        return w;
    };
    return covered(e.before).intersection(covered(e.after));
}

std::vector<Window> sample_cells(const Window& area) {
    const auto floor_div = [](std::int64_t a) {
        return a >= 0 ? a / cell_size : -((-a + cell_size - 1) / cell_size);
    };
    std::vector<Window> cells;
    if (area.empty()) return cells;
    for (auto y = floor_div(area.row); y <= floor_div(area.row + area.rows - 1); ++y)
        for (auto x = floor_div(area.col); x <= floor_div(area.col + area.cols - 1); ++x)
            cells.push_back({x * cell_size, y * cell_size, cell_size, cell_size});
    const std::size_t step = (cells.size() + cells_wanted - 1) / cells_wanted;
    std::vector<Window> chosen;
    for (std::size_t i = 0; i < cells.size(); i += std::max<std::size_t>(step, 1)) chosen.push_back(cells[i]);
    return chosen;
}

nlohmann::ordered_json to_json(const algorithms::DetectorModel& model, const std::string& method) {
    nlohmann::ordered_json j = {{"method", method}};
    for (const auto& [name, values] : model.values) j["values"][name] = values;
    return j;
}

algorithms::DetectorModel load_model(const std::filesystem::path& file) {
    std::ifstream in(file);
    algorithms::DetectorModel model;
    try {
        const auto j = nlohmann::json::parse(in);
        for (const auto& [name, values] : j.at("values").items())
            model.values[name] = values.get<std::vector<double>>();
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorCode::failed, fmt::format("{} cannot be read: {}.", file.string(), e.what()),
                    "Delete it and run `shuibao detect` again.");
    }
    return model;
}

bool readable_model(const std::filesystem::path& file) {
    try {
        return !load_model(file).values.empty();
    } catch (const Error&) {
        return false;
    }
}

std::string names(const std::vector<const io::Acquisition*>& list) {
    std::string out;
    for (const auto* a : list) out += (out.empty() ? "" : " + ") + a->key;
    return out;
}

// What of the tiles a unit depends on: the keys of everything that was cut under its window.
std::string tiles_key(const RunContext& c, const Epochs& e, const std::vector<TileId>& tiles) {
    std::string text;
    for (const auto* list : {&e.before, &e.after})
        for (const auto* a : *list)
            for (const TileId t : tiles)
                if (std::binary_search(a->tiles.begin(), a->tiles.end(), t))
                    text += c.executor.key("tile", t.str() + "/" + a->key) + "\n";
    return engine::hash_bytes(text);
}

// One epoch over one window: the only look, or the composite of several. Keeps its memory.
struct EpochReader {
    std::vector<Image> looks;
    std::vector<std::uint16_t> first, last;  // empty for a single look: its date says it
    EditLook edit = {};

    void read(const io::TileArchive& archive, const std::vector<const io::Acquisition*>& list,
              const std::vector<Band>& bands, const Window& window, Image& out,
              const std::optional<io::Reading>& reading = std::nullopt) {
        const auto look = [&](const io::Acquisition& a, Image& image) {
            archive.read(a, window, bands, image, reading);
            if (edit) edit(a, image);
        };
        if (list.size() == 1) {
            first.clear();
            last.clear();
            look(*list.front(), out);
            return;
        }
        looks.resize(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) look(*list[i], looks[i]);
        auto composite = algorithms::composite(looks);
        out = std::move(composite.image);
        first = std::move(composite.first);
        last = std::move(composite.last);
    }
};

// A composite saw the earlier state at least once at its first look and the later one at its last: the
// change lies between them for certain.
void widen_onset(Change& change, const Window& grown, const std::vector<std::uint16_t>& first,
                 const std::vector<std::uint16_t>& last) {
    const auto& w = change.window;
    for (std::int64_t y = 0; y < w.rows; ++y)
        for (std::int64_t x = 0; x < w.cols; ++x) {
            const auto o = static_cast<std::size_t>(y * w.cols + x);
            if (change.onset_to[o] == 0) continue;
            const auto k =
                static_cast<std::size_t>((w.row + y - grown.row) * grown.cols + (w.col + x - grown.col));
            if (!first.empty()) change.onset_from[o] = first[k];
            if (!last.empty()) change.onset_to[o] = last[k];
        }
}

void learn(const DetectJob& job, const Epochs& e, const std::vector<Band>& bands,
           const PairwiseDetector& detector, const std::filesystem::path& model_file) {
    auto& c = job.context;
    const auto& archive = job.archive;
    const Window area = common_area(c, e, archive.grid());
    const auto cells = sample_cells(area);
    std::vector<TileId> tiles;
    for (const auto& cell : cells)
        for (const TileId t : archive.grid().tiles(cell)) tiles.push_back(t);
    std::sort(tiles.begin(), tiles.end());
    tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
    std::optional<Error> failure;
    engine::Unit u;
    u.id = job.batch;
    u.inputs = job.inputs;
    u.inputs["tiles"] = tiles_key(c, e, tiles);
    u.inputs["cells"] =
        fmt::format("{} of {} {} {} {}", cells.size(), area.col, area.row, area.cols, area.rows);
    u.outputs = {model_file};
    u.memory = cells.size() * static_cast<std::size_t>(cell_size * cell_size) * (bands.size() * 2 + 1) * 3;
    u.work = [&] {
        try {
            std::vector<std::vector<Image>> samples(cells.size());
            c.executor.parallel_for(cells.size(), [&](std::size_t i) {
                EpochReader epoch;
                samples[i].resize(2);
                epoch.read(archive, e.before, bands, cells[i], samples[i][0], {});
                epoch.read(archive, e.after, bands, cells[i], samples[i][1], {});
            });
            const auto model = detector.fit(samples, job.options);
            io::write_text(model_file, to_json(model, job.method).dump(1) + "\n");
        } catch (const Error& error) {
            failure = error;
            throw;
        }
    };
    if (std::error_code ignored; !c.executor.options().dry_run && !readable_model(model_file))
        std::filesystem::remove(model_file, ignored);  // damaged: learnt again
    c.executor.run("fit", {u});
    if (failure) throw *failure;  // without a model nothing can be decided anywhere
}

void detect(const DetectJob& job, const Epochs& e, const std::vector<Band>& bands,
            const PairwiseDetector& detector, const std::filesystem::path& model_file) {
    auto& c = job.context;
    const auto& archive = job.archive;
    const auto model = load_model(model_file);
    const std::string model_hash = engine::hash_file(model_file.string());
    const auto needs = detector.needs();
    const Grid& grid = archive.grid();
    std::vector<TileId> tiles;
    for (const auto* list : {&e.before, &e.after})
        for (const auto* a : *list) tiles.insert(tiles.end(), a->tiles.begin(), a->tiles.end());
    std::sort(tiles.begin(), tiles.end());
    tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
    if (!c.executor.options().dry_run) remove_other_changes(c.store.changes(job.batch), tiles);
    const Window area = enclosing_tiles(grid, tiles);
    std::vector<engine::Unit> units;
    for (const TileId tile : tiles) {
        const Window window = grid.window(tile), grown = window.grown(needs.halo);
        engine::Unit u;
        u.id = tile.str() + "/" + job.batch;
        u.inputs = job.inputs;
        u.inputs["model"] = model_hash;
        u.inputs["tiles"] = tiles_key(c, e, grid.tiles(grown));
        const auto path = c.store.changes(job.batch) / (tile.str() + ".tif");
        u.outputs = {path};
        const auto looks = e.before.size() + e.after.size();
        const auto strip = static_cast<std::size_t>((window.cols + 2 * needs.halo) *
                                                    (io::TileWriter::strip_rows + 2 * needs.halo));
        u.memory =
            strip * ((bands.size() * 2 + 1) * (looks == 2 ? 2 : looks + 2) + 14 + needs.bytes_per_pixel);
        u.work = [&, window, halo = needs.halo, path] {
            thread_local EpochReader before, after;
            thread_local std::array<Image, 2> images;
            thread_local Change change;
            io::ChangeWriter writer(path, grid, window);
            bool any = false;
            for (std::int64_t row = 0; row < window.rows; row += io::TileWriter::strip_rows) {
                const Window part{window.col, window.row + row, window.cols,
                                  std::min(io::TileWriter::strip_rows, window.rows - row)},
                    wide = part.grown(halo);
                const io::Reading reading{
                    row + part.rows < window.rows ? part.row + part.rows - halo : io::Reading::end, halo,
                    area};
                before.read(archive, e.before, bands, wide, images[0], reading);
                after.read(archive, e.after, bands, wide, images[1], reading);
                detector.detect(images, part, model, job.options, change);
                widen_onset(change, wide, before.first, after.last);
                any = any || std::any_of(change.evidence.begin(), change.evidence.end(),
                                         [](std::uint16_t v) { return v != Change::unobserved; });
                writer.write(change);
            }
            if (any) {
                writer.finish();
                return;
            }
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        };
        units.push_back(std::move(u));
    }
    engine::group_neighbours(units, c.executor.options().jobs);
    const auto counts = c.executor.run("detect", std::move(units), job.batch);
    c.log.write(engine::LogLevel::info,
                fmt::format("{} change maps made, {} up to date, {} failed", counts.run, counts.skipped,
                            counts.failed),
                "detect");
}

}  // namespace

void declare_pair(OptionTable& t) {
    t.add({.key = "detect.before",
           .help = "Dates of the earlier state, YYYY-MM-DD or YYYY-MM-DD/YYYY-MM-DD; default: the first "
                   "detect.epoch_days of the store"});
    t.add({.key = "detect.after",
           .help = "Dates of the later state; default: the last detect.epoch_days of the store"});
    t.add({.key = "detect.epoch_days",
           .type = OptionType::integer,
           .fallback = "60",
           .help = "Looks within so many days are one epoch; several looks give their median",
           .unit = "d",
           .min = 0,
           .max = 366});
}

void require_dates(const RunContext& c) {
    for (const char* key : {"detect.before", "detect.after"})
        if (c.settings.has(key)) static_cast<void>(range_of(c, key));
}

PairPlan plan_pair(const DetectJob& job, const PairwiseDetector& detector) {
    PairPlan plan = epochs_of(job.context, usable_looks(job, detector));
    auto looks = plan.before;
    looks.insert(looks.end(), plan.after.begin(), plan.after.end());
    plan.bands = bands_for(detector, looks);
    return plan;
}

std::array<Image, 2> read_epochs(const DetectJob& job, const PairPlan& plan, const Window& window,
                                 const EditLook& edit) {
    EpochReader reader;
    reader.edit = edit;
    std::array<Image, 2> images;
    reader.read(job.archive, plan.before, plan.bands, window, images[0]);
    reader.read(job.archive, plan.after, plan.bands, window, images[1]);
    return images;
}

std::filesystem::path epochs_model(const engine::Store& store, const std::string& batch) {
    return store.batch(batch) / "model.json";
}

algorithms::DetectorModel pair_model(const DetectJob& job) {
    const auto file = epochs_model(job.context.store, job.batch);
    if (!std::filesystem::exists(file))
        throw Error(ErrorCode::usage, fmt::format("Batch {} has no model of unchanged ground.", job.batch),
                    "Run `shuibao detect` first.");
    return load_model(file);
}

void detect_pair(const DetectJob& given, const PairwiseDetector& detector) {
    DetectJob job = given;
    auto& c = job.context;
    const Epochs epochs = plan_pair(job, detector);
    const auto& bands = epochs.bands;
    for (const auto* list : {&epochs.before, &epochs.after})
        for (const auto* a : *list) {
            std::string text = list == &epochs.before ? "before" : "after";
            for (std::size_t i = 0; i < a->bands.size(); ++i)
                text += fmt::format(" {}:{}:{}", common_name(a->bands[i]), a->scaling[i].scale,
                                    a->scaling[i].offset);
            job.inputs["look " + a->key] = text;
        }
    c.log.write(engine::LogLevel::info,
                fmt::format("{}: {} against {}, batch {}", job.method, names(epochs.before),
                            names(epochs.after), job.batch),
                "detect");
    const auto model_file = epochs_model(c.store, job.batch);
    learn(job, epochs, bands, detector, model_file);
    if (c.executor.options().dry_run && !std::filesystem::exists(model_file)) return;
    detect(job, epochs, bands, detector, model_file);
}

}  // namespace shuibao::pipeline
