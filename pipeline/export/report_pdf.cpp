// SPDX-License-Identifier: Apache-2.0
#include "report_pdf.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "evidence_content.hpp"
#include "paper_pen.hpp"
#include <shuibao/io/page.hpp>

namespace shuibao::pipeline {
namespace {

using namespace paper;

using io::Align;
using io::Ink;
using io::TextStyle;

constexpr double left = 36, right = page_width - left, top = 34, bottom = page_height - 40,
                 width = right - left;
constexpr Ink bar{0.23, 0.47, 0.72};
constexpr std::size_t listed = 150, told = 40;  // rows of the list and problems on paper

std::string hectares(double m2) {
    return fmt::format("{:.{}f}", m2 / 1e4, m2 < 1e6 ? 2 : 0);
}

// "2024-05-10" of "20240510_S2A".
std::string day_of_key(const std::string& key) {
    const auto day = key.substr(0, 8);
    return day.size() == 8 ? day.substr(0, 4) + "-" + day.substr(4, 2) + "-" + day.substr(6) : day;
}

class Paper {
  public:
    Paper(io::PageFile& page, const ExportInput& in, const BatchSummary& s, const PageWords& words)
        : m_page(page), m_in(in), m_s(s), m_words(words) {}

    void draw(const Mosaic& mosaic) {
        title();
        totals();
        m_y += draw_report_map(m_page, m_in, m_s, m_words, mosaic, left, m_y, width) + 4;
        const double y = m_y, half = (width - 16) / 2;
        table(left, half, "按等级", "by tier", m_s.tiers, "tiers");
        const double a = m_y;
        m_y = y;
        table(left + half + 16, half, "按判定", "by verdict", m_s.verdicts, "verdicts");
        const double next = m_y = std::max(a, m_y) + 8;
        table(left, half, "按县区", "by county", m_s.counties, "");
        const double b = m_y;
        m_y = next;
        table(left + half + 16, half, "按行业", "by industry", m_s.industries, "");
        m_y = std::max(b, m_y) + 8;
        comparison();
        hits();
        list();
        problems();
        provenance();
        foot();
    }

  private:
    void heading(double x, const std::string& zh, const std::string& en) {
        m_y += paper::heading(m_page, {x, m_y}, zh, en, 9.5) + 1.5;
    }
    void across(double x, double w, double y) { paper::across(m_page, x, x + w, y); }
    void foot() {
        m_page.text({left, bottom + 8}, width - 40, m_words.disclaimer(false),
                    {7, faint, false, Align::left, 1});
        m_page.text({right - 60, bottom + 8}, 60, fmt::format("{} · {}", m_in.batch, ++m_number),
                    {7, faint, false, Align::right, 1});
    }
    // Starts another page where `height` does not fit any more.
    bool room(double height) {
        if (m_y + height <= bottom) return false;
        foot();
        m_page.next_page();
        m_y = top;
        return true;
    }

    void title() {
        both(m_page, {left, m_y}, "水土保持遥感监管报告", "remote sensing supervision report", 18);
        m_y += 27;
        m_page.text(
            {left, m_y}, width,
            fmt::format("期次 {}{}", m_in.batch,
                        m_s.dates.empty() ? ""
                                          : fmt::format("　影像 {} – {}", day_of_key(m_s.dates.front()),
                                                        day_of_key(m_s.dates.back()))),
            {9, faint, false, Align::left, 1});
        m_y += 14;
        m_page.box(left, m_y, width, 24, {1, 0.97, 0.88});
        m_page.text({left + 6, m_y + 2}, width - 12, m_words.disclaimer(false),
                    {8, ink, true, Align::left, 1});
        m_page.text({left + 6, m_y + 13}, width - 12, m_words.disclaimer(true),
                    {least_type, faint, false, Align::left, 1});
        m_y += 31;
    }

