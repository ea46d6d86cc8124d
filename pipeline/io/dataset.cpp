// SPDX-License-Identifier: Apache-2.0
#include "dataset.hpp"

#include <fmt/format.h>

#include <shuibao/core/error.hpp>

namespace shuibao::io {

void check(bool ok, const std::filesystem::path& path, const GdalMessages& messages) {
    if (ok && messages.errors().empty()) return;
    throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", path.string(), messages.reason()),
                "Free some space or choose another folder; run the same command again.");
}

GDALDriver& driver(const char* name) {
    auto* d = GetGDALDriverManager()->GetDriverByName(name);
    if (d == nullptr)
        throw Error(ErrorCode::failed, fmt::format("This GDAL has no {} driver.", name),
                    "Install Debian's libgdal.");
    return *d;
}

OGRSpatialReference reference(const std::string& crs) {
    OGRSpatialReference srs;
    srs.SetFromUserInput(crs.c_str());
    srs.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

OGRSpatialReference known_reference(const std::string& crs) {
    OGRSpatialReference srs;
    const GdalMessages messages;
    if (srs.SetFromUserInput(crs.c_str()) != OGRERR_NONE)
        throw Error(ErrorCode::input, fmt::format("PROJ does not know the CRS '{}'.", crs.substr(0, 80)),
                    "Give an EPSG code, e.g. EPSG:4490.");
    srs.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

std::string crs_name(const OGRSpatialReference* srs) {
    if (srs == nullptr || srs->IsEmpty() != 0) return {};
    const char* authority = srs->GetAuthorityName(nullptr);
    const char* code = srs->GetAuthorityCode(nullptr);
    if (authority != nullptr && code != nullptr) return fmt::format("{}:{}", authority, code);
    char* wkt = nullptr;
    srs->exportToWkt(&wkt);
    std::string text = wkt == nullptr ? "" : wkt;
    CPLFree(wkt);
    return text;
}

}  // namespace shuibao::io
