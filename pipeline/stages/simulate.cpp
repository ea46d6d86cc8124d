// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "simulated_files.hpp"
#include <shuibao/algorithms/simulation.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Landscape;
using io::FieldType;

struct Look {
    const char* date;
    int day_of_year;
    bool opened;
};
// Two springs a year apart: the fields are not at the same stage on any two days.
constexpr Look looks[] = {{"2023-05-06", 126, false},
                          {"2023-05-21", 141, false},
                          {"2024-05-10", 131, true},
                          {"2024-05-25", 146, true}};

std::uint16_t scl_of(Quality q) {
    switch (q) {
        case Quality::cloud:
            return 9;
        case Quality::shadow:
            return 3;
        case Quality::water:
            return 6;
        default:
            return 4;
    }
}

// What a site is in law, in turn; the truth that screen must find.
enum class Case { unapproved, compliant, exceeds, before_approval };
const char* code_of(Case c) {
    switch (c) {
        case Case::unapproved:
            return "unapproved";
        case Case::compliant:
            return "compliant";
        case Case::exceeds:
            return "exceeds";
        case Case::before_approval:
            return "before_approval";
    }
    return "";
}

class SimulateStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Make an archive with known truth",
                .description =
                    "Writes an invented landscape into a folder: STAC Items, images with clouds and masks, "
                    "approved ranges (GBK shapefile), the true sites with their verdicts, and a "
                    "configuration to run it. A pair is four images of two springs; a series is every pass "
                    "over some years, with crops, weather, look-alikes and the day each site opened.",
                .example = {"shuibao simulate demo && shuibao run demo/run.yaml",
                            "shuibao simulate plain --kind series --size 1000 --from 2021-01-01 --to "
                            "2023-12-31"},
                .positional = "simulate.folder",
                .in_run = false,
                .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "simulate.folder",
               .type = OptionType::path,
               .fallback = "demo",
               .help = "Folder to write to"});
        t.add({.key = "simulate.kind",
               .type = OptionType::choice,
               .fallback = "pair",
               .help = "pair: four images of two springs; series: every pass over some years",
               .choices = {"pair", "series"}});
        t.add({.key = "simulate.size",
               .type = OptionType::integer,
               .fallback = "800",
               .help = "Pixels a side, 10 m each; a series at most 4096",
               .min = 128,
               .max = 8192});
        t.add({.key = "simulate.sites",
               .type = OptionType::integer,
               .fallback = "24",
               .help = "Sites opened between the epochs, or in the monitored time, as far as there is room",
               .min = 0,
               .max = 10000});
        t.add({.key = "simulate.cloud",
               .type = OptionType::number,
               .fallback = "0.08",
               .help = "Rough share of cloud in a pair; a series has the weather of the plain",
               .min = 0,
               .max = 0.6});
        t.add({.key = "simulate.seed",
               .type = OptionType::integer,
               .fallback = "1",
               .help = "Another number, another landscape",
               .min = 0,
               .max = 1e9});
        declare_simulated_series(t);
    }

    void run(RunContext& c) const override {
        const std::filesystem::path folder = c.settings.path("simulate.folder");
        const auto config = folder / "run.yaml";
        if (std::filesystem::exists(config) && !c.overwrite)
            throw Error(ErrorCode::usage, fmt::format("{} exists.", config.string()),
                        "Choose another folder, or say --overwrite.");
        for (const auto& part : {folder, folder / "images", folder / "catalog"})
            io::sweep_temporaries(part, io::Depth::folder);
        clear_archive(folder);
        if (c.settings.text("simulate.kind") == "series") return simulate_series(c, folder);
        algorithms::SimulationOptions o;
        o.size = c.settings.integer("simulate.size");
        o.sites = static_cast<int>(c.settings.integer("simulate.sites"));
        o.cloud = c.settings.number("simulate.cloud");
        o.seed = static_cast<std::uint64_t>(c.settings.integer("simulate.seed"));
        const auto landscape = algorithms::simulate_landscape(o);
        const SimulatedArea area(o.size);
        c.executor.parallel_for(std::size(looks), [&](std::size_t i) {
            write_look(folder, area, landscape, static_cast<int>(i));
        });
        std::vector<SceneName> names;
        std::transform(std::begin(looks), std::end(looks), std::back_inserter(names), name_of);
        write_collection(folder, area, names);
        write_truth(folder, area, landscape);
        write_run_config(folder);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} sites, {} images of {} × {} px → {}", landscape.sites.size(),
                                std::size(looks), o.size, o.size, config.string()),
                    "simulate");
    }

  private:
    // What an earlier archive left would be catalogued with this one; run.yaml goes first, as it says that
    // the archive is complete.
    static void clear_archive(const std::filesystem::path& folder) {
        std::filesystem::remove(folder / "run.yaml");
        for (const char* part : {"images", "catalog"}) {
            if (!std::filesystem::exists(folder / part)) continue;
            std::vector<std::filesystem::path> old;
            for (const auto& e : std::filesystem::directory_iterator(folder / part))
                if (const auto name = e.path().filename().string();
                    name.starts_with("demo_") || name.starts_with("series_"))
                    old.push_back(e.path());
            for (const auto& file : old) std::filesystem::remove(file);
        }
    }

    static SceneName name_of(const Look& look) { return {"demo_", *Date::parse(look.date)}; }

    static void write_look(const std::filesystem::path& folder, const SimulatedArea& area,
                           const Landscape& landscape, int i) {
        const auto& look = looks[i];
        const auto block = algorithms::simulate_look(landscape, i, look.day_of_year, look.opened,
                                                     area.window.col, area.window.row);
        static constexpr const char* names[] = {"blue", "green", "red", "nir", "swir16", "swir22"};
        SimulatedScene scene;
        scene.name = name_of(look);
        for (int b = 0; b < block.planes(); ++b)
            scene.bands.push_back({names[b], block.plane(b), {1e-4F, -0.1F}});
        std::vector<std::uint16_t> scl(block.pixels());
        std::transform(block.quality().begin(), block.quality().end(), scl.begin(), scl_of);
        scene.scl = scl;
        write_scene(folder, area, scene);
    }

    static void write_truth(const std::filesystem::path& folder, const SimulatedArea& area,
                            const Landscape& landscape) {
        io::LayerData truth{"truth",
                            SimulatedArea::crs,
                            {{"truth_id", FieldType::integer},
                             {"onset_from", FieldType::date},
                             {"onset_to", FieldType::date},
                             {"verdict", FieldType::text}},
                            {}};
        SimulatedApprovals approvals;
        for (std::size_t i = 0; i < landscape.sites.size(); ++i) {
            const auto site = area.shape_of(landscape.sites[i]);
            const auto number = static_cast<std::int64_t>(i);
            Case kind = static_cast<Case>(i % 4);
            // Too little of a small site would lie outside to count as exceeding.
            if (kind == Case::exceeds && landscape.sites[i].pixels < 80) kind = Case::compliant;
            truth.rows.push_back({site,
                                  {number, *Date::parse(looks[1].date), *Date::parse(looks[2].date),
                                   std::string(code_of(kind))}});
            if (kind == Case::unapproved) continue;
            approvals.add(number, kind == Case::exceeds ? part_of_site(site, Side::west) : site.buffered(15),
                          *Date::parse(kind == Case::before_approval ? "2024-12-01" : "2022-09-01"));
        }
        io::write_geopackage(folder / "truth.gpkg", std::span(&truth, 1));
        approvals.write(folder);
    }
};

const Registration<Stage, SimulateStage> registration{"simulate", 200};

}  // namespace
}  // namespace shuibao::pipeline
