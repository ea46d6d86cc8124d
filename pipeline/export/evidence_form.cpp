// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "evidence_paper.hpp"
#include "paper_pen.hpp"

namespace shuibao::pipeline::paper {
namespace {

constexpr double question = 104, line = 12.8;

bool to_write(const std::string& choice) {
    return choice.ends_with("_");
}

}  // namespace

double CheckForm::run(double y, double more, bool draw) {
    const double start = y;
    if (draw) heading(m_page, {sheet_left, y}, "现场复核", "field check: tick and write", 8.6);
    y += 13.5;
    m_lines = 0;
    if (const auto it = m_words.pages.sections.find("form"); it != m_words.pages.sections.end())
        for (const auto& [asked, choices] : it->second) {
            const double height = line + more;
            if (draw) {
                across(m_page, sheet_left, sheet_right, y);
                m_page.text({sheet_left + 2, y + 1.6 + more / 2}, question - 4, asked,
                            {7.6, ink, true, io::Align::left, 1});
            }
            const int lines = answers(sheet_left + question + 6, y, height, choices, draw);
            y += height * lines;
            m_lines += lines;
        }
    if (draw) across(m_page, sheet_left, sheet_right, y);
    return y - start;
}

// What can be ticked one behind the other; the lines to write on share what is left. Gives the number of
// lines that the answers take.
int CheckForm::answers(double from, double y, double height, const std::vector<std::string>& choices,
                       bool draw) {
    int lines = 1;
    double x = from;
    const io::TextStyle style{7.8, ink};
    const double down = (height - line) / 2;
    for (std::size_t i = 1; i < choices.size(); ++i) {  // the first is English
        const bool write = to_write(choices[i]);
        const auto text = write ? choices[i].substr(0, choices[i].size() - 1) : choices[i];
        double needs = m_page.text_width(text, style) + 10;
        if (x > from && x + needs > sheet_right) {
            x = from;
            y += height;
            ++lines;
        }
        if (write) needs = (sheet_right - x) / static_cast<double>(choices.size() - i);
        if (draw && !write) {
            const double t = y + 3.2 + down;
            const std::array<Point, 5> tick = {{{x, t}, {x + 7, t}, {x + 7, t + 7}, {x, t + 7}, {x, t}}};
            m_page.line(tick, ink, 0.7);
        }
        if (draw) m_page.text({x + (write ? 0 : 10), y + 1.4 + down}, 0, text, style);
        x += needs + (write ? 0 : 11);
    }
    return lines;
}

}  // namespace shuibao::pipeline::paper
