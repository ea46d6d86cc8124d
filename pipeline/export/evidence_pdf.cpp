// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "evidence_content.hpp"
#include "evidence_paper.hpp"
#include "paper_pen.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline {
namespace {

using namespace paper;

using io::Align;
using io::Ink;
using io::TextStyle;

constexpr double left = sheet_left, right = sheet_right, width = sheet_width, gap = sheet_gap, top = 28,
                 bottom = page_height - 24;

// One page, its parts from top to bottom. Every part gives its height; with `draw` off it only measures, so
// that the pictures can take what the words leave.
class Sheet {
  public:
    Sheet(io::PageFile& page, const EvidenceContent& content, const PageWords& words)
        : m_page(page), m(content), m_words(words) {}

    void draw() {
        double y = top;
        y += header(y) + gap;
        y += strong(y) + gap;
        CheckForm form(m_page, m_words);
        const double foot = footer(0, false), asked = form.height(), told = two(0, false),
                     scored = score(0, false), known = facts(0, false);
        const double room = bottom - y - foot - asked - told - scored - known - 5 * gap;
        const double shown = draw_pictures(m_page, m, y, room);
        // What the pictures leave is room to write.
        const double more = std::clamp((room - shown) / std::max(1, form.lines()), 0.0, 6.0);
        y += shown + gap;
        y += facts(y, true) + gap;
        y += score(y, true) + gap;
        two(y, true);
        y = bottom - foot;
        footer(y, true);
        form.draw(y - gap - asked - more * form.lines(), more);
    }

  private:
    double header(double y) {
        const double badge = 42, qr = 70, x = left + badge + 11, room = width - badge - qr - 30;
        m_page.box(left, y + 2, badge, badge, tier_ink(m_words, m.tier_code));
        m_page.text({left, y + 5}, badge, m.tier, {25, {1, 1, 1}, true, Align::centre, 1});
        m_page.text({left, y + badge + 3}, badge, m_words.word("tiers_en", m.tier_code),
                    {least_type, faint, false, Align::centre, 1});
        both(m_page, {x, y - 1}, "扰动图斑复核单", "evidence for a field check", 15);
        m_page.text({x, y + 21}, room, fmt::format("{}　·　期次 {}　·　序号 {}", m.case_id, m.batch, m.rank),
                    {9.5, ink, true, Align::left, 1});
        m_page.text({x, y + 36}, room, m.verdict, {13, tier_ink(m_words, m.tier_code), true, Align::left, 1});
        m_page.text({x, y + 54}, room, m.action, {8.5, ink, false, Align::left, 1});
        const double side = qr / (m.code.size + 8), qx = right - qr + 4 * side, qy = y - 2 + 4 * side;
        for (int r = 0; r < m.code.size; ++r)
            for (int c = 0; c < m.code.size;) {
                int n = 0;
                while (c + n < m.code.size && m.code.dark[static_cast<std::size_t>(r * m.code.size + c + n)])
                    ++n;
                if (n > 0) m_page.box(qx + c * side, qy + r * side, n * side, side, {0, 0, 0});
                c += n + 1;
            }
        m_page.text({right - qr - 14, y + qr - 5}, qr + 14, fmt::format("{}°N {}°E", m.latitude, m.longitude),
                    {least_type, ink, true, Align::right, 1});
        m_page.text({right - qr - 14, y + qr + 3}, qr + 14, "CGCS2000",
                    {least_type, faint, false, Align::right, 1});
        return 77;
    }

    double strong(double y) {
        std::vector<const EvidenceFact*> list;
        for (const auto& f : m.facts)
            if (f.strong) list.push_back(&f);
        if (list.empty()) return 0;
        // Each as wide as its words, and an equal share of what is left.
        std::vector<double> needs;
        double room = width - gap * static_cast<double>(list.size() - 1);
        for (const auto* f : list) {
            needs.push_back(14 + std::max(m_page.text_width(f->value, {11.5, ink, true}),
                                          m_page.text_width(f->zh, {7.5, faint})));
            room -= needs.back();
        }
        double x = left;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const double w = needs[i] + room / static_cast<double>(list.size());
            m_page.box(x, y, w, 32, pale);
            m_page.text({x + 7, y + 3}, w - 12, list[i]->zh, {7.5, faint, false, Align::left, 1});
            m_page.text({x + 7, y + 13}, w - 8, list[i]->value, {11.5, ink, true, Align::left, 1});
            x += w + gap;
        }
        return 32;
    }

