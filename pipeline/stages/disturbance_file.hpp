// SPDX-License-Identifier: Apache-2.0
// Disturbances on disk, between delineate and screen.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/disturbance.hpp>
#include <shuibao/engine/dictionary.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

[[nodiscard]] std::string_view kind_name(ChangeKind kind);
[[nodiscard]] ChangeKind kind_from_name(std::string_view name);

struct DisturbanceSet {
    std::string crs;
    std::vector<Disturbance> list;
    std::vector<std::int64_t> rows;  ///< of the list, as the layer counts them
    std::vector<io::LayerNote> notes;
};

/// What an object was judged by, as further fields of its row; for people, no later stage reads it.
struct Measures {
    std::vector<std::string> names;
    std::vector<std::vector<double>> values;  ///< a row for each disturbance
};

void write_disturbances(const std::filesystem::path& path, const std::string& crs,
                        const std::vector<Disturbance>& list, const Measures& measures = {});

/// Reads what delineate wrote, or polygons that people digitised: every attribute may be missing. Field names
/// come from configs/dictionaries/disturbances.yaml. Throws Error(input) as io::read_layer.
[[nodiscard]] DisturbanceSet read_disturbances(const std::string& path, const io::ReadOptions& options);

/// Value of the first field whose name is one of these, whatever the case; null when there is none.
[[nodiscard]] io::Value field_value(const io::Attributes& values, const std::vector<std::string>& names);
[[nodiscard]] io::Value field_value(const io::VectorFeature& feature, const std::vector<std::string>& names);

/// field_value() for row after row: where a field stands is looked up once for all rows that share their
/// names. For one thread.
class FieldFinder {
  public:
    /// By the names that the dictionary's section `fields` gives for ours. It outlives this.
    explicit FieldFinder(const engine::Dictionary& words) : m_words(words) {}
    [[nodiscard]] const io::Value& operator()(const io::VectorFeature& row, std::string_view ours);

  private:
    const engine::Dictionary& m_words;
    std::shared_ptr<const io::FieldNames> m_names;
    std::map<std::string, std::optional<std::size_t>, std::less<>> m_places;
};

}  // namespace shuibao::pipeline
