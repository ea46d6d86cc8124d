// SPDX-License-Identifier: Apache-2.0
// An exporter: one kind of file that people receive, one file of code, registered where it stands.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <shuibao/core/registry.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What all exporters work from: the layers of <output>/disturbances.gpkg.
struct ExportInput {
    const io::VectorLayer& disturbances;
    const io::VectorLayer& suspects;
    std::string batch;
};

class Exporter {
  public:
    virtual ~Exporter() = default;
    [[nodiscard]] virtual std::string summary() const = 0;  ///< one line for `export --list`
    /// Declares options under `export.<name>.`, if any.
    virtual void declare(OptionTable& /*table*/) const {}
    /// Names of the files that write() will make of this input, sorted; the first is the one to open.
    [[nodiscard]] virtual std::vector<std::string> files(const ExportInput& input,
                                                         const engine::Settings& settings) const = 0;
    /// Writes them into `folder`, each atomically.
    virtual void write(const ExportInput& input, const engine::Settings& settings,
                       const std::filesystem::path& folder) const = 0;
};

using ExporterRegistry = Registry<Exporter>;

}  // namespace shuibao::pipeline
