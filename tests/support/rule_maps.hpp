// SPDX-License-Identifier: Apache-2.0
// Small maps of disturbances and ranges, drawn in several ways and judged by `screen`.
//
//   .  nothing            #  the disturbance          x  a second disturbance
//   A  range              a  the disturbance in it    c  the second disturbance in it
//   Y  spoil yard         y  the disturbance in it    Q q  borrow yard
//   S  schematic range    s  the disturbance in it    Z z  schematic spoil yard
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "boxes.hpp"
#include "stage_run.hpp"

namespace shuibao::test {

constexpr double cell = 25, spacing = 6000, x0 = 500000, y0 = 2400000;

struct Around {
    std::string qtype = "其他扰动", type = "房地产工程", status = "", owner = "", builder = "";
    std::string approved = "2022-03-01", accepted = "", onset_from = "2023-06-01", onset_to = "2023-09-01";
    double sample = 10, east = 0, south = 0;  // m; the disturbances are moved by so much
    bool parts = true, vanished = false;
    std::string kind = "", zone = "", zone_map = "";
    int pixels = 100;  // whole pixels that the layer states; -1: it states none
};

struct MapCase {
    const char* what;
    const char* map;
    Around around;
    const char *verdict, *flags;
    double outside;           // cells of the disturbance outside all exact ranges
    const char* second = "";  // verdict of the second disturbance
};

struct Got {
    std::string verdict, flags, second_verdict;
};

// How the same maps are drawn.
struct Drawing {
    std::string ranges_crs = "EPSG:4546", found_crs = "EPSG:4546", zones_crs = "EPSG:4546";
    bool cells_apart = false;  // a range as its single cells
    bool shuffled = false;
    double jitter = 0;  // m, of every vertex of the ranges
};

class Map {
  public:
    Map(const std::string& text, double x, double y) : m_x(x), m_y(y) {
        std::istringstream in(text);
        for (std::string row; std::getline(in, row, '/');) m_rows.push_back(row);
    }
    std::vector<io::Geometry> cells(const std::string& signs, double east = 0, double south = 0) const {
        std::vector<io::Geometry> list;
        for (std::size_t r = 0; r < m_rows.size(); ++r)
            for (std::size_t c = 0; c < m_rows[r].size(); ++c)
                if (signs.find(m_rows[r][c]) != std::string::npos) {
                    const double x = m_x + static_cast<double>(c) * cell + east,
                                 y = m_y - static_cast<double>(r) * cell - south;
                    list.push_back(box(x, y - cell, x + cell, y));
                }
        return list;
    }

