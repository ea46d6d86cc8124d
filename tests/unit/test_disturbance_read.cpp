// SPDX-License-Identifier: Apache-2.0
// Polygons as people describe them: words trimmed and looked up, numbers and days checked, every row that is
// not understood named. And what has to be the same for a layer to count as unchanged.
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "../../pipeline/stages/disturbance_file.hpp"
#include "../../pipeline/stages/layer_files.hpp"
#include "support/boxes.hpp"
#include "support/stage_run.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

using io::FieldType;

// One row with this text in this field.
pipeline::DisturbanceSet read_one(const std::string& field, const std::string& text) {
    const TemporaryFolder folder;
    io::LayerData layer{"drawn", "EPSG:4546", {{field, FieldType::text}}, {}, {}};
    layer.rows.push_back({boxes("0 0 100 100", 500000, 3600000), {text}});
    io::write_geopackage(folder / "drawn.gpkg", std::span(&layer, 1));
    return pipeline::read_disturbances(folder / "drawn.gpkg", {});
}

}  // namespace

TEST_CASE("whether a polygon is gone again: what is unknown is listed, and accused of nothing") {
    struct Row {
        const char* text;
        bool gone, listed;
    };
    for (const Row& r : {Row{"1", true, false}, Row{"是", true, false}, Row{" true ", true, false},
                         Row{"0", false, false}, Row{"否", false, false}, Row{"false", false, false},
                         Row{"N", false, false}, Row{"无\u3000", false, false}, Row{"也许", true, true}}) {
        CAPTURE(std::string(r.text));
        const auto set = read_one("vanished", r.text);
        CHECK(set.list.at(0).vanished == r.gone);
        REQUIRE(set.notes.size() == (r.listed ? 1 : 0));
        if (r.listed) CHECK(set.notes[0].text.find("'也许' (row 1)") != std::string::npos);
    }
}

TEST_CASE("types by what people call them; other words are listed with their rows") {
    for (const auto& [word, known] : std::vector<std::pair<std::string, bool>>{{"弃渣", true},
                                                                               {"渣场", true},
                                                                               {" 弃土（渣）场 ", true},
                                                                               {"取土（石、砂）场", true},
                                                                               {"其他", true},
                                                                               {"碴场", false}}) {
        CAPTURE(word);
        CHECK(read_one("QTYPE", word).notes.empty() == known);
    }
    const TemporaryFolder folder;
    io::LayerData layer{"drawn", "EPSG:4546", {{"QTYPE", FieldType::text}}, {}, {}};
    for (int i = 0; i < 8; ++i)
        layer.rows.push_back({boxes("0 0 100 100", 500000 + 200 * i, 3600000), {std::string("碴场")}});
    io::write_geopackage(folder / "drawn.gpkg", std::span(&layer, 1));
    const auto set = pipeline::read_disturbances(folder / "drawn.gpkg", {});
    REQUIRE(set.notes.size() == 1);
    CHECK(set.notes[0].row == 1);
    CHECK(set.notes[0].text.find("'碴场' (rows 1, 2, 3, 4, 5 and 3 more)") != std::string::npos);
}

TEST_CASE("words for the change since the last batch and for the state of works are known or listed") {
    for (const auto& [field, word, known] : std::vector<std::tuple<std::string, std::string, bool>>{
             {"QDTYPE", "新增", true},
             {"QDTYPE", "扰动范围扩大", true},
             {"QDTYPE", "停工", true},  // of old lists
             {"QDTYPE", "扩大了", false},
             {"QDCS", "在建", true},
             {"QDCS", "已验收", true},
             {"QDCS", "新增", false}}) {
        CAPTURE(field);
        CAPTURE(word);
        const auto set = read_one(field, word);
        REQUIRE(set.notes.size() == (known ? 0 : 1));
        if (!known) CHECK(set.notes[0].text.find("'" + word + "' (row 1)") != std::string::npos);
    }
}

