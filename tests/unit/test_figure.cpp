// SPDX-License-Identifier: Apache-2.0
// One drawing, two back ends: texts of strangers stay text in SVG, and pixels have the colours that were
// asked for.
#include <array>
#include <string>

#include <doctest/doctest.h>

#include <shuibao/algorithms/figure.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;

namespace {

Figure example() {
    Figure f{60, 40, "a <b> & c", {}};
    f.parts.emplace_back(FigureArea{{{0, 0}, {20, 0}, {20, 20}, {0, 20}}, {200, 0, 0, 1}});
    f.parts.emplace_back(FigureArea{{{20, 0}, {40, 0}, {40, 20}, {20, 20}}, {0, 0, 200, 0.5}});
    f.parts.emplace_back(FigureLine{{{0, 30}, {60, 30}}, {0, 128, 0}, 4, false});
    f.parts.emplace_back(FigureLine{{{0, 37}, {60, 37}}, {0, 0, 0}, 2, true});
    f.parts.emplace_back(FigureDot{{50, 10}, 5, {10, 20, 30}, true});
    f.parts.emplace_back(FigureLabel{{45, 25}, "<i>x</i>", "裸土", 9, {}, Anchor::end, true});
    return f;
}

}  // namespace

TEST_CASE("figure: SVG holds every part once, with markup as text and both languages") {
    const std::string svg = to_svg(example());
    CHECK(svg.find("<title>a &lt;b&gt; &amp; c</title>") != std::string::npos);
    CHECK(svg.find("裸土 &lt;i&gt;x&lt;/i&gt;</text>") != std::string::npos);
    CHECK(svg.find("text-anchor=\"end\" font-weight=\"bold\"") != std::string::npos);
    CHECK(svg.find("<polygon points=\"20,0 40,0 40,20 20,20\" fill=\"#0000c8\" fill-opacity=\"0.5\"/>") !=
          std::string::npos);
    CHECK(svg.find("<circle cx=\"50\" cy=\"10\" r=\"5\" fill=\"#0a141e\"/>") != std::string::npos);
    CHECK(svg.find("stroke-dasharray") != std::string::npos);
    CHECK(svg.find("<i>") == std::string::npos);
    CHECK(svg.ends_with("</svg>\n"));
}

TEST_CASE("figure: pixels are opaque, translucent, drawn over and left white as the drawing says") {
    const auto rgb = to_pixels(example());
    REQUIRE(rgb.size() == 60 * 40 * 3);
    const auto at = [&](int x, int y) {
        const auto i = static_cast<std::size_t>(3 * (y * 60 + x));
        return std::array<int, 3>{rgb[i], rgb[i + 1], rgb[i + 2]};
    };
    CHECK(at(10, 10) == std::array<int, 3>{200, 0, 0});
    CHECK(at(30, 10) == std::array<int, 3>{128, 128, 228});  // half white, half (0, 0, 200), rounded up
    CHECK(at(30, 30) == std::array<int, 3>{0, 128, 0});
    CHECK(at(50, 10) == std::array<int, 3>{10, 20, 30});
    CHECK(at(58, 3) == std::array<int, 3>{255, 255, 255});
    int dark = 0, white = 0;  // six on, four off
    for (int x = 0; x < 60; ++x) {
        dark += at(x, 37)[0] < 60 ? 1 : 0;
        white += at(x, 37)[0] > 220 ? 1 : 0;
    }
    CHECK(dark >= 24);
    CHECK(white >= 6);
    CHECK(to_pixels(example()) == rgb);
}
