// SPDX-License-Identifier: Apache-2.0
// What writers of vector formats share: fields, values and features through OGR.
#pragma once

#include <ogrsf_frmts.h>

#include "dataset.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::io {

/// Creates the fields and writes the rows, then those of the source. `widths`: the format has fixed widths.
void fill_layer(OGRLayer& layer, const LayerData& data, const RowSource* source, bool widths,
                const std::filesystem::path& path, const GdalMessages& messages);

}  // namespace shuibao::io
