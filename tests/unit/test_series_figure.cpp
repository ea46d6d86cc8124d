// SPDX-License-Identifier: Apache-2.0
// The history of a pixel on a page: nothing is written over anything else or beyond the edge, and the legend
// names what is drawn and no more.
#include <cstdlib>
#include <deque>
#include <string>

#include <doctest/doctest.h>

#include "../../pipeline/export/series_figure.hpp"

using namespace shuibao;
using namespace shuibao::pipeline;

namespace {

struct Story {
    std::deque<io::Acquisition> acquisitions;
    pipeline::PixelHistory history;

    // A look a month from 2019 on, the first of them without a state; feature 0 from 0 to `high`.
    Story(const std::vector<std::string>& statuses, double high, const std::string& feature) {
        SeriesHistory s;
        s.features = {feature};
        int month = 0;
        for (const auto& status : statuses) {
            io::Acquisition a;
            a.date = Date(Date::parse("2019-01-01")->days() + 30 * month++);
            acquisitions.push_back(a);
            PixelLook look;
            look.acquisition = &acquisitions.back();
            look.features = {high * month / static_cast<double>(statuses.size())};
            if (!status.empty()) {
                look.account.emplace();
                look.account->status = status;
            }
            history.looks.push_back(look);
        }
        s.last.onset_from = acquisitions.front().date;
        s.last.onset_to = acquisitions.back().date;
        history.series = s;
    }
};

struct Box {
    double x0, x1, y0, y1;
};

Box box_of(const algorithms::FigureLabel& l) {
    const double w = algorithms::label_width(l);
    const double x = l.at.x - (l.anchor == algorithms::Anchor::start    ? 0
                               : l.anchor == algorithms::Anchor::middle ? w / 2
                                                                        : w);
    return {x, x + w, l.at.y - 0.85 * l.size, l.at.y + 0.15 * l.size};
}

std::vector<algorithms::FigureLabel> labels_of(const algorithms::Figure& f) {
    std::vector<algorithms::FigureLabel> list;
    for (const auto& part : f.parts)
        if (const auto* l = std::get_if<algorithms::FigureLabel>(&part)) list.push_back(*l);
    return list;
}

}  // namespace

TEST_CASE("series figure: every label lies inside and over no other, however many states and long the name") {
    for (const std::string feature : {"NDVI", "a feature with a name as long as a sentence, if not longer"})
        for (const double high : {0.3, 1.0, 3.0}) {
            const Story story({"", "", "stable", "watch", "suspected", "confirmed", "reverted", "finished",
                               "finished", "finished", "finished", "finished", "finished"},
                              high, feature);
            const auto f = series_figure(story.history);
            REQUIRE(f);
            const auto labels = labels_of(*f);
            CHECK(labels.size() > 12);
            for (std::size_t i = 0; i < labels.size(); ++i) {
                const auto a = box_of(labels[i]);
                CAPTURE(labels[i].chinese + labels[i].english);
                CHECK(a.x0 >= 0);
                CHECK(a.x1 <= f->width);
                CHECK(a.y0 >= 0);
                CHECK(a.y1 <= f->height);
                for (std::size_t j = 0; j < i; ++j) {
                    const auto b = box_of(labels[j]);
                    CAPTURE(labels[j].chinese + labels[j].english);
                    CHECK_FALSE((a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1));
                }
            }
        }
}

TEST_CASE("series figure: the legend names the states that occur, in Chinese alone") {
    Story story({"", "stable", "stable", "confirmed"}, 1, "NDVI");
    const auto said = [&] {
        std::string text;
        for (const auto& l : labels_of(*series_figure(story.history)))
            if (!l.chinese.empty()) text += l.chinese + l.english + "|";
        return text;
    };
    CHECK(said() == "中心像元 NDVI|历史|稳定|确认|发生区间|");
    story.history.series->last.onset_to.reset();
    CHECK(said() == "中心像元 NDVI|历史|稳定|确认|");
    CHECK(series_figure(story.history)->title == "中心像元 NDVI，2019-01-01 – 2019-04-01");
}
