// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <shuibao/algorithms/composite.hpp>

namespace shuibao::algorithms {

Composite composite(std::span<const Image> images) {
    Composite c;
    c.image = images.front();
    c.image.date = images.back().date;
    const std::size_t n = c.image.pixels.pixels();
    c.first.assign(n, 0);
    c.last.assign(n, 0);
    for (const auto& image : images) {
        c.image.reflectance = c.image.reflectance && image.reflectance;
        const auto day = static_cast<std::uint16_t>(std::clamp(image.date.days(), 1, 65534));
        const auto q = image.pixels.quality();
        for (std::size_t i = 0; i < n; ++i) {
            if (!usable(q[i])) continue;
            if (c.first[i] == 0) c.first[i] = day;
            c.last[i] = day;
        }
    }
    if (images.size() == 1) return c;

    const auto quality = c.image.pixels.quality();
    std::vector<std::uint16_t> looks(images.size());
    for (std::size_t i = 0; i < n; ++i)
        for (const auto& image : images)
            if (const Quality q = image.pixels.quality()[i]; usable(q)) {
                quality[i] = q;  // the latest look says whether it is water
            } else if (!usable(quality[i])) {
                quality[i] = std::max(quality[i], q);
            }
    for (int p = 0; p < c.image.pixels.planes(); ++p) {
        const auto own = c.image.scaling[static_cast<std::size_t>(p)];
        const auto out = c.image.pixels.plane(p);
        for (std::size_t i = 0; i < n; ++i) {
            std::size_t m = 0;
            for (const auto& image : images) {
                if (!usable(image.pixels.quality()[i])) continue;
                const auto s = image.scaling[static_cast<std::size_t>(p)];
                const auto v = image.pixels.plane(p)[i];
                looks[m++] = s == own
                                 ? v
                                 : static_cast<std::uint16_t>(std::clamp(
                                       std::lround((static_cast<float>(v) * s.scale + s.offset - own.offset) /
                                                   own.scale),
                                       0L, 65535L));
            }
            if (m == 0) continue;
            const auto middle = looks.begin() + static_cast<std::ptrdiff_t>((m - 1) / 2);
            std::nth_element(looks.begin(), middle, looks.begin() + static_cast<std::ptrdiff_t>(m));
            out[i] = *middle;
        }
    }
    return c;
}

}  // namespace shuibao::algorithms
