// SPDX-License-Identifier: Apache-2.0
// Settings, problems, the log and files that appear whole or not at all: the parts of the engine that only
// move values. Oracles: the comments in their headers; for JSON, RFC 8259 as another parser reads it back.
#include <algorithm>
#include <cstddef>
#include <sstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <support/scratch.hpp>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/log.hpp>
#include <shuibao/engine/problems.hpp>
#include <shuibao/engine/settings.hpp>
#include <shuibao/io/atomic_output.hpp>

using namespace shuibao;
using namespace shuibao::engine;
namespace fs = std::filesystem;
using test::get;
using test::put;
using test::Scratch;

namespace {

// Lines without the time that each begins with, like 2024-05-01T00:00:00Z.
std::string untimed(const std::string& text) {
    std::istringstream in(text);
    std::string out;
    constexpr std::size_t time = 21;
    for (std::string line; std::getline(in, line);) {
        REQUIRE(line.size() > time);
        CHECK(line.substr(time - 2, 2) == "Z ");
        CHECK(Date::parse(line.substr(0, 10)).has_value());
        out += line.substr(time) + "\n";
    }
    return out;
}

OptionTable table() {
    OptionTable t;
    t.add({.key = "store", .type = OptionType::path, .fallback = "store"});
    t.add({.key = "jobs", .fallback = "all", .changes_result = false});
    t.add({.key = "tile.margin",
           .type = OptionType::number,
           .fallback = "30",
           .unit = "m",
           .min = 0,
           .max = 90});
    t.add({.key = "tile.on", .type = OptionType::flag, .fallback = "true"});
    t.add({.key = "tile.bands", .type = OptionType::list});
    t.add({.key = "tile.mode", .type = OptionType::choice, .fallback = "auto", .choices = {"auto", "never"}});
    t.add({.key = "input.paths", .type = OptionType::path_list});
    t.add({.key = "input.fields", .type = OptionType::map});
    return t;
}

// What and hint of the Error that f throws.
template <class F>
std::string said(F f) {
    try {
        f();
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::usage);
        return std::string(e.what()) + " " + e.hint();
    }
    return "nothing was thrown";
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), folder).string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("later settings win, and each knows where it came from") {
    const Scratch folder;
    const auto t = table();
    put(folder / "base.yaml", "tile:\n  margin: 40\n  mode: never\njobs: 3\n");
    put(folder / "run.yaml", "extends: base.yaml\ntile:\n  margin: 50\nstore: data/store\n");
    Settings s(t);
    CHECK(s.number("tile.margin") == 30);
    CHECK(s.origin("tile.margin") == "default");
    s.load(folder / "run.yaml");
    CHECK(s.number("tile.margin") == 50);
    CHECK(s.origin("tile.margin") == (folder / "run.yaml").string() + ":3");
    CHECK(s.text("tile.mode") == "never");
    CHECK(s.origin("tile.mode") == (folder / "base.yaml").string() + ":3");
    CHECK(s.path("store") == (folder / "data/store").string());
    s.set("jobs", "2", "SHUIBAO_JOBS");
    s.set("tile.margin", "60", "--set");
    CHECK(s.text("jobs") == "2");
    CHECK(s.origin("jobs") == "SHUIBAO_JOBS");
    CHECK(s.number("tile.margin") == 60);
    s.set("store", "here", "--store");  // from the command line: from the working folder
    CHECK(s.path("store") == (fs::current_path() / "here").string());
    s.set("store", "/vsizip/a.zip/x", "--store");
    CHECK(s.path("store") == "/vsizip/a.zip/x");
}

TEST_CASE("settings refuse what they do not know, and say what they would take") {
    const Scratch folder;
    const auto t = table();
    Settings s(t);
    const auto load = [&](const std::string& text) {
        put(folder / "c.yaml", text);
        return said([&] { s.load(folder / "c.yaml"); });
    };
    const std::string file = (folder / "c.yaml").string();
    CHECK(load("tile:\n  margn: 3\n") ==
          file + ":2: there is no key 'tile.margn'. Did you mean 'tile.margin'?");
    CHECK(load("tile:\n  margin: wide\n") ==
          file + ":2: 'tile.margin' cannot be 'wide'. It takes a number from 0 to 90 in m.");
    CHECK(load("tile:\n  margin: 91\n") ==
          file + ":2: 'tile.margin' cannot be '91'. It takes a number from 0 to 90 in m.");
    CHECK(load("tile:\n  margin: 1\n  margin: 2\n") ==
          file + ":3: the key 'tile.margin' is given twice. Keep one of the two.");
    CHECK(load("tile: 3\n") ==
          file +
              ":1: 'tile' is a section and needs keys below it. Write its keys on the following lines, "
              "indented by two spaces.");
    CHECK(load("tile:\n  mode: sometimes\n") ==
          file + ":2: 'tile.mode' cannot be 'sometimes'. It takes one of auto, never.");
    CHECK(load("tile:\n\tmargin: 3\n").find(file + ":2: this is not YAML") == 0);
    CHECK(load("extends: c.yaml\n").find("`extends` goes round in a circle") != std::string::npos);
    CHECK(said([&] { s.set("nothing.like.it", "1", "--set"); }) ==
          "--set: there is no key 'nothing.like.it'. `shuibao init` prints every key with its default.");
    CHECK_THROWS_AS(static_cast<void>(s.text("undeclared")), std::logic_error);
}

