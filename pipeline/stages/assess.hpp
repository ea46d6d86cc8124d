// SPDX-License-Identifier: Apache-2.0
// What `assess` knows of the objects it compares, and what it can say of them beyond the scores.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rounded.hpp"
#include <shuibao/core/date.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// One polygon of the reference or of the result.
struct AssessedObject {
    io::Geometry shape;
    Bounds bounds;
    double area = 0, confidence = 1;
    std::string verdict, id;
    std::int64_t row = 0;  ///< of its layer
    std::optional<Date> onset, complete, from, to, first_clear;
    std::map<std::string, std::string> fields;  ///< all it came with, as text

    bool hit = false;                       ///< reference: found; result: right
    const AssessedObject* match = nullptr;  ///< reference: the found object that it shares most with
    std::optional<Date> reported = {};      ///< reference: when enough of it had been suspected
};

/// Reference × result by verdict, with what was missed and what was invented; precision and recall of each
/// verdict, and Cohen's kappa. Verdicts are codes; objects are judged already; those below `min_area` (m²) do
/// not count.
[[nodiscard]] nlohmann::ordered_json verdict_table(const std::vector<AssessedObject>& truth,
                                                   const std::vector<AssessedObject>& found, double min_area);
/// The table of it, for a terminal.
[[nodiscard]] std::string verdict_text(const nlohmann::ordered_json& table);

/// Declares `assess.cover`, `assess.method` and `assess.each`.
void declare_details(OptionTable& table);

/// What the options ask for, appended to `j`. `truth` and `found` are judged already; those below `min_area`
/// (m²) do not count. `crs` is that of both. Throws Error(usage) for a method without days of alarm,
/// Error(input) for files that cannot be read.
void add_details(RunContext& context, const std::string& crs, std::vector<AssessedObject>& truth,
                 const std::vector<AssessedObject>& found, double min_area, nlohmann::ordered_json& j);

}  // namespace shuibao::pipeline
