// SPDX-License-Identifier: Apache-2.0
#include <shuibao/algorithms/masks.hpp>

namespace shuibao::algorithms {

Quality quality_of_scl(std::uint16_t code) {
    switch (code) {
        case 0:
            return Quality::nodata;
        case 1:
            return Quality::saturated;
        case 3:
            return Quality::shadow;
        case 6:
            return Quality::water;
        case 8:
        case 9:
            return Quality::cloud;
        case 10:
            return Quality::cirrus;
        case 11:
            return Quality::snow;
        default:
            return code <= 11 ? Quality::clear : Quality::nodata;
    }
}

Quality quality_of_qa_pixel(std::uint16_t bits) {
    const auto bit = [bits](int n) { return ((bits >> n) & 1) != 0; };
    if (bit(0)) return Quality::nodata;
    if (bit(3) || bit(1)) return Quality::cloud;
    if (bit(2)) return Quality::cirrus;
    if (bit(4)) return Quality::shadow;
    if (bit(5)) return Quality::snow;
    return bit(7) ? Quality::water : Quality::clear;
}

Quality quality_of_fmask(std::uint16_t code) {
    switch (code) {
        case 0:
            return Quality::clear;
        case 1:
            return Quality::water;
        case 2:
            return Quality::shadow;
        case 3:
            return Quality::snow;
        case 4:
            return Quality::cloud;
        default:
            return Quality::nodata;
    }
}

namespace {

// near[i] = 1 when a source lies within `reach` along the line that starts at `first` with this stride.
void spread_line(const std::vector<std::uint8_t>& source, std::vector<std::uint8_t>& near, std::size_t first,
                 std::size_t stride, std::size_t n, int reach) {
    const auto r = static_cast<std::size_t>(reach);
    std::size_t since = r + 1;
    for (std::size_t i = 0; i < n; ++i) {
        since = source[first + i * stride] != 0 ? 0 : since + 1;
        near[first + i * stride] = since <= r ? 1 : 0;
    }
    since = r + 1;
    for (std::size_t i = n; i-- > 0;) {
        since = source[first + i * stride] != 0 ? 0 : since + 1;
        if (since <= r) near[first + i * stride] = 1;
    }
}

std::vector<std::uint8_t> spread(const std::vector<std::uint8_t>& source, std::size_t cols, std::size_t rows,
                                 int reach) {
    std::vector<std::uint8_t> across(source.size()), both(source.size());
    for (std::size_t y = 0; y < rows; ++y) spread_line(source, across, y * cols, 1, cols, reach);
    for (std::size_t x = 0; x < cols; ++x) spread_line(across, both, x, cols, rows, reach);
    return both;
}

}  // namespace

void grow_masks(std::span<Quality> quality, std::size_t cols, std::size_t rows, int cloud_px, int shadow_px) {
    std::vector<std::uint8_t> cloud(quality.size()), shadow(quality.size());
    bool any = false;
    for (std::size_t i = 0; i < quality.size(); ++i) {
        cloud[i] = quality[i] == Quality::cloud || quality[i] == Quality::cirrus ? 1 : 0;
        shadow[i] = quality[i] == Quality::shadow ? 1 : 0;
        any = any || cloud[i] != 0 || shadow[i] != 0;
    }
    if (!any) return;
    const auto near_cloud = spread(cloud, cols, rows, cloud_px),
               near_shadow = spread(shadow, cols, rows, shadow_px);
    for (std::size_t i = 0; i < quality.size(); ++i)
        if (usable(quality[i]) && (near_cloud[i] != 0 || near_shadow[i] != 0)) quality[i] = Quality::guard;
}

}  // namespace shuibao::algorithms
