// SPDX-License-Identifier: Apache-2.0
// What writers of vector formats share: fields, values and features through OGR.
#pragma once

#include <ogrsf_frmts.h>

#include "dataset.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::io {

/// `widths`: the format has fixed widths.
void create_fields(OGRLayer& layer, const LayerData& data, bool widths, const std::filesystem::path& path,
                   const GdalMessages& messages);
void write_row(OGRLayer& layer, const LayerData& data, const LayerData::Row& row,
               const std::filesystem::path& path, const GdalMessages& messages);
/// Both, for the rows that the layer has.
void fill_layer(OGRLayer& layer, const LayerData& data, bool widths, const std::filesystem::path& path,
                const GdalMessages& messages);

}  // namespace shuibao::io
