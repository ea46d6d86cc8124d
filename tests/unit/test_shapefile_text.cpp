// SPDX-License-Identifier: Apache-2.0
// Text of shapefiles in both encodings, read back by the driver (oracle: GDAL's own reading, and the code
// tables of GBK: it has no raised digits and no characters beyond the basic plane).
#include <doctest/doctest.h>
#include <support/scratch.hpp>

#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/vector.hpp>

using namespace shuibao;

namespace {

std::string through(const std::string& text, const std::string& encoding, int width = 40) {
    io::gdal_setup({});
    const test::Scratch folder;
    io::LayerData layer{"x", "EPSG:4547", {{"NOTE", io::FieldType::text, width}}, {}};
    const Ring ring = {{0, 0}, {0, 10}, {10, 10}, {10, 0}, {0, 0}};
    layer.rows.push_back({io::Geometry(MultiPolygon{Polygon{ring, {}}}), {text}});
    io::write_shapefile(folder / "x.shp", layer, encoding);
    const auto back = io::read_layer((folder / "x.shp").string());
    REQUIRE(back.features.size() == 1);
    return io::to_text(back.features.front().values.at("NOTE"));
}

}  // namespace

TEST_CASE("what GBK has not is shown, not dropped") {
    CHECK(through("超出 1.31 hm²，体积 20 m³", "UTF-8") == "超出 1.31 hm²，体积 20 m³");
    CHECK(through("超出 1.31 hm²，体积 20 m³", "GBK") == "超出 1.31 hm2，体积 20 m3");
    CHECK(through("弃土（渣）场：30° · 图斑…—", "GBK") == "弃土（渣）场：30° · 图斑…—");
    CHECK(through("名𠮷字", "GBK") == "名?字");
    CHECK(through("名𠮷字", "UTF-8") == "名𠮷字");
}

TEST_CASE("text is cut between characters") {
    CHECK(through("水土保持", "UTF-8", 7) == "水土");  // three bytes each
    CHECK(through("水土保持", "GBK", 7) == "水土保");  // two
    CHECK(through("名𠮷字", "UTF-8", 6) == "名");      // four bytes do not fit behind three
}
