// SPDX-License-Identifier: Apache-2.0
// Photographs that a field record names (照片编号), and whether somebody stood near the case.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "field_records.hpp"
#include "ledger.hpp"

namespace shuibao::pipeline {

/// How far (m) a place lies from a case, where that is too far for who looked at it; `inside` is a point of
/// the case; both in degrees. Nothing where it is near enough.
[[nodiscard]] std::optional<double> metres_beyond(Point stood, const LedgerCase& known, Point inside);

/// The photographs of a list of numbers, with position and azimuth where `folder` is named. Throws Refusal
/// for one that is not there, is no image, or was taken elsewhere.
[[nodiscard]] std::vector<FieldPhoto> photographs(const std::string& numbers, const std::string& folder,
                                                  const LedgerCase& known, Point inside);

}  // namespace shuibao::pipeline