    void totals() {
        struct Card {
            std::string value, zh;
            Ink colour;
        };
        std::vector<Card> cards;
        const auto tier = [&](const char* code) {
            const auto it = std::find_if(m_s.tiers.begin(), m_s.tiers.end(),
                                         [&](const auto& t) { return t.first == code; });
            return std::to_string(it == m_s.tiers.end() ? 0 : it->second.count);
        };
        cards.push_back({tier("high"), "高", tier_ink(m_words, "high")});
        cards.push_back({tier("medium"), "中", tier_ink(m_words, "medium")});
        cards.push_back({tier("low"), "低", tier_ink(m_words, "low")});
        cards.push_back({hectares(m_s.suspects.area), "疑似面积 hm²", rule});
        cards.push_back({std::to_string(m_s.disturbances.count), "扰动图斑", rule});
        if (m_s.suspects.overdue > 0)
            cards.push_back({std::to_string(m_s.suspects.overdue), "逾期未办", rule});
        if (m_s.unobserved) cards.push_back({hectares(*m_s.unobserved), "未观测 hm²", rule});
        if (m_s.smallest) cards.push_back({hectares(*m_s.smallest), "可发现最小 hm²", rule});
        if (m_s.share_with_range)
            cards.push_back({fmt::format("{:.0f} %", *m_s.share_with_range * 100), "项目有范围", rule});
        const double gap = 5, w = (width - gap * static_cast<double>(cards.size() - 1)) /
                                  static_cast<double>(cards.size());
        for (std::size_t i = 0; i < cards.size(); ++i) {
            const double x = left + static_cast<double>(i) * (w + gap);
            m_page.box(x, m_y, w, 34, pale);
            m_page.box(x, m_y, w, 2.5, cards[i].colour);
            m_page.text({x + 4, m_y + 5}, w - 6, cards[i].value, {13, ink, true, Align::left, 1});
            m_page.text({x + 4, m_y + 21}, w - 6, cards[i].zh, {7, ink, false, Align::left, 1});
        }
        m_y += 42;
    }

    // The first 12; what follows is summed.
    void table(double x, double w, const char* zh, const char* en, const Tallies& all,
               std::string_view section) {
        if (all.empty()) return;
        heading(x, zh, en);
        constexpr std::size_t most = 12;
        Tallies rows(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size())));
        if (all.size() > most) {
            Tally rest;
            for (std::size_t i = most; i < all.size(); ++i) {
                rest.count += all[i].second.count;
                rest.area += all[i].second.area;
                rest.overdue += all[i].second.overdue;
            }
            rows.emplace_back(fmt::format("其余 {} 个", all.size() - most), rest);
        }
        std::size_t highest = 1;
        for (const auto& r : rows) highest = std::max(highest, r.second.count);
        const double name = w * 0.44, bars = w * 0.24, number = w * 0.13;
        for (const auto& [key, t] : rows) {
            std::string text = key.empty()             ? "未注明"
                               : section == "verdicts" ? m_words.verdict_word(key)
                               : section == "tiers"    ? m_words.verdicts.text("tiers", key)
                                                       : key;
            if (t.overdue > 0) text += fmt::format("（逾期 {}）", t.overdue);
            m_page.text({x + 2, m_y}, name - 4, text, {7.8, ink, false, Align::left, 1});
            m_page.box(x + name, m_y + 2,
                       std::max(0.8, bars * static_cast<double>(t.count) / static_cast<double>(highest)), 7,
                       section == "tiers" ? tier_ink(m_words, key) : bar);
            m_page.text({x + name + bars, m_y}, number, std::to_string(t.count),
                        {7.8, ink, true, Align::right, 1});
            m_page.text({x + name + bars + number, m_y}, w - name - bars - number, hectares(t.area) + " hm²",
                        {7.4, ink, false, Align::right, 1});
            m_y += 12;
            across(x, w, m_y - 1);
        }
    }

