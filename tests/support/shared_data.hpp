// SPDX-License-Identifier: Apache-2.0
// Development data beside the checkout, which no checkout is obliged to have.
#pragma once

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

namespace shuibao::test {

inline std::filesystem::path shared(const std::string& name) {
    return std::filesystem::path(SHUIBAO_SHARED_DIR) / "data" / name;
}

/// False, and said in the log, when the data set is not there.
inline bool have_shared(const std::string& name) {
    if (std::filesystem::exists(shared(name))) return true;
    MESSAGE("skipped: ../shared/data/" << name << " is not there");
    return false;
}

}  // namespace shuibao::test
