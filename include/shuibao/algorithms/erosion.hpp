// SPDX-License-Identifier: Apache-2.0
// Soil loss by water: factors of SL 773-2018 and of CSLE, classes of SL 190-2007 (rules §7). Slopes are in
// degrees, lengths in m along the horizontal, moduli in t/(km²·a); R is in MJ·mm/(hm²·h·a), K in
// t·hm²·h/(hm²·MJ·mm), all other factors have no unit. A modulus is good for a class and never for a number
// that is shown: errors of R, K and cover multiply.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/rule_spec.hpp>

namespace shuibao::algorithms {

/// Intensity of water erosion (SL 190-2007): 微度, 轻度, 中度, 强烈, 极强烈, 剧烈.
enum class ErosionClass { slight, light, moderate, strong, very_strong, severe };
[[nodiscard]] std::string_view erosion_code(ErosionClass c);
[[nodiscard]] std::optional<ErosionClass> erosion_from_code(std::string_view code);
/// The rule item that gives the points of a class; empty for `slight`, which has none.
[[nodiscard]] std::string erosion_rule(ErosionClass c);

/// Where the classes begin. They must rise.
struct ErosionLimits {
    double tolerable = 0;           ///< the region's tolerable loss T: below it nothing counts as erosion
    std::array<double, 4> above{};  ///< light ends, moderate ends, strong ends, very strong ends
    [[nodiscard]] bool rise() const;
};
/// Class of a mean modulus. A limit belongs to the class that it opens; the last, to the class that it ends.
[[nodiscard]] ErosionClass erosion_class(double modulus, const ErosionLimits& limits);
/// "2500–5000", "<200" or ">15000": all that is told of a modulus.
[[nodiscard]] std::string erosion_range(ErosionClass c, const ErosionLimits& limits);

/// Sheet erosion of ground without crops by slope and share of vegetation cover (0–1): the table of SL
/// 190-2007 that needs neither rain nor soil. Slight below 5° and above 75 % cover.
[[nodiscard]] ErosionClass erosion_by_slope_and_cover(double slope, double cover);

/// Slope factor of CSLE: 10.8 sin θ + 0.03 below 5° and 16.8 sin θ − 0.5 below 10° (McCool et al. 1987),
/// 21.9 sin θ − 0.96 from 10° on (Liu, Nearing & Risse 1994). The step at 10° is theirs.
[[nodiscard]] double csle_slope_factor(double slope);
/// Slope factor of SL 773-2018: −1.5 + 17 / (1 + e^(2.3 − 6.1 sin θ)) (Nearing 1997).
[[nodiscard]] double sl773_slope_factor(double slope);
/// Exponent of slope length (Wischmeier & Smith 1978): 0.2 up to 1°, 0.3 up to 3°, 0.4 up to 5°, 0.5 above.
[[nodiscard]] double slope_length_exponent(double slope);

/// What slope length is measured against.
struct LengthScale {
    double unit = 22.13;  ///< length of the unit plot, m: CSLE 22.13, SL 773 20 (5 for faces and piles)
    double cap = 300;     ///< slopes longer than this count as so long, m
};
/// Length factor of the piece of a slope that begins `before` m below its top and is `piece` m long:
/// (λ_out^(m+1) − λ_in^(m+1)) / ((λ_out − λ_in) · unit^m) (Foster & Wischmeier 1974). Beyond the cap it is
/// (cap / unit)^m, so that the mean over all pieces of an even slope is (min(λ, cap) / unit)^m however it is
/// cut. REQUIRES piece > 0, m > −1.
[[nodiscard]] double slope_length_factor(double before, double piece, double exponent, LengthScale scale);

/// Share of ground under green plants, 0–1, from NDVI by the dimidiate pixel model (Gutman & Ignatov 1998);
/// `bare` and `full` are the NDVI of bare ground and of closed cover. REQUIRES bare < full.
[[nodiscard]] double cover_fraction(double ndvi, double bare, double full);

/// How vegetation is turned into factor B.
enum class CoverModel {
    cai,    ///< 0.6508 − 0.3436 lg f, f in %: 1 where bare, 0 above 78.3 % (Cai et al. 2000)
    grass,  ///< 1 / (1.25 + 0.78845 · 1.05968^f), f in %: grassland of the CSLE guide
    shrub,  ///< 1 / (1.17647 + 0.86242 · 1.05905^f), f in %: shrubs and tea of the CSLE guide
};
/// Factor B, 0–1; `cover` is a share of ground, held for the whole year.
[[nodiscard]] double vegetation_factor(CoverModel model, double cover);

/// Modulus by M = R · K · (L · S) · B · E · T; the ground's own K, or K_yd = 2.13 K where it was turned over.
[[nodiscard]] double soil_loss(double erosivity, double erodibility, double length_slope, double vegetation,
                               double engineering, double tillage);

/// A face cut into the ground, with no water from above (SL 773-2018, 工程开挖面).
struct CutFace {
    double silt = 0, clay = 0;  ///< shares of the soil, 0–1
    double density = 0;         ///< g/cm³
    double slope = 0;           ///< degrees, of the face and not of the ground before
    double length = 0;          ///< m along the horizontal
};
/// M = R · G · L · S with G = 0.004 e^(4.28 SIL (1 − CLA) / ρ), L = (λ / 5)^−0.57, S = 0.80 sin θ + 0.38.
[[nodiscard]] double cut_face_loss(double erosivity, const CutFace& face, double cap);

/// A heap of spoil, with no water from above (SL 773-2018, 工程堆积体); coefficients from the standard's
/// tables.
struct Pile {
    double shape = 1;     ///< X
    double a = 0, b = 0;  ///< of the soil
    double gravel = 0;    ///< share of the mass, 0–1
    double d = 0, f = 0;  ///< exponents of slope and of length
    double slope = 0;     ///< degrees, of the heap's side
    double length = 0;    ///< m along the horizontal
};
/// M = X · R · G · L · S with G = a e^(b δ), L = (λ / 5)^f, S = (θ / 25)^d.
[[nodiscard]] double pile_loss(double erosivity, const Pile& pile, double cap);

/// Rule items that erosion needs, of a rule set.
[[nodiscard]] std::vector<RuleSpec> erosion_rule_items();

}  // namespace shuibao::algorithms