    void comparison() {
        if (m_s.previous.empty()) return;
        room(30);
        heading(left, "与上期比较", "compared with the last batch");
        std::string text;
        const auto count_in = [](const Tallies& list, const std::string& code) {
            const auto it =
                std::find_if(list.begin(), list.end(), [&](const auto& t) { return t.first == code; });
            return it == list.end() ? std::size_t{0} : it->second.count;
        };
        std::vector<std::string> codes = {"confirmed"};
        for (const auto& [code, words] : m_words.verdicts.sections.at("verdicts")) codes.push_back(code);
        for (const auto& code : codes) {
            const auto then = count_in(m_s.previous_verdicts, code), now = count_in(m_s.verdicts, code);
            if (then + now > 0)
                text += fmt::format("{}{} {} → {}", text.empty() ? "" : "；", m_words.verdict_word(code),
                                    then, now);
        }
        m_y += m_page.text({left, m_y}, width, fmt::format("{} → {}：{}", m_s.previous, m_in.batch, text),
                           {8, ink}) +
               8;
        if (m_s.changes.empty()) return;
        const std::vector<double> columns = {0.34, 0.12, 0.14, 0.2, 0.2};
        lines({"变化", "个数", "其中疑似", m_s.previous + " hm²", m_in.batch + " hm²"}, columns,
              m_s.changes.size(), [&](std::size_t i) -> std::vector<std::string> {
                  const auto& c = m_s.changes[i];
                  return {m_words.word("changes", c.code), std::to_string(c.count),
                          std::to_string(c.suspects), hectares(c.before), hectares(c.now)};
              });
    }

    void hits() {
        if (m_s.hits.all.checked == 0) return;
        room(60);
        heading(left, "现场复核命中率", "hit rates of the field checks, all batches");
        const std::vector<double> columns = {0.34, 0.13, 0.15, 0.13, 0.13, 0.12};
        const auto row = [](const std::string& name, const HitRate& h) -> std::vector<std::string> {
            return {name,
                    std::to_string(h.checked),
                    std::to_string(h.confirmed),
                    std::to_string(h.lawful),
                    std::to_string(h.not_works),
                    fmt::format("{:.0f} %", h.rate() * 100)};
        };
        const std::vector<std::pair<const char*, const char*>> groups = {
            {"tier", "等级"}, {"county", "县区"}, {"industry", "行业"}};
        for (const auto& [key, title] : groups) {
            const auto rows = hit_rows(m_s.hits, key, m_words);
            if (rows.empty()) continue;
            lines({title, "已复核", "认定违法违规", "合规", "非扰动", "命中率"}, columns, rows.size(),
                  [&](std::size_t i) {
                      return row(rows[i].first.empty() ? "未注明" : rows[i].first, rows[i].second);
                  });
        }
    }

    // A table over the page, with its heads on every page that it comes to: heads, the share of the width of
    // each column, and the cells of row i.
    void lines(const std::vector<std::string>& heads, const std::vector<double>& columns, std::size_t n,
               const std::function<std::vector<std::string>(std::size_t)>& cells) {
        constexpr double height = 12;
        const auto line = [&](const std::vector<std::string>& texts, Ink colour) {
            double x = left;
            for (std::size_t k = 0; k < columns.size(); ++k) {
                const double w = columns[k] * width;
                m_page.text({x + 2, m_y}, w - 6, texts[k],
                            {7.6, colour, false, k > 0 ? Align::right : Align::left, 1});
                x += w;
            }
            m_y += 11.8;
            across(left, width, m_y - 0.8);
        };
        room(2 * height);  // heads are not left alone at the foot of a page
        line(heads, faint);
        for (std::size_t i = 0; i < n; ++i) {
            if (room(height)) line(heads, faint);
            line(cells(i), ink);
        }
        m_y += 8;
    }

