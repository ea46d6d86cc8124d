// SPDX-License-Identifier: Apache-2.0
// Elementary functions for vectors of pixels. Own polynomials, because libm's results depend on the
// processor.
#pragma once

#include <bit>
#include <cstdint>

namespace shuibao::algorithms {

/// Compiled for the processors people have; the arithmetic is the same, operation by operation, so are the
/// bits.
#define SHUIBAO_LANES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

/// Of what is called from those, so that it is compiled for the processor too.
#define SHUIBAO_INLINE __attribute__((always_inline))

/// e^x, relative error below 2e-7 in [-80, 80]; saturates outside.
inline float lane_exp(float x) {
    const float c = x < -80.0F ? -80.0F : x > 80.0F ? 80.0F : x;
    const float t = c * 1.44269504F;
    const float r = static_cast<float>(static_cast<std::int32_t>(t + (t < 0 ? -0.5F : 0.5F)));
    const float f = (c - r * 0.693359375F) + r * 2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * f + 1.3981999507e-3F;
    p = p * f + 8.3334519073e-3F;
    p = p * f + 4.1665795894e-2F;
    p = p * f + 1.6666665459e-1F;
    p = p * f + 5.0000001201e-1F;
    p = p * f * f + f + 1.0F;
    return p * std::bit_cast<float>((static_cast<std::int32_t>(r) + 127) << 23);
}

/// ln x for finite normal x > 0, absolute error below 3e-7 · max(1, |ln x|).
inline float lane_log(float x) {
    const auto bits = std::bit_cast<std::int32_t>(x);
    // Mantissa in [√½, √2).
    const std::int32_t shifted = bits - 0x3F3504F3;
    const std::int32_t e = shifted >> 23;
    const float m = std::bit_cast<float>(bits - (e << 23)) - 1.0F;
    float p = 7.0376836292e-2F;
    p = p * m - 1.1514610310e-1F;
    p = p * m + 1.1676998740e-1F;
    p = p * m - 1.2420140846e-1F;
    p = p * m + 1.4249322787e-1F;
    p = p * m - 1.6668057665e-1F;
    p = p * m + 2.0000714765e-1F;
    p = p * m - 2.4999993993e-1F;
    p = p * m + 3.3333331174e-1F;
    const float z = m * m;
    const auto k = static_cast<float>(e);
    return (m * z * p + k * -2.12194440e-4F - 0.5F * z) + m + k * 0.693359375F;
}

/// Nearest integer, halves away from zero; |x| < 2³¹.
inline std::int32_t lane_round(float x) {
    return static_cast<std::int32_t>(x + (x < 0 ? -0.5F : 0.5F));
}

}  // namespace shuibao::algorithms
