// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "evidence_content.hpp"

namespace shuibao::pipeline {
namespace {

constexpr std::size_t a_line = 42;  // bytes: fourteen Chinese characters; more get a line of their own

// Dark modules of a row as runs.
std::string qr_path(const io::QrCode& code) {
    std::string d;
    for (int y = 0; y < code.size; ++y)
        for (int x = 0; x < code.size;) {
            int n = 0;
            while (x + n < code.size && code.dark[static_cast<std::size_t>(y * code.size + x + n)]) ++n;
            if (n > 0) d += fmt::format("M{} {}h{}v1h-{}z", x, y, n, n);
            x += n + 1;
        }
    return d;
}

// Where a line may end: behind the dash between two dates, before what stands in brackets; never in a date.
std::vector<TemplateData> unbroken(const std::string& value) {
    std::vector<TemplateData> parts;
    std::size_t from = 0;
    const auto cut = [&](std::size_t at) {
        TemplateData part;
        part.texts["text"] = value.substr(from, at - from);
        parts.push_back(std::move(part));
        from = at;
    };
    constexpr std::string_view dash = " – ", bracket = "（";
    if (const auto at = value.find(dash); at != std::string::npos) cut(at + dash.size());
    if (const auto at = value.find(bracket, from); at != std::string::npos) cut(at);
    cut(value.size());
    return parts;
}

TemplateData picture(const Chip& chip, const algorithms::Figure* over, std::string zh, std::string en) {
    TemplateData t;
    t.texts["image"] = io::data_uri(chip.jpeg, "image/jpeg");
    t.texts["cols"] = std::to_string(chip.cols);
    t.texts["rows"] = std::to_string(chip.rows);
    t.texts["zh"] = std::move(zh);
    t.texts["en"] = std::move(en);
    t.texts["date"] = chip.date.iso();
    t.texts["sensor"] = chip.sensor;
    if (over != nullptr) t.texts["over"] = algorithms::svg_parts(*over);
    return t;
}

}  // namespace

std::string evidence_html(const EvidenceContent& e, const PageWords& words) {
    TemplateData page;
    page.texts = {{"case_id", e.case_id},
                  {"batch", e.batch},
                  {"rank", e.rank},
                  {"tier", e.tier},
                  {"tier_code", e.tier_code},
                  {"tier_en", words.word("tiers_en", e.tier_code)},
                  {"action", e.action},
                  {"verdict", e.verdict},
                  {"verdict_en", e.verdict_en},
                  {"severity", e.severity},
                  {"tier_reason", e.tier_reason},
                  {"longitude", e.longitude},
                  {"latitude", e.latitude},
                  {"geo", e.geo},
                  {"qr_path", qr_path(e.code)},
                  {"qr_size", std::to_string(e.code.size + 8)},
                  {"rule_set", e.rule_set},
                  {"series_note", e.series_note},
                  {"disclaimer", words.disclaimer(false)},
                  {"disclaimer_en", words.disclaimer(true)},
                  {"gsd", fmt::format("{:g}", e.chips.gsd)},
                  {"css", words.colours.css() + template_text("evidence.css")}};
    page.flags = {{"natural", e.chips.natural},
                  {"infrared", !e.chips.natural && !e.chips.grey},
                  {"grey", e.chips.grey},
                  {"pictures", e.chips.before || e.chips.after},
                  {"no_before", e.chips.after && !e.chips.before},
                  {"no_after", e.chips.before && !e.chips.after},
                  {"no_pictures", !e.chips.before && !e.chips.after},
                  {"cut", !e.chips.whole},
                  {"has_articles", !e.articles.empty()},
                  {"has_series", e.series.has_value()},
                  {"has_series_note", !e.series_note.empty()}};
    const auto* over = e.outlines ? &*e.outlines : nullptr;
    if (e.chips.before) page.lists["chips"].push_back(picture(*e.chips.before, over, "前期", "before"));
    if (e.chips.after) page.lists["chips"].push_back(picture(*e.chips.after, over, "后期", "after"));
    if (e.chips.locator)
        page.lists["chips"].push_back(picture(*e.chips.locator, e.locator_marks ? &*e.locator_marks : nullptr,
                                              "位置示意", "where it lies"));
    if (e.series) {
        TemplateData s;
        s.texts = {{"width", std::to_string(e.series->width)},
                   {"height", std::to_string(e.series->height)},
                   {"title", e.series->title},
                   {"parts", algorithms::svg_parts(*e.series)}};
        page.lists["series"].push_back(std::move(s));
    }
    for (const auto& f : e.facts) {
        TemplateData t;
        t.texts = {{"zh", f.zh}, {"en", f.en}, {"value", f.value}, {"value_en", f.value_en}};
        if (f.strong) t.lists["parts"] = unbroken(f.value);
        t.flags["wide"] = f.value.size() > a_line;
        page.lists[f.strong ? "strong" : "facts"].push_back(std::move(t));
    }
    for (const auto& s : e.score) {
        TemplateData t;
        t.texts = {{"item", s.item},
                   {"value", s.value},
                   {"points", s.points},
                   {"basis", s.basis},
                   {"source", s.source}};
        page.lists["score"].push_back(std::move(t));
    }
    const auto texts = [&](const char* list, const std::vector<std::string>& from) {
        for (const auto& text : from) {
            TemplateData t;
            t.texts["text"] = text;
            page.lists[list].push_back(std::move(t));
        }
    };
    texts("articles", e.articles);
    texts("articles_en", e.articles_en);
    if (const auto it = words.pages.sections.find("limits"); it != words.pages.sections.end())
        for (const auto& [key, limit] : it->second) {
            TemplateData t;
            t.texts = {{"zh", limit.empty() ? key : limit.front()}, {"en", limit.size() > 1 ? limit[1] : ""}};
            page.lists["limits"].push_back(std::move(t));
        }
    if (const auto it = words.pages.sections.find("form"); it != words.pages.sections.end())
        for (const auto& [question, choices] : it->second) {
            TemplateData t;
            t.texts = {{"zh", question}, {"en", choices.empty() ? "" : choices.front()}};
            for (std::size_t i = 1; i < choices.size(); ++i) {
                TemplateData choice;
                const bool write = choices[i].ends_with("_");
                choice.texts["text"] = write ? choices[i].substr(0, choices[i].size() - 1) : choices[i];
                choice.flags = {{"write", write}, {"tick", !write}};
                t.lists["choices"].push_back(std::move(choice));
            }
            page.lists["form"].push_back(std::move(t));
        }
    return fill_template("evidence.html", page);
}

}  // namespace shuibao::pipeline
