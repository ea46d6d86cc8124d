// SPDX-License-Identifier: Apache-2.0
// Formats for other systems.
#include <array>

#include "vector_layer.hpp"
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::io {
namespace {

void write_one(const std::filesystem::path& path, const char* format, const LayerData& data,
               const char* const* options) {
    AtomicOutput out(path);
    {
        const GdalMessages messages;
        GDALDatasetUniquePtr d(driver(format).Create(out.temporary().c_str(), 0, 0, 0, GDT_Unknown, nullptr));
        check(d != nullptr, path, messages);
        auto srs = reference(data.crs);
        auto* layer = d->CreateLayer(data.name.c_str(), &srs, wkbMultiPolygon, const_cast<char**>(options));
        check(layer != nullptr, path, messages);
        fill_layer(*layer, data, false, path, messages);
        d.reset();
        check(true, path, messages);
    }
    out.commit();
}

}  // namespace

void write_geojson(const std::filesystem::path& path, const LayerData& data) {
    constexpr std::array<const char*, 4> options = {"RFC7946=YES", "COORDINATE_PRECISION=7", "WRITE_BBOX=YES",
                                                    nullptr};
    LayerData degrees = data;
    degrees.crs = "EPSG:4326";
    const Transformation move(data.crs, degrees.crs);
    for (auto& row : degrees.rows) row.shape = move(row.shape);
    write_one(path, "GeoJSON", degrees, options.data());
}

void write_flatgeobuf(const std::filesystem::path& path, const LayerData& data) {
    constexpr std::array<const char*, 2> options = {"SPATIAL_INDEX=YES", nullptr};
    // The format holds the CRS as WKT 2, which PROJ words differently after other questions; not from WKT 1.
    LayerData settled = data;
    settled.crs = crs_wkt(data.crs);
    write_one(path, "FlatGeobuf", settled, options.data());
}

}  // namespace shuibao::io
