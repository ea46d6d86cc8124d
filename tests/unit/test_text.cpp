// SPDX-License-Identifier: Apache-2.0
// What strangers typed, as one plain line and as XML (oracle: table 3-7 of the Unicode Standard for
// well-formed UTF-8, the five entities of XML 1.0 4.6).
#include <doctest/doctest.h>

#include <shuibao/core/text.hpp>
#include <shuibao/pipeline/exporter.hpp>

using namespace shuibao;

TEST_CASE("text stays, what steers it goes") {
    CHECK(plain_text("水土保持 🚧 مشروع") == "水土保持 🚧 مشروع");
    CHECK(plain_text("第一行\r\n第二行\t\t三\n") == "第一行 第二行 三");
    CHECK(plain_text("\n\n首") == "首");
    CHECK(plain_text("a\u2028b\u0085c") == "a b c");
    CHECK(plain_text("safe\u202Egnp.exe\u202C\u2066x\u2069") == "safegnp.exex");
    CHECK(plain_text(std::string("a\0b\x07\x1b[31m\x7f", 10)) == "ab[31m");
    CHECK(plain_text("\uFEFFa\uFFFE") == "a");
    CHECK(plain_text("") == "");
}

TEST_CASE("bytes that are no UTF-8 are shown as such, one mark each") {
    const std::string mark = "\uFFFD";
    CHECK(plain_text("a\xC3") == "a" + mark);                            // begun, not ended
    CHECK(plain_text("\xC0\xAF") == mark + mark);                        // overlong '/'
    CHECK(plain_text("\xE0\x80\xAF") == mark + mark + mark);             // overlong
    CHECK(plain_text("\xED\xA0\x80") == mark + mark + mark);             // a surrogate
    CHECK(plain_text("\xF5\x80\x80\x80") == mark + mark + mark + mark);  // beyond U+10FFFF
    CHECK(plain_text("\xCB\xAE") == "\u02EE");
    CHECK(plain_text("水\xFF土") == "水" + mark + "土");
}

TEST_CASE("in XML nothing is markup") {
    CHECK(xml_text("<a href='x'>&amp;\"</a>") == "&lt;a href=&#39;x&#39;&gt;&amp;amp;&quot;&lt;/a&gt;");
    CHECK(xml_text("]]>\n<!--") == "]]&gt; &lt;!--");
}

TEST_CASE("a county's name as a file name: it stays in its folder and is no other's") {
    using pipeline::package_stem;
    CHECK(package_stem("西峡县", "202405") == "RDTB_西峡县_202405");
    CHECK(package_stem("", "202405") == "RDTB_202405");
    const auto up = package_stem("../../etc", "202405");
    CHECK(up.find('/') == std::string::npos);
    CHECK(up.starts_with("RDTB___"));
    CHECK(package_stem("a/b", "202405") != package_stem("a:b", "202405"));
    CHECK(package_stem("a/b", "202405") != package_stem("a_b", "202405"));
    const std::string many(400, 'x');
    CHECK(package_stem(many, "202405").size() < 160);
    CHECK(package_stem(many + "y", "202405") != package_stem(many + "z", "202405"));
    std::string long_name;
    for (int i = 0; i < 100; ++i) long_name += "县";
    const auto cut = package_stem(long_name, "202405");
    CHECK(plain_text(cut) == cut);  // cut between characters
}

TEST_CASE("text: what is UTF-8 and what is not") {
    for (const char* good : {"", "abc", "水土保持", "🚧", "\x7F"}) CHECK(is_utf8(good));
    // GBK, a cut character, an overlong slash, a surrogate, beyond U+10FFFF
    for (const char* bad : {"\xCB\xAE\xCD\xC1", "\xE6\xB0", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
        CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("text: blanks at both ends go, the wide and the no-break one among them") {
    CHECK(trimmed(" \t\u3000张 三\u00a0\r\n") == "张 三");
    CHECK(trimmed("\u3000 \u3000").empty());
    CHECK(trimmed("").empty());
}
