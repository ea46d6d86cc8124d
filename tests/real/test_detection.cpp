// SPDX-License-Identifier: Apache-2.0
// The whole pipeline with its defaults on five real pairs: what it finds must not become worse, and must stay
// better than thresholding a change vector.
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/program.hpp"
#include "support/shared_data.hpp"
#include "support/stage_run.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

struct City {
    std::string set;
    double floor;      // F1 by pixel, measured less 0.03
    double yardstick;  // z-score change vector at its best threshold, chosen with the truth in hand
    double dx, dy;  // where the second image's content lies, px east and south, by cross-correlation of the
                    // gradients of red and NIR with a parabola through the peak; 99 = not measured
};

nlohmann::json json_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return nlohmann::json::parse(in);
}

}  // namespace

TEST_CASE("five pairs with one configuration: F1, registration, exit code") {
    const std::vector<City> cities = {{"oscd_aguasclaras", 0.248, 0.12, -0.22, -0.02},
                                      {"oscd_beihai", 0.429, 0.38, 0.83, 0.81},
                                      {"oscd_bordeaux", 0.240, 0.17, 0.7, -0.18},
                                      {"oscd_nantes", 0.463, 0.27, -0.17, 0.18},
                                      {"landsat_nanjing", 0.575, 0, 99, 99}};
    double sum = 0;
    std::size_t tried = 0;
    for (const auto& city : cities) {
        if (!have_shared(city.set)) continue;
        CAPTURE(city.set);
        const TemporaryFolder folder;
        const auto data = shared(city.set);
        std::ofstream(folder / "run.yaml")
            << "imagery: {catalog: ['" << (data / "catalog").string() << "']}\n"
            << "approvals: {path: '" << (data / "approvals.shp").string() << "'}\n"
            << "store: store\noutput: output\n";
        const auto run = program({"run", "-c", folder / "run.yaml", "-q"}, folder / "log.txt");
        CHECK((run.code == 0 || run.code == 3));
        const auto record = json_of(folder / "output/run.json");
        CHECK((run.code == 3) == !record.at("problems").empty());

        const auto assess =
            program({"assess", (data / "change_gt.tif").string(), "-c", folder / "run.yaml", "--json"},
                    folder / "log.txt");
        REQUIRE(assess.code == 0);
        const double f1 = nlohmann::json::parse(assess.out).at("pixels").at("f1");
        CHECK(f1 >= city.floor);
        CHECK(f1 >= city.yardstick);
        sum += f1;
        ++tried;

        std::size_t references = 0, others = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder / "store/scenes")) {
            const auto scene = json_of(entry.path());
            if (scene.at("decision") == "reference") {
                ++references;
                continue;
            }
            ++others;
            CHECK(scene.at("tie_points_used").get<int>() >= 3);
            CHECK(scene.at("rmse").get<double>() < 0.5);
            if (city.dx < 99) {
                if (city.set == "oscd_beihai") CHECK(scene.at("decision") == "shifted");
                CHECK(std::abs(scene.at("measured_dx").get<double>() - city.dx) <= 0.2);
                CHECK(std::abs(scene.at("measured_dy").get<double>() - city.dy) <= 0.2);
                if (scene.at("decision") == "shifted")
                    CHECK(std::abs(scene.at("applied_x").get<double>() +
                                   scene.at("measured_dx").get<double>()) < 0.01);
            }
        }
        CHECK(references == 1);
        CHECK(others == 1);

        // Every suspect is a disturbance, ranks run from 1, and severity never rises down the list within a
        // tier.
        const auto rows = io::read_layer(folder / "output/disturbances.gpkg", {"disturbances", "", ""});
        const auto suspects = io::read_layer(folder / "output/disturbances.gpkg", {"suspects", "", ""});
        CHECK(suspects.features.size() <= rows.features.size());
        CHECK_FALSE(suspects.features.empty());
        for (std::size_t i = 0; i < rows.features.size(); ++i) {
            const auto& f = rows.features[i];
            CHECK(number_of(f, "rank") == static_cast<double>(i + 1));
            CHECK(f.shape.valid());
            if (i > 0 && text_of(f, "tier") == text_of(rows.features[i - 1], "tier"))
                CHECK(number_of(f, "severity") <= number_of(rows.features[i - 1], "severity"));
        }
    }
    if (tried == cities.size()) CHECK(sum / static_cast<double>(tried) >= 0.391);
}
