// SPDX-License-Identifier: Apache-2.0
// What disturbances say together: sums over a project, who moved out of an empty range, and what the batch
// shows of every range (rules §3.3, §3.4, §5). Boxes in metres; δ is 10 m where nothing else is said.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/boxes.hpp"
#include "support/stage_run.hpp"

using namespace shuibao;
using namespace shuibao::test;

namespace {

using io::FieldType;
constexpr double x = 500000, y = 3600000;

struct Drawn {
    std::string boxes;
    std::string qtype = "其他扰动", vanished = "0", onset_to = "2024-03-01", onset_from = "2023-12-01";
};
struct Approved {
    std::string project, boxes, day = "2023-05-01", status = "施工", type = "", accepted = "";
    double hectares = 0;
};

class World {
  public:
    World(const std::vector<Drawn>& drawn, const std::vector<Approved>& approved,
          const std::string& unobserved = "") {
        io::LayerData d{"drawn",
                        "EPSG:4546",
                        {{"onset_from", FieldType::date},
                         {"onset_to", FieldType::date},
                         {"QTYPE", FieldType::text},
                         {"vanished", FieldType::text}},
                        {},
                        {}},
            r{"ranges",
              "EPSG:4546",
              {{"PRID", FieldType::text},
               {"SADT", FieldType::text},
               {"JSZT", FieldType::text},
               {"PRTYPE", FieldType::text},
               {"YSSJ", FieldType::text},
               {"DAREA", FieldType::real}},
              {},
              {}};
        for (const auto& one : drawn)
            d.rows.push_back({boxes(one.boxes, x, y),
                              {io::or_null(Date::parse(one.onset_from)),
                               io::or_null(Date::parse(one.onset_to)), one.qtype, one.vanished}});
        for (const auto& one : approved)
            r.rows.push_back({boxes(one.boxes, x, y),
                              {one.project, one.day, one.status, one.type, one.accepted,
                               one.hectares > 0 ? io::Value(one.hectares) : io::Value()}});
        io::write_geopackage(m_folder / "drawn.gpkg", std::span(&d, 1));
        io::write_geopackage(m_folder / "ranges.gpkg", std::span(&r, 1));
        if (!unobserved.empty()) {
            io::LayerData hidden{"unobserved", "EPSG:4546", {{"id", FieldType::integer}}, {}, {}};
            hidden.rows.push_back({boxes(unobserved, x, y), {std::int64_t{1}}});
            std::filesystem::create_directories(m_folder / "store/batches/202403");
            io::write_geopackage(m_folder / "store/batches/202403/unobserved.gpkg", std::span(&hidden, 1));
        }
        Bench bench(
            m_folder.path(),
            {{"screen.disturbances", m_folder / "drawn.gpkg"}, {"approvals.path", m_folder / "ranges.gpkg"}},
            "202403");
        bench.run("screen");
        problems = bench.problems();
        rows = rows_by_case(m_folder / "store/batches/202403/screened.gpkg");
        for (const auto& f : io::read_layer(m_folder / "output/ranges.gpkg").features)
            states[text_of(f, "approval_id")] = text_of(f, "range_state");
    }
    [[nodiscard]] std::string verdict(int n) const { return text_of(row(n), "verdict"); }
    [[nodiscard]] std::string flags(int n) const { return text_of(row(n), "flags"); }
    [[nodiscard]] double share(int n) const { return number_of(row(n), "exceed_share"); }
    [[nodiscard]] const io::VectorFeature& row(int n) const {
        return rows.at("202403-0000" + std::to_string(n));
    }

    std::vector<engine::Problem> problems;
    std::map<std::string, io::VectorFeature> rows;
    std::map<std::string, std::string> states;

  private:
    TemporaryFolder m_folder;
};

const Approved two_hectares{.project = "P1", .boxes = "0 0 200 100", .hectares = 2};

}  // namespace

TEST_CASE("what may not be accused does not count against its neighbour") {
    // Alone: 100 m × 40 m beyond the range, 30 m of it beyond tolerance: 3000 m² of 2 hm².
    const Drawn site{"0 0 100 140"};
    CHECK(World({site}, {two_hectares}).share(1) == doctest::Approx(0.15));
    // A second one reaches 90 m × 110 m beyond: 9000 m² beyond tolerance.
    const Drawn other{"110 80 200 210"};
    const World both({site, other}, {two_hectares});
    CHECK(both.share(1) == doctest::Approx(0.6).epsilon(1e-3));
    CHECK(both.flags(1) == "OUTSIDE,ART16_2");
    for (const auto& [what, gated] : {std::pair("no works", Drawn{other.boxes, "非生产建设项目"}),
                                      std::pair("gone again", Drawn{other.boxes, "其他扰动", "是"}),
                                      std::pair("too small", Drawn{"180 90 200 139"})}) {
        CAPTURE(std::string(what));
        const World w({site, gated}, {two_hectares});
        CHECK(w.verdict(2) == "pending");
        CHECK(w.share(1) == doctest::Approx(0.15));
        CHECK(w.flags(1) == "OUTSIDE");
        CHECK(w.problems.empty());
    }
}

