// SPDX-License-Identifier: Apache-2.0
#include "layer_notes.hpp"

#include <fmt/format.h>

namespace shuibao::pipeline {

void tell_row(RunContext& c, const std::string& file, const io::LayerNote& n, const std::string& hint) {
    const engine::Problem p{"screen", fmt::format("{}:{}", file, n.row), n.code, n.text, hint};
    if (n.code == "repaired" || n.code == "encoding" || n.code == "widened") {
        c.notes.push_back(p);
        c.log.write(engine::LogLevel::warn, n.text, "screen", p.unit);
    } else {
        c.problems.add(p);
    }
}

}  // namespace shuibao::pipeline
