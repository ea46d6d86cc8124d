// SPDX-License-Identifier: Apache-2.0
// What pages are made of: QR codes as the standard draws them, JPEG, and PDFs that are the same bytes twice.
#include <csignal>
#include <string>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "support/scratch.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/page.hpp>
#include <shuibao/io/picture.hpp>

using namespace shuibao;

namespace {

void draw(const std::filesystem::path& path, const std::vector<std::uint8_t>& jpeg) {
    io::PageFile page(path, 300, 200, {"题目", "内容", "shuibao", Date::parse("2024-05-01").value()});
    page.text({20, 20}, 200, "疑似未批先建 <b>&\n第二行", {12, {}, true});
    page.picture(jpeg, 4, 2, 20, 80, 80, 40);
    page.next_page();
    page.label({20, 50}, "第二页", {10});
    page.finish();
}

}  // namespace

TEST_CASE("pages: a QR code has the finder patterns of ISO/IEC 18004 and a size of its versions") {
    const auto code = io::qr_code("geo:33.053939,112.966133");
    CHECK(code.size == 25);  // version 2, which holds 26 bytes with correction M (table 7)
    REQUIRE(code.dark.size() == 625);
    const auto at = [&](int row, int col) {
        return code.dark[static_cast<std::size_t>(row * code.size + col)];
    };
    for (const auto& [r, c] : {std::pair{0, 0}, std::pair{0, 18}, std::pair{18, 0}})
        for (int i = 0; i < 7; ++i)
            for (int j = 0; j < 7; ++j) {
                const bool ring = i == 0 || i == 6 || j == 0 || j == 6,
                           heart = i > 1 && i < 5 && j > 1 && j < 5;
                CHECK(at(r + i, c + j) == (ring || heart));
            }
    for (int i = 8; i < 17; ++i) CHECK(at(6, i) == (i % 2 == 0));  // timing pattern
    CHECK_THROWS_WITH_AS(static_cast<void>(io::qr_code(std::string(4000, 'x'))),
                         "No QR code holds a text of 4000 bytes.", Error);
}

TEST_CASE("pages: data URIs are base64 of RFC 4648") {
    const std::vector<std::uint8_t> bytes = {'f', 'o', 'o', 'b', 'a', 'r'};
    const std::array<const char*, 6> vectors = {"Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (std::size_t n = 1; n <= 6; ++n)
        CHECK(io::data_uri(std::span(bytes).first(n), "text/plain") ==
              "data:text/plain;base64," + std::string(vectors[n - 1]));
}

TEST_CASE("pages: the same drawing gives the same bytes, with the picture as the JPEG that it is") {
    io::gdal_setup({});
    std::vector<std::uint8_t> rgb(24, 200);
    const auto jpeg = io::encode_jpeg(rgb, 4, 2, 90);
    REQUIRE(jpeg.size() > 100);
    CHECK(jpeg[0] == 0xFF);
    CHECK(jpeg[1] == 0xD8);
    CHECK(jpeg == io::encode_jpeg(rgb, 4, 2, 90));
    const test::Scratch scratch;
    draw(scratch / "one.pdf", jpeg);
    draw(scratch / "two.pdf", jpeg);
    const auto one = test::get(scratch / "one.pdf");
    CHECK(one.starts_with("%PDF-1.5"));
    CHECK(one == test::get(scratch / "two.pdf"));
    CHECK(one.find("/Count 2") != std::string::npos);
    CHECK(one.find("/DCTDecode") != std::string::npos);
    CHECK(one.find(std::string(jpeg.begin(), jpeg.end())) != std::string::npos);
}

TEST_CASE("pages: what was not finished leaves no file") {
    const test::Scratch scratch;
    {
        io::PageFile page(scratch / "half.pdf", 100, 100, {"", "", "", Date()});
        page.text({0, 0}, 90, "一半", {});
    }
    CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("pages: a write that fails names the file and the cause") {
    io::gdal_setup({});
    const test::Scratch folder;
    const auto path = folder / "page.pdf";
    const auto jpeg = io::encode_jpeg(std::vector<std::uint8_t>(24, 90), 4, 2, 90);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1024, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string what;
    try {
        draw(path, jpeg);
    } catch (const Error& e) {
        what = e.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, ignored);
    CHECK(what == "Cannot write " + path.string() + ": File too large.");
    CHECK(std::filesystem::is_empty(folder.path()));
}
