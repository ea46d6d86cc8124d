// SPDX-License-Identifier: Apache-2.0
#include "qgis_style.hpp"

#include <fmt/format.h>

#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {
namespace {

// QGIS wants the WKT; the code gives the CRS its name.
std::string crs_text(const std::string& crs) {
    const auto wkt = xml_text(io::crs_wkt(crs));
    return fmt::format("<spatialrefsys><wkt>{}</wkt>{}</spatialrefsys>", wkt,
                       crs.starts_with("EPSG:") ? fmt::format("<authid>{}</authid>", xml_text(crs)) : "");
}

// What stands between <qgis …> and </qgis>.
std::string inside_of(const std::string& qml) {
    const auto open = qml.find("<qgis");
    const auto begin = qml.find('>', open) + 1, end = qml.rfind("</qgis>");
    return qml.substr(begin + (qml[begin] == '\n' ? 1 : 0), end - begin - (qml[begin] == '\n' ? 1 : 0));
}

std::string layer_text(const ProjectLayer& l) {
    return fmt::format(
        "  <maplayer type=\"{}\"{}{}>\n   <id>{}</id>\n   <datasource>{}</datasource>\n   "
        "<layername>{}</layername>\n"
        "   <srs>{}</srs>\n   <provider{}>{}</provider>\n{}  </maplayer>\n",
        l.raster ? "raster" : "vector", l.raster ? "" : " geometry=\"Polygon\"",
        l.read_only ? " readOnly=\"1\"" : "", xml_text(l.id), xml_text(l.source), xml_text(l.title),
        crs_text(l.crs), l.raster ? "" : " encoding=\"UTF-8\"", l.raster ? "gdal" : "ogr",
        inside_of(l.style));
}

}  // namespace

ColumnTitles titles_of(const std::vector<std::string>& fields, const ExportWords& words) {
    ColumnTitles titles;
    for (const auto& f : fields) titles.emplace_back(f, words.label(f));
    return titles;
}

ColumnTitles titles_of(const io::LayerData& layer, const ExportWords& words) {
    std::vector<std::string> fields;
    for (const auto& f : layer.fields) fields.push_back(f.name);
    return titles_of(fields, words);
}

std::string with_titles(const std::string& qml, const ColumnTitles& titles) {
    std::string aliases = " <aliases>\n";
    std::size_t i = 0;
    for (const auto& [field, title] : titles)
        aliases += fmt::format("  <alias field=\"{}\" index=\"{}\" name=\"{}\"/>\n", xml_text(field), i++,
                               xml_text(title));
    const auto end = qml.rfind("</qgis>");
    return qml.substr(0, end) + aliases + " </aliases>\n" + qml.substr(end);
}

std::string project_text(const std::string& title, const std::vector<ProjectLayer>& layers,
                         const Bounds& extent) {
    std::string tree, maps, order;
    for (const auto& l : layers) {
        tree += fmt::format(
            "  <layer-tree-layer id=\"{}\" name=\"{}\" source=\"{}\" providerKey=\"{}\" checked=\"{}\" "
            "expanded=\"1\"/>\n",
            xml_text(l.id), xml_text(l.title), xml_text(l.source), l.raster ? "gdal" : "ogr",
            l.shown ? "Qt::Checked" : "Qt::Unchecked");
        maps += layer_text(l);
        order += fmt::format("  <layer id=\"{}\"/>\n", xml_text(l.id));
    }
    return fmt::format(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22.0\" "
        "projectname=\"{0}\">\n"
        " <title>{0}</title>\n <projectCrs>{1}</projectCrs>\n <layer-tree-group>\n{2} </layer-tree-group>\n"
        " <mapcanvas name=\"theMapCanvas\">\n  <units>meters</units>\n  "
        "<extent><xmin>{3:.6f}</xmin><ymin>{4:.6f}</ymin>"
        "<xmax>{5:.6f}</xmax><ymax>{6:.6f}</ymax></extent>\n  <destinationsrs>{1}</destinationsrs>\n "
        "</mapcanvas>\n"
        " <projectlayers>\n{7} </projectlayers>\n <layerorder>\n{8} </layerorder>\n <properties>\n"
        "  <Paths><Absolute type=\"bool\">false</Absolute></Paths>\n"
        "  <SpatialRefSys><ProjectionsEnabled type=\"int\">1</ProjectionsEnabled></SpatialRefSys>\n"
        "  <Measurement><AreaUnits type=\"QString\">ha</AreaUnits></Measurement>\n </properties>\n</qgis>\n",
        xml_text(title), crs_text(layers.front().crs), tree, extent.min_x, extent.min_y, extent.max_x,
        extent.max_y, maps, order);
}

}  // namespace shuibao::pipeline
