// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include <shuibao/io/attributes.hpp>

using namespace shuibao;

TEST_CASE("attributes: a value for each name, whatever the order of the fields, none for other names") {
    const auto names = std::make_shared<const io::FieldNames>(
        std::vector<std::string>{"verdict", "area_m2", "工程", "verdict"});
    CHECK(names->size() == 3);
    io::Attributes row(names);
    row[names->place("area_m2")] = 12.5;
    row[names->place("工程")] = std::string("阳山铁矿");
    CHECK(std::get<double>(row.at("area_m2")) == 12.5);
    CHECK(std::get<std::string>(row.at("工程")) == "阳山铁矿");
    CHECK(std::holds_alternative<std::monostate>(row.at("verdict")));
    CHECK(row.find("area") == nullptr);
    CHECK(row.find("zzz") == nullptr);
    CHECK_THROWS_AS((void)row.at("area"), std::out_of_range);
    for (std::size_t i = 1; i < row.size(); ++i) CHECK(row.name(i - 1) < row.name(i));

    const io::Attributes none;
    CHECK(none.size() == 0);
    CHECK(none.find("area_m2") == nullptr);
}
