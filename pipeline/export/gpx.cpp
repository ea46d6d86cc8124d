// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "field_rows.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

// GPX 1.1: a waypoint for each suspect and one route through them.
class GpxExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "<county>/<stem>.gpx: a waypoint for each suspect, and a route in the order of visits "
                    "through "
                    "those that are visited",
                .purpose = "For navigation devices and phones",
                .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        return word_inputs(input.run);
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".gpx"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        const auto columns = words.columns("balloon");
        auto stops = visiting_order(input.suspects, words);
        sort_by_turn(stops);
        std::string points, route;
        for (const auto& stop : stops) {
            const auto name = xml_text(stop.turn() + text_of(*stop.feature, "case_id"));
            points += point("wpt", stop) + "<name>" + name + "</name><desc>" +
                      description(words, columns, stop) + "</desc><type>" +
                      xml_text(text_of(*stop.feature, "tier")) + "</type></wpt>\n";
            if (stop.order > 0) route += point("rtept", stop) + "<name>" + name + "</name></rtept>\n";
        }
        io::write_text(
            folder / files(input).front(),
            fmt::format(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"shuibao\" "
                "xmlns=\"http://www.topografix.com/GPX/1/1\">\n<metadata><name>{0}</name><desc>{1}</desc>"
                "</metadata>\n{2}{3}</gpx>\n",
                xml_text(input.stem), xml_text(words.text("disclaimer")), points,
                route.empty()
                    ? std::string()
                    : fmt::format("<rte><name>{}</name>\n{}</rte>\n", xml_text(input.stem), route)));
    }

  private:
    static std::string point(const char* tag, const Stop& stop) {
        return fmt::format("<{} lat=\"{:.7f}\" lon=\"{:.7f}\">", tag, stop.place.y, stop.place.x);
    }
    static std::string description(const ExportWords& words, const std::vector<ExportWords::Column>& columns,
                                   const Stop& stop) {
        std::string text;
        for (const auto& c : columns) {
            const auto value = shown(value_of(stop, c.field), c.decimals);
            if (!value.empty())
                text += fmt::format("{}{}：{}", text.empty() ? "" : "；", words.label(c.field), value);
        }
        return xml_text(text);
    }
};

const Registration<Exporter, GpxExporter> registration{"gpx", 56};

}  // namespace
}  // namespace shuibao::pipeline
