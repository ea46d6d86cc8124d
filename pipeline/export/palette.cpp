// SPDX-License-Identifier: Apache-2.0
#include "palette.hpp"

#include <charconv>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
Palette::Palette() {
    const auto words = load_dictionary("deliverables");
    for (const char* tier : {"high", "medium", "low", "none"}) {
        const auto text = words.text("colours", tier);
        std::uint32_t rgb = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rgb, 16);
        if (error != std::errc() || end != text.data() + text.size() || text.size() != 6)
            throw Error(
                ErrorCode::usage,
                fmt::format("{}: 'colours: {}' is '{}', which is no colour.",
                            engine::config_file("dictionaries/deliverables.yaml").string(), tier, text),
                "Write it as RRGGBB in hexadecimal, e.g. B3131B.");
        m_colours[tier] = rgb;
    }
}

std::uint32_t Palette::operator[](std::string_view tier) const {
    const auto it = m_colours.find(tier);
    return it == m_colours.end() ? m_colours.at("none") : it->second;
}

std::string Palette::css() const {
    std::string text = ":root {";
    for (const auto& [tier, rgb] : m_colours) text += fmt::format(" --{}: #{:06x};", tier, rgb);
    return text + " }\n";
}

std::string Palette::filled(std::string qml) const {
    for (const auto& [tier, rgb] : m_colours) {
        const auto mark = "{" + tier + "}",
                   colour = fmt::format("{},{},{}", rgb >> 16U, rgb >> 8U & 0xFFU, rgb & 0xFFU);
        for (auto at = qml.find(mark); at != std::string::npos; at = qml.find(mark, at + colour.size()))
            qml.replace(at, mark.size(), colour);
    }
    return qml;
}

}  // namespace shuibao::pipeline
