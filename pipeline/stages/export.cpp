// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <set>

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
        if (c.list) return list(c);
        resolve_batch(c);
        const auto input = c.output / "disturbances.gpkg";
        if (!std::filesystem::exists(input)) {
            if (c.executor.options().dry_run) return;
            throw Error(ErrorCode::usage, fmt::format("{} does not exist.", input.string()),
                        "Run `shuibao rank` first, or `shuibao run`.");
        }
        const auto wanted = c.settings.list("export.formats");
        const auto disturbances = io::read_layer(input.string(), {"disturbances", "", ""}),
                   suspects = io::read_layer(input.string(), {"suspects", "", ""});
        const auto hash = engine::hash_file(input.string());
        const auto folder = c.output / "export";
        std::vector<std::string> earlier;
        for (const auto& entry : ExporterRegistry::all()) {
            if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end())
                continue;
            const auto exporter = entry.make();
            const bool by_county = exporter->info().scope == ExportScope::county;
            std::vector<ExportInput> parts;
            for (const auto& county : counties_of(disturbances, by_county))
                parts.push_back({c, c.batch, county.value_or(""), package_stem(county.value_or(""), c.batch),
                                 layer_of(disturbances, county), layer_of(suspects, county), earlier});
            std::vector<engine::Unit> units;
            std::vector<std::string> made;
            for (const auto& part : parts) {
                const auto place = by_county ? folder / part.stem : folder;
                const auto files = exporter->files(part);
                if (files.empty()) continue;
                engine::Unit u;
                u.id = fmt::format("{} {} {}", c.batch, entry.name, place.string());
                u.inputs = c.settings.canonical("export." + entry.name + ".");
                u.inputs.merge(exporter->inputs(part));
                u.inputs["disturbances"] = hash;
                for (const auto& file : files) {
                    u.outputs.push_back(place / file);
                    made.push_back(by_county ? part.stem + "/" + file : file);
                }
                u.work = [&exporter, &part, &c, place, first = place / files.front()] {
                    exporter->write(part, place);
                    c.log.write(engine::LogLevel::info, first.string(), "export");
                };
                units.push_back(std::move(u));
            }
            c.executor.run("export", std::move(units));
            earlier.insert(earlier.end(), made.begin(), made.end());
            std::sort(earlier.begin(), earlier.end());
        }
    }

  private:
    static void list(RunContext& c) {
        auto all = nlohmann::ordered_json::array();
        for (const auto& e : ExporterRegistry::all()) {
            const auto exporter = e.make();
            const auto info = exporter->info();
            OptionTable options;
            exporter->declare(options);
            if (c.json) {
                auto keys = nlohmann::ordered_json::array();
                for (const auto& o : options.all()) keys.push_back(o.key);
                all.push_back({{"name", e.name},
                               {"summary", info.summary},
                               {"purpose", info.purpose},
                               {"per", info.scope == ExportScope::county ? "county" : "batch"},
                               {"options", std::move(keys)}});
                continue;
            }
            c.out << fmt::format("{:<12}{}\n{:<12}{}\n", e.name, info.summary, "", info.purpose);
            for (const auto& o : options.all())
                c.out << fmt::format("{:<12}{}: {}{}\n", "", o.key, o.help,
                                     o.fallback.empty() ? "" : " [" + o.fallback + "]");
        }
        if (c.json) c.out << all.dump(1) << "\n";
    }

    // One nothing for the whole batch, or each county that has a disturbance, by name. A batch without any is
    // a result too, and has its files.
    static std::vector<std::optional<std::string>> counties_of(const io::VectorLayer& disturbances,
                                                               bool by_county) {
        if (!by_county) return {std::nullopt};
        std::set<std::string> names;
        for (const auto& f : disturbances.features) names.insert(text_of(f, "county"));
        if (names.empty()) names.insert("");
        return {names.begin(), names.end()};
    }

    static ExportLayer layer_of(const io::VectorLayer& from, const std::optional<std::string>& county) {
        ExportLayer to{from.name, from.crs, from.fields, {}};
        for (const auto& f : from.features)
            if (!county || text_of(f, "county") == *county) to.rows.push_back(&f);
        return to;
    }
};

const Registration<Stage, ExportStage> registration{"export", 70};

}  // namespace
}  // namespace shuibao::pipeline
