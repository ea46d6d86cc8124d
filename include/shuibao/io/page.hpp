// SPDX-License-Identifier: Apache-2.0
// Pages to print: PDF with the fonts inside, drawn in points (1/72 inch) from the upper left corner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/core/polygon.hpp>

namespace shuibao::io {

/// A colour, and how much of it covers what is below.
struct Ink {
    double red = 0, green = 0, blue = 0, opacity = 1;  ///< 0–1
};
enum class Align : std::uint8_t { left, centre, right };

struct TextStyle {
    double size = 9;  ///< points
    Ink ink = {};
    bool bold = false;
    Align align = Align::left;
    int lines = 0;  ///< what does not fit into so many lines ends in "…"; 0 = all of it
};

struct PageInfo {
    std::string title, subject, author;
    Date date;  ///< the only date inside: the same drawing gives the same bytes
};

/// A PDF that grows page by page and stands under its name when finish() returns. Texts are set in the
/// installed fonts for simplified Chinese, which are embedded as subsets; control characters in them become
/// spaces, and what no font has (emoji) "□". Not to be shared by threads; different files may be written at
/// once. All lengths and places are points from the upper left corner, y downwards.
class PageFile {
  public:
    /// Throws Error(failed) naming path and remedy, Error(input) when no installed font has Chinese
    /// characters.
    PageFile(std::filesystem::path path, double width, double height, const PageInfo& info);
    ~PageFile();
    PageFile(const PageFile&) = delete;
    PageFile& operator=(const PageFile&) = delete;

    void next_page();  ///< of the same size
    /// Sets text in a column from `at`, the upper left corner, broken at its width. Returns its height.
    double text(Point at, double width, const std::string& utf8, const TextStyle& style);
    [[nodiscard]] double text_height(double width, const std::string& utf8, const TextStyle& style);
    [[nodiscard]] double text_width(const std::string& utf8, const TextStyle& style);
    /// One line of text whose baseline starts, has its middle or ends at `at`.
    void label(Point at, const std::string& utf8, const TextStyle& style);
    /// An open line of this width, with round corners.
    void line(std::span<const Point> points, Ink ink, double width, bool dashed = false);
    /// The inside of a closed outline (the first point is not repeated).
    void area(std::span<const Point> points, Ink ink);
    void box(double x, double y, double width, double height, Ink ink);
    /// A full disc, or its rim.
    void disc(Point centre, double radius, Ink ink, bool filled);
    /// A JPEG of `cols` × `rows` pixels, laid into the box as it is.
    void picture(std::span<const std::uint8_t> jpeg, int cols, int rows, double x, double y, double width,
                 double height);
    /// Between clip() and unclip() nothing is drawn outside the box.
    void clip(double x, double y, double width, double height);
    void unclip();
    /// Closes and commits. Throws Error(failed).
    void finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
