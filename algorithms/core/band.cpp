// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include <shuibao/core/band.hpp>

namespace shuibao {
namespace {

constexpr std::array<std::string_view, band_count> names = {
    "coastal", "blue",  "green",  "red",    "rededge071", "rededge075", "rededge078", "nir",
    "nir08",   "nir09", "cirrus", "swir16", "swir22",     "pan",        "ndvi",
};
// Spellings seen in older catalogues (stac-extensions/eo before 1.1 had one `rededge`).
constexpr std::array<std::pair<std::string_view, Band>, 5> aliases = {{
    {"rededge", Band::rededge071},
    {"rededge70", Band::rededge071},
    {"swir1", Band::swir16},
    {"swir2", Band::swir22},
    {"panchromatic", Band::pan},
}};

}  // namespace

std::string_view common_name(Band band) {
    return names[static_cast<std::size_t>(band)];
}

std::optional<Band> band_from_common_name(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<Band>(i);
    for (const auto& [alias, band] : aliases)
        if (alias == name) return band;
    return std::nullopt;
}

}  // namespace shuibao