  private:
    std::vector<std::string> m_rows;
    double m_x, m_y;
};

// Every vertex of one place moves the same way, so that shared boundaries stay shared.
inline io::Geometry jittered(const io::Geometry& shape, double by) {
    auto polygons = shape.polygons();
    const auto move = [&](Ring& ring) {
        for (auto& p : ring) {
            const auto h = static_cast<unsigned>(std::llround(p.x * 7 + p.y * 13)) * 2654435761U;
            p.x += by * (static_cast<double>(h % 1000) / 500 - 1) / 1.5;
            p.y += by * (static_cast<double>(h / 1000 % 1000) / 500 - 1) / 1.5;
        }
    };
    for (auto& p : polygons) {
        move(p.outer);
        for (auto& hole : p.holes) move(hole);
    }
    return io::Geometry(polygons);
}

inline std::vector<Got> judged(const std::vector<MapCase>& cases, const Drawing& drawing, bool check_areas) {
    using io::FieldType;
    const TemporaryFolder folder;
    const std::string crs = "EPSG:4546";
    io::LayerData found{"drawn",
                        crs,
                        {{"onset_from", FieldType::date},
                         {"onset_to", FieldType::date},
                         {"ground_sample", FieldType::real},
                         {"QTYPE", FieldType::text},
                         {"DPOZ", FieldType::text},
                         {"kind", FieldType::text},
                         {"vanished", FieldType::text},
                         {"full_pixels", FieldType::integer},
                         {"core_share", FieldType::real},
                         {"case", FieldType::integer}},
                        {},
                        {}},
        ranges{"ranges",
               crs,
               {{"PRID", FieldType::text},
                {"PRTYPE", FieldType::text},
                {"DPOZ", FieldType::text},
                {"SADT", FieldType::date},
                {"YSSJ", FieldType::date},
                {"DAREA", FieldType::real},
                {"PAPT", FieldType::text},
                {"JSZT", FieldType::text},
                {"vectype", FieldType::text}},
               {},
               {}};
    std::map<std::string, io::LayerData> zones;
    const auto day = [](const std::string& t) {
        return t.empty() ? io::Value() : io::Value(*Date::parse(t));
    };
    const auto text = [](const std::string& t) { return t.empty() ? io::Value() : io::Value(t); };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& c = cases[i];
        const auto& a = c.around;
        const double y = y0 + static_cast<double>(i) * spacing;
        const Map map(c.map, x0, y);
        for (const auto& [signs, number] : {std::pair("#ayqsz", 2 * i), std::pair("xc", 2 * i + 1)})
            if (const auto shape = io::union_of(map.cells(signs, a.east, a.south)); !shape.empty())
                found.rows.push_back(
                    {shape,
                     {day(a.onset_from), day(a.onset_to), a.sample, a.qtype, text(a.owner), text(a.kind),
                      text(a.vanished ? "是" : ""),
                      a.pixels < 0 ? io::Value() : io::Value(std::int64_t{a.pixels}),
                      a.pixels < 0 ? io::Value() : io::Value(1.0), static_cast<std::int64_t>(number)}});
        const auto range = [&](const char* signs, const std::string& part, const std::string& how) {
            const auto cells = map.cells(signs);
            std::vector<io::Geometry> shapes = drawing.cells_apart ? cells : std::vector{io::union_of(cells)};
            for (const auto& s : shapes)
                if (!s.empty())
                    ranges.rows.push_back(
                        {drawing.jitter > 0 ? jittered(s, drawing.jitter) : s,
                         {"P" + std::to_string(i), a.type, text(a.builder), day(a.approved), day(a.accepted),
                          100.0, text(a.parts ? part : ""), text(a.status), how}});
        };
        range("Aac", "主体工程区", "防治责任范围");
        range("Yy", "弃渣场", "防治责任范围");
        range("Qq", "取土场", "防治责任范围");
        range("Ss", "主体工程区", "示意性范围");
        range("Zz", "弃渣场", "示意性范围");
        if (!a.zone.empty()) {
            auto& layer =
                zones.try_emplace(a.zone, io::LayerData{a.zone, crs, {{"NAME", FieldType::text}}, {}, {}})
                    .first->second;
            layer.rows.push_back(
                {io::union_of(Map(a.zone_map, x0, y).cells("Z")), {a.zone + std::to_string(i)}});
        }
    }
    const auto write = [&](io::LayerData data, const std::string& to, const std::string& name) {
        if (drawing.shuffled) std::shuffle(data.rows.begin(), data.rows.end(), std::mt19937(7));
        const io::Transformation move(crs, to);
        for (auto& row : data.rows) row.shape = move(row.shape);
        data.crs = to;
        io::write_geopackage(folder / name, std::span(&data, 1));
        return folder / name;
    };
    std::string layers;
    for (const auto& [kind, layer] : zones)
        layers +=
            (layers.empty() ? "{" : ", ") + kind + ": " + write(layer, drawing.zones_crs, kind + ".gpkg");
    const auto drawn = write(found, drawing.found_crs, "drawn.gpkg");
    Bench bench(folder.path(),
                {{"screen.disturbances", drawn},
                 {"approvals.path", write(ranges, drawing.ranges_crs, "ranges.gpkg")},
                 {"zones.layers", layers.empty() ? "" : layers + "}"}},
                "202406");
    bench.run("screen");
    for (const auto& p : bench.problems()) FAIL_CHECK(p.what);
    std::vector<std::size_t> number;
    for (const auto& f : io::read_layer(drawn).features)
        number.push_back(static_cast<std::size_t>(*io::to_number(f.values.at("case"))));
    std::vector<Got> got(2 * cases.size());
    for (const auto& [id, row] : rows_by_case(folder / "store/batches/202406/screened.gpkg")) {
        const auto n = number.at(std::stoul(id.substr(7)) - 1);
        got[n] = {text_of(row, "verdict"), text_of(row, "flags"), text_of(row, "second_verdict")};
        if (!check_areas || n % 2 != 0) continue;
        CAPTURE(std::string(cases[n / 2].what));
        // On the central meridian metres of the map are metres of the ground; two decimals are written.
        CHECK(std::abs(number_of(row, "outside_m2") - cases[n / 2].outside * cell * cell) <=
              0.006 + 1e-6 * 1e5);
    }
    return got;
}

}  // namespace shuibao::test
