// SPDX-License-Identifier: Apache-2.0
// What a series detector looks at of each look: greenness, soil signature and brightness, as small integers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <shuibao/core/block.hpp>

namespace shuibao::algorithms {

inline constexpr std::size_t feature_count = 3;
inline constexpr std::size_t lane_count = 16;  ///< pixels that one vector operation works on
inline constexpr float feature_unit = 8192;    ///< stored steps per unit of a feature
/// In place of the first feature: this look does not see the pixel.
inline constexpr std::int16_t not_seen = INT16_MIN;

/// Whether a look shows any pixel of a block; `look` is its first feature. Without an early end, which would
/// take the lanes one by one.
[[nodiscard]] inline bool shows_any(const std::int16_t* look) {
    int any = 0;
    for (std::size_t l = 0; l < lane_count; ++l) any |= look[l] ^ not_seen;
    return any != 0;
}

/// One material in feature space: independent normal densities.
struct Material {
    std::array<float, feature_count> mean, spread;
    float share;  ///< of the mixture it belongs to
};

/// A choice of features, with what bare ground looks like in them.
struct FeatureSet {
    std::vector<Band> bands;                ///< needed, ascending
    float soil_max_ndvi, soil_min_index;    ///< a look is of bare soil when NDVI is below and the index above
    float film_min_index, film_brightness;  ///< bright ground of a lower index counts as bare too
    float cloud_brightness;                 ///< what is brighter than this is no ground
    float bare_max_ndvi;                    ///< no season rises above this: ground without vegetation
    std::array<Material, 3> opened;         ///< freshly opened ground: subsoil, other bare material, built
    Material film;        ///< plastic over beds, laid for the first time: what fields do, not what sites do
    Material field_soil;  ///< bare fields in general; what a pixel's own soil is shrunk to
    float soil_least_ndvi = -2;        ///< where nothing else tells cloud and snow from soil
    std::size_t told = feature_count;  ///< so many of the features its looks tell; the others stand still
};

/// NDVI, BSI (Rikimaru 2002) and ln((red + nir + swir16)/3) where all have swir16; else NDVI, (R−G)/(R+G) and
/// ln((red + nir)/2). `algorithms.md` §2.2.
[[nodiscard]] const FeatureSet& swir_features();
[[nodiscard]] const FeatureSet& visible_features();
/// NDVI where an archive holds nothing else. The other two stand where bare fields have them, in every look
/// and every material, and are integrated out of all densities: nothing differs in them.
[[nodiscard]] const FeatureSet& ndvi_alone();
/// The first where blue and swir16 are among the bands, the last where ndvi is and red is not.
[[nodiscard]] const FeatureSet& features_for(std::span<const Band> bands);

/// One of the two former for a look that does not tell the second feature: it is integrated out of all
/// densities, so that its factor is 1 whatever stands there.
[[nodiscard]] const FeatureSet& without_index(const FeatureSet& set);
/// The spread with which a standard normal density has the value 1 at its mean.
inline constexpr float integrated_out = 0.39894228F;  // 1/√(2π)

/// Looks at one window as vectors of `lane_count` pixels: [block of pixels][look][feature][lane], so that all
/// looks of a pixel lie together.
class LookStack {
  public:
    /// Memory is kept from one window to the next: every look must be put before a block is read. Features of
    /// what is not seen may be anything.
    void reset(std::size_t pixels, std::size_t looks);
    /// Look number `at`; pixels that are not usable become not_seen. REQUIRES the bands of `set`; of
    /// swir_features() swir16 may be lacking where the bands of visible_features() are there. Such a look
    /// tells no BSI: it has (R−G)/(R+G) in its place, and a brightness that is estimated from the others.
    void put(std::size_t at, const Image& image, const FeatureSet& set);
    /// Whether look number `at` has the second feature of its set.
    [[nodiscard]] bool tells_index(std::size_t at) const { return m_tells_index[at]; }

    [[nodiscard]] std::size_t blocks() const { return (m_pixels + lane_count - 1) / lane_count; }
    [[nodiscard]] std::size_t looks() const { return m_looks; }
    /// First value of a block: looks() × feature_count × lane_count follow.
    [[nodiscard]] const std::int16_t* block(std::size_t b) const {
        return m_values.data() + b * m_looks * feature_count * lane_count;
    }
    [[nodiscard]] static std::size_t bytes(std::size_t pixels, std::size_t looks) {
        return pixels * looks * feature_count * sizeof(std::int16_t);
    }

  private:
    std::size_t m_pixels = 0, m_looks = 0;
    std::vector<std::int16_t> m_values;
    std::vector<bool> m_tells_index;
};

}  // namespace shuibao::algorithms
