// SPDX-License-Identifier: Apache-2.0
// A figure as data: lines, areas, dots and labels in pixels from the upper left corner, drawn by two back
// ends here and by a third onto pages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <shuibao/core/polygon.hpp>

namespace shuibao::algorithms {

struct Colour {
    std::uint8_t red = 0, green = 0, blue = 0;
    double opacity = 1;  ///< of areas; lines, dots and labels are opaque
};

struct FigureLine {
    std::vector<Point> points;
    Colour colour;
    double width = 1;
    bool dashed = false;
};
struct FigureArea {
    std::vector<Point> points;
    Colour colour;
};
struct FigureDot {
    Point centre;
    double radius = 3;
    Colour colour;
    bool filled = true;
};
enum class Anchor : std::uint8_t { start, middle, end };
/// `at` is the left, middle or right end of the text's baseline.
struct FigureLabel {
    Point at;
    std::string english;       ///< ASCII; other characters become '?' where letters are drawn as strokes
    std::string chinese = {};  ///< UTF-8; stands before the English one where fonts are at hand
    double size = 13;          ///< height of the font, pixels
    Colour colour = {};
    Anchor anchor = Anchor::start;
    bool bold = false;
};

struct Figure {
    int width = 0, height = 0;  ///< pixels
    std::string title;          ///< of the document, for those who cannot see it
    std::vector<std::variant<FigureArea, FigureLine, FigureDot, FigureLabel>> parts = {};  ///< back to front
};

/// Width of the label's text, pixels: what it takes at most in the fonts that pages are read in (letters and
/// digits 0.62 of the size, bold ones 0.68, anything else as wide as high). For laying out, not for cutting.
[[nodiscard]] double label_width(const FigureLabel& label);

/// SVG 1.1, self-contained, texts escaped; labels in both languages in the reader's fonts.
[[nodiscard]] std::string to_svg(const Figure& figure);

/// The same without a document around it: elements to lie inside an <svg> of the figure's size.
[[nodiscard]] std::string svg_parts(const Figure& figure);

/// Red, green, blue bytes, row-major from the upper left, 3 · width · height. English labels only: the
/// strokes that OpenCV draws have no Chinese, and which fonts a server has would decide the bytes.
[[nodiscard]] std::vector<std::uint8_t> to_pixels(const Figure& figure);
/// The same over a picture of the figure's size instead of white.
[[nodiscard]] std::vector<std::uint8_t> drawn_over(std::span<const std::uint8_t> rgb, const Figure& figure);

}  // namespace shuibao::algorithms