TEST_CASE("lists, maps and flags read the same from a file and from the command line") {
    const Scratch folder;
    const auto t = table();
    Settings file(t), line(t);
    put(folder / "c.yaml",
        "tile:\n  bands: [red, nir]\n  on: false\ninput:\n  paths: [a, /b, /vsizip/c]\n  fields: {PRNM: "
        "名称}\n");
    file.load(folder / "c.yaml");
    line.set("tile.bands", "red,nir", "--bands");
    line.set("tile.on", "no", "--no-on");
    line.set("input.paths", "[a, /b, /vsizip/c]", "--paths", folder.path());
    line.set("input.fields", "{PRNM: 名称}", "--set");
    for (const auto* s : {&file, &line}) {
        CHECK(s->list("tile.bands") == std::vector<std::string>{"red", "nir"});
        CHECK_FALSE(s->flag("tile.on"));
        CHECK(s->list("input.paths") == std::vector<std::string>{(folder / "a").string(), "/b", "/vsizip/c"});
        CHECK(s->map("input.fields") == std::map<std::string, std::string>{{"PRNM", "名称"}});
    }
}

TEST_CASE("what the manifest hashes leaves out what cannot change a result") {
    const auto t = table();
    Settings s(t);
    CHECK(s.canonical("").size() == 7);
    CHECK_FALSE(s.canonical("").contains("option jobs"));
    const auto before = s.canonical("tile.");
    CHECK(before.at("option tile.margin") == "30");
    s.set("jobs", "1", "-j");
    CHECK(s.canonical("tile.") == before);
    s.set("tile.margin", "31", "--set");
    CHECK(s.canonical("tile.") != before);
}

TEST_CASE("problems come out sorted however threads put them in") {
    const Scratch folder;
    Log log({.level = LogLevel::info, .file = (folder / "log").string()});
    Problems p(log);
    p.add({"tile", "b", "failed", "x", ""});
    p.add({"catalog", "z", "truncated", "y", ""});
    p.add({"tile", "a", "failed", "x", ""});
    p.add({"tile", "a", "broken", "x", "h"});
    const auto list = p.sorted();
    REQUIRE(list.size() == 4);
    CHECK(list[0].stage == "catalog");
    CHECK(list[1] == Problem{"tile", "a", "broken", "x", "h"});
    CHECK(list[2] == Problem{"tile", "a", "failed", "x", ""});
    CHECK(list[3].unit == "b");
    const std::string said =
        "warning tile b: x\nwarning catalog z: y\nwarning tile a: x\nwarning tile a: x h\n";
    CHECK(untimed(get(folder / "log")) == said);
    for (int i = 0; i < 200; ++i) p.add({"tile", "a", "failed", "x", ""});
    const auto text = get(folder / "log");
    CHECK(p.size() == 204);
    CHECK(std::count(text.begin(), text.end(), '\n') == 101);
    CHECK(text.ends_with("warning further problems are counted and listed, but not told here\n"));
}

TEST_CASE("text of a file is one line that commands no terminal") {
    CHECK(printable("扰动 a\x1b[2J\n\x7f\xc2\x9b\xc2\xa0") == "扰动 a\\x1b[2J\\x0a\\x7f\\x9b\xc2\xa0");
    CHECK(printable(std::string(5000, 'x'), 10) == "xxxxxxxxxx…");
    CHECK(printable("扰动扰动", 4) == "扰动…");  // never within a character
}

TEST_CASE("JSON log lines survive any text") {
    const Scratch folder;
    const std::string nasty = "quote \" backslash \\ newline \n tab \t bell \a 扰动 </script>";
    const std::string broken = "not UTF-8: \xff\xfe, cut \xe6\x89";
    {
        Log log({.level = LogLevel::info, .json = true, .file = (folder / "log").string(), .run = "r1"});
        log.write(LogLevel::warn, nasty, "tile", "unit \"1\"\n");
        log.write(LogLevel::error, broken);
        log.debug("below the level");
    }
    const std::string text = get(folder / "log");
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
    CHECK(first.at("msg") == nasty);
    CHECK(first.at("unit") == "unit \"1\"\n");
    CHECK(first.at("stage") == "tile");
    CHECK(first.at("run") == "r1");
    CHECK(first.at("level") == "warning");
    const auto second = nlohmann::json::parse(text.substr(text.find('\n') + 1));
    CHECK(second.at("level") == "error");
    CHECK(second.at("msg") == "not UTF-8: \xEF\xBF\xBD\xEF\xBF\xBD, cut \xEF\xBF\xBD");
    CHECK_FALSE(second.contains("stage"));
}

