// SPDX-License-Identifier: Apache-2.0
#include <shuibao/algorithms/objects.hpp>

namespace shuibao::algorithms {

std::string_view name_of(Measure m) {
    constexpr std::array<std::string_view, measure_count> names = {
        "log_pixels",    "evidence",    "even_share",   "likely_share",   "field_cut",
        "inner_fields",  "tilled",      "below_soil",   "mean_magnitude", "contrast",
        "same_contrast", "same_around", "onset_spread", "raggedness",
        "synchrony",     "weeks_green", "half_year_green", "soil_index", "brightness",
        "weeks_green_fall", "half_year_green_fall", "soil_index_rise", "brightness_rise"};
    return names[static_cast<std::size_t>(m)];
}

double ObjectModel::log_odds(const ObjectEvidence& evidence) const {
    double sum = base;
    for (const auto& t : trees) {
        const bool first = evidence[t.at[0]] <= t.than[0];
        const std::size_t next = first ? 1 : 2;
        const bool second = evidence[t.at[next]] <= t.than[next];
        sum += t.value[(first ? 0U : 2U) + (second ? 0U : 1U)];
    }
    return sum;
}

}  // namespace shuibao::algorithms
