// SPDX-License-Identifier: Apache-2.0
// One program per target: SHUIBAO_FUZZ_TARGET is its name in targets.hpp.
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    shuibao::fuzz::SHUIBAO_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
