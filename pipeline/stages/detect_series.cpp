// SPDX-License-Identifier: Apache-2.0
// Detection along a series: each tile's pixels are brought forward from where the last batch left them.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "detect.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/geotiff.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::DetectorState;
using algorithms::LookSource;
using algorithms::SeriesDetector;
using algorithms::SeriesTimes;

constexpr std::int64_t block = 256;  // one block of the tiles: every look is decoded once
constexpr std::int32_t year = 366;
constexpr std::size_t map_bytes = 30;   // of a pixel in a change map with history, kinds twice
constexpr std::size_t states_kept = 2;  // so that a late scene goes on from the batch before it

// One look as a state remembers it: acquisition and the key under which its tile was cut.
struct Taken {
    const io::Acquisition* acquisition;
    std::string text;
};

struct Plan : SeriesPlan {
    std::string settings;  ///< hash of everything but the looks that a state depends on
};

std::vector<const io::Acquisition*> in_time_order(std::vector<const io::Acquisition*> list) {
    std::stable_sort(list.begin(), list.end(), [](const auto* a, const auto* b) {
        return a->date != b->date ? a->date < b->date : a->key < b->key;
    });
    return list;
}

// The looks of one window, read from the tiles when they are asked for.
class TileLooks final : public LookSource {
  public:
    TileLooks(const io::TileArchive& archive, const std::vector<Taken>& looks, const SeriesPlan& plan,
              std::size_t applied, const Window& window, Image& image)
        : m_archive(archive),
          m_looks(looks),
          m_plan(plan),
          m_applied(applied),
          m_window(window),
          m_image(image) {
        for (const auto& l : looks) m_dates.push_back(l.acquisition->date);
    }
    [[nodiscard]] std::span<const Band> bands() const override { return m_plan.bands; }
    [[nodiscard]] std::span<const Date> dates() const override { return m_dates; }
    [[nodiscard]] std::size_t applied() const override { return m_applied; }
    [[nodiscard]] const Image& read(std::size_t i) override {
        // A window is whole blocks of its tile: nobody else reads them.
        const auto& a = *m_looks[i].acquisition;
        m_archive.read(a, m_window, m_plan.bands_of(a), m_image, io::Reading{io::Reading::end, 0});
        return m_image;
    }

  private:
    const io::TileArchive& m_archive;
    const std::vector<Taken>& m_looks;
    const SeriesPlan& m_plan;
    std::size_t m_applied;
    Window m_window;
    Image& m_image;
    std::vector<Date> m_dates;
};

// The states of one tile: `<store>/state/<method>/X0003_Y0004/<batch>.tif`, one band per plane. The file says
// which looks it holds and carries a checksum per block.
class StateFiles {
  public:
    StateFiles(std::filesystem::path folder, std::string settings)
        : m_folder(std::move(folder)), m_settings(std::move(settings)) {}

    [[nodiscard]] std::filesystem::path path(const std::string& batch) const {
        return m_folder / (batch + ".tif");
    }

    /// The state from which these looks can be reached by reading the fewest.
    struct Start {
        std::unique_ptr<io::GeoTiffReader> file;  ///< null: from nothing
        std::size_t applied = 0;
        std::vector<std::string> checksums;
    };
    [[nodiscard]] Start best(const std::vector<Taken>& looks) const {
        Start start;
        for (const auto& path : files()) {
            try {
                auto file = std::make_unique<io::GeoTiffReader>(path);
                if (file->metadata("SHUIBAO_SETTINGS") != m_settings) continue;
                const auto taken = lines(file->metadata("SHUIBAO_LOOKS"));
                const bool prefix =
                    taken.size() <= looks.size() &&
                    std::equal(taken.begin(), taken.end(), looks.begin(),
                               [](const std::string& a, const Taken& b) { return a == b.text; });
                if (!prefix || taken.size() <= start.applied) continue;
                start.checksums = lines(file->metadata("SHUIBAO_CHECKSUMS"));
                start.applied = taken.size();
                start.file = std::move(file);
            } catch (const Error&) {  // a damaged state is no state: the pixels are followed from the start
            }
        }
        return start;
    }

