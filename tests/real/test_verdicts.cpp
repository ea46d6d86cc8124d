// SPDX-License-Identifier: Apache-2.0
// True objects of five real scenes against invented ranges: screen gives the verdicts that somebody else
// derived from the rules, and nothing that must not matter changes one of them.
#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/boxes.hpp"
#include "support/shared_data.hpp"
#include "support/stage_run.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

const std::vector<std::string> sets = {"oscd_aguasclaras", "oscd_beihai", "oscd_bordeaux", "oscd_nantes",
                                       "landsat_nanjing"};

// truth_id → (verdict, approval)
std::map<std::string, std::pair<std::string, std::string>> expected(const std::string& set) {
    std::ifstream in(shared(set) / "expected.csv");
    std::map<std::string, std::pair<std::string, std::string>> out;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::vector<std::string> cells;
        std::istringstream row(line);
        for (std::string cell; std::getline(row, cell, ',');) {
            while (!cell.empty() && cell.back() == '\r') cell.pop_back();
            cells.push_back(cell);
        }
        if (cells.size() >= 5) out[cells[0]] = {cells[4], cells.size() > 5 ? cells[5] : ""};
    }
    return out;
}

io::LayerData as_data(const io::VectorLayer& layer) {
    io::LayerData data{"layer", layer.crs, {}, {}, {}};
    for (const auto& name : layer.fields) {
        auto type = io::FieldType::text;
        for (const auto& f : layer.features) {
            const auto& v = f.values.at(name);
            if (std::holds_alternative<Date>(v)) type = io::FieldType::date;
            if (std::holds_alternative<double>(v)) type = io::FieldType::real;
            if (std::holds_alternative<std::int64_t>(v)) type = io::FieldType::integer;
        }
        data.fields.push_back({name, type});
    }
    for (const auto& f : layer.features) {
        std::vector<io::Value> values;
        for (const auto& name : layer.fields) values.push_back(f.values.at(name));
        data.rows.push_back({f.shape, std::move(values)});
    }
    return data;
}

io::LayerData reprojected(io::LayerData data, const std::string& crs) {
    const io::Transformation move(data.crs, crs);
    for (auto& row : data.rows) row.shape = move(row.shape);
    data.crs = crs;
    return data;
}

// Every range in two parts, cut through its middle.
io::LayerData in_parts(const io::LayerData& data) {
    io::LayerData out = data;
    out.rows.clear();
    for (std::size_t i = 0; i < data.rows.size(); ++i) {
        const auto& row = data.rows[i];
        const Bounds b = row.shape.bounds();
        const double x = (b.min_x + b.max_x) / 2, y = (b.min_y + b.max_y) / 2;
        const auto first = i % 2 == 0 ? box(b.min_x - 1, b.min_y - 1, x, b.max_y + 1)
                                      : box(b.min_x - 1, b.min_y - 1, b.max_x + 1, y);
        out.rows.push_back({row.shape.intersection(first), row.values});
        out.rows.push_back({row.shape.difference(first), row.values});
    }
    return out;
}

struct Found {
    std::string verdict, approval;
    auto operator<=>(const Found&) const = default;
};

// Screens the objects and gives the verdicts by truth_id.
std::map<std::string, Found> screened(const std::string& objects, const std::string& ranges) {
    const TemporaryFolder folder;
    Bench bench(folder.path(), {{"screen.disturbances", objects}, {"approvals.path", ranges}}, "202001");
    bench.run("screen");
    for (const auto& p : bench.problems()) FAIL_CHECK(p.what);
    std::vector<std::string> ids;
    for (const auto& f : io::read_layer(objects).features)
        ids.push_back(io::to_text(f.values.at("truth_id")));
    std::map<std::string, Found> out;
    for (const auto& [id, row] : rows_by_case(folder / "store/batches/202001/screened.gpkg"))
        out[ids.at(std::stoul(id.substr(7, 5)) - 1) + id.substr(12)] = {text_of(row, "verdict_zh"),
                                                                        text_of(row, "approval_id")};
    return out;
}

}  // namespace

TEST_CASE("expected.csv of five sets, and what must not change a verdict") {
    std::size_t tried = 0, objects = 0;
    for (const auto& set : sets) {
        if (!have_shared(set)) continue;
        ++tried;
        CAPTURE(set);
        const auto truth_file = (shared(set) / "truth_objects.gpkg").string(),
                   range_file = (shared(set) / "approvals.shp").string();
        const auto want = expected(set);
        REQUIRE(want.size() > 5);
        const auto got = screened(truth_file, range_file);
        CHECK(got.size() == want.size());
        for (const auto& [id, row] : want) {
            CAPTURE(id);
            REQUIRE(got.count(id) == 1);
            CHECK(got.at(id).verdict == row.first);
            CHECK(got.at(id).approval == row.second);
            ++objects;
        }

        const TemporaryFolder folder;
        const auto ranges = as_data(io::read_layer(range_file));
        auto truth = as_data(io::read_layer(truth_file));
        const auto write = [&](const char* name, const io::LayerData& data) {
            io::write_geopackage(folder / name, std::span(&data, 1));
            return folder / name;
        };
        const Bounds b = ranges.rows.front().shape.bounds();
        const auto place = io::Transformation(ranges.crs, "EPSG:4490")(Point{b.min_x, b.min_y});
        // Zones of the CGCS2000 system exist for China only; elsewhere the sheet beside it serves as well.
        const std::string zone = place.x > 73.5 && place.x < 136.5
                                     ? "EPSG:" + std::to_string(io::gauss_kruger_code(place.x))
                                     : "EPSG:32" + std::string(place.y < 0 ? "7" : "6") +
                                           std::to_string(static_cast<int>((place.x + 180) / 6) + 2);
        CHECK(screened(truth_file, write("degrees.gpkg", reprojected(ranges, "EPSG:4490"))) == got);
        CHECK(screened(truth_file, write("zone.gpkg", reprojected(ranges, zone))) == got);
        CHECK(screened(truth_file, write("parts.gpkg", in_parts(ranges))) == got);
        std::mt19937 random(2020);
        auto shuffled = ranges;
        std::shuffle(shuffled.rows.begin(), shuffled.rows.end(), random);
        std::shuffle(truth.rows.begin(), truth.rows.end(), random);
        CHECK(screened(write("truth.gpkg", truth), write("shuffled.gpkg", shuffled)) == got);
        CHECK(screened(write("truth_degrees.gpkg", reprojected(truth, "EPSG:4490")), range_file) == got);
    }
    if (tried > 0) MESSAGE(objects << " verdicts in " << tried << " sets");
}
