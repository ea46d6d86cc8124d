// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <shuibao/algorithms/erosion.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::array<std::string_view, 6> codes = {"slight", "light",       "moderate",
                                                   "strong", "very_strong", "severe"};

std::string whole(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.0f", value);
    return text.data();
}

}  // namespace

std::string_view erosion_code(ErosionClass c) {
    return codes.at(static_cast<std::size_t>(c));
}

std::optional<ErosionClass> erosion_from_code(std::string_view code) {
    const auto it = std::find(codes.begin(), codes.end(), code);
    if (it == codes.end()) return std::nullopt;
    return static_cast<ErosionClass>(it - codes.begin());
}

std::string erosion_rule(ErosionClass c) {
    return c == ErosionClass::slight ? std::string() : "points_erosion_" + std::string(erosion_code(c));
}

bool ErosionLimits::rise() const {
    double last = tolerable;
    if (last <= 0) return false;
    for (const double limit : above) {
        if (limit <= last) return false;
        last = limit;
    }
    return true;
}

ErosionClass erosion_class(double modulus, const ErosionLimits& limits) {
    if (modulus < limits.tolerable) return ErosionClass::slight;
    if (modulus < limits.above[0]) return ErosionClass::light;
    if (modulus < limits.above[1]) return ErosionClass::moderate;
    if (modulus < limits.above[2]) return ErosionClass::strong;
    return modulus <= limits.above[3] ? ErosionClass::very_strong : ErosionClass::severe;
}

std::string erosion_range(ErosionClass c, const ErosionLimits& limits) {
    const auto i = static_cast<std::size_t>(c);
    if (c == ErosionClass::slight) return "<" + whole(limits.tolerable);
    if (c == ErosionClass::severe) return ">" + whole(limits.above.back());
    return whole(i == 1 ? limits.tolerable : limits.above.at(i - 2)) + "–" + whole(limits.above.at(i - 1));
}

ErosionClass erosion_by_slope_and_cover(double slope, double cover) {
    using enum ErosionClass;
    if (slope < 5 || cover > 0.75) return slight;
    constexpr std::array<double, 4> slopes = {8, 15, 25, 35};
    constexpr std::array<double, 3> covers = {0.60, 0.45, 0.30};
    constexpr std::array<std::array<ErosionClass, 5>, 4> table = {{
        {light, light, light, moderate, moderate},
        {light, light, moderate, moderate, strong},
        {light, moderate, moderate, strong, very_strong},
        {moderate, moderate, strong, very_strong, severe},
    }};
    std::size_t row = 0, column = 0;
    while (row < covers.size() && cover < covers.at(row)) ++row;
    while (column < slopes.size() && slope >= slopes.at(column)) ++column;
    return table.at(row).at(column);
}

std::vector<RuleSpec> erosion_rule_items() {
    using namespace rule_units;
    return {{"erosion_tolerable_loess", loss},
            {"erosion_tolerable_black", loss},
            {"erosion_tolerable_northern_rock", loss},
            {"erosion_tolerable_southern_red", loss},
            {"erosion_tolerable_southwest_rock", loss},
            {"erosion_light_below", loss},
            {"erosion_moderate_below", loss, "erosion_light_below"},
            {"erosion_strong_below", loss, "erosion_moderate_below"},
            {"erosion_very_strong_to", loss, "erosion_strong_below"},
            {"turned_over_factor", {"times K", 0, 100}},
            {"sl773_length_cap_m", tolerance_m},
            {"csle_length_cap_m", tolerance_m},
            {"ndvi_bare", ndvi},
            {"ndvi_full", ndvi, "ndvi_bare"},
            {"cover_seen_share", {"share of pixels", 0, 1}},
            {"points_erosion_light", points},
            {"points_erosion_moderate", points},
            {"points_erosion_strong", points},
            {"points_erosion_very_strong", points},
            {"points_erosion_severe", points}};
}

}  // namespace shuibao::algorithms
