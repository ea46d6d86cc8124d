// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/exporter.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

// What was written before and is made no longer (a county without a disturbance now, a zone) must not lie
// among what is sent. Only files that an exporter wrote are ever removed.
class Written {
  public:
    Written(std::filesystem::path record, std::filesystem::path folder)
        : m_record(std::move(record)), m_folder(std::move(folder)) {
        std::ifstream in(m_record);
        const auto json = nlohmann::json::parse(in, nullptr, false);
        if (json.is_object())
            for (const auto& [name, files] : json.items())
                if (files.is_array())
                    for (const auto& file : files)
                        if (file.is_string()) m_files[name].insert(file.get<std::string>());
    }
    /// Before the work: a run that is killed half way has written some of these.
    void begin(const std::string& exporter, const std::vector<std::string>& files) {
        const auto before = m_files[exporter].size();
        m_files[exporter].insert(files.begin(), files.end());
        if (m_files[exporter].size() != before) save();
    }
    void end(const std::string& exporter, const std::vector<std::string>& files) {
        const std::set<std::string> now(files.begin(), files.end());
        if (m_files[exporter] == now) return;
        for (const auto& file : m_files[exporter]) {
            const std::filesystem::path path(file);
            if (now.contains(file) || path.is_absolute() ||
                std::find(path.begin(), path.end(), "..") != path.end())
                continue;
            std::error_code ignored;
            std::filesystem::remove(m_folder / path, ignored);
            if (path.has_parent_path())  // goes only when it is empty
                std::filesystem::remove(m_folder / path.parent_path(), ignored);
        }
        m_files[exporter] = now;
        save();
    }

  private:
    void save() const { io::write_text(m_record, nlohmann::json(m_files).dump(1) + "\n"); }
    std::filesystem::path m_record, m_folder;
    std::map<std::string, std::set<std::string>> m_files;
};

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
    void check(RunContext& c) const override {
        auto wanted = c.settings.list("export.formats");
        if (wanted.empty())
            for (const auto& e : ExporterRegistry::all()) wanted.push_back(e.name);
        c.out << fmt::format("export: {} into {}\n", fmt::join(wanted, ", "), (c.output / "export").string());
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
        const auto counties = counties_of(disturbances);
        Written written(
            c.store.exported(c.batch,
                             engine::hash_bytes(std::filesystem::absolute(folder).string()).substr(0, 8)),
            folder);
        std::vector<std::string> earlier;
        for (const auto& entry : ExporterRegistry::all()) {
            if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end())
                continue;
            const auto exporter = entry.make();
            std::vector<ExportInput> parts;
            for (const auto& county : parts_of(exporter->info().scope, counties))
                parts.push_back({c, c.batch, !county, county.value_or(""),
                                 package_stem(county.value_or(""), c.batch), layer_of(disturbances, county),
                                 layer_of(suspects, county), earlier});
            std::vector<engine::Unit> units;
            std::vector<std::string> made;
            for (const auto& part : parts) {
                const auto place = part.whole ? folder : folder / part.stem;
                const auto files = exporter->files(part);
                if (files.empty()) continue;
                engine::Unit u;
                u.id = fmt::format("{} {} {}", c.batch, entry.name, place.string());
                u.inputs = c.settings.canonical("export." + entry.name + ".");
                u.inputs.merge(exporter->inputs(part));
                u.inputs["disturbances"] = hash;
                for (const auto& file : files) {
                    u.outputs.push_back(place / file);
                    made.push_back(part.whole ? file : part.stem + "/" + file);
                }
                u.work = [&exporter, &part, &c, place, first = place / files.front()] {
                    exporter->write(part, place);
                    c.log.write(engine::LogLevel::info, first.string(), "export");
                };
                units.push_back(std::move(u));
            }
            const bool dry = c.executor.options().dry_run;
            if (!dry) written.begin(entry.name, made);
            c.executor.run("export", std::move(units));
            if (!dry) written.end(entry.name, made);
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
                               {"per", scope_name(info.scope)},
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

    static const char* scope_name(ExportScope scope) {
        return scope == ExportScope::batch ? "batch" : scope == ExportScope::county ? "county" : "both";
    }

    // By name. A batch without any disturbance is a result too, and has its files.
    static std::set<std::string> counties_of(const io::VectorLayer& disturbances) {
        std::set<std::string> names;
        for (const auto& f : disturbances.features) names.insert(text_of(f, "county"));
        if (names.empty()) names.insert("");
        return names;
    }

    // What an exporter is called for: nothing stands for the whole batch.
    static std::vector<std::optional<std::string>> parts_of(ExportScope scope,
                                                            const std::set<std::string>& counties) {
        std::vector<std::optional<std::string>> parts;
        if (scope == ExportScope::batch || (scope == ExportScope::both && counties.size() > 1))
            parts.emplace_back();
        if (scope != ExportScope::batch) parts.insert(parts.end(), counties.begin(), counties.end());
        return parts;
    }

    static ExportLayer layer_of(const io::VectorLayer& from, const std::optional<std::string>& county) {
        ExportLayer to{from.name, from.crs, from.fields, from.types, {}};
        for (const auto& f : from.features)
            if (!county || text_of(f, "county") == *county) to.rows.push_back(&f);
        return to;
    }
};

const Registration<Stage, ExportStage> registration{"export", 70};

}  // namespace
}  // namespace shuibao::pipeline
