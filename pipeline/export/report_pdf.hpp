// SPDX-License-Identifier: Apache-2.0
// The report of a batch on paper: totals, map, tables, and the first of the list.
#pragma once

#include <filesystem>

#include "report_data.hpp"

namespace shuibao::pipeline {

/// Writes pages of A4. Throws Error as io::PageFile.
void write_report_pdf(const std::filesystem::path& path, const ExportInput& input,
                      const BatchSummary& summary, const Mosaic& mosaic, const PageWords& words);

}  // namespace shuibao::pipeline
