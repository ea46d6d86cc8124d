// SPDX-License-Identifier: Apache-2.0
// Reading the layer of approved ranges: names of fields, encodings, parts, dates, units, and what is refused.
#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../pipeline/stages/approvals.hpp"
#include "support/boxes.hpp"
#include "support/stage_run.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/resources.hpp>

using namespace shuibao;
using namespace shuibao::test;
using io::FieldType;
using pipeline::Project;

namespace {

constexpr double x0 = 500000, y0 = 3600000;
const std::string crs = "EPSG:4546";

io::LayerData layer(std::vector<io::Field> fields) {
    return {"ranges", crs, std::move(fields), {}, {}};
}

struct Read {
    std::vector<Project> projects;
    std::vector<engine::Problem> problems, notes;
};

Read read(const std::string& path, std::map<std::string, std::string> options = {}) {
    const TemporaryFolder folder;
    options["approvals.path"] = path;
    Bench bench(folder.path(), options);
    auto projects = pipeline::read_approvals(bench.context(), crs);
    return {std::move(projects.projects), bench.problems(), bench.notes()};
}

Read read_gpkg(const io::LayerData& data, const std::map<std::string, std::string>& options = {}) {
    const TemporaryFolder folder;
    io::write_geopackage(folder / "ranges.gpkg", std::span(&data, 1));
    return read(folder / "ranges.gpkg", options);
}

std::string message(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& e) {
        return std::string(e.what()) + " | " + e.hint();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("every known alias of every field is read, in any case") {
    const auto words = engine::Dictionary::load(engine::config_file("dictionaries/approvals.yaml"));
    std::size_t tried = 0;
    for (const auto& [ours, aliases] : words.sections.at("fields"))
        for (auto alias : aliases) {
            CAPTURE(alias);
            if (++tried % 2 == 0)
                std::transform(alias.begin(), alias.end(), alias.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            auto data = layer({{alias, FieldType::text}});
            if (ours != "project" && ours != "name") data.fields.push_back({"PRID", FieldType::text});
            const std::string value = ours == "date" || ours == "accepted" ? "2021-05-06"
                                      : ours == "area"                     ? "12.5"
                                      : ours == "vector_type"              ? "示意性范围"
                                      : ours == "type"                     ? "公路工程"
                                      : ours == "status"                   ? "施工"
                                                                           : "某工程甲";
            if (data.fields.size() == 1)
                data.rows.push_back({boxes("0 0 100 100", x0, y0), {value}});
            else
                data.rows.push_back({boxes("0 0 100 100", x0, y0), {value, std::string("P1")}});
            const auto r = read_gpkg(data);
            REQUIRE(r.projects.size() == 1);
            const auto& p = r.projects[0];
            if (ours == "project") CHECK(p.key == value);
            if (ours == "name") CHECK(p.name == value);
            if (ours == "owner") CHECK(p.owner == value);
            if (ours == "type") CHECK(p.type == value);
            if (ours == "authority") CHECK(p.authority == value);
            if (ours == "credit") CHECK(p.credit == value);
            if (ours == "date") CHECK(p.approved == Date::parse(value));
            if (ours == "accepted") CHECK(p.accepted == Date::parse(value));
            if (ours == "status") CHECK(p.status == value);
            if (ours == "area") CHECK(p.declared_area == doctest::Approx(125000));
            if (ours == "part") CHECK(p.parts == std::vector<std::string>{value});
            if (ours == "vector_type") CHECK_FALSE(p.schematic.empty());
            CHECK(r.problems.empty());
        }
    CHECK(tried >= 25);
}

TEST_CASE("fields with names of their own are mapped, and wrong mappings are named") {
    auto data = layer({{"BH", FieldType::text}, {"PFRQ", FieldType::text}});
    data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("N-7"), std::string("2021-05-06")}});
    const auto r = read_gpkg(data, {{"approvals.fields", "{project: BH, date: PFRQ}"}});
    REQUIRE(r.projects.size() == 1);
    CHECK(r.projects[0].key == "N-7");
    CHECK(r.projects[0].approved == Date::parse("2021-05-06"));
    CHECK(message([&] { read_gpkg(data); }).find("BH, PFRQ") != std::string::npos);
    CHECK(message([&] {
              read_gpkg(data, {{"approvals.fields", "{projekt: BH}"}});
          }).find("Did you mean 'project'?") != std::string::npos);
    const auto absent = message([&] { read_gpkg(data, {{"approvals.fields", "{project: XYZ}"}}); });
    CHECK(absent.find("no field 'XYZ'") != std::string::npos);
    CHECK(absent.find("BH, PFRQ") != std::string::npos);
}