    /// Removes all states but this batch's and the newest others.
    void prune(const std::string& batch) const {
        std::size_t kept = 1;
        auto list = files();
        std::reverse(list.begin(), list.end());
        for (const auto& file : list) {
            if (file == path(batch) || kept++ < states_kept) continue;
            std::error_code ignored;
            std::filesystem::remove(file, ignored);
        }
    }

    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> out;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) out.push_back(line);
        return out;
    }

  private:
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> list;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder, error))
            if (entry.path().extension() == ".tif" && !entry.path().filename().string().starts_with("."))
                list.push_back(entry.path());
        std::sort(list.begin(), list.end());
        return list;
    }

    std::filesystem::path m_folder;
    std::string m_settings;
};

std::string hash_of(const std::vector<std::uint16_t>& plane) {
    return engine::hash_bytes({reinterpret_cast<const char*>(plane.data()), plane.size() * sizeof(plane[0])});
}

// Checksum of a block from those of its planes.
std::string checksum(const std::vector<std::string>& planes) {
    return engine::hash_bytes(fmt::format("{}", fmt::join(planes, "")));
}

// Everything of one tile.
class TileWork {
  public:
    TileWork(const DetectJob& job, const SeriesDetector& detector, const Plan& plan, TileId tile,
             std::vector<Taken> looks, std::filesystem::path change, StateFiles states)
        : m_job(job),
          m_detector(detector),
          m_plan(plan),
          m_tile(job.archive.grid().window(tile)),
          m_looks(std::move(looks)),
          m_change(std::move(change)),
          m_states(std::move(states)) {}

    void operator()() const {
        auto start = m_states.best(m_looks);
        try {
            bring_forward(start);
        } catch (const DamagedState&) {
            bring_forward({});
        }
        m_states.prune(m_job.batch);
    }

  private:
    struct DamagedState {};

    // The state of one block of the tiles and its change map as they will be stored.
    struct StoredBlock {
        std::vector<io::PackedBlock> planes;
        std::string checksum;
        std::vector<io::PackedBlock> change;
    };

    // The pixels of a block and how each plane of them is stored; returns the hashes of the planes.
    std::vector<std::string> read_state(const StateFiles::Start& start, std::int64_t x, std::int64_t y,
                                        DetectorState& state, StoredBlock& stored) const {
        std::vector<std::string> hashes;
        try {
            for (std::size_t p = 0; p < state.planes.size(); ++p) {
                start.file->read_block(static_cast<int>(p), x, y, stored.planes[p], state.planes[p]);
                hashes.push_back(hash_of(state.planes[p]));
            }
        } catch (const Error&) {  // as good as a wrong checksum
            throw DamagedState{};
        }
        const auto k = static_cast<std::size_t>(y * blocks_across() + x);
        if (k >= start.checksums.size() || checksum(hashes) != start.checksums[k]) throw DamagedState{};
        return hashes;
    }

    // The pixels of one block, from where the last batch left them to where all looks leave them.
    void advance(const StateFiles::Start& start, const io::GeoTiffWriter& file,
                 const io::ChangeWriter& change_file, const Window& strip, std::int64_t x,
                 StoredBlock& stored) const {
        thread_local DetectorState state;
        thread_local Image image;
        thread_local Change change;
        const Window w{strip.col + x * block, strip.row, std::min(block, strip.cols - x * block), strip.rows};
        const std::size_t planes = stored.planes.size();
        std::vector<std::string> before(planes);
        if (start.file) {
            state.shape(w, planes);
            before = read_state(start, x, (w.row - m_tile.row) / block, state, stored);
        } else {
            state.reset(w, planes);
        }
        TileLooks looks(m_job.archive, m_looks, m_plan, start.applied, w, image);
        m_detector.advance_and_report(looks, m_plan.times, m_job.options, state, change);
        std::vector<std::string> hashes;
        for (std::size_t p = 0; p < planes; ++p) {
            hashes.push_back(hash_of(state.planes[p]));
            // A plane that no look altered, as those of the model between two lessons, stays as it is stored.
            if (hashes[p] != before[p])
                file.encode(static_cast<int>(p), state.planes[p], w.cols, stored.planes[p]);
        }
        stored.checksum = checksum(hashes);
        change_file.encode(change, stored.change);
    }

