// SPDX-License-Identifier: Apache-2.0
// An OGR source opened for reading, with the bytes of its texts checked: shared by layers and tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ogrsf_frmts.h>

#include <shuibao/io/vector.hpp>

namespace shuibao::io {

/// `options` are GDAL's open options. Throws Error(input) for what is not there, lies on the network unasked,
/// or is no vector source.
[[nodiscard]] GDALDatasetUniquePtr open_vector(const std::string& path,
                                               std::vector<const char*> options = {});
/// Authority code or WKT. Throws Error(input) without a CRS and for datums that cannot be trusted here.
[[nodiscard]] std::string crs_of(const OGRLayer& layer, const std::string& path);
/// The layer of this name, or the first with geometries. Throws Error(input) when there is none.
[[nodiscard]] OGRLayer& layer_of(GDALDataset& d, const std::string& path, const std::string& name);
/// With its dot, in lower case.
[[nodiscard]] std::string extension_of(const std::string& path);

/// Texts of one source: decided once from what is declared and what the bytes are.
class Decoder {
  public:
    /// `wanted` overrides what a shapefile's .cpg says; notes go to `notes`, which must outlive it. Throws
    /// Error(usage) for an encoding that is none and Error(input) for a shapefile without its .dbf.
    Decoder(const std::string& path, const std::string& wanted, std::vector<LayerNote>& notes);
    [[nodiscard]] std::string operator()(const char* bytes, std::int64_t row);

  private:
    std::vector<LayerNote>& m_notes;
    std::string m_encoding;
    bool m_raw = false, m_noted = false;
    bool m_declared = false;  ///< somebody said the encoding
};

[[nodiscard]] Value value_of(const OGRFeature& f, int i, Decoder& decode, std::int64_t row);

}  // namespace shuibao::io
