// SPDX-License-Identifier: Apache-2.0
// Oracle: contract §6, hostile input: malformed vectors, YAML and JSON never crash the program; a reader
// returns or throws Error. Seeded, so that a failure repeats; tests/fuzz searches the same entry points
// longer.
#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <doctest/doctest.h>

#include "fuzz/targets.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/vector.hpp>

using namespace shuibao;
namespace fs = std::filesystem;

namespace {

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

class Mutator {
  public:
    explicit Mutator(unsigned seed) : m_random(seed) {}

    /// A few changes: bytes flipped, cut out, doubled, or replaced by what readers stumble over.
    std::string operator()(std::string text) {
        static constexpr std::array<std::string_view, 16> hard = {
            "null",    "[]", "{}",       "-1", "1e400", "\"\"", "99999999999999999999",
            "&a *a",   ": ", "\xff\xfe", "\t", "<<:",   "nan",  "../../",
            "\x1b[2J", "0"};
        for (std::size_t n = 1 + at(4); n > 0 && !text.empty(); --n) {
            const auto from = at(text.size()), size = std::min(1 + at(40), text.size() - from);
            switch (at(5)) {
                case 0:
                    text[from] = static_cast<char>(at(256));
                    break;
                case 1:
                    text.erase(from, size);
                    break;
                case 2:
                    text.insert(from, text.substr(from, size));
                    break;
                case 3:
                    text.replace(from, std::min<std::size_t>(size, 6), hard[at(hard.size())]);
                    break;
                default:
                    text.resize(from);
            }
        }
        return text;
    }
    std::size_t at(std::size_t n) { return m_random() % n; }

  private:
    std::mt19937 m_random;  // its numbers are the same everywhere; those of distributions are not
};

const fs::path source = SHUIBAO_SOURCE_DIR;

template <class Target>
void mutate_all(const fs::path& seeds, int rounds, Target target) {
    std::vector<std::string> texts;
    for (const auto& entry : fs::directory_iterator(seeds)) texts.push_back(slurp(entry.path()));
    std::sort(texts.begin(), texts.end());
    REQUIRE(!texts.empty());
    Mutator mutator(20230301);
    for (int i = 0; i < rounds; ++i)
        for (const auto& text : texts) target(mutator(text));
}

}  // namespace

TEST_CASE("mutated STAC texts are read or rejected") {
    mutate_all(source / "tests/fuzz/seeds/stac", 300, fuzz::stac);
}

TEST_CASE("mutated metadata of products are read or rejected") {
    mutate_all(source / "tests/fuzz/seeds/products", 300, fuzz::products);
}

TEST_CASE("mutated configurations are read or refused") {
    mutate_all(source / "tests/fuzz/seeds/settings", 500, fuzz::settings);
}

TEST_CASE("mutated rule sets and dictionaries are read or refused") {
    mutate_all(source / "configs/rules", 150, fuzz::rules);
    mutate_all(source / "configs/dictionaries", 100, fuzz::rules);
}

TEST_CASE("mutated names of tiles and days are parsed or refused") {
    mutate_all(source / "tests/fuzz/seeds/words", 20000, fuzz::words);
}

TEST_CASE("the targets accept what is right") {  // or the cases above would prove nothing
    const auto item = slurp(source / "tests/fuzz/seeds/stac/item.json");
    fuzz::stac(item);
    CHECK(slurp(fuzz::folder() / "scenes.json").find("\"code\": \"network\"") != std::string::npos);
    auto near = item;
    near.replace(near.find("http://a/b.tif"), 14, "b.tif");
    fuzz::stac(near);
    const auto list = slurp(fuzz::folder() / "scenes.json");
    CHECK(list.find("\"id\": \"a\"") != std::string::npos);
    CHECK(list.find("\"rejected\": []") != std::string::npos);
}

TEST_CASE("mutated shapefiles are read or refused") {
    const auto shp = fuzz::folder() / "whole.shp";
    io::LayerData layer{"ranges",
                        "EPSG:4546",
                        {{"PRNM", io::FieldType::text, 40}, {"DAREA", io::FieldType::real, 16, 4}},
                        {}};
    const Ring ring = {{500000, 3600000},
                       {501000, 3600000},
                       {501000, 3601000},
                       {500000, 3601000},
                       {500000, 3600000}},
               hole = {{500200, 3600200},
                       {500200, 3600400},
                       {500400, 3600400},
                       {500400, 3600200},
                       {500200, 3600200}};
    for (int i = 0; i < 5; ++i)
        layer.rows.push_back({io::Geometry(MultiPolygon{Polygon{ring, {hole}}}), {std::string("扰动"), 1.5}});
    io::write_shapefile(shp, layer, "GBK");
    REQUIRE(io::read_layer(shp.string()).features.size() == 5);

    static constexpr std::array<const char*, 5> parts = {".shp", ".shx", ".dbf", ".prj", ".cpg"};
    std::map<std::string, std::string> whole;
    for (const auto* part : parts) whole[part] = slurp(fs::path(shp).replace_extension(part));
    Mutator mutator(20230301);
    int read = 0, refused = 0;
    const auto broken = fuzz::folder() / "broken.shp";
    for (int i = 0; i < 600; ++i) {
        const std::string victim = parts[mutator.at(parts.size())];
        for (const auto& [part, bytes] : whole)
            fuzz::write(fs::path(broken).replace_extension(part), part == victim ? mutator(bytes) : bytes);
        try {
            const auto got = io::read_layer(broken.string(), {"", "", "EPSG:4490"});
            ++read;
            for (const auto& f : got.features) CHECK(!f.shape.empty());
        } catch (const Error& e) {
            ++refused;
            CHECK(std::string(e.what()).find("broken.shp") != std::string::npos);
        }
    }
    CHECK(read > 50);
    CHECK(refused > 50);
}
