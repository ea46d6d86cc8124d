// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include <shuibao/algorithms/erosion.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double per_square_kilometre = 100;  // t/hm² → t/km²
constexpr double steep_unit = 5;              // m: unit plot of faces and piles

}  // namespace

double csle_slope_factor(double slope) {
    const double sine = std::sin(slope * degree);
    if (slope < 5) return 10.8 * sine + 0.03;
    if (slope < 10) return 16.8 * sine - 0.5;
    return 21.9 * sine - 0.96;
}

double sl773_slope_factor(double slope) {
    return -1.5 + 17 / (1 + std::exp(2.3 - 6.1 * std::sin(slope * degree)));
}

double slope_length_exponent(double slope) {
    if (slope <= 1) return 0.2;
    if (slope <= 3) return 0.3;
    if (slope <= 5) return 0.4;
    return 0.5;
}

double slope_length_factor(double before, double piece, double exponent, LengthScale scale) {
    const double above = std::min(before, scale.cap), below = std::min(before + piece, scale.cap);
    const auto sum = [&](double length) { return std::pow(length, exponent + 1); };
    const double within = (sum(below) - sum(above)) / std::pow(scale.unit, exponent);
    const double beyond = (piece - (below - above)) * std::pow(scale.cap / scale.unit, exponent);
    return (within + beyond) / piece;
}

double cover_fraction(double ndvi, double bare, double full) {
    return std::clamp((ndvi - bare) / (full - bare), 0.0, 1.0);
}

double vegetation_factor(CoverModel model, double cover) {
    const double f = cover * 100;
    switch (model) {
        case CoverModel::grass:
            return 1 / (1.25 + 0.78845 * std::pow(1.05968, f));
        case CoverModel::shrub:
            return 1 / (1.17647 + 0.86242 * std::pow(1.05905, f));
        case CoverModel::cai:
            break;
    }
    if (f <= 0) return 1;
    return std::clamp(0.6508 - 0.3436 * std::log10(f), 0.0, 1.0);
}

double soil_loss(double erosivity, double erodibility, double length_slope, double vegetation,
                 double engineering, double tillage) {
    return per_square_kilometre * erosivity * erodibility * length_slope * vegetation * engineering * tillage;
}

double cut_face_loss(double erosivity, const CutFace& face, double cap) {
    const double g = 0.004 * std::exp(4.28 * face.silt * (1 - face.clay) / face.density);
    const double l = slope_length_factor(0, face.length, -0.57, {steep_unit, cap});
    const double s = 0.80 * std::sin(face.slope * degree) + 0.38;
    return per_square_kilometre * erosivity * g * l * s;
}

double pile_loss(double erosivity, const Pile& pile, double cap) {
    const double g = pile.a * std::exp(pile.b * pile.gravel);
    const double l = slope_length_factor(0, pile.length, pile.f, {steep_unit, cap});
    const double s = std::pow(pile.slope / 25, pile.d);
    return per_square_kilometre * pile.shape * erosivity * g * l * s;
}

}  // namespace shuibao::algorithms
