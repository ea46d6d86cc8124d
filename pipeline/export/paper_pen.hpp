// SPDX-License-Identifier: Apache-2.0
// How our pages of paper look: inks, headings, rules. Chinese throughout; English stands beside titles and
// headings only, where it always has room.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "page_words.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline::paper {

// A4 in points.
inline constexpr double page_width = 595.28, page_height = 841.89;
inline constexpr io::Ink ink{0.11, 0.14, 0.19}, faint{0.4, 0.44, 0.52}, rule{0.82, 0.84, 0.87},
    accent{0.12, 0.37, 0.67}, pale{0.95, 0.96, 0.97};
inline constexpr double least_type = 6.5;  ///< points: smaller is not read on paper

/// Colour of a tier by its code.
inline io::Ink tier_ink(const PageWords& words, const std::string& code) {
    const auto rgb = words.colours[code];
    return {(rgb >> 16U) / 255.0, (rgb >> 8U & 0xFFU) / 255.0, (rgb & 0xFFU) / 255.0};
}
/// Chinese, then English fainter, on one line. Gives its width.
inline double both(io::PageFile& page, Point at, const std::string& zh, const std::string& en, double size,
                   io::Ink colour = ink) {
    page.text(at, 0, zh, {size, colour, true});
    const double w = page.text_width(zh, {size, colour, true});
    if (en.empty()) return w;
    const double small = std::max(least_type, size * 0.68);
    page.text({at.x + w + 4, at.y + (size - small)}, 0, en, {small, faint});
    return w + 4 + page.text_width(en, {small, faint});
}
/// Gives its height.
inline double heading(io::PageFile& page, Point at, const std::string& zh, const std::string& en,
                      double size) {
    page.box(at.x, at.y + 1.5, 2.5, size + 0.5, accent);
    both(page, {at.x + 6, at.y}, zh, en, size);
    return size + 5;
}
inline void across(io::PageFile& page, double left, double right, double y, io::Ink colour = rule,
                   double width = 0.5) {
    const std::array<Point, 2> ends = {{{left, y}, {right, y}}};
    page.line(ends, colour, width);
}

}  // namespace shuibao::pipeline::paper