    double facts(double y, bool draw) {
        std::vector<const EvidenceFact*> list;
        for (const auto& f : m.facts)
            if (!f.strong) list.push_back(&f);
        constexpr double columns = 3, line = 11.5, label = 46;
        const double w = (width - (columns - 1) * 10) / columns;
        const double start = y;
        // Long texts take a line of their own.
        std::size_t column = 0;
        for (const auto* f : list) {
            const TextStyle style{7.8, ink, false, Align::left, 1};
            const bool wide = m_page.text_width(f->value, style) > w - label - 4;
            if (wide && column > 0) {
                column = 0;
                y += line;
            }
            const double x = left + static_cast<double>(column) * (w + 10);
            if (draw) {
                m_page.text({x, y}, label, f->zh, {7.2, faint, false, Align::left, 1});
                m_page.text({x + label + 2, y - 0.5}, (wide ? width : w) - label - 2, f->value, style);
            }
            if (wide || ++column == static_cast<std::size_t>(columns)) {
                column = 0;
                y += line;
            }
        }
        return y + (column > 0 ? line : 0) - start;
    }

    double score(double y, bool draw) {
        const double start = y;
        if (draw) heading(m_page, {left, y}, "为什么在名单上", "why it is on the list", 8.6);
        y += 13.5;
        constexpr double item = 66, value = 146, points = 30, source = 132;
        const double basis = width - item - value - points - source - 12, line = 10.6;
        const auto row = [&](const ScoreLine& s, bool bold, Ink colour = ink) {
            const auto cell = [&](double x, double w, const std::string& text, bool heavy,
                                  Align align = Align::left) {
                if (draw) m_page.text({x, y}, w, text, {7.3, colour, heavy, align, 1});
            };
            double x = left;
            cell(x, item, s.item, bold);
            cell(x += item + 3, value, s.value, bold);
            cell(x += value + 3, points, s.points, colour.red < faint.red, Align::right);
            cell(x += points + 6, basis, s.basis, false);
            cell(x += basis + 3, source - 3, s.source, false);
            y += line;
        };
        row({"项目", "值", "分", "依据", "数据"}, false, faint);
        if (draw) across(m_page, left, right, y);
        // The lines that are left out would push the form off the page: their number and points are told.
        constexpr std::size_t most = 9;
        const auto shown = m.score.size() > most ? most - 1 : m.score.size();
        for (std::size_t i = 0; i < shown; ++i) row(m.score[i], false);
        if (shown < m.score.size())
            row({fmt::format("另有 {} 项", m.score.size() - shown), "见同名网页", "", "", ""}, false);
        if (draw) across(m_page, left, right, y + 0.5);
        y += 1.5;
        row({"严重度", m.tier_reason, m.severity, "规则集 " + m.rule_set, ""}, true);
        return y - start;
    }

    double two(double y, bool draw) {
        const double start = y, half = (width - 14) / 2, other = left + half + 14;
        if (draw) {
            heading(m_page, {left, y}, "可能涉及的条款", "article that may be concerned", 8.6);
            heading(m_page, {other, y}, "影像看不出", "what no image shows", 8.6);
        }
        double a = y + 13.5, b = a;
        const TextStyle zh{7.5, ink, false, Align::left, 2};
        const auto put = [&](double x, double& at, const std::string& text, const TextStyle& style) {
            at += 0.5 +
                  (draw ? m_page.text({x, at}, half, text, style) : m_page.text_height(half, text, style));
        };
        if (m.articles.empty()) put(left, a, "无：未作任何认定", zh);
        constexpr std::size_t most = 3;
        for (std::size_t i = 0; i < std::min(most, m.articles.size()); ++i) put(left, a, m.articles[i], zh);
        if (m.articles.size() > most)
            put(left, a, fmt::format("另有 {} 条，见同名网页", m.articles.size() - most), zh);
        std::string limits;
        if (const auto it = m_words.pages.sections.find("limits"); it != m_words.pages.sections.end())
            for (const auto& [key, limit] : it->second)
                limits += (limits.empty() ? "" : "；") + (limit.empty() ? key : limit.front());
        put(other, b, limits, {7.5, ink, false, Align::left, 3});
        return std::max(a, b) - start;
    }

    double footer(double y, bool draw) {
        constexpr double height = 20;
        if (!draw) return height;
        across(m_page, left, right, y + 1, ink, 1);
        m_page.text({left, y + 4}, width, m_words.disclaimer(false), {7.6, ink, true, Align::left, 1});
        m_page.text({left, y + 14}, width, m_words.disclaimer(true),
                    {least_type, faint, false, Align::left, 1});
        return height;
    }

    io::PageFile& m_page;
    const EvidenceContent& m;
    const PageWords& m_words;
};

Date day_of_batch(const std::string& batch) {
    return Date::parse(batch + "01").value_or(Date());
}

}  // namespace

void write_evidence_pdf(const std::filesystem::path& path, const EvidenceContent& content,
                        const PageWords& words) {
    io::PageFile page(path, page_width, page_height,
                      {content.case_id + " " + content.verdict, words.disclaimer(false), "shuibao",
                       day_of_batch(content.batch)});
    Sheet(page, content, words).draw();
    page.finish();
}

}  // namespace shuibao::pipeline