    void list_head() {
        heading(left,
                fmt::format("名单（前 {} 个，共 {} 个）", std::min(listed, m_in.suspects.rows.size()),
                            m_in.suspects.rows.size()),
                "the first in rank");
    }
    void list() {
        if (m_in.suspects.rows.empty()) return;
        room(90);
        list_head();
        for (std::size_t i = 0; i < std::min(listed, m_in.suspects.rows.size()); ++i) {
            const auto& r = *m_in.suspects.rows[i];
            if (room(12)) list_head();
            const auto tier = m_words.code_of("tiers", plain_of(r, "tier"));
            m_page.box(left, m_y + 1, 3, 9, tier_ink(m_words, tier));
            const auto cell = [&](double x, double w, const std::string& text, Align align = Align::left) {
                m_page.text({left + x, m_y}, w, text, {7.2, ink, false, align, 1});
            };
            cell(6, 22, plain_of(r, "rank"), Align::right);
            cell(33, 76, plain_of(r, "case_id"));
            cell(112, 14, plain_of(r, "tier"));
            cell(128, 108, verdict_words(r, m_words).zh);
            cell(236, 46, hectares(io::to_number(field_of(r, "area_m2")).value_or(0)) + " hm²", Align::right);
            cell(288, 88, day_text(r, "onset_from") + "–" + day_text(r, "onset_to"));
            const bool late = overdue(r, m_s.end);
            const auto due = day_text(r, "due");
            m_page.text({left + 380, m_y}, 54, due.empty() ? "" : due + (late ? " 逾" : ""),
                        {7.2, late ? tier_ink(m_words, "high") : ink, late, Align::left, 1});
            const auto county = plain_of(r, "county"), project = plain_of(r, "approval_name");
            cell(436, width - 436, county + (county.empty() || project.empty() ? "" : " · ") + project);
            m_y += 11.4;
            across(left, width, m_y - 0.6);
        }
        m_y += 8;
    }

    void problems() {
        room(40);
        heading(left, fmt::format("本次运行的问题（{}）", m_s.problems.size()), "problems of the run");
        for (std::size_t i = 0; i < std::min(told, m_s.problems.size()); ++i) {
            const auto& p = m_s.problems[i];
            const TextStyle style{7.4, ink, false, Align::left, 2};
            const auto one = m_words.problem(p);
            const auto text = fmt::format("{}　{}：{}", one.stage, one.unit, one.zh);
            room(m_page.text_height(width, text, style));
            m_y += m_page.text({left, m_y}, width, text, style) + 2;
        }
        if (m_s.problems.empty()) m_y += m_page.text({left, m_y}, width, "没有。", {7.4, ink});
        if (m_s.problems.size() > told)
            m_y += m_page.text({left, m_y}, width, fmt::format("另有 {} 条。", m_s.problems.size() - told),
                               {7.4, ink});
        if (!m_s.problems.empty())
            m_y += m_page.text({left, m_y}, width, "详情见 run.json。", {7.4, faint, false, Align::left, 1});
        m_y += 8;
    }

    // What a number can be traced to.
    void provenance() {
        room(60);
        heading(left, "数据与程序", "where it comes from");
        const auto say = [&](const std::string& text) {
            const TextStyle style{7.4, ink};
            room(m_page.text_height(width, text, style));
            m_y += m_page.text({left, m_y}, width, text, style) + 2;
        };
        constexpr std::size_t most = 60;
        std::string looks = fmt::format(
            "{}", fmt::join(m_s.dates.begin(),
                            m_s.dates.begin() + static_cast<std::ptrdiff_t>(std::min(most, m_s.dates.size())),
                            "，"));
        if (m_s.dates.size() > most) looks += fmt::format("，另有 {} 期", m_s.dates.size() - most);
        if (!m_s.dates.empty()) say(fmt::format("影像 {} 期：{}。", m_s.dates.size(), looks));
        say(fmt::format("防治责任范围图层：{}；规则集：{}。", m_s.approvals.empty() ? "无" : m_s.approvals,
                        m_s.rule_sets.empty() ? "—" : fmt::format("{}", fmt::join(m_s.rule_sets, "，"))));
        say(fmt::format("坐标系 {}；面积按 CGCS2000 椭球。程序 shuibao {}；输入、设置与版本见 run.json。",
                        m_in.suspects.crs, m_in.run.executor.options().code_version));
    }

    io::PageFile& m_page;
    const ExportInput& m_in;
    const BatchSummary& m_s;
    const PageWords& m_words;
    double m_y = top;
    int m_number = 0;
};

}  // namespace

void write_report_pdf(const std::filesystem::path& path, const ExportInput& input,
                      const BatchSummary& summary, const Mosaic& mosaic, const PageWords& words) {
    io::PageFile page(path, page_width, page_height,
                      {"水土保持遥感监管报告 " + input.batch, words.disclaimer(false), "shuibao",
                       Date::parse(input.batch + "01").value_or(Date())});
    Paper(page, input, summary, words).draw(mosaic);
    page.finish();
}

}  // namespace shuibao::pipeline
