// SPDX-License-Identifier: Apache-2.0
// The verbs that are about the program itself rather than about images.
#pragma once

#include <iosfwd>
#include <string>

#include "cli.hpp"
#include <shuibao/engine/settings.hpp>
#include <shuibao/engine/store.hpp>

namespace shuibao::apps {

/// A commented configuration holding every option with its default.
[[nodiscard]] std::string commented_config(const OptionTable& table);
/// The resolved values as YAML; with `origins`, where each comes from.
[[nodiscard]] std::string resolved_config(const engine::Settings& settings, bool origins);
/// The same as JSON: key → value and origin.
[[nodiscard]] std::string resolved_config_json(const engine::Settings& settings);
/// What the store holds.
void print_status(const engine::Store& store, bool json, std::ostream& out);

}  // namespace shuibao::apps
