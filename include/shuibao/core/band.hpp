// SPDX-License-Identifier: Apache-2.0
// Bands by role, never by position: the vocabulary shared by sensors, tiles and detectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shuibao {

/// Spectral roles, named by the common names of the STAC eo extension; `ndvi` is the index itself, of
/// archives that hold nothing else.
enum class Band : std::uint8_t {
    coastal,
    blue,
    green,
    red,
    rededge071,
    rededge075,
    rededge078,
    nir,
    nir08,
    nir09,
    cirrus,
    swir16,
    swir22,
    pan,
    ndvi,
};
inline constexpr int band_count = 15;

[[nodiscard]] std::string_view common_name(Band band);
/// Also accepts the spellings of STAC 1.1 and of older catalogues (`rededge` = rededge071, `swir1` = swir16
/// …).
[[nodiscard]] std::optional<Band> band_from_common_name(std::string_view name);

/// Stored integer → physical value: value = stored * scale + offset.
struct Scaling {
    float scale = 1.0F;
    float offset = 0.0F;
    bool operator==(const Scaling&) const = default;
};

}  // namespace shuibao