    void bring_forward(const StateFiles::Start& start) const {
        const Grid& grid = m_job.archive.grid();
        std::vector<io::GeoTiffPlane> planes;
        for (const auto& name : m_detector.state_bands()) {
            planes.push_back({name});
            if (m_detector.alters_with_looks(planes.size() - 1))
                planes.back().level = io::GeoTiffOptions::quick;
        }
        io::GeoTiffWriter state_file(m_states.path(m_job.batch), grid, m_tile, planes, {.sparse = true});
        io::ChangeWriter change_file(m_change, grid, m_tile, m_detector.needs().tells_history);
        std::string checksums, taken;
        for (const auto& l : m_looks) taken += l.text + "\n";
        std::vector<StoredBlock> blocks(static_cast<std::size_t>(blocks_across()));
        for (auto& b : blocks) b.planes.resize(planes.size());
        for (std::int64_t row = 0; row < m_tile.rows; row += block) {
            const Window strip{m_tile.col, m_tile.row + row, m_tile.cols, std::min(block, m_tile.rows - row)};
            // Threads that have no tile of their own help with the blocks of this one.
            m_job.context.executor.parallel_for(blocks.size(), [&](std::size_t i) {
                engine::check_stop();
                advance(start, state_file, change_file, strip, static_cast<std::int64_t>(i), blocks[i]);
            });
            for (std::size_t p = 0; p < planes.size(); ++p)
                for (std::size_t i = 0; i < blocks.size(); ++i)
                    state_file.write_block(static_cast<int>(p), static_cast<std::int64_t>(i), row / block,
                                           blocks[i].planes[p]);
            std::vector<std::vector<io::PackedBlock>> maps;
            for (auto& b : blocks) {
                checksums += b.checksum + "\n";
                maps.push_back(std::move(b.change));
            }
            change_file.write_blocks(row / block, maps);
        }
        state_file.metadata("SHUIBAO_SETTINGS", m_plan.settings);
        state_file.metadata("SHUIBAO_LOOKS", taken);
        state_file.metadata("SHUIBAO_CHECKSUMS", checksums);
        state_file.finish();
        change_file.finish();
    }

    [[nodiscard]] std::int64_t blocks_across() const { return (m_tile.cols + block - 1) / block; }

    const DetectJob& m_job;
    const SeriesDetector& m_detector;
    const Plan& m_plan;
    Window m_tile;
    std::vector<Taken> m_looks;
    std::filesystem::path m_change;
    StateFiles m_states;
};

// The first watched day is settled once for a store, so that later batches do not move it.
Date monitor_from(const DetectJob& job, Date first, Date last) {
    auto& c = job.context;
    if (const auto day = c.settings.day("detect.monitor_from")) return *day;
    const auto file = c.store.root() / "series.json";
    if (std::ifstream in(file); in) {
        const auto j = nlohmann::json::parse(in, nullptr, false);
        const bool text = j.is_object() && j.contains("monitor_from") && j["monitor_from"].is_string();
        const auto kept = text ? Date::parse(j["monitor_from"].get<std::string>()) : std::nullopt;
        if (!kept)
            throw Error(ErrorCode::failed, fmt::format("{} cannot be read.", file.string()),
                        "Delete it: it says from when on the series is watched, and is made anew.");
        if (*kept > first) return *kept;
    }
    const Date day(first.days() + (last.days() - first.days() > 2 * year + year / 4 ? 2 * year : year));
    if (!c.executor.options().dry_run && !job.quiet)
        io::write_text(file, nlohmann::ordered_json{{"monitor_from", day.iso()}}.dump(1) + "\n");
    return day;
}

