// SPDX-License-Identifier: Apache-2.0
// One stage of the pipeline run inside the test's process, in a folder of its own.
#pragma once

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "scratch.hpp"
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::test {

/// GDAL's drivers, once per process.
inline void gdal_ready() {
    static const bool ready = [] {
        io::gdal_setup({});
        return true;
    }();
    static_cast<void>(ready);
}

/// A scratch folder whose files are named by texts, with GDAL ready to write them.
class TemporaryFolder {
  public:
    TemporaryFolder() { gdal_ready(); }
    [[nodiscard]] const std::filesystem::path& path() const { return m_scratch.path(); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path() / name).string(); }

  private:
    Scratch m_scratch;
};

/// What a stage needs around it: settings from `options`, store and output in `folder`.
class Bench {
  public:
    Bench(const std::filesystem::path& folder, const std::map<std::string, std::string>& options,
          const std::string& batch = "")
        : m_table(table()),
          m_settings(m_table),
          m_store(folder / "store"),
          m_log({.level = engine::LogLevel::error, .file = (folder / "log.txt").string()}),
          m_executor({.jobs = 2, .code_version = "test"}, m_store, m_log, m_problems),
          m_context{m_settings,        m_store, m_executor, m_log, m_problems,
                    folder / "output", batch,   true,       m_out} {
        gdal_ready();
        for (const auto& [key, value] : options) m_settings.set(key, value, "test", folder);
    }
    void run(const std::string& name) {
        const auto stage = pipeline::StageRegistry::make(name);
        stage->require(m_context);
        stage->run(m_context);
    }

    [[nodiscard]] pipeline::RunContext& context() { return m_context; }
    [[nodiscard]] std::vector<engine::Problem> problems() const { return m_problems.sorted(); }
    [[nodiscard]] const std::vector<engine::Problem>& notes() const { return m_context.notes; }
    [[nodiscard]] std::string out() const { return m_out.str(); }

  private:
    static OptionTable table() {
        OptionTable t;
        t.add({.key = "batch", .help = ""});
        for (const auto& entry : pipeline::StageRegistry::all()) entry.make()->declare(t);
        return t;
    }
    OptionTable m_table;
    engine::Settings m_settings;
    engine::Store m_store;
    engine::Log m_log;
    engine::Problems m_problems{m_log};
    engine::Executor m_executor;
    std::ostringstream m_out;
    pipeline::RunContext m_context;
};

/// Rows that screen or rank wrote, by case_id.
inline std::map<std::string, io::VectorFeature> rows_by_case(const std::string& gpkg) {
    std::map<std::string, io::VectorFeature> rows;
    for (auto& f : io::read_layer(gpkg).features) rows.emplace(io::to_text(f.values.at("case_id")), f);
    return rows;
}

inline std::string text_of(const io::VectorFeature& f, const std::string& field) {
    return io::to_text(f.values.at(field));
}
inline double number_of(const io::VectorFeature& f, const std::string& field) {
    return io::to_number(f.values.at(field)).value_or(0);
}

}  // namespace shuibao::test
