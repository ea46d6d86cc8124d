// SPDX-License-Identifier: Apache-2.0
// Approved responsibility ranges (防治责任范围), dissolved per project.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// Parts of a project that were approved on one day.
struct DatedPart {
    Date approved;
    io::Geometry range;
};

/// One approved project with all its parts.
struct Project {
    std::string key;  ///< project number where the layer has one, else name and owner
    std::string name, owner, type, authority, credit, status;
    std::vector<std::string> parts;   ///< 组成部分, sorted
    std::optional<Date> approved;     ///< earliest approval date of its parts
    std::vector<DatedPart> dated;     ///< exact parts by their day, where there are several days; else empty
    std::optional<Date> accepted;     ///< latest acceptance date of its parts
    bool under_construction = false;  ///< its status says so; false when no status is stated
    double declared_area = 0;         ///< DAREA, m²; the area of the ranges when it is not stated
    io::Geometry exact, schematic;    ///< dissolved; either may be empty
    io::Geometry spoil, borrow;       ///< exact ranges of approved spoil and borrow yards, dissolved
    io::Geometry yards_schematic;     ///< yards of either kind that are drawn schematically
};

/// The layer of approvals, and how much of what was approved it shows.
struct Approvals {
    std::vector<Project> projects;  ///< with a range, sorted by key
    std::size_t without_range = 0;  ///< projects that the layer names but does not draw
    /// Share of the approved projects in the layer that have a range: what every statistic must carry.
    [[nodiscard]] double share_with_range() const {
        const auto all = static_cast<double>(projects.size() + without_range);
        return all > 0 ? static_cast<double>(projects.size()) / all : 0;
    }
};

/// Whether there is a layer at all: `approvals.path` names one.
[[nodiscard]] bool ranges_given(const RunContext& context);

/// Reads `approvals.path` into `crs`. What was mended goes to context.notes, what was lost to
/// context.problems. Throws Error(input) when the layer has no range, or no field names a project.
[[nodiscard]] Approvals read_approvals(RunContext& context, const std::string& crs);

/// One polygon of the layer as it is drawn: a part of a project (组成部分), or all of it.
struct DrawnRange {
    std::string key, name, owner, type, authority, part;  ///< as Project has them
    std::optional<Date> approved;
    bool schematic = false;  ///< 示意性范围
    io::Geometry shape;
};
/// The same layer to be shown, polygon by polygon in the order of the file; none where there is no layer.
/// Says nothing of what was mended: read_approvals() did. Throws Error(input) when it cannot be read.
[[nodiscard]] std::vector<DrawnRange> drawn_ranges(const RunContext& context, const std::string& crs);
/// Hash of the layer and of what decides how it is read, for the manifest.
[[nodiscard]] std::map<std::string, std::string> drawn_range_hashes(const RunContext& context);

void declare_approvals(OptionTable& table);

}  // namespace shuibao::pipeline
