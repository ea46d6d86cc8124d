// SPDX-License-Identifier: Apache-2.0
#include "onset_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "products.hpp"
#include <shuibao/core/change.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/cog.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::uint8_t unseen = 255;
constexpr int most = 254;  // months that a byte can tell apart: 21 years

// Months since January of year 0.
int month_of(Date d) {
    const auto text = d.compact();
    return std::stoi(text.substr(0, 4)) * 12 + std::stoi(text.substr(4, 2)) - 1;
}

std::string month_text(int month) {
    return fmt::format("{:04}-{:02}", month / 12, month % 12 + 1);
}

// 1 for the month of the first look, and so on; the last holds what lies beyond.
int code_of(int month, Date first) {
    return std::clamp(month - month_of(first) + 1, 1, most);
}

// From light (long ago) to dark (just now), told apart in grey as well.
std::array<std::uint8_t, 3> colour_of(int code, int last) {
    constexpr std::array<std::array<double, 3>, 4> ramp = {
        {{255, 237, 111}, {253, 141, 60}, {200, 30, 70}, {70, 10, 80}}};
    const double t = last > 1 ? 3.0 * (code - 1) / (last - 1) : 3;
    const auto k = std::min<std::size_t>(2, static_cast<std::size_t>(t));
    std::array<std::uint8_t, 3> rgb{};
    for (std::size_t i = 0; i < 3; ++i)
        rgb[i] = static_cast<std::uint8_t>(
            std::lround(ramp[k][i] + (t - static_cast<double>(k)) * (ramp[k + 1][i] - ramp[k][i])));
    return rgb;
}

std::map<std::uint8_t, std::array<std::uint8_t, 3>> colours_of(Date first, Date last) {
    std::map<std::uint8_t, std::array<std::uint8_t, 3>> colours = {{unseen, {128, 128, 128}}};
    const int n = code_of(month_of(last), first);
    for (int code = 1; code <= n; ++code) colours[static_cast<std::uint8_t>(code)] = colour_of(code, n);
    return colours;
}

// When the ground was opened: the month in which it was first seen open.
class OnsetMapExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {
            .summary =
                "onset_<batch>.tif: the month in which each changed pixel was first seen open, as a Cloud "
                "Optimized GeoTIFF with colours, and its QML style",
            .purpose = "For GIS and map services: what grew when"};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        const Products products(input.run);
        auto map = products.hashes(input.run);
        map["looks"] = products.first().iso() + " " + products.last().iso();
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        if (!Products(input.run).there()) return {};
        return {fmt::format("onset_{}.tif", input.batch), fmt::format("onset_{}.qml", input.batch)};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const auto names = files(input);
        const Products products(input.run);
        const auto first = products.first();
        io::CogWriter map(
            folder / names[0], products.grid(), products.area(),
            {.colours = colours_of(first, products.last()),
             .nodata = 0,  // as in the map of changes
             .description = "首次见到扰动的月份",
             .metadata = {
                 {"MONTH_OF_1", month_text(month_of(first))},
                 {"LEGEND", "0 无变化; 1 以后为首次见到扰动的月份，自 MONTH_OF_1 起每月加 1; 255 未观测"}}});
        std::vector<std::uint8_t> bytes;
        std::map<std::uint16_t, std::uint8_t> codes;  // of days: there are few, a look each
        products.strips({0, 4}, [&](auto bands) {
            const auto &evidence = bands[0], &onset = bands[1];
            const auto n = evidence.size();
            bytes.resize(n);
            for (std::size_t i = 0; i < n; ++i) {
                bytes[i] = evidence[i] == Change::unobserved ? unseen : std::uint8_t{0};
                if (bytes[i] == unseen || evidence[i] < Change::evidence_zero || onset[i] == 0) continue;
                auto [it, is_new] = codes.try_emplace(onset[i]);
                if (is_new) it->second = static_cast<std::uint8_t>(code_of(month_of(Date(onset[i])), first));
                bytes[i] = it->second;
            }
            map.write(bytes);
        });
        map.finish();
        io::write_text(folder / names[1], onset_style(first, products.last()));
    }
};

const Registration<Exporter, OnsetMapExporter> registration{"onset_map", 41};

}  // namespace

std::string onset_style(Date first, Date last) {
    std::string entries = "    <paletteEntry value=\"0\" color=\"#ffffff\" alpha=\"0\" label=\"无变化\"/>\n";
    for (const auto& [code, c] : colours_of(first, last))
        entries += fmt::format(
            "    <paletteEntry value=\"{}\" color=\"#{:02x}{:02x}{:02x}\" alpha=\"{}\" label=\"{}\"/>\n",
            code, c[0], c[1], c[2], code == unseen ? 96 : 255,
            code == unseen ? "未观测" : month_text(month_of(first) + code - 1));
    return fmt::format(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22\" "
        "styleCategories=\"Symbology\">\n <pipe>\n  <rasterrenderer type=\"paletted\" band=\"1\" "
        "opacity=\"1\" "
        "alphaBand=\"-1\" nodataColor=\"\">\n   <colorPalette>\n{}   </colorPalette>\n  </rasterrenderer>\n "
        "</pipe>\n <blendMode>0</blendMode>\n</qgis>\n",
        entries);
}

}  // namespace shuibao::pipeline
