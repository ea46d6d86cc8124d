// SPDX-License-Identifier: Apache-2.0
// Parts of the evidence page on paper, each of which can be measured before anything is drawn.
#pragma once

#include "evidence_content.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline::paper {

inline constexpr double sheet_left = 34, sheet_right = 595.28 - sheet_left,
                        sheet_width = sheet_right - sheet_left, sheet_gap = 7;

/// The form to tick and to write on.
class CheckForm {
  public:
    CheckForm(io::PageFile& page, const PageWords& words) : m_page(page), m_words(words) {}
    [[nodiscard]] double height() { return run(0, 0, false); }
    [[nodiscard]] int lines() const { return m_lines; }  ///< after height()
    /// Every line is `more` points higher than it has to be: room to write.
    void draw(double y, double more) { run(y, more, true); }

  private:
    double run(double y, double more, bool draw);
    int answers(double from, double y, double height, const std::vector<std::string>& choices, bool draw);

    io::PageFile& m_page;
    const PageWords& m_words;
    int m_lines = 0;
};

/// Chips, key and series in `room` points from `y` on. Gives the height they take.
double draw_pictures(io::PageFile& page, const EvidenceContent& content, double y, double room);

}  // namespace shuibao::pipeline::paper