// Bands of a series whose looks differ, where at least half of them have what the detector would rather see;
// none where all are followed alike.
std::vector<Band> mixed_bands(const algorithms::DetectorNeeds& needs, const std::vector<Band>& common,
                              const std::vector<const io::Acquisition*>& looks) {
    const auto has_all = [&](const auto& some, const std::vector<Band>& wanted) {
        return std::all_of(wanted.begin(), wanted.end(),
                           [&](Band b) { return std::find(some.begin(), some.end(), b) != some.end(); });
    };
    if (needs.mixes.empty() || has_all(common, needs.mixes) || !has_all(common, needs.required)) return {};
    const auto full = std::count_if(looks.begin(), looks.end(),
                                    [&](const auto* a) { return has_all(a->bands, needs.mixes); });
    if (2 * static_cast<std::size_t>(full) < looks.size()) return {};
    std::vector<Band> bands;
    std::set_union(needs.required.begin(), needs.required.end(), needs.mixes.begin(), needs.mixes.end(),
                   std::back_inserter(bands));
    return bands;
}

}  // namespace

bool is_series(const std::vector<io::Acquisition>& acquisitions) {
    if (acquisitions.size() < 20) return false;
    auto first = acquisitions.front().date, last = first;
    for (const auto& a : acquisitions) first = std::min(first, a.date), last = std::max(last, a.date);
    return last.days() - first.days() >= year + year / 4 &&
           std::all_of(acquisitions.begin(), acquisitions.end(), [](const auto& a) { return a.reflectance; });
}

void declare_series(OptionTable& t) {
    t.add({.key = "detect.monitor_from",
           .help =
               "First day that a series method judges; what lies before is history to learn from. Default: "
               "two years after the first look, one where there are fewer; settled once for a store"});
    t.add({.key = "detect.report_days",
           .type = OptionType::integer,
           .fallback = "120",
           .help = "A pixel without a clear look in so many days before the newest look is not observed",
           .unit = "d",
           .min = 1,
           .max = 3660});
}

std::vector<Band> SeriesPlan::bands_of(const io::Acquisition& look) const {
    std::vector<Band> list = bands;
    std::erase_if(list, [&](Band b) { return !look.has(b); });
    return list;
}

SeriesPlan plan_series(const DetectJob& job, const SeriesDetector& detector) {
    auto& c = job.context;
    SeriesPlan plan;
    plan.looks = in_time_order(usable_looks(job, detector));
    const auto needs = detector.needs();
    if (static_cast<int>(plan.looks.size()) < needs.min_dates)
        throw Error(ErrorCode::input,
                    fmt::format("The method '{}' needs {} dates; the store has {}.", job.method,
                                needs.min_dates, plan.looks.size()),
                    "Add scenes, or choose detect.method: pair.");
    for (const auto* a : plan.looks)
        if (!a->reflectance)
            throw Error(
                ErrorCode::input,
                fmt::format("The method '{}' needs reflectance; {} holds digital numbers.", job.method,
                            a->key),
                "Give raster:bands scale and offset in its Item, or imagery.scale, or choose detect.method: "
                "pair.");
    const Date first = plan.looks.front()->date, last = plan.looks.back()->date;
    plan.times.monitor_from = monitor_from(job, first, last);
    plan.times.report_from =
        Date(last.days() - static_cast<std::int32_t>(c.settings.integer("detect.report_days")) + 1);
    plan.times.report_to = last;
    if (plan.times.monitor_from <= first || plan.times.monitor_from > last)
        throw Error(
            ErrorCode::input,
            fmt::format("The series ({} to {}) cannot be watched from {}: it needs looks before and after.",
                        first.iso(), last.iso(), plan.times.monitor_from.iso()),
            "Set detect.monitor_from, add scenes, or choose detect.method: pair.");
    const auto common = bands_for(detector, plan.looks);
    plan.bands = mixed_bands(needs, common, plan.looks);
    if (plan.bands.empty()) plan.bands = detector.bands(common);
    return plan;
}