TEST_CASE("shapefiles in GBK and UTF-8, with right, wrong and no .cpg, give the same texts") {
    auto data =
        layer({{"PRNM", FieldType::text, 60}, {"DPOZ", FieldType::text, 60}, {"PRID", FieldType::text, 20}});
    data.rows.push_back({boxes("0 0 100 100", x0, y0),
                         {std::string("南阳市某露天采石场（二期）"), std::string("囧囧建设有限公司"),
                          std::string("豫水保2021-8")}});
    const TemporaryFolder folder;
    for (const std::string encoding : {"GBK", "UTF-8"})
        for (const std::string cpg : {"own", "none", "UTF-8", "option"}) {
            if (encoding == "GBK" && cpg == "own") continue;  // tried as 'option'
            CAPTURE(encoding);
            CAPTURE(cpg);
            const std::string stem = folder / (encoding + cpg);
            io::write_shapefile(stem + ".shp", data, encoding);
            if (cpg == "none" || cpg == "option") std::filesystem::remove(stem + ".cpg");
            if (cpg == "UTF-8") std::ofstream(stem + ".cpg") << "UTF-8\r\n";
            const auto r =
                read(stem + ".shp", cpg == "option"
                                        ? std::map<std::string, std::string>{{"approvals.encoding", encoding}}
                                        : std::map<std::string, std::string>{});
            REQUIRE(r.projects.size() == 1);
            CHECK(r.projects[0].key == "豫水保2021-8");
            CHECK(r.projects[0].name == "南阳市某露天采石场（二期）");
            CHECK(r.projects[0].owner == "囧囧建设有限公司");
            CHECK(r.problems.empty());
            const bool said = std::any_of(r.notes.begin(), r.notes.end(),
                                          [](const auto& n) { return n.code == "encoding"; });
            CHECK(said == (encoding == "GBK" && cpg != "option"));
        }
    io::write_shapefile(folder / "gbk.shp", data, "GBK");  // with the .cpg that the writer makes
    const auto r = read(folder / "gbk.shp");
    CHECK(r.projects.at(0).name == "南阳市某露天采石场（二期）");
    CHECK(r.notes.empty());
}

TEST_CASE("parts are dissolved by project; the key falls back to name and owner") {
    auto data = layer({{"PRID", FieldType::text},
                       {"PRNM", FieldType::text},
                       {"DPOZ", FieldType::text},
                       {"PAPT", FieldType::text},
                       {"SADT", FieldType::text},
                       {"DAREA", FieldType::real},
                       {"vectype", FieldType::text}});
    const auto add = [&](const char* where, std::vector<std::string> t, double area) {
        std::vector<io::Value> values;
        for (std::size_t i = 0; i < 5; ++i) values.push_back(t[i].empty() ? io::Value() : io::Value(t[i]));
        values.push_back(area > 0 ? io::Value(area) : io::Value());
        values.push_back(t[5]);
        data.rows.push_back({boxes(where, x0, y0), values});
    };
    add("0 0 100 100", {"P1", "甲", "甲公司", "弃渣场", "2021-05-06", ""}, 3);
    add("100 0 200 100", {"P1", "", "", "主体工程区", "2020-01-02", "防治责任范围"}, 3);
    add("150 0 250 100", {"P1", "", "", "弃渣场", "", ""}, 3);
    add("300 0 400 100", {"P1", "", "", "料场", "", "示意性范围"}, 0);
    add("0 500 100 600", {"", "乙", "乙公司", "", "", ""}, 0);
    add("100 500 200 600", {"", "乙", "乙公司", "", "", ""}, 0);
    add("0 900 100 1000", {"", "乙", "丙公司", "", "", ""}, 0);
    add("0 1300 100 1400", {"", "", "", "", "", ""}, 0);
    const auto r = read_gpkg(data);
    std::vector<std::string> keys;
    for (const auto& p : r.projects) keys.push_back(p.key);
    CHECK(std::is_sorted(keys.begin(), keys.end()));
    REQUIRE(std::set<std::string>(keys.begin(), keys.end()) ==
            std::set<std::string>{"P1", "乙 / 乙公司", "乙 / 丙公司", "row 8"});
    for (const auto& p : r.projects) {
        CAPTURE(p.key);
        if (p.key == "P1") {
            CHECK(p.exact.area() == doctest::Approx(25000));
            CHECK(p.exact.parts().size() == 1);
            CHECK(p.schematic.area() == doctest::Approx(10000));
            CHECK(p.parts == std::vector<std::string>{"主体工程区", "弃渣场", "料场"});
            CHECK(p.approved == Date::parse("2020-01-02"));
            CHECK(p.declared_area == doctest::Approx(30000));
            CHECK(p.name == "甲");
        }
        if (p.key == "乙 / 乙公司") CHECK(p.declared_area == doctest::Approx(20000).epsilon(1e-6));
    }
}

