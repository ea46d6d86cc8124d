// SPDX-License-Identifier: Apache-2.0
// What all writers through GDAL share, and the name of a CRS as we write it. A dataset is held by GDAL's own
// GDALDatasetUniquePtr.
#pragma once

#include <filesystem>
#include <string>

#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {

/// Throws Error(failed) naming the path when something failed or GDAL had an error to tell.
void check(bool ok, const std::filesystem::path& path, const GdalMessages& messages);
/// Throws Error(failed) when this GDAL has no such driver.
[[nodiscard]] GDALDriver& driver(const char* name);
/// In traditional axis order: x east, y north.
[[nodiscard]] OGRSpatialReference reference(const std::string& crs);
/// The same; throws Error(input) when PROJ does not know it.
[[nodiscard]] OGRSpatialReference known_reference(const std::string& crs);
/// "EPSG:n" where the CRS has a code, else WKT; empty = none.
[[nodiscard]] std::string crs_name(const OGRSpatialReference* srs);

}  // namespace shuibao::io
