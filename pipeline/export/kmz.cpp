// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "field_rows.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/io/picture.hpp>
#include <shuibao/io/zip.hpp>

namespace shuibao::pipeline {
namespace {

std::string coordinates(const Ring& ring) {
    std::string text;
    for (const auto& p : ring) text += fmt::format("{}{:.7f},{:.7f}", text.empty() ? "" : " ", p.x, p.y);
    return text;
}

std::string ring_text(const Ring& ring) {
    return "<LinearRing><coordinates>" + coordinates(ring) + "</coordinates></LinearRing>";
}

// KML wants aabbggrr.
std::string kml_colour(std::uint32_t rgb, int alpha) {
    return fmt::format("{:02x}{:02x}{:02x}{:02x}", alpha, rgb & 0xFFU, rgb >> 8U & 0xFFU, rgb >> 16U & 0xFFU);
}

// A white disc that the style's colour tints; made here because a phone in the field has no network for
// icons.
std::string disc() {
    constexpr int n = 32;
    std::vector<std::uint8_t> rgba(std::size_t{n} * n * 4, 255);
    for (int y = 0; y < n; ++y)
        for (int x = 0; x < n; ++x) {
            const double r = std::hypot(x - (n - 1) / 2.0, y - (n - 1) / 2.0);
            rgba[static_cast<std::size_t>((y * n + x) * 4 + 3)] =
                static_cast<std::uint8_t>(std::clamp(13.5 - r, 0.0, 1.0) * 255);
        }
    return io::png_icon(rgba, n, n);
}

// KML 2.2 (OGC 07-147r2) in a zip: one folder for each tier, balloons in Chinese.
class KmzExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "<county>/<stem>.kmz: the suspects with balloons, in the colours of their tiers, and a "
                    "link to "
                    "the evidence page where there is one",
                .purpose = "For phones and Google Earth, without network",
                .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        // A page that comes or goes changes the links.
        for (const auto* f : input.suspects.rows)
            if (has_page(input, *f)) map["pages"] += text_of(*f, "case_id") + "\n";
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".kmz"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        io::ZipWriter zip(folder / files(input).front());
        zip.add_text("doc.kml", document(input));
        zip.add_text("disc.png", disc());
        zip.finish();
    }

  private:
    static bool has_page(const ExportInput& input, const io::VectorFeature& f) {
        return std::binary_search(input.earlier.begin(), input.earlier.end(),
                                  input.stem + "/" + evidence_page(text_of(f, "case_id")));
    }

    static std::string document(const ExportInput& input) {
        const ExportWords words(input.run);
        const auto columns = words.columns("balloon");
        const io::Transformation to_geographic(input.suspects.crs, "EPSG:4490");
        // Tiers in the order of rank, each with its placemarks.
        std::vector<std::pair<std::string, std::string>> tiers;
        for (const auto& stop : visiting_order(input.suspects)) {
            const auto tier = text_of(*stop.feature, "tier");
            if (tiers.empty() || tiers.back().first != tier) tiers.push_back({tier, {}});
            tiers.back().second += placemark(input, words, columns, stop, to_geographic, tiers.size() - 1);
        }
        std::string styles, folders;
        for (std::size_t i = 0; i < tiers.size(); ++i) {
            styles += style(i, words.colour(tiers[i].first));
            folders += fmt::format("<Folder><name>{}：{}</name>\n{}</Folder>\n",
                                   xml_text(words.label("tier")), xml_text(tiers[i].first), tiers[i].second);
        }
        return fmt::format(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml "
            "xmlns=\"http://www.opengis.net/kml/2.2\">\n<Document>\n"
            "<name>{}</name>\n<open>1</open>\n<description>{}</description>\n{}{}</Document>\n</kml>\n",
            xml_text(input.stem), xml_text(words.text("disclaimer")), styles, folders);
    }

    static std::string style(std::size_t i, std::uint32_t colour) {
        return fmt::format(
            "<Style "
            "id=\"tier{}\"><IconStyle><color>{}</color><scale>0.8</scale><Icon><href>disc.png</href></Icon>"
            "</IconStyle><LabelStyle><scale>0.8</scale></LabelStyle><LineStyle><color>{}</color><width>2</"
            "width>"
            "</LineStyle><PolyStyle><color>{}</color></PolyStyle><BalloonStyle><text>$[description]</text>"
            "</BalloonStyle></Style>\n",
            i, kml_colour(colour, 255), kml_colour(colour, 255), kml_colour(colour, 0x40));
    }

    // A balloon's text is HTML inside XML: what strangers wrote is made text twice.
    static std::string balloon(const ExportInput& input, const ExportWords& words,
                               const std::vector<ExportWords::Column>& columns, const Stop& stop,
                               const std::string& title) {
        std::string html = fmt::format("<h3>{}</h3><table>", xml_text(title));
        for (const auto& c : columns) {
            const auto text = shown(value_of(stop, c.field), c.decimals);
            if (!text.empty())
                html += fmt::format("<tr><td><b>{}</b></td><td>{}</td></tr>", xml_text(words.label(c.field)),
                                    xml_text(text));
        }
        html += "</table>";
        if (has_page(input, *stop.feature))
            html += fmt::format("<p><a href=\"../{}\">证据页</a></p>",
                                xml_text(evidence_page(text_of(*stop.feature, "case_id"))));
        return html + fmt::format("<p><small>{}</small></p>", xml_text(words.text("disclaimer")));
    }

    static std::string placemark(const ExportInput& input, const ExportWords& words,
                                 const std::vector<ExportWords::Column>& columns, const Stop& stop,
                                 const io::Transformation& to_geographic, std::size_t tier) {
        const auto& f = *stop.feature;
        const auto title =
            fmt::format("{} {} {}", stop.order, text_of(f, "case_id"), text_of(f, "verdict_zh"));
        std::string data;
        for (const auto& c : columns) {
            const auto text = shown(value_of(stop, c.field), c.decimals);
            if (!text.empty())
                data += fmt::format("<Data name=\"{}\"><displayName>{}</displayName><value>{}</value></Data>",
                                    xml_text(c.field), xml_text(words.label(c.field)), xml_text(text));
        }
        std::string shape = fmt::format("<Point><coordinates>{:.7f},{:.7f}</coordinates></Point>",
                                        stop.place.x, stop.place.y);
        for (const auto& polygon : to_geographic(f.shape).polygons()) {
            shape += "<Polygon><outerBoundaryIs>" + ring_text(polygon.outer) + "</outerBoundaryIs>";
            for (const auto& hole : polygon.holes)
                shape += "<innerBoundaryIs>" + ring_text(hole) + "</innerBoundaryIs>";
            shape += "</Polygon>";
        }
        return fmt::format(
            "<Placemark><name>{}</name><description>{}</description><styleUrl>#tier{}</"
            "styleUrl><ExtendedData>{}"
            "</ExtendedData><MultiGeometry>{}</MultiGeometry></Placemark>\n",
            xml_text(title), xml_text(balloon(input, words, columns, stop, title)), tier, data, shape);
    }
};

const Registration<Exporter, KmzExporter> registration{"kmz", 55};

}  // namespace
}  // namespace shuibao::pipeline