TEST_CASE("rows of one project that disagree are told with both rows; the first stands") {
    auto data = layer({{"PRID", FieldType::text},
                       {"PRNM", FieldType::text},
                       {"PRTYPE", FieldType::text},
                       {"SADT", FieldType::text},
                       {"DAREA", FieldType::real}});
    data.rows.push_back(
        {boxes("0 0 100 100", x0, y0),
         {std::string("P1"), std::string("甲"), std::string("公路工程"), std::string("2023-01-01"), 2.0}});
    data.rows.push_back(
        {boxes("100 0 200 100", x0, y0),
         {std::string("P1"), std::string("乙"), std::string(" XMLX-01　"), std::string("2024-12-01"), 20.0}});
    data.rows.push_back({boxes("0 500 100 600", x0, y0),
                         {std::string(""), std::string(""), std::string("造纸"), io::Value(), io::Value()}});
    const auto r = read_gpkg(data);
    REQUIRE(r.projects.size() == 2);
    const auto& p = r.projects[0];
    CHECK(p.name == "甲");
    CHECK(p.type == "公路工程");  // by the key, without its blanks: no conflict
    CHECK(p.approved == Date::parse("2023-01-01"));
    REQUIRE(p.dated.size() == 2);
    CHECK(p.dated[1].approved == *Date::parse("2024-12-01"));
    CHECK(p.dated[1].range.area() == doctest::Approx(10000));
    CHECK(p.declared_area == doctest::Approx(200000));
    std::string all;
    for (const auto& problem : r.problems)
        all += problem.unit + " " + problem.code + " " + problem.what + "\n";
    CHECK(r.problems.size() == 3);
    for (const char* part :
         {"ranges.gpkg:2 conflict The rows of project P1 disagree on its name: '甲' in row 1, '乙' in row 2",
          "ranges.gpkg:2 conflict The rows of project P1 disagree on its area: 2 hm² in row 1, 20 hm² in row "
          "2",
          "ranges.gpkg:3 nameless The row names no project"}) {
        CAPTURE(std::string(part));
        CHECK(all.find(part) != std::string::npos);
    }
    REQUIRE(r.notes.size() == 2);
    CHECK(r.notes[0].unit == "ranges.gpkg:3");
    CHECK(r.notes[0].what.find("No dictionary knows the project type '造纸' (row 3)") == 0);
    CHECK(r.notes[1].code == "approval_dates");
    CHECK(r.notes[1].what.find("2023-01-01 (row 1), 2024-12-01 (row 2)") != std::string::npos);
}

TEST_CASE("a word that no dictionary knows for the kind of range links and proves nothing, and is listed") {
    for (const auto& [word, schematic, listed] :
         std::vector<std::tuple<std::string, bool, bool>>{{"示意范围", true, false},
                                                          {" 示意性范围 ", true, false},
                                                          {"防治责任范围", false, false},
                                                          {"", false, false},
                                                          {"大概范围", true, true}}) {
        CAPTURE(word);
        auto data = layer({{"PRID", FieldType::text}, {"vectype", FieldType::text}});
        data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1"), word}});
        const auto r = read_gpkg(data);
        CHECK(r.projects.at(0).exact.empty() == schematic);
        CHECK(r.projects.at(0).schematic.empty() != schematic);
        REQUIRE(r.problems.size() == (listed ? 1 : 0));
        if (listed) CHECK(r.problems[0].what.find("'大概范围' (row 1)") != std::string::npos);
    }
}

