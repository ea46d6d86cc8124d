// SPDX-License-Identifier: Apache-2.0
// Pieces of QGIS's own XML (3.22): styles with column titles, layers of a project.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "field_rows.hpp"

namespace shuibao::pipeline {

/// Field → title, in the order of the columns.
using ColumnTitles = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] ColumnTitles titles_of(const io::LayerData& layer, const ExportWords& words);
[[nodiscard]] ColumnTitles titles_of(const std::vector<std::string>& fields, const ExportWords& words);

/// A style (QML) with the titles as aliases of its fields.
[[nodiscard]] std::string with_titles(const std::string& qml, const ColumnTitles& titles);

/// One layer of a project.
struct ProjectLayer {
    std::string id;             ///< at least 11 characters: QGIS gives shorter ones up
    std::string title, source;  ///< source relative to the project
    std::string style;          ///< QML
    std::string crs;
    bool raster = false, shown = true;
    bool read_only = false;  ///< QGIS lets nobody edit it
};
/// A project of these layers, the first on top, opening on `extent` (in the CRS of the first layer). Paths
/// are relative; nothing in it names the machine or the time. QGIS 3.22's format.
[[nodiscard]] std::string project_text(const std::string& title, const std::vector<ProjectLayer>& layers,
                                       const Bounds& extent);

}  // namespace shuibao::pipeline
