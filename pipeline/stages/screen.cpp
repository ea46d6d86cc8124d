// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "case_file.hpp"
#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "layer_files.hpp"
#include "overlay.hpp"
#include "rows_ahead.hpp"
#include "rules.hpp"
#include "screen_input.hpp"
#include "screen_summary.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

class ScreenStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Compare disturbances with approved ranges and give verdicts (合规性分析)",
                .description =
                    "Disturbance polygons × approved ranges × zones → areas outside with and without "
                    "tolerance, verdict (compliant, unapproved, exceeds, relocated, unapproved_spoil, "
                    "before_approval, pending) and flags, by the rule set in force. Verdicts are clues, "
                    "not findings of law.",
                .example = {"shuibao screen -c run.yaml",
                            "shuibao screen --disturbances drawn.shp --approvals ranges.shp --batch 202403"}};
    }

    void declare(OptionTable& t) const override {
        declare_approvals(t);
        declare_rules(t);
        declare_zones(t);
        declare_erosion(t);
        t.add({.key = "screen.clues",
               .type = OptionType::path,
               .help =
                   "Places of public reports and video clues, any OGR vector: disturbances close to one are "
                   "raised"});
        t.add({.key = "screen.disturbances",
               .type = OptionType::path,
               .help = "Polygons that people digitised, instead of those that delineate found"});
        t.add({.key = "screen.encoding",
               .help = "Encoding of screen.disturbances when it is a shapefile",
               .long_name = "disturbances-encoding"});
    }

    void require(const RunContext& c) const override {
        require_approvals(c);
        for (const auto& [kind, path] : c.settings.path_map("zones.layers"))
            require_layer(c.settings.origin("zones.layers") + ": the zone layer", path);
        if (c.settings.has("screen.clues"))
            require_layer("The layer of clues", c.settings.path("screen.clues"));
        for (const auto& [what, path] : ground_files(c)) require_layer(what, path);
    }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.settings.has("screen.disturbances") ? std::filesystem::path() : c.store.acquisitions_file();
    }
    void check(RunContext& c) const override {
        const RuleBook book(c);
        const auto batch_rules = rules_of(book.of_batch());
        const Ground ground(c, batch_rules);
        if (ground.known()) c.out << fmt::format("erosion: {}\n", ground.plan());
        static_cast<void>(load_zone_words(c));
        static_cast<void>(load_words(c));
        check_layers(c);
    }

    void run(RunContext& c) const override {
        const bool digitised = c.settings.has("screen.disturbances");
        std::string path;
        DisturbanceSet set;
        if (digitised) {
            path = c.settings.path("screen.disturbances");
            set = read_drawn(c);
            if (c.batch.empty()) c.batch = batch_of(set);
        } else {
            path = (c.store.batch(resolve_batch(c)) / "disturbances.gpkg").string();
            if (c.executor.options().dry_run && !std::filesystem::exists(path)) return;
            if (!std::filesystem::exists(path))
                throw Error(ErrorCode::usage, fmt::format("Batch {} has no disturbances yet.", c.batch),
                            "Run `shuibao delineate` first, or give --disturbances FILE.");
            set = read_disturbances(path, {});
        }
        forget_later_days(set, end_of_batch(c.batch));
        report(c, set, path);
        const std::string crs = working_crs(set);
        const bool ranges_known = c.settings.text("approvals.path") != "none";
        const RuleBook book(c);
        const Laws laws(book);
        const auto words = load_words(c);

        // Before the unit is planned: what is wrong with the layers is said on every run.
        const auto approvals = ranges_known ? read_approvals(c, crs) : Approvals{};
        Zones zones(c, crs);
        const auto clues = read_clues(c, crs);
        const auto batch_rules = rules_of(book.of_batch());
        const Ground ground(c, batch_rules);
        auto cleared = ClearedGround::before(c, crs);

        engine::Unit u;
        u.id = c.batch;
        u.inputs = rule_hashes(c);
        u.inputs.merge(zone_hashes(c));
        u.inputs.merge(ground_hashes(c));
        u.inputs["disturbances"] = hash_vector(path);
        u.inputs["approvals"] =
            ranges_known ? hash_vector(c.settings.path("approvals.path")) : std::string("none");
        for (const auto& [key, value] : c.settings.canonical("approvals."))
            if (key != "option approvals.path") u.inputs[key] = value;  // its content counts, not its place
        u.inputs["option screen.encoding"] = c.settings.text("screen.encoding");
        for (const auto* d : {"approvals", "clues", "disturbances", "industries"})
            u.inputs[std::string("dictionary ") + d] =
                engine::hash_file(engine::config_file(fmt::format("dictionaries/{}.yaml", d)).string());
        if (ranges_known) c.inputs[c.settings.path("approvals.path")] = u.inputs["approvals"];
        if (c.settings.has("screen.clues")) {
            const auto file = c.settings.path("screen.clues");
            u.inputs["clues"] = c.inputs[file] = hash_vector(file);
        }
        if (digitised) c.inputs[path] = u.inputs["disturbances"];
        const auto hidden = c.store.batch(c.batch) / "unobserved.gpkg";
        if (std::filesystem::exists(hidden)) u.inputs["unobserved"] = engine::hash_file(hidden.string());
        const auto output = c.store.batch(c.batch) / "screened.gpkg",
                   summary = c.store.batch(c.batch) / "screened.json",
                   ranges = c.store.batch(c.batch) / "ranges.gpkg";
        if (!cleared.empty()) u.inputs["cleared ground"] = cleared.hash();
        u.outputs = {output, summary, ranges};
        u.memory = std::size_t{64} << 20;
        u.work = [&] {
            const auto industries = Industries::load();
            const Unobserved unobserved(hidden, crs);
            zones.cut(on_threads(c));
            auto [cases, looks] = screened(
                c, set, crs,
                {approvals, zones, industries, book, laws, clues, ground, unobserved, cleared, ranges_known});
            std::vector<const GroundFacts*> grounds;
            for (const auto& k : cases) grounds.push_back(&k.ground);
            write_screen_summary(summary, cases, book, {approvals, looks, batch_rules, ranges_known},
                                 ground.missing(c, grounds),
                                 layers_used(c, path, u.inputs.at("disturbances")));
            say(c, cases, words, approvals, ranges_known);
            const auto states = range_layer(approvals.projects, looks, batch_rules, crs);
            io::write_geopackage(ranges, {&states, 1});
            auto layer = case_layer(crs);
            layer.indexed = false;
            const auto erosion_words = load_erosion_words();
            const ProjectRegister owners(approvals.projects, load_dictionary("approvals"));
            const CaseWords meaning{approvals.projects, owners, zones, industries, words,
                                    erosion_words,      c.batch};
            const auto made = [&](std::size_t i) {
                auto row = case_row(cases[i], meaning);
                cases[i] = {};  // written once, held no longer
                return row;
            };
            io::write_geopackage(output, {&layer, 1}, [&](const io::PutRow& put) {
                rows_ahead(c.executor, cases.size(), made,
                           [&](std::size_t, const auto& row) { put(0, row); });
            });
        };
        const auto counts = c.executor.run("screen", {u});
        if (!c.executor.options().dry_run) tell_missing(c, summary);
        if (ranges_known) deliver_ranges(c, ranges);
        if (counts.skipped > 0) c.log.write(engine::LogLevel::info, "verdicts up to date", "screen");
    }

  private:
    // REQUIRES that screen.disturbances is given.
    static DisturbanceSet read_drawn(const RunContext& c) {
        return read_disturbances(c.settings.path("screen.disturbances"),
                                 {"", c.settings.text("screen.encoding"), ""});
    }

    // Every layer as run() reads it, in a plane where it lies: the polygons are not known yet.
    static void check_layers(RunContext& c) {
        const bool ranges_known = c.settings.text("approvals.path") != "none";
        const auto zones = c.settings.path_map("zones.layers");
        std::string crs = "EPSG:4546";
        if (ranges_known) {
            const auto path = c.settings.path("approvals.path");
            crs = plane_of(path);
            c.out << fmt::format("approvals: {} projects in {}\n", read_approvals(c, crs).projects.size(),
                                 path);
        } else {
            c.out << "approvals: none\n";
            if (!zones.empty()) crs = plane_of(zones.begin()->second);
        }
        if (c.settings.has("screen.disturbances")) {
            const auto path = c.settings.path("screen.disturbances");
            const auto set = read_drawn(c);
            report(c, set, path);
            c.out << fmt::format("disturbances: {} in {}\n", set.list.size(), path);
        }
        static_cast<void>(Zones(c, crs));
        if (!zones.empty()) c.out << fmt::format("zones: {} layers\n", zones.size());
        if (c.settings.has("screen.clues")) c.out << fmt::format("clues: {}\n", read_clues(c, crs).size());
    }

    static std::string plane_of(const std::string& path) {
        const auto extent = io::layer_extent(path);
        return io::is_geographic(extent.crs) ? local_crs(extent.crs, extent.bounds) : extent.crs;
    }

    static void require_approvals(const RunContext& c) {
        if (!c.settings.has("approvals.path"))
            throw Error(ErrorCode::usage, "approvals.path is not set.",
                        "Name the layer of approved ranges, or write `approvals.path: none`.");
        if (c.settings.text("approvals.path") != "none")
            require_layer("The layer of approvals", c.settings.path("approvals.path"),
                          "Correct approvals.path, or write `approvals.path: none`.");
    }

    // The state of every approved range goes out beside what was found.
    static void deliver_ranges(RunContext& c, const std::filesystem::path& ranges) {
        const auto output = c.output / "ranges.gpkg";
        if (c.executor.options().dry_run && !std::filesystem::exists(ranges)) return;
        engine::Unit u;
        u.id = fmt::format("{} {}", c.batch, output.string());
        u.inputs["ranges"] = engine::hash_file(ranges.string());
        u.outputs = {output};
        u.work = [&] {
            std::ifstream in(ranges, std::ios::binary);
            io::write_text(output, std::string(std::istreambuf_iterator<char>(in), {}));
        };
        c.executor.run("screen", {u});
    }

    struct Layers {
        const Approvals& approvals;
        const Zones& zones;
        const Industries& industries;
        const RuleBook& book;
        const Laws& laws;
        const std::vector<Clue>& clues;
        const Ground& ground;
        const Unobserved& unobserved;
        ClearedGround& cleared;
        bool ranges_known;
    };

    static Overlay::Each on_threads(const RunContext& c) {
        return [&c](std::size_t n, const std::function<void(std::size_t)>& body) {
            c.executor.parallel_for(n, body);
        };
    }

    struct Screened {
        std::vector<Case> cases;
        std::vector<RangeLook> looks;
    };

    // Takes the shapes out of the set.
    static Screened screened(const RunContext& c, DisturbanceSet& set, const std::string& crs,
                             const Layers& layers) {
        const auto types = load_dictionary("disturbances");
        const Overlay overlay({layers.approvals.projects, layers.zones, layers.industries, types, layers.laws,
                               layers.clues, layers.ground, layers.unobserved, layers.cleared, crs,
                               layers.ranges_known, layers.book.batch_end()});
        std::vector<std::vector<Case>> found(set.list.size());
        constexpr std::size_t chunk = 32;  // share one transformation, which is dear to make
        const auto each = on_threads(c);
        each((set.list.size() + chunk - 1) / chunk, [&](std::size_t k) {
            const io::Transformation to_geographic(crs, "EPSG:4490");
            for (std::size_t i = k * chunk; i < std::min(set.list.size(), (k + 1) * chunk); ++i) {
                auto& d = set.list[i];
                found[i] = overlay(d, fmt::format("{}-{:05}", c.batch, i + 1), to_geographic);
                d.shape = {};
            }
        });
        std::vector<Case> cases;
        cases.reserve(found.size());
        for (auto& list : found) std::move(list.begin(), list.end(), std::back_inserter(cases));
        auto looks = overlay.settle(cases, each);
        each(cases.size(), [&](std::size_t i) {
            auto& k = cases[i];
            k.judgement = algorithms::judge(k.facts, k.law->rules);
            k.judgement.trace = {};  // `explain` reasons again from the facts
        });
        return {std::move(cases), std::move(looks)};
    }

    static void say(const RunContext& c, const std::vector<Case>& cases, const engine::Dictionary& words,
                    const Approvals& approvals, bool ranges_known) {
        std::map<std::string, std::size_t> counts;
        for (const auto& k : cases)
            ++counts[words.text("verdicts", algorithms::verdict_code(k.judgement.verdict))];
        std::string text;
        for (const auto& [name, n] : counts)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, n);
        c.log.write(engine::LogLevel::info, text.empty() ? "no disturbances" : text, "screen");
        if (ranges_known && approvals.without_range > 0)
            c.log.write(
                engine::LogLevel::warn,
                fmt::format("{} of {} approved projects have no range in the layer: what lies in no range "
                            "may still be approved.",
                            approvals.without_range, approvals.projects.size() + approvals.without_range),
                "screen");
    }
};

const Registration<Stage, ScreenStage> registration{"screen", 50};

}  // namespace
}  // namespace shuibao::pipeline
