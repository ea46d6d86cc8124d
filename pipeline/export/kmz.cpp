// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "evidence_content.hpp"
#include "field_rows.hpp"
#include "surroundings.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/engine/hash.hpp>
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

std::string polygons_text(const io::Geometry& degrees) {
    std::string text;
    for (const auto& polygon : degrees.polygons()) {
        text += "<Polygon><outerBoundaryIs>" + ring_text(polygon.outer) + "</outerBoundaryIs>";
        for (const auto& hole : polygon.holes)
            text += "<innerBoundaryIs>" + ring_text(hole) + "</innerBoundaryIs>";
        text += "</Polygon>";
    }
    return text;
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
        return {
            .summary =
                "<county>/<stem>.kmz: the suspects in the colours of their tiers, the approved ranges near "
                "them as red lines; balloons with the pictures before and after, the reason and the "
                "score, and a link to the evidence page",
            .purpose = "For phones and Google Earth, without network",
            .scope = ExportScope::county};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        map.merge(page_hashes(input.run, {}));
        map.merge(Surroundings::inputs(input));
        // A page that comes or goes changes the links; pictures lie inside.
        std::string pages, pictures;
        for (const auto* f : input.suspects.rows) {
            if (has_page(input, *f)) pages += text_of(*f, "case_id") + "\n";
            for (const auto& picture : pictures_of(input, *f))
                pictures +=
                    engine::hash_file((input.run.output / "export" / input.stem / picture).string()) + "\n";
        }
        map["pages"] = engine::hash_bytes(pages);
        map["pictures"] = engine::hash_bytes(pictures);
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".kmz"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        io::ZipWriter zip(folder / files(input).front());
        zip.add_text("doc.kml", document(input, m_surroundings.ranges_near_suspects(input)));
        zip.add_text("disc.png", disc());
        for (const auto* f : input.suspects.rows)
            for (const auto& picture : pictures_of(input, *f))
                zip.add_file(inside(picture), folder / picture);
        zip.finish();
    }

  private:
    static bool has_page(const ExportInput& input, const io::VectorFeature& f) {
        return std::binary_search(input.earlier.begin(), input.earlier.end(),
                                  input.stem + "/" + evidence_page(text_of(f, "case_id")));
    }

    // Its pictures in the county's folder, where evidence pages were made of images.
    static std::vector<std::string> pictures_of(const ExportInput& input, const io::VectorFeature& f) {
        std::vector<std::string> list;
        for (const char* which : {"before", "after"}) {
            auto picture = evidence_picture(text_of(f, "case_id"), which);
            const auto made = input.stem + "/" + picture;
            std::error_code error;
            if (std::binary_search(input.earlier.begin(), input.earlier.end(), made) &&
                std::filesystem::is_regular_file(input.run.output / "export" / made, error))
                list.push_back(std::move(picture));
        }
        return list;
    }
    // KML readers keep pictures in "files".
    static std::string inside(const std::string& picture) {
        return "files" + picture.substr(picture.find('/'));
    }

    static std::string document(const ExportInput& input, const io::LayerData& ranges) {
        const ExportWords words(input.run);
        const PageWords pages(input.run);
        const auto columns = words.columns("balloon");
        const io::Transformation to_geographic(input.suspects.crs, "EPSG:4490");
        // Tiers in the order of rank, each with its placemarks.
        std::vector<std::pair<std::string, std::string>> tiers;
        for (const auto& stop : visiting_order(input.suspects, words)) {
            const auto tier = text_of(*stop.feature, "tier");
            if (tiers.empty() || tiers.back().first != tier) tiers.push_back({tier, {}});
            tiers.back().second +=
                placemark(input, words, pages, columns, stop, to_geographic, tiers.size() - 1);
        }
        std::string styles, folders;
        for (std::size_t i = 0; i < tiers.size(); ++i) {
            styles += style(i, words.colour(tiers[i].first));
            folders += fmt::format("<Folder><name>{}：{}</name>\n{}</Folder>\n",
                                   xml_text(words.label("tier")), xml_text(tiers[i].first), tiers[i].second);
        }
        if (!ranges.rows.empty()) {
            styles +=
                "<Style id=\"range\"><LineStyle><color>ff0000e6</color><width>2</width></LineStyle>"
                "<PolyStyle><fill>0</fill></PolyStyle></Style>\n";
            folders += fmt::format("<Folder><name>{}</name>\n", xml_text(words.text("ranges")));
            for (const auto& row : ranges.rows) folders += range_mark(ranges, row, words, to_geographic);
            folders += "</Folder>\n";
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

    // What a range is, in a line a field; its name is the project's.
    static std::string range_mark(const io::LayerData& ranges, const io::LayerData::Row& row,
                                  const ExportWords& words, const io::Transformation& to_geographic) {
        std::string name, lines;
        for (std::size_t i = 0; i < ranges.fields.size(); ++i) {
            const auto text = shown(row.values[i], 0);
            if (ranges.fields[i].name == "approval_name") name = text;
            if (!text.empty())
                lines += fmt::format("<b>{}</b> {}<br/>", xml_text(words.label(ranges.fields[i].name)),
                                     xml_text(text));
        }
        return fmt::format(
            "<Placemark><name>{}</name><description>{}</description><styleUrl>#range</styleUrl>"
            "<MultiGeometry>{}</MultiGeometry></Placemark>\n",
            xml_text(name), xml_text(lines), polygons_text(to_geographic(row.shape)));
    }

    // Why it is on the list: reason of the tier, and the score with its points.
    static std::string judged(const EvidenceContent& content, const ExportWords& words) {
        std::string html;
        if (!content.tier_reason.empty())
            html += fmt::format("<p><b>{}</b> {}</p>", xml_text(words.label("tier_reason")),
                                xml_text(content.tier_reason));
        if (content.score.empty()) return html;
        html += fmt::format("<p><b>{}</b></p><table>", xml_text(words.label("reasons")));
        for (const auto& line : content.score)
            html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", xml_text(line.item),
                                xml_text(line.value), xml_text(line.points));
        return html + "</table>";
    }

    // A balloon's text is HTML inside XML: what strangers wrote is made text twice.
    static std::string balloon(const ExportInput& input, const ExportWords& words, const PageWords& pages,
                               const std::vector<ExportWords::Column>& columns, const Stop& stop,
                               const std::string& title) {
        std::string html = fmt::format("<h3>{}</h3>", xml_text(title));
        for (const auto& picture : pictures_of(input, *stop.feature))
            html += fmt::format("<img src=\"{}\" width=\"256\" alt=\"{}\"/> ", xml_text(inside(picture)),
                                picture.ends_with("_before.jpg") ? "扰动前" : "扰动后");
        html += "<table>";
        for (const auto& c : columns) {
            const auto text = shown(value_of(stop, c.field), c.decimals);
            if (!text.empty())
                html += fmt::format("<tr><td><b>{}</b></td><td>{}</td></tr>", xml_text(words.label(c.field)),
                                    xml_text(text));
        }
        html += "</table>" + judged(evidence_content(*stop.feature, stop.place, nullptr, pages), words);
        if (has_page(input, *stop.feature))
            html += fmt::format("<p><a href=\"../{}\">证据页</a></p>",
                                xml_text(evidence_page(text_of(*stop.feature, "case_id"))));
        return html + fmt::format("<p><small>{}</small></p>", xml_text(words.text("disclaimer")));
    }

    static std::string placemark(const ExportInput& input, const ExportWords& words, const PageWords& pages,
                                 const std::vector<ExportWords::Column>& columns, const Stop& stop,
                                 const io::Transformation& to_geographic, std::size_t tier) {
        const auto& f = *stop.feature;
        const auto title =
            fmt::format("{}{} {}", stop.turn(), text_of(f, "case_id"), text_of(f, "verdict_zh"));
        std::string data;
        for (const auto& c : columns) {
            const auto text = shown(value_of(stop, c.field), c.decimals);
            if (!text.empty())
                data += fmt::format("<Data name=\"{}\"><displayName>{}</displayName><value>{}</value></Data>",
                                    xml_text(c.field), xml_text(words.label(c.field)), xml_text(text));
        }
        const std::string shape = fmt::format("<Point><coordinates>{:.7f},{:.7f}</coordinates></Point>",
                                              stop.place.x, stop.place.y) +
                                  polygons_text(to_geographic(f.shape));
        return fmt::format(
            "<Placemark><name>{}</name><description>{}</description><styleUrl>#tier{}</"
            "styleUrl><ExtendedData>{}"
            "</ExtendedData><MultiGeometry>{}</MultiGeometry></Placemark>\n",
            xml_text(title), xml_text(balloon(input, words, pages, columns, stop, title)), tier, data, shape);
    }

    Surroundings m_surroundings;
};

const Registration<Exporter, KmzExporter> registration{"kmz", 55};

}  // namespace
}  // namespace shuibao::pipeline
