// SPDX-License-Identifier: Apache-2.0
// What writers of vector formats share: fields, values and features through OGR, and its failures as ours.
#pragma once

#include <memory>

#include <gdal_priv.h>
#include <ogrsf_frmts.h>

#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::io {

struct CloseDataset {
    void operator()(GDALDataset* d) const { GDALClose(d); }
};
using DatasetPtr = std::unique_ptr<GDALDataset, CloseDataset>;

/// Throws Error(failed) naming the path when something failed or GDAL had an error to tell.
void check(bool ok, const std::filesystem::path& path, const GdalMessages& messages);
/// Throws Error(failed) when this GDAL has no such driver.
[[nodiscard]] GDALDriver& driver(const char* name);
/// In traditional axis order: x east, y north.
[[nodiscard]] OGRSpatialReference reference(const std::string& crs);
/// Creates the fields and writes the rows, then those of the source. `widths`: the format has fixed widths.
void fill_layer(OGRLayer& layer, const LayerData& data, const RowSource* source, bool widths,
                const std::filesystem::path& path, const GdalMessages& messages);

}  // namespace shuibao::io
