// SPDX-License-Identifier: Apache-2.0
// What writers of vector formats share: fields, values and features through OGR.
#pragma once

#include <ogrsf_frmts.h>

#include "dataset.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::io {

/// Creates the fields and writes the rows that the layer has. `widths`: the format has fixed widths.
void fill_layer(OGRLayer& layer, const LayerData& data, bool widths, const std::filesystem::path& path,
                const GdalMessages& messages);
/// A row more.
void write_row(OGRLayer& layer, const LayerData& data, const LayerData::Row& row,
               const std::filesystem::path& path, const GdalMessages& messages);

}  // namespace shuibao::io
