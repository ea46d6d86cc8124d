// SPDX-License-Identifier: Apache-2.0
// An exporter: one kind of file that people receive, one file of code, registered where it stands.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/registry.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// Rows of one layer of <output>/disturbances.gpkg; the features belong to the stage, which outlives the
/// call. Fields and values: contract of that file. Shapes: CRS `crs`, metres or degrees as the grid has them.
struct ExportLayer {
    std::string name, crs;
    std::vector<std::string> fields;
    std::vector<io::FieldType> types;            ///< of the fields
    std::vector<const io::VectorFeature*> rows;  ///< in the order of rank
};

/// What all exporters work from.
struct ExportInput {
    const RunContext& run;  ///< settings, store, output, executor.parallel_for, log: to read, not to change
    std::string batch;      ///< YYYYMM
    bool whole = true;      ///< the whole batch, not one county
    std::string county;     ///< of one county only; empty: those of which no county is known
    std::string stem;       ///< package_stem(county, batch)
    ExportLayer disturbances, suspects;
    /// What the exporters before this one have written, as paths relative to <output>/export/, sorted.
    const std::vector<std::string>& earlier;
};

enum class ExportScope {
    batch,   ///< once; files lie in <output>/export/
    county,  ///< once per county with a disturbance; files lie in <output>/export/<stem>/ and are packed
    both,    ///< as county, and as batch where there are several counties
};

/// What `export --list` and the documentation say.
struct ExporterInfo {
    std::string summary;  ///< one line: file names and what is in them
    std::string purpose;  ///< for whom, to open with what
    ExportScope scope = ExportScope::batch;
};

class Exporter {
  public:
    virtual ~Exporter() = default;
    [[nodiscard]] virtual ExporterInfo info() const = 0;
    /// Declares options under `export.<name>.`, if any; they are hashed for the manifest by themselves.
    virtual void declare(OptionTable& /*table*/) const {}
    /// What the result depends on besides the ranked layers, the options of `export.<name>.` and the program:
    /// name → hash or value (images, styles, options of other stages).
    [[nodiscard]] virtual std::map<std::string, std::string> inputs(const ExportInput& /*input*/) const {
        return {};
    }
    /// Files that write() will make, relative to `folder`, the one to open first; empty: nothing to do.
    [[nodiscard]] virtual std::vector<std::string> files(const ExportInput& input) const = 0;
    /// Writes them, each through io::AtomicOutput (or what uses it), so that nothing half-written ever stands
    /// under a final name: the stage publishes all files of a call together. Called for several counties at
    /// once. Throws Error.
    virtual void write(const ExportInput& input, const std::filesystem::path& folder) const = 0;
};

/// Registered order decides what runs first: 10–49 files by themselves (evidence pages 15), 50–89 what links
/// to them, 90 the packages, 95 what lists them.
using ExporterRegistry = Registry<Exporter>;

/// "RDTB_<county>_<batch>", or "RDTB_<batch>" without a county: a name that every file system takes. What it
/// replaces in a county's name is told apart by a hash, so that two counties never share a name.
[[nodiscard]] std::string package_stem(std::string_view county, std::string_view batch);
/// Where the evidence page of a case lies inside the county's folder: "evidence/<case>.html".
[[nodiscard]] std::string evidence_page(std::string_view case_id);

/// Of its picture, with the outlines drawn in: "evidence/<case>_before.jpg", for `which` "before" or "after".
[[nodiscard]] std::string evidence_picture(std::string_view case_id, std::string_view which);

/// The value of a field; null where the layer has no such field.
[[nodiscard]] io::Value field_of(const io::VectorFeature& feature, const std::string& name);
/// The same as text; empty for null.
[[nodiscard]] std::string text_of(const io::VectorFeature& feature, const std::string& name);

}  // namespace shuibao::pipeline