TEST_CASE("a place counts once, however often it was drawn, and the rows are told") {
    const Drawn site{"0 0 100 140"};
    const World thrice({site, site, site}, {two_hectares});
    for (int n = 1; n <= 3; ++n) {
        CHECK(thrice.share(n) == doctest::Approx(0.15));
        CHECK(thrice.flags(n) == "OUTSIDE");
    }
    REQUIRE(thrice.problems.size() == 2);
    CHECK(thrice.problems[0].code == "duplicate");
    CHECK(thrice.problems[0].unit == "drawn.gpkg:2");
    CHECK(thrice.problems[0].what.find("outline of row 1") != std::string::npos);
    // Half of the second lies on the first: 50 m × 30 m more.
    CHECK(World({site, {"50 0 150 140"}}, {two_hectares}).share(1) == doctest::Approx(0.225));
}

TEST_CASE("only what may be accused takes the empty range it may have moved from") {
    const Approved empty{.project = "P1", .boxes = "0 0 200 200"};
    const Drawn far{"900 0 1100 200"};
    CHECK(World({far}, {empty}).verdict(1) == "relocated");
    const World w({{"300 0 500 200", "其他扰动", "1"}, far}, {empty});  // the nearer one has vanished
    CHECK(w.verdict(1) == "pending");
    CHECK(w.verdict(2) == "relocated");
}

TEST_CASE("a range that clouds hid is not called empty") {
    const Approved empty{.project = "P1", .boxes = "0 0 200 200"};
    const Drawn site{"900 0 1100 200"};
    const World hidden({site}, {empty}, "-100 -100 300 50");  // a quarter of it
    CHECK(hidden.verdict(1) == "unapproved");
    CHECK(hidden.states.at("P1") == "not_observed");
    const World edge({site}, {empty}, "-100 -100 300 18");  // 9 %
    CHECK(edge.verdict(1) == "relocated");
    CHECK(edge.states.at("P1") == "not_started");
}

TEST_CASE("every range has a state: works, nothing, accepted, not observed") {
    const World w({{"0 0 100 50"}, {"1000 0 1100 50", "非生产建设项目"}},
                  {{.project = "at work", .boxes = "0 0 200 100"},
                   {.project = "a field", .boxes = "1000 0 1200 100"},
                   {.project = "nothing", .boxes = "2000 0 2200 100"},
                   {.project = "accepted", .boxes = "3000 0 3200 100", .accepted = "2023-10-01"},
                   {.project = "hidden", .boxes = "4000 0 4200 100"}},
                  "4000 0 4200 100");
    CHECK(w.states == std::map<std::string, std::string>{{"at work", "disturbed"},
                                                         {"a field", "not_started"},
                                                         {"nothing", "not_started"},
                                                         {"accepted", "accepted"},
                                                         {"hidden", "not_observed"}});
}

TEST_CASE("a part that was approved later is judged by its own day") {
    const std::vector<Approved> parts = {{.project = "P1", .boxes = "0 0 100 100", .day = "2023-05-01"},
                                         {.project = "P1", .boxes = "100 0 200 100", .day = "2024-06-01"}};
    const World w({{"0 0 90 100"}, {"110 0 200 100"}, {"60 0 140 100"}}, parts);
    CHECK(w.verdict(1) == "compliant");
    CHECK(w.verdict(2) == "before_approval");
    CHECK(w.verdict(3) == "compliant");  // in both: the earlier day, so that nobody is accused wrongly
    CHECK(text_of(w.row(2), "approval_date") == "2024-06-01");
}

TEST_CASE("articles are those of the day, in Chinese") {
    const std::vector<Approved> ranges = {{.project = "P1", .boxes = "0 0 200 100", .day = "2020-01-01"}};
    const World now({{"500 0 700 100", "弃渣"}}, ranges),
        then({{"500 0 700 100", "弃渣", "0", "2022-03-01", "2021-12-01"}}, ranges);
    CHECK(now.verdict(1) == "unapproved_spoil");  // 弃渣 is another word for 弃渣场
    CHECK(text_of(now.row(1), "notices").find("第二十八条；水利部令第53号 第十七条") != std::string::npos);
    CHECK(text_of(then.row(1), "rule_set") == "2011-03-01");
    CHECK(text_of(then.row(1), "notices").find("第二十八条") != std::string::npos);
    CHECK(text_of(then.row(1), "notices").find("53号") == std::string::npos);
}
