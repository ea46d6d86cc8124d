// SPDX-License-Identifier: Apache-2.0
// One colour for a tier, in everything that people receive: section `colours` of deliverables.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace shuibao::pipeline {

/// Colours by the code of a tier (high, medium, low, none).
class Palette {
  public:
    /// Throws Error(usage) naming the dictionary for a colour that is missing or is not written RRGGBB.
    Palette();
    /// 0xRRGGBB; that of `none` for what is no tier.
    [[nodiscard]] std::uint32_t operator[](std::string_view tier) const;
    /// ":root { --high: #rrggbb; … }", for the style sheets of pages.
    [[nodiscard]] std::string css() const;
    /// A style of configs/styles with "r,g,b" where it says "{high}".
    [[nodiscard]] std::string filled(std::string qml) const;

  private:
    std::map<std::string, std::uint32_t, std::less<>> m_colours;
};

}  // namespace shuibao::pipeline
