// SPDX-License-Identifier: Apache-2.0
// The report of a batch on paper: totals, map, tables, and the first of the list.
#pragma once

#include <filesystem>

#include "report_data.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline {

/// Writes pages of A4. Throws Error as io::PageFile.
void write_report_pdf(const std::filesystem::path& path, const ExportInput& input,
                      const BatchSummary& summary, const Mosaic& mosaic, const PageWords& words);
/// The map with its legend, `width` points wide at most. Gives its height; 0 where there are no images.
double draw_report_map(io::PageFile& page, const ExportInput& input, const BatchSummary& summary,
                       const PageWords& words, const Mosaic& mosaic, double x, double y, double width);

}  // namespace shuibao::pipeline