void detect_series(const DetectJob& given, const SeriesDetector& detector) {
    DetectJob job = given;
    auto& c = job.context;
    const auto needs = detector.needs();
    Plan plan{plan_series(job, detector), {}};
    const auto& looks = plan.looks;
    auto settings = job.inputs;
    settings["monitor_from"] = plan.times.monitor_from.iso();
    for (const Band b : plan.bands) settings["bands"] += std::string(common_name(b)) + " ";
    settings["program"] = c.executor.code_of("detect");
    plan.settings = engine::hash_values(settings);
    job.inputs["monitor_from"] = plan.times.monitor_from.iso();
    job.inputs["bands"] = settings["bands"];
    job.inputs["report_from"] = plan.times.report_from.iso();
    c.log.write(engine::LogLevel::info,
                fmt::format("{}: {} looks from {} to {}, watched from {}, batch {}", job.method, looks.size(),
                            looks.front()->date.iso(), looks.back()->date.iso(),
                            plan.times.monitor_from.iso(), job.batch),
                "detect");

    if (std::error_code ignored; !c.executor.options().dry_run)
        std::filesystem::remove(epochs_model(c.store, job.batch), ignored);
    std::map<TileId, std::vector<Taken>> by_tile;
    for (const auto* a : looks)
        for (const TileId t : a->tiles) {
            std::string text = a->key + " " + c.executor.key("tile", t.str() + "/" + a->key);
            for (const Band b : plan.bands_of(*a)) {
                const auto& s = a->scaling[static_cast<std::size_t>(
                    std::find(a->bands.begin(), a->bands.end(), b) - a->bands.begin())];
                text += fmt::format(" {}:{}:{}", common_name(b), s.scale, s.offset);
            }
            by_tile[t].push_back({a, std::move(text)});
        }
    std::vector<TileId> tiles;
    for (const auto& [t, list] : by_tile) tiles.push_back(t);
    if (!c.executor.options().dry_run) remove_other_changes(c.store.changes(job.batch), tiles);

    std::vector<engine::Unit> units;
    for (auto& [tile, list] : by_tile) {
        engine::Unit u;
        u.id = tile.str() + "/" + job.batch;
        u.inputs = job.inputs;
        std::string taken;
        for (const auto& l : list) taken += l.text + "\n";
        u.inputs["looks"] = engine::hash_bytes(taken);
        const auto path = c.store.changes(job.batch) / (tile.str() + ".tif");
        u.outputs = {path};
        const auto cols = static_cast<std::size_t>(job.archive.grid().tile_size());
        // A strip as it will be stored and its map; for each thread that helps the pixels of a block and
        // theirs.
        const auto helpers =
            std::min(static_cast<std::size_t>(c.executor.options().jobs),
                     (cols + static_cast<std::size_t>(block) - 1) / static_cast<std::size_t>(block));
        u.memory = cols * static_cast<std::size_t>(block) * (needs.state_bytes_per_pixel + map_bytes) +
                   helpers * static_cast<std::size_t>(block * block) *
                       (list.size() * needs.bytes_per_look + needs.state_bytes_per_pixel + map_bytes +
                        2 * (plan.bands.size() + 2));
        u.work = TileWork(job, detector, plan, tile, list, path,
                          StateFiles(c.store.state(job.method) / tile.str(), plan.settings));
        units.push_back(std::move(u));
    }
    const auto counts = c.executor.run("detect", std::move(units), job.batch);
    c.log.write(engine::LogLevel::info,
                fmt::format("{} change maps made, {} up to date, {} failed", counts.run, counts.skipped,
                            counts.failed),
                "detect");
}

}  // namespace shuibao::pipeline