TEST_CASE("dates in the notations that offices use; what is no date is listed with its row") {
    const std::vector<std::pair<std::string, std::string>> good = {{"2021-05-06", "2021-05-06"},
                                                                   {"2021/05/06", "2021-05-06"},
                                                                   {"20210506", "2021-05-06"},
                                                                   {"2021/5/6", "2021-05-06"},
                                                                   {"2021-5-16", "2021-05-16"},
                                                                   {"2021.5.6", "2021-05-06"},
                                                                   {"2021.05.06", "2021-05-06"},
                                                                   {"2021年5月6日", "2021-05-06"},
                                                                   {"2021年05月06日", "2021-05-06"},
                                                                   {" 2021-05-06 ", "2021-05-06"},
                                                                   {"2021-05-06 00:00:00", "2021-05-06"},
                                                                   {"2021/5/6 0:00", "2021-05-06"},
                                                                   {"2020年2月29日", "2020-02-29"}};
    for (const auto& [written, meant] : good) {
        CAPTURE(written);
        auto data = layer({{"PRID", FieldType::text}, {"SADT", FieldType::text}});
        data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1"), written}});
        const auto r = read_gpkg(data);
        CHECK(r.projects.at(0).approved == Date::parse(meant));
        CHECK(r.problems.empty());
    }
    for (const std::string written : {"2021年", "2021-13-01", "2019-02-29", "豫水保〔2021〕8号", "06.05.2021",
                                      "2021-05", "2021年5月6日批复"}) {
        CAPTURE(written);
        auto data = layer({{"PRID", FieldType::text}, {"SADT", FieldType::text}});
        data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1"), written}});
        const auto r = read_gpkg(data);
        CHECK_FALSE(r.projects.at(0).approved);
        REQUIRE(r.problems.size() == 1);
        CHECK(r.problems[0].code == "bad_date");
        CHECK(r.problems[0].unit == "ranges.gpkg:1");
        CHECK(r.problems[0].what.find(written) != std::string::npos);
    }
    auto typed = layer({{"PRID", FieldType::text}, {"SADT", FieldType::date}});
    typed.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1"), *Date::parse("2021-05-06")}});
    CHECK(read_gpkg(typed).projects.at(0).approved == Date::parse("2021-05-06"));
    auto whole = layer({{"PRID", FieldType::text}, {"SADT", FieldType::integer}});
    whole.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1"), std::int64_t{20210506}}});
    CHECK(read_gpkg(whole).projects.at(0).approved == Date::parse("2021-05-06"));
}

TEST_CASE("DAREA is hectares; square metres are recognised by the area of the ranges and said") {
    struct Row {
        double written, square_metres;
        bool noted, refused = false;
    };
    // One range of 4 hm².
    for (const Row& row : {Row{4, 40000, false}, Row{5.5, 55000, false}, Row{1, 10000, false},
                           Row{40000, 40000, true}, Row{55000, 55000, true}, Row{0, 40000, false},
                           Row{-3, 40000, false, true}, Row{400, 4000000, false}}) {
        CAPTURE(row.written);
        auto data = layer({{"PRID", FieldType::text}, {"DAREA", FieldType::real}});
        data.rows.push_back({boxes("0 0 200 200", x0, y0), {std::string("P1"), row.written}});
        const auto r = read_gpkg(data);
        CHECK(r.projects.at(0).declared_area == doctest::Approx(row.square_metres).epsilon(1e-6));
        CHECK(r.notes.size() == (row.noted ? 1 : 0));
        if (row.noted) CHECK(r.notes.at(0).code == "area_unit");
        REQUIRE(r.problems.size() == (row.refused ? 1 : 0));
        if (row.refused) CHECK(r.problems[0].what.find("'-3' is negative") != std::string::npos);
    }
    auto data = layer({{"PRID", FieldType::text}, {"DAREA", FieldType::text}});
    data.rows.push_back({boxes("0 0 200 200", x0, y0), {std::string("P1"), std::string("12.5")}});
    CHECK(read_gpkg(data).projects.at(0).declared_area == doctest::Approx(125000));
    data.rows.clear();
    data.rows.push_back({boxes("0 0 200 200", x0, y0), {std::string("P1"), std::string("约五公顷")}});
    const auto r = read_gpkg(data);
    CHECK(r.projects.at(0).declared_area == doctest::Approx(40000).epsilon(1e-6));
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].code == "bad_area");
    CHECK(r.problems[0].what.find("约五公顷") != std::string::npos);
}

TEST_CASE("broken rings are repaired and listed, rows without a range are left out and counted") {
    auto data = layer({{"PRID", FieldType::text}});
    // A bow-tie: two triangles of 25 m².
    data.rows.push_back({io::Geometry(MultiPolygon{Polygon{
                             {{x0, y0}, {x0 + 10, y0 + 10}, {x0 + 10, y0}, {x0, y0 + 10}, {x0, y0}}, {}}}),
                         {std::string("P1")}});
    data.rows.push_back({io::Geometry(), {std::string("P2")}});
    data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P3")}});
    const auto r = read_gpkg(data);
    REQUIRE(r.projects.size() == 2);
    CHECK(r.projects[0].key == "P1");
    CHECK(r.projects[0].exact.valid());
    CHECK(r.projects[0].exact.area() == doctest::Approx(50));
    REQUIRE(r.notes.size() == 1);
    CHECK(r.notes[0].code == "repaired");
    CHECK(r.notes[0].unit == "ranges.gpkg:1");
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].code == "no_geometry");
    CHECK(r.problems[0].unit == "ranges.gpkg:2");
}

