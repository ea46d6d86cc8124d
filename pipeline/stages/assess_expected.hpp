// SPDX-License-Identifier: Apache-2.0
// What the verdicts of a reference should have been, in whatever words they are written.
#pragma once

#include <string>
#include <vector>

#include "assess.hpp"

namespace shuibao::pipeline {

/// Gives every object of the reference the code of its verdict: from assess.expected where that names it,
/// else from its own fields (verdict, BYD). Codes, words of the program and confirmed words of the field are
/// known; "not_works" is what people found to be no works. A word that is none, an object that the reference
/// does not have and one that is named twice are problems with file:row and count for nothing. Throws
/// Error(input) for a file that cannot be read or lacks its columns.
void settle_expected(RunContext& context, const std::string& reference, std::vector<AssessedObject>& truth);

}  // namespace shuibao::pipeline
