// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <gdal_priv.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/photo.hpp>

namespace shuibao::io {
namespace {

// "(33) (12) (7.25)": degrees, minutes, seconds; or one number.
std::optional<double> sexagesimal(const char* text) {
    if (text == nullptr) return std::nullopt;
    double sum = 0, unit = 1;
    bool any = false;
    for (const char* at = text; *at != 0 && unit < 1e4;) {
        if (*at == '(' || *at == ')' || *at == ' ') {
            ++at;
            continue;
        }
        char* end = nullptr;
        const double v = std::strtod(at, &end);
        if (end == at || !std::isfinite(v)) return std::nullopt;
        sum += v / unit;
        unit *= 60;
        any = true;
        at = end;
    }
    return any ? std::optional(sum) : std::nullopt;
}

}  // namespace

PhotoPlace photo_place(const std::string& path) {
    const GdalMessages messages;
    const GDALDatasetUniquePtr d(
        GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR));
    if (!d)
        throw Error(ErrorCode::input, fmt::format("{} is no image: {}.", path, messages.reason()),
                    "Send the photograph as the camera made it.");
    const auto item = [&](const char* name) { return d->GetMetadataItem(name); };
    const auto signed_by = [&](std::optional<double> v, const char* reference, char negative) {
        const char* r = item(reference);
        return v && r != nullptr && *r == negative ? std::optional(-*v) : v;
    };
    PhotoPlace p;
    const auto latitude = signed_by(sexagesimal(item("EXIF_GPSLatitude")), "EXIF_GPSLatitudeRef", 'S'),
               longitude = signed_by(sexagesimal(item("EXIF_GPSLongitude")), "EXIF_GPSLongitudeRef", 'W');
    if (latitude && longitude && std::abs(*latitude) <= 90 && std::abs(*longitude) <= 180)
        p.place = Point{*longitude, *latitude};
    if (const auto a = sexagesimal(item("EXIF_GPSImgDirection")); a && *a >= 0 && *a <= 360) p.azimuth = *a;
    return p;
}

}  // namespace shuibao::io
