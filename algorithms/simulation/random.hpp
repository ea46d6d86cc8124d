// SPDX-License-Identifier: Apache-2.0
// Random numbers as a hash of a counter: any pixel's can be had by itself, no thread or library changes them.
#pragma once

#include <cmath>
#include <cstdint>

namespace shuibao::algorithms::simulated {

/// SplitMix64 (Steele, Lea and Flood 2014).
inline std::uint64_t mix(std::uint64_t z) {
    z += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
/// Key of part `n` of the thing with this key.
inline std::uint64_t part(std::uint64_t key, std::uint64_t n) {
    return mix(key ^ (n + 1) * 0xD1B54A32D192ED03ULL);
}
inline double uniform(std::uint64_t key) {
    return static_cast<double>(mix(key) >> 11) * 0x1.0p-53;
}
/// Sum of four uniforms, standardised: near enough to a Gaussian here, and exact everywhere.
inline double gauss(std::uint64_t key) {
    double sum = -2;
    for (std::uint64_t i = 0; i < 4; ++i) sum += uniform(key * 4 + i);
    return sum * std::sqrt(3.0);
}

/// Draws one after the other from one key.
class Draws {
  public:
    explicit Draws(std::uint64_t key) : m_key(mix(key)) {}
    double uniform() { return simulated::uniform(m_key + m_n++); }
    double uniform(double low, double high) { return low + uniform() * (high - low); }
    double gauss() { return simulated::gauss(part(m_key, m_n++)); }
    bool chance(double p) { return uniform() < p; }

  private:
    std::uint64_t m_key, m_n = 0;
};

/// Smooth noise of a given wavelength, 0–1.
inline double waves(std::uint64_t seed, double x, double y, double wavelength) {
    x /= wavelength;
    y /= wavelength;
    const double fx = std::floor(x), fy = std::floor(y);
    const auto corner = [&](double cx, double cy) {
        return uniform(mix(seed) ^ (static_cast<std::uint64_t>(static_cast<std::int64_t>(cx)) * 73856093ULL) ^
                       (static_cast<std::uint64_t>(static_cast<std::int64_t>(cy)) * 19349663ULL));
    };
    const auto ease = [](double t) { return t * t * (3 - 2 * t); };
    const double u = ease(x - fx), v = ease(y - fy);
    return (corner(fx, fy) * (1 - u) + corner(fx + 1, fy) * u) * (1 - v) +
           (corner(fx, fy + 1) * (1 - u) + corner(fx + 1, fy + 1) * u) * v;
}

/// Two octaves in turned frames, 0–1: no edge follows the lattice, as those of waves() do.
inline double billows(std::uint64_t seed, double x, double y, double wavelength) {
    const double u = 0.839 * x + 0.545 * y, v = -0.545 * x + 0.839 * y,  // 33°
        s = 0.326 * x + 0.946 * y, t = -0.946 * x + 0.326 * y;           // 71°
    return 0.68 * waves(seed, u, v, wavelength) + 0.32 * waves(seed + 0x51ED, s, t, 0.43 * wavelength);
}

}  // namespace shuibao::algorithms::simulated