TEST_CASE("numbers beyond their limits are taken as not stated, and said") {
    struct Row {
        const char *field, *text;
        bool fine;
    };
    for (const Row& r :
         {Row{"confidence", "0.9", true}, Row{"confidence", " 0.9 ", true}, Row{"confidence", "90", false},
          Row{"confidence", "-3", false}, Row{"confidence", "高", false}, Row{"ground_sample", "2", true},
          Row{"ground_sample", "0", false}, Row{"core_share", "1.5", false},
          Row{"bare_share", "20", false}}) {
        CAPTURE(std::string(r.field));
        CAPTURE(std::string(r.text));
        const auto set = read_one(r.field, r.text);
        CHECK(set.notes.size() == (r.fine ? 0 : 1));
        if (std::string(r.field) == "confidence") CHECK(set.list.at(0).confidence == (r.fine ? 0.9 : 1.0));
        if (!r.fine) CHECK(set.notes.at(0).text.find(std::string("'") + r.text + "'") != std::string::npos);
    }
}

TEST_CASE("days in the wrong order, or after the batch, are taken as unknown, and said") {
    const TemporaryFolder folder;
    io::LayerData layer{
        "drawn", "EPSG:4546", {{"onset_from", FieldType::text}, {"onset_to", FieldType::text}}, {}, {}};
    for (const auto& [from, to] :
         {std::pair("2024-05-01", "2024-03-01"), std::pair("2031-05-01", "2032-03-01"),
          std::pair("2023-12-01", "2024-03-01")})
        layer.rows.push_back(
            {boxes("0 0 100 100", 500000 + 200 * static_cast<double>(layer.rows.size()), 3600000),
             {std::string(from), std::string(to)}});
    io::write_geopackage(folder / "drawn.gpkg", std::span(&layer, 1));
    Bench bench(folder.path(), {{"screen.disturbances", folder / "drawn.gpkg"}, {"approvals.path", "none"}},
                "202403");
    bench.run("screen");
    const auto rows = rows_by_case(folder / "store/batches/202403/screened.gpkg");
    CHECK(text_of(rows.at("202403-00001"), "onset_to").empty());
    CHECK(text_of(rows.at("202403-00002"), "onset_from").empty());
    CHECK(text_of(rows.at("202403-00003"), "onset_to") == "2024-03-01");
    REQUIRE(bench.problems().size() == 2);
    CHECK(bench.problems()[0].unit == "drawn.gpkg:1");
    CHECK(bench.problems()[1].what.find("2032-03-01") != std::string::npos);
}

TEST_CASE("a layer of several files is another one as soon as one of them is") {
    const TemporaryFolder folder;
    io::LayerData layer{"ranges", "EPSG:4546", {{"SADT", FieldType::text, 10}}, {}, {}};
    layer.rows.push_back({boxes("0 0 100 100", 500000, 3600000), {std::string("2023-05-01")}});
    io::write_shapefile(folder / "a.shp", layer, "UTF-8");
    layer.rows[0].values[0] = std::string("2024-05-01");
    io::write_shapefile(folder / "b.shp", layer, "UTF-8");
    namespace fs = std::filesystem;
    fs::create_directories(folder / "upper");
    const auto upper = [&](const std::string& from) {  // as old systems write them
        for (const char* ext : {"shp", "shx", "dbf", "prj", "cpg"}) {
            std::string big = ext;
            for (auto& c : big) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            fs::copy_file(folder / (from + "." + ext), folder / ("upper/R." + big),
                          fs::copy_options::overwrite_existing);
        }
        return pipeline::hash_vector(folder / "upper/R.SHP");
    };
    const auto first = upper("a"), again = upper("a"), other = upper("b");
    CHECK(first == again);
    CHECK(first != other);
    // A directory: every file below it, whatever the order in which the system lists them.
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream(folder / name) << text;
    };
    for (const char* name : {"x.gdb/deep", "y.gdb/deep"}) fs::create_directories(folder / name);
    write("x.gdb/1", "one"), write("x.gdb/2", "two"), write("x.gdb/deep/3", "three");
    write("y.gdb/deep/3", "three"), write("y.gdb/2", "two"), write("y.gdb/1", "one");
    const auto before = pipeline::hash_vector(folder / "x.gdb");
    fs::rename(folder / "x.gdb", folder / "z.gdb");
    fs::rename(folder / "y.gdb", folder / "x.gdb");
    CHECK(pipeline::hash_vector(folder / "x.gdb") == before);
    write("x.gdb/deep/3", "3");
    CHECK(pipeline::hash_vector(folder / "x.gdb") != before);
}