TEST_CASE("text lines in a file tell time, level, run, stage and unit") {
    const Scratch folder;
    {
        Log log({.level = LogLevel::debug, .file = (folder / "log").string(), .run = "r1"});
        log.write(LogLevel::info, "4 cut", "tile");
        log.write(LogLevel::warn, "short", "tile", "X0001_Y0002");
        log.error("bad");
    }
    CHECK(untimed(get(folder / "log")) ==
          "info    r1 tile: 4 cut\nwarning r1 tile X0001_Y0002: short\nerror   r1 bad\n");
}

TEST_CASE("a file appears whole or not at all") {
    const Scratch folder;
    const auto path = folder / "deep" / "er" / "report.json";
    {
        const io::AtomicOutput out(path);
        CHECK(out.temporary().parent_path() == path.parent_path());
        CHECK(out.temporary().extension() == ".json");
        put(out.temporary(), "half");
        CHECK_FALSE(fs::exists(path));
    }
    CHECK(names_in(folder.path()).empty());  // given up: nothing stays
    io::write_text(path, "first");
    CHECK(get(path) == "first");
    // Whoever has the old file open keeps reading the old one: it was replaced, not written into.
    const int held = ::open(path.c_str(), O_RDONLY);
    io::write_text(path, "second, longer");
    std::string old(64, 0);
    old.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(held, old.data(), old.size()))));
    ::close(held);
    CHECK(old == "first");
    CHECK(get(path) == "second, longer");
    CHECK(names_in(folder.path()) == std::vector<std::string>{"deep/er/report.json"});
    const io::AtomicOutput a(path), b(path);
    CHECK(a.temporary() != b.temporary());
}

TEST_CASE("what cannot be written is one sentence with path and remedy, and leaves nothing") {
    const Scratch folder;
    put(folder / "file", "in the way");
    try {
        io::write_text(folder / "file" / "x.json", "text");
        FAIL("written below a file");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::failed);
        CHECK(std::string(e.what()).find((folder / "file").string()) != std::string::npos);
        CHECK_FALSE(e.hint().empty());
    }
    fs::create_directories(folder / "taken" / "inside");
    CHECK_THROWS_AS(io::write_text(folder / "taken", "text"), Error);  // a folder has that name
    CHECK(names_in(folder.path()) == std::vector<std::string>{"file"});
}

TEST_CASE("the sweep takes what AtomicOutput left and nothing else") {
    const Scratch folder;
    {
        const io::AtomicOutput out(folder / "tiles" / "X0001_Y0002" / "20240525.tif");
        fs::create_directories(folder / "tiles" / "X0001_Y0002");
        // A copy, as a killed process would leave it.
        put(fs::path(out.temporary().string() + ".aux.xml"), "x");
        put(folder / "tiles" / out.temporary().filename(), "x");
        put(folder / out.temporary().filename(), "x");
    }
    put(folder / "tiles" / ".disturbances.4711-3.tmp.gpkg-journal", "x");
    put(folder / "tiles" / ".noextension.1-2.tmp", "x");
    const std::vector<std::string> kept = {".hidden", ".x.1-2.tmpfile", ".x.1.tmp.tif", ".x.a-2.tmp.tif",
                                           "x.1-2.tmp.tif"};
    for (const auto& name : kept) put(folder / "tiles" / name, "mine");
    CHECK(io::sweep_temporaries(folder.path(), io::Depth::folder) == 1);
    CHECK(io::sweep_temporaries(folder / "tiles", io::Depth::below) == 4);
    std::vector<std::string> expected;
    for (const auto& name : kept) expected.push_back("tiles/" + name);
    CHECK(names_in(folder.path()) == expected);
    CHECK(io::sweep_temporaries(folder / "nowhere", io::Depth::below) == 0);
}

TEST_CASE("settings: one value has one spelling, however it was written") {
    const auto t = table();
    const auto canonical = [&](const char* key, const char* yaml) {
        Settings s(t);
        s.set(key, yaml, "test");
        return s.canonical("tile.");
    };
    for (const char* no : {"false", "False", "FALSE", "off", "Off", "no", "0"})
        CHECK(canonical("tile.on", no) == canonical("tile.on", "false"));
    CHECK(canonical("tile.on", "yes") == Settings(t).canonical("tile."));
    CHECK(canonical("tile.on", "no") != canonical("tile.on", "yes"));
    for (const char* thirty : {"30", "30.0", "3e1"})
        CHECK(canonical("tile.margin", thirty) == Settings(t).canonical("tile."));
    CHECK(canonical("tile.margin", "30.5") != canonical("tile.margin", "30"));
    CHECK_THROWS_AS(canonical("tile.on", "perhaps"), Error);
}
