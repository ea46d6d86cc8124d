// SPDX-License-Identifier: Apache-2.0
// What the files for people have in common: words, the order of visits, the rows under their long names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "palette.hpp"
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {

/// configs/dictionaries/deliverables.yaml, and the words for tiers.
class ExportWords {
  public:
    explicit ExportWords(const RunContext& context);
    /// Chinese label of a field; the field's name where there is none.
    [[nodiscard]] std::string label(const std::string& field) const;
    [[nodiscard]] std::string text(std::string_view name) const;  ///< of the section `texts`
    /// Chinese title of a file by the first part of its name; the part itself where there is none.
    [[nodiscard]] std::string file_title(const std::string& stem) const;
    /// 0xRRGGBB of a tier's word; grey for words that are no tier.
    [[nodiscard]] std::uint32_t colour(const std::string& tier) const;
    /// Whether a field team goes to suspects of this tier.
    [[nodiscard]] bool visited(const std::string& tier) const;
    /// Whether this is the word for the tier of what is not sent out.
    [[nodiscard]] bool none(const std::string& tier) const;
    struct Column {
        std::string field;
        int decimals = 0;
        double width = 12;
    };
    [[nodiscard]] std::vector<Column> columns(std::string_view section) const;
    [[nodiscard]] const std::vector<std::string>& form() const;
    /// The empty fields of the 现场复核 record, for shapefiles and GeoPackages.
    [[nodiscard]] std::vector<io::Field> record() const;
    /// What a field team may find, as `feedback` takes it.
    [[nodiscard]] std::vector<std::string> findings() const;

  private:
    engine::Dictionary m_words, m_verdicts, m_feedback;
    Palette m_palette;
};

/// What the manifest hashes where ExportWords is used.
[[nodiscard]] std::map<std::string, std::string> word_inputs(const RunContext& context);

/// A place to go to.
struct Stop {
    const io::VectorFeature* feature = nullptr;
    Point place;             ///< inside it; CGCS2000 degrees, x = longitude
    std::int64_t order = 0;  ///< from 1 in its county; 0: nobody goes there
    /// "3 " before the number of a case that is the third to go to; nothing where nobody goes.
    [[nodiscard]] std::string turn() const;
};

/// The suspects in the order of rank, each with its turn on the way: tier after tier, beginning at the first
/// in rank, then always to the nearest of the same tier that is left (the first in rank of two as near), so
/// that what is urgent comes first and the way between is short. Every county has a way of its own. Tiers
/// that are not visited (rules.md §6: 低 gets a letter) have no turn. O(n²) within a tier.
[[nodiscard]] std::vector<Stop> visiting_order(const ExportLayer& suspects, const ExportWords& words);
/// By turn; those without one behind, as they were.
void sort_by_turn(std::vector<Stop>& stops);

/// The value under a name that the ledger knows: a field, `route` (null without a turn), `longitude`,
/// `latitude`, or `<x>_hm2`, which is the field `<x>_m2` in hectares.
[[nodiscard]] io::Value value_of(const Stop& stop, const std::string& name);
/// Texts as one plain line, other values as they are.
[[nodiscard]] io::Value plain(const io::Value& value);
/// As people read it: dates as 2024-05-25, real numbers with so many decimals, one line; empty for null.
[[nodiscard]] std::string shown(const io::Value& value, int decimals);

/// A layer with its long names: shapes as they are (in `crs`), texts as one plain line.
[[nodiscard]] io::LayerData long_layer(const ExportLayer& source);
/// The suspects with route, longitude and latitude behind the fields.
[[nodiscard]] io::LayerData long_layer(const ExportLayer& source, const std::vector<Stop>& stops);
/// More fields behind those there are, empty in every row.
void add_empty(io::LayerData& layer, const std::vector<io::Field>& fields);

/// A file of configs/styles as text, with the colours of tiers in their places. Throws Error(failed) when it
/// cannot be read.
[[nodiscard]] std::string style_text(const char* file);

}  // namespace shuibao::pipeline
