// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <shuibao/core/date.hpp>

namespace shuibao::pipeline {

/// QML of the map of onsets of looks from `first` to `last`: one colour and one title, "2024-05", a month.
[[nodiscard]] std::string onset_style(Date first, Date last);

}  // namespace shuibao::pipeline
