// SPDX-License-Identifier: Apache-2.0
#include "detect.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <shuibao/core/error.hpp>
#include <shuibao/pipeline/prospect.hpp>

namespace shuibao::pipeline {

using algorithms::Detector;
using DetectorRegistry = Registry<Detector>;

std::vector<Band> bands_for(const Detector& detector, const std::vector<const io::Acquisition*>& looks) {
    std::vector<Band> common = looks.front()->bands;
    for (const auto* a : looks) std::erase_if(common, [&](Band b) { return !a->has(b); });
    const auto needs = detector.needs();
    return needs.all_common ? common : needs.required;
}

namespace {

// The set of bands that more acquisitions have; those that the detector asks for first where they are equal.
std::vector<Band> bands_demanded(const Detector& detector, const std::vector<io::Acquisition>& all) {
    const auto needs = detector.needs();
    const auto having = [&](const std::vector<Band>& set) {
        return std::count_if(all.begin(), all.end(), [&](const io::Acquisition& a) {
            return std::includes(a.bands.begin(), a.bands.end(), set.begin(), set.end());
        });
    };
    const std::vector<Band>* most = &needs.required;
    for (const auto& set : needs.or_else)
        if (having(set) > having(*most)) most = &set;
    return *most;
}

std::string method_of(const RunContext& c, const io::TileArchive& archive) {
    const auto asked = c.settings.text("detect.method");
    if (asked != "auto") return asked;
    const bool series = is_series(archive.acquisitions()) && !c.settings.has("detect.before") &&
                        !c.settings.has("detect.after");
    for (const auto& e : DetectorRegistry::all())
        if ((dynamic_cast<const algorithms::SeriesDetector*>(e.make().get()) != nullptr) == series)
            return e.name;
    throw Error(ErrorCode::usage, "There is no method for these dates.", "Set detect.method.");
}

}  // namespace

DetectJob detect_job(RunContext& c, const io::TileArchive& archive) {
    if (archive.acquisitions().empty())
        throw Error(ErrorCode::input, "The store has no tiles: every scene failed.",
                    "The problems of `shuibao tile` say why.");
    DetectJob job{c, archive, resolve_batch(c), method_of(c, archive), {}, {}};
    for (const auto& o : DetectorRegistry::make(job.method)->options())
        job.options[o.key] = c.settings.number("detect." + job.method + "." + o.key);
    job.inputs["method"] = job.method;
    for (const auto& [key, value] : c.settings.canonical("detect." + job.method + "."))
        job.inputs[key] = value;
    return job;
}

bool follows_ndvi_alone(RunContext& c, const io::TileArchive& archive) {
    const auto detector = DetectorRegistry::make(detect_job(c, archive).method);
    return bands_demanded(*detector, archive.acquisitions()) == std::vector{Band::ndvi};
}

std::vector<const io::Acquisition*> usable_looks(const DetectJob& job, const Detector& detector) {
    const auto required = bands_demanded(detector, job.archive.acquisitions());
    std::vector<const io::Acquisition*> list;
    std::string lacking;
    for (const auto& a : job.archive.acquisitions()) {
        const auto lost = std::find_if(required.begin(), required.end(), [&](Band b) { return !a.has(b); });
        if (lost == required.end()) {
            list.push_back(&a);
            continue;
        }
        lacking = common_name(*lost);
        if (job.quiet) continue;
        job.context.problems.add(
            {"detect", a.key, "missing_band",
             fmt::format("The method '{}' needs the band '{}', which {} has not; it was left out.",
                         job.method, lacking, a.key),
             "Complete the bands of its Items, or choose another detect.method."});
    }
    if (list.empty())
        throw Error(
            ErrorCode::input,
            fmt::format("The method '{}' needs the band '{}', which no date has.", job.method, lacking),
            "Choose another detect.method, or add scenes with that band.");
    return list;
}

void remove_other_changes(const std::filesystem::path& folder, const std::vector<TileId>& tiles) {
    std::error_code error;
    std::vector<std::filesystem::path> others;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (const auto id = TileId::parse(entry.path().stem().string());
            id && !std::binary_search(tiles.begin(), tiles.end(), *id))
            others.push_back(entry.path());
    for (const auto& path : others) std::filesystem::remove(path, error);
}

namespace {

// A part of `tile` that ended between its last tile and the list of all has left a list without it.
void require_listed(const RunContext& c, const io::TileArchive& archive) {
    std::set<std::string> listed;
    for (const auto& a : archive.acquisitions())
        for (const TileId t : a.tiles) listed.insert(t.str() + "/" + a.key);
    const auto cut = c.executor.missing("tile", plan_of_all).done;
    std::vector<std::string> unlisted;
    for (const auto& unit : cut) {
        const auto slash = unit.find('/');
        std::error_code error;
        if (!listed.contains(unit) &&
            std::filesystem::exists(
                io::TileArchive::tile_path(c.store.tiles(), TileId::parse(unit.substr(0, slash)).value(),
                                           unit.substr(slash + 1)),
                error))
            unlisted.push_back(unit);
    }
    if (!unlisted.empty())
        throw Error(ErrorCode::temporary,
                    fmt::format("{} of {} tiles are cut but not listed, {} is one of them.", unlisted.size(),
                                cut.size(), unlisted.front()),
                    "Run `shuibao tile` to its end, in all its shards, then this again.");
}

// What is detected in was settled by the stages before: a span of days given to this one alone changes
// nothing.
void tell_other_span(const RunContext& c, const io::TileArchive& archive) {
    const auto& looks = archive.acquisitions();
    const auto from = c.settings.day("imagery.from"), to = c.settings.day("imagery.to");
    const auto other = std::find_if(looks.begin(), looks.end(), [&](const io::Acquisition& a) {
        return (from && a.date < *from) || (to && *to < a.date);
    });
    if (other != looks.end())
        c.log.warn(
            fmt::format("The store lists a look of {}, which lies outside imagery.from and imagery.to: "
                        "`shuibao catalog` and `shuibao tile` settle which looks are used.",
                        other->date.iso()));
}

class DetectStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "Find changed ground, pixel by pixel",
            .description =
                "Tiles → one change map per tile: evidence, confidence, magnitude, onset interval, kind. "
                "A series of years is followed look by look with a per-pixel state, so that a batch reads "
                "its own looks only; two epochs (each one date or the median of several) are compared.",
            .example = {"shuibao detect -c run.yaml",
                        "shuibao detect -c run.yaml --method mad --before 2023-04-01/2023-06-30"},
            .shardable = true};
    }

    void declare(OptionTable& t) const override {
        std::vector<std::string> names = {"auto"};
        std::string help = "Method of detection: auto = the first that fits the dates";
        for (const auto& e : DetectorRegistry::all()) {
            help += "; " + e.name + " = " + e.make()->summary();
            names.push_back(e.name);
        }
        t.add({.key = "detect.method",
               .type = OptionType::choice,
               .fallback = names.front(),
               .help = help,
               .choices = names});
        declare_pair(t);
        declare_series(t);
        for (const auto& e : DetectorRegistry::all())
            for (Option o : e.make()->options()) {
                o.key = "detect." + e.name + "." + o.key;
                o.long_name = o.key;
                std::replace(o.long_name.begin(), o.long_name.end(), '.', '-');
                std::replace(o.long_name.begin(), o.long_name.end(), '_', '-');
                o.long_name.erase(0, std::string("detect-").size());
                t.add(o);
            }
    }

    void require(const RunContext& c) const override { require_dates(c); }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.store.acquisitions_file();
    }
    void check(RunContext& c) const override {
        if (!c.prospect || c.prospect->acquisitions.empty()) return;
        const io::TileArchive archive(c.store.tiles(), *c.prospect->grid, c.prospect->acquisitions);
        const DetectJob job = detect_job(c, archive);
        const auto detector = DetectorRegistry::make(job.method);
        std::vector<const io::Acquisition*> looks;
        std::vector<Band> bands;
        if (const auto* series = dynamic_cast<const algorithms::SeriesDetector*>(detector.get())) {
            auto plan = plan_series(job, *series);
            looks = std::move(plan.looks);
            bands = std::move(plan.bands);
        } else {
            auto plan = plan_pair(job, dynamic_cast<const algorithms::PairwiseDetector&>(*detector));
            looks = std::move(plan.before);
            looks.insert(looks.end(), plan.after.begin(), plan.after.end());
            bands = std::move(plan.bands);
        }
        std::set<TileId> tiles;
        double pixels = 0, state = 0;
        for (const auto* a : looks) {
            tiles.insert(a->tiles.begin(), a->tiles.end());
            for (const TileId t : a->tiles)
                pixels += static_cast<double>(archive.grid().window(t).pixels()) *
                          static_cast<double>(bands.size() + 1);
        }
        const auto needs = detector->needs();
        for (const TileId t : tiles)
            state += static_cast<double>(archive.grid().window(t).pixels()) *
                     static_cast<double>(needs.state_bytes_per_pixel);
        c.out << fmt::format(
            "detect: {} on {} tiles, batch {}, at most {:.1f} million pixels of {} looks to read", job.method,
            tiles.size(), job.batch, pixels / 1e6, looks.size());
        if (state > 0) c.out << fmt::format(", at most {:.1f} MB of state in the store", state / 1e6);
        c.out << "\n";
    }
    void run(RunContext& c) const override {
        // Of a part of the tiles a model would be learnt that is not the model of the area.
        const auto& options = c.executor.options();
        const bool whole = !options.dry_run && options.selection.tiles.empty();
        if (whole) require_whole(c, "tile", plan_of_all, "tiles are not cut");
        const auto archive = open_archive(c.store);
        if (whole) require_listed(c, archive);
        tell_other_span(c, archive);
        const DetectJob job = detect_job(c, archive);
        const auto detector = DetectorRegistry::make(job.method);
        if (const auto* series = dynamic_cast<const algorithms::SeriesDetector*>(detector.get()))
            detect_series(job, *series);
        else
            detect_pair(job, dynamic_cast<const algorithms::PairwiseDetector&>(*detector));
    }
};

const Registration<Stage, DetectStage> registration{"detect", 30};

}  // namespace
}  // namespace shuibao::pipeline
