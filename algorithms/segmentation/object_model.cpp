// SPDX-License-Identifier: Apache-2.0
#include <shuibao/algorithms/objects.hpp>

namespace shuibao::algorithms {

std::string_view name_of(Measure m) {
    constexpr std::array<std::string_view, measure_count> names = {"log_pixels",
                                                                   "evidence",
                                                                   "even_share",
                                                                   "likely_share",
                                                                   "field_cut",
                                                                   "inner_fields",
                                                                   "tilled",
                                                                   "below_soil",
                                                                   "mean_magnitude",
                                                                   "contrast",
                                                                   "same_contrast",
                                                                   "same_around",
                                                                   "onset_spread",
                                                                   "raggedness",
                                                                   "synchrony",
                                                                   "weeks_green",
                                                                   "half_year_green",
                                                                   "soil_index",
                                                                   "brightness",
                                                                   "weeks_green_fall",
                                                                   "half_year_green_fall",
                                                                   "soil_index_rise",
                                                                   "brightness_rise",
                                                                   "evidence_spread",
                                                                   "own_index",
                                                                   "own_index_spread",
                                                                   "own_index_step",
                                                                   "own_brightness",
                                                                   "own_brightness_spread",
                                                                   "own_brightness_step",
                                                                   "index_above_own",
                                                                   "index_above_own_spread",
                                                                   "index_above_own_step",
                                                                   "brightness_above_own",
                                                                   "brightness_above_own_spread",
                                                                   "brightness_above_own_step",
                                                                   "green_above_own",
                                                                   "green_above_own_spread",
                                                                   "green_above_own_step",
                                                                   "alarm_looks",
                                                                   "alarm_looks_spread",
                                                                   "alarm_looks_step",
                                                                   "score",
                                                                   "score_spread",
                                                                   "score_fall"};
    return names[static_cast<std::size_t>(m)];
}

}  // namespace shuibao::algorithms
