// SPDX-License-Identifier: Apache-2.0
#include "simulated_sensor.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace shuibao::pipeline {

algorithms::simulated::Picture by_other_sensor(algorithms::simulated::Picture picture, std::int64_t size,
                                               std::int64_t coarser, double offset) {
    // What a harmonisation between two sensors leaves.
    constexpr std::array<double, 4> gain = {0.97, 1.02, 1.03, 0.98};
    const std::int64_t side = (size + coarser - 1) / coarser;
    std::vector<std::uint16_t> scl(static_cast<std::size_t>(side * side));
    std::vector<std::vector<std::uint16_t>> bands(gain.size(), std::vector<std::uint16_t>(scl.size()));
    for (std::int64_t row = 0; row < side; ++row)
        for (std::int64_t col = 0; col < side; ++col) {
            const auto k = static_cast<std::size_t>(row * side + col);
            const std::int64_t r0 = row * coarser, c0 = col * coarser, r1 = std::min(size, r0 + coarser),
                               c1 = std::min(size, c0 + coarser);
            scl[k] = picture.scl[static_cast<std::size_t>((r0 + r1) / 2 * size + (c0 + c1) / 2)];
            for (std::size_t b = 0; b < gain.size(); ++b) {
                double sum = 0, n = 0;
                for (auto r = r0; r < r1; ++r)
                    for (auto c = c0; c < c1; ++c)
                        if (const auto v = picture.bands[b][static_cast<std::size_t>(r * size + c)]; v > 0)
                            sum += v, n += 1;
                if (n == 0) continue;
                const double reflectance = gain[b] * (sum / n * 1e-4 + offset);
                bands[b][k] = static_cast<std::uint16_t>(
                    std::clamp(std::round((reflectance - static_cast<double>(other_offset)) /
                                          static_cast<double>(other_scale)),
                               1.0, 65535.0));
            }
        }
    picture.scl = std::move(scl);
    picture.bands = std::move(bands);
    return picture;
}

}  // namespace shuibao::pipeline
