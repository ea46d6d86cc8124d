// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/exporter.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

class ExportStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Write what people receive",
                .description =
                    "<output>/disturbances.gpkg → <output>/export/: every format that "
                    "`export --list` names, or those of export.formats.",
                .example = {"shuibao export -c run.yaml", "shuibao export --list"}};
    }

    void declare(OptionTable& t) const override {
        std::string names;
        for (const auto& e : ExporterRegistry::all()) names += (names.empty() ? "" : ", ") + e.name;
        t.add({.key = "export.formats",
               .type = OptionType::list,
               .help = "Which of " + names + "; default: all"});
        for (const auto& e : ExporterRegistry::all()) e.make()->declare(t);
    }

    void require(const RunContext& c) const override {
        std::vector<std::string> known;
        for (const auto& e : ExporterRegistry::all()) known.push_back(e.name);
        for (const auto& name : c.settings.list("export.formats"))
            if (std::find(known.begin(), known.end(), name) == known.end()) {
                const auto near = nearest_of(name, known);
                throw Error(ErrorCode::usage,
                            fmt::format("{}: 'export.formats' cannot hold '{}'.",
                                        c.settings.origin("export.formats"), name),
                            near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                                         : fmt::format("Did you mean '{}'?", near));
            }
    }
    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.batch.empty() && !c.list ? c.store.acquisitions_file() : std::filesystem::path();
    }
    void run(RunContext& c) const override {
        if (c.list) {
            auto list = nlohmann::ordered_json::array();
            for (const auto& e : ExporterRegistry::all())
                if (c.json)
                    list.push_back({{"name", e.name}, {"summary", e.make()->summary()}});
                else
                    c.out << fmt::format("{:<12}{}\n", e.name, e.make()->summary());
            if (c.json) c.out << list.dump(1) << "\n";
            return;
        }
        resolve_batch(c);
        const auto input = c.output / "disturbances.gpkg";
        if (!std::filesystem::exists(input)) {
            if (c.executor.options().dry_run) return;
            throw Error(ErrorCode::usage, fmt::format("{} does not exist.", input.string()),
                        "Run `shuibao rank` first, or `shuibao run`.");
        }
        std::vector<std::string> formats = c.settings.list("export.formats");
        if (formats.empty())
            for (const auto& e : ExporterRegistry::all()) formats.push_back(e.name);
        const auto disturbances = io::read_layer(input.string(), {"disturbances", "", ""}),
                   suspects = io::read_layer(input.string(), {"suspects", "", ""});
        const ExportInput data{disturbances, suspects, c.batch};
        const auto hash = engine::hash_file(input.string());
        const auto folder = c.output / "export";
        for (const auto& name : formats) {
            const auto exporter = ExporterRegistry::make(name);
            engine::Unit u;
            u.id = fmt::format("{} {} {}", c.batch, name, folder.string());
            u.inputs = c.settings.canonical("export." + name + ".");
            u.inputs["disturbances"] = hash;
            const auto files = exporter->files(data, c.settings);
            for (const auto& file : files) u.outputs.push_back(folder / file);
            u.work = [&] {
                exporter->write(data, c.settings, folder);
                c.log.write(engine::LogLevel::info, (folder / files.front()).string(), "export");
            };
            c.executor.run("export", {u});
        }
    }
};

const Registration<Stage, ExportStage> registration{"export", 70};

}  // namespace
}  // namespace shuibao::pipeline