TEST_CASE("layers that cannot be trusted are refused with the reason and the remedy") {
    const TemporaryFolder folder;
    auto data = layer({{"PRID", FieldType::text, 20}});
    data.rows.push_back({boxes("0 0 100 100", x0, y0), {std::string("P1")}});
    for (const auto& [code, name] : std::vector<std::pair<std::string, std::string>>{
             {"EPSG:2436", "Beijing 1954"}, {"EPSG:2385", "Xian 1980"}}) {
        data.crs = code;
        const std::string stem = folder / code.substr(5);
        io::write_shapefile(stem + ".shp", data, "UTF-8");
        const auto text = message([&] { read(stem + ".shp"); });
        CHECK(text.find(name) != std::string::npos);
        CHECK(text.find("CGCS2000") != std::string::npos);
    }
    data.crs = crs;
    io::write_shapefile(folder / "bare.shp", data, "UTF-8");
    std::filesystem::remove(folder / "bare.prj");
    CHECK(message([&] { read(folder / "bare.shp"); }).find(".prj") != std::string::npos);
    data.rows.clear();
    io::write_geopackage(folder / "empty.gpkg", std::span(&data, 1));
    CHECK(message([&] { read(folder / "empty.gpkg"); }).find("holds no range") != std::string::npos);
    CHECK(message([&] { read(folder / "absent.gpkg"); }).find("absent.gpkg") != std::string::npos);
    std::ofstream(folder / "noise.gpkg") << "this is no GeoPackage";
    CHECK(message([&] { read(folder / "noise.gpkg"); }).find("noise.gpkg") != std::string::npos);
}

TEST_CASE("the 36 project types fall into the groups of the policy") {
    const auto words = engine::Dictionary::load(engine::config_file("dictionaries/industries.yaml"));
    std::map<std::string, std::string> group;
    for (const auto& [name, types] : words.sections.at("groups"))
        for (const auto& type : types) CHECK(group.emplace(type, name).second);
    // XMLX-25 has two spellings.
    CHECK(group.size() == 37);
    const std::vector<std::pair<const char*, const char*>> some = {
        {"公路工程", "公路"},         {"铁路工程", "铁路"},           {"机场工程", "机场"},
        {"露天煤矿", "露天矿山"},     {"露天非金属矿", "露天矿山"},   {"火电工程", "能源"},
        {"水电枢纽工程", "能源"},     {"油气储存与加工工程", "能源"}, {"水利枢纽工程", "水利"},
        {"其他小型水利工程", "水利"}, {"井采煤矿", "其他"},           {"其他行业项目", "其他"}};
    for (const auto& [type, name] : some) CHECK(group.at(type) == name);
    // Every type has a profile, `area` being the plain one, and no profile speaks of others.
    std::map<std::string, std::set<std::string>> profiles;
    for (const auto& [name, types] : words.sections.at("profiles"))
        for (const auto& type : types) CHECK(profiles[type].insert(name).second);
    for (const auto& [type, names] : profiles) {
        CAPTURE(type);
        CHECK(group.count(type) == 1);
        CHECK((names.count("area") == 0 || names.size() == 1));
    }
    CHECK(profiles.size() == group.size());

    // And screen writes the group of the linked project.
    const TemporaryFolder folder;
    auto data = layer({{"PRID", FieldType::text}, {"PRTYPE", FieldType::text}, {"SADT", FieldType::text}});
    io::LayerData found{"drawn", crs, {{"onset_to", FieldType::date}}, {}, {}};
    double y = y0;
    std::vector<std::string> want;
    for (const auto& [type, name] : group) {
        data.rows.push_back({boxes("0 0 100 100", x0, y), {"P" + type, type, std::string("2020-01-01")}});
        found.rows.push_back({boxes("0 0 100 100", x0, y), {*Date::parse("2021-06-01")}});
        want.push_back(name);
        y += 1000;
    }
    io::write_geopackage(folder / "ranges.gpkg", std::span(&data, 1));
    io::write_geopackage(folder / "drawn.gpkg", std::span(&found, 1));
    Bench bench(folder.path(),
                {{"screen.disturbances", folder / "drawn.gpkg"}, {"approvals.path", folder / "ranges.gpkg"}});
    bench.run("screen");
    const auto rows = rows_by_case(folder / "store/batches/202106/screened.gpkg");
    REQUIRE(rows.size() == want.size());
    std::size_t i = 0;
    for (const auto& [id, row] : rows) CHECK(text_of(row, "industry") == want[i++]);
}
