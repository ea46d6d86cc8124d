// SPDX-License-Identifier: Apache-2.0
#include "targets.hpp"

#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/log.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/engine/settings.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::fuzz {
namespace fs = std::filesystem;
namespace {

// A broken promise must stop a fuzzer, which catches nothing, and a test alike.
void promise(bool kept) {
    if (!kept) std::abort();
}

struct Folder {
    fs::path path = fs::temp_directory_path() / ("shuibao-fuzz-" + std::to_string(::getpid()));
    Folder() {
        io::gdal_setup({});
        fs::create_directories(path);
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

}  // namespace

const fs::path& folder() {
    static const Folder f;
    return f.path;
}

void write(const fs::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void stac(std::string_view text) {
    static const auto sensors = engine::load_sensors();
    const auto item = folder() / "item.json", list = folder() / "scenes.json";
    write(item, text);
    try {
        const auto read = engine::read_catalogue(item.string(), sensors);
        for (const auto& r : read.rejected) promise(!r.code.empty() && !r.reason.empty());
        engine::save_scenes(list, read);
        promise(engine::load_scenes(list).scenes.size() == read.scenes.size());
    } catch (const Error&) {
    }
}

// What metadata name must lie inside the product: a file of anybody's must not lead out of its folder.
void products(std::string_view text) {
    static const auto sensors = engine::load_sensors();
    for (const char* name : {"S2A.SAFE/MTD_MSIL2A.xml", "landsat/LC08_MTL.txt", "landsat_xml/LC08_MTL.xml"}) {
        const auto file = folder() / "products" / name;
        fs::create_directories(file.parent_path());
        write(file, text);
        const auto read = engine::read_catalogue(file.parent_path().string(), sensors);
        for (const auto& r : read.rejected) promise(!r.code.empty() && !r.reason.empty());
        promise(read.scenes.size() == read.made.size());
        for (const auto& scene : read.scenes)
            for (const auto& band : scene.bands) {
                const auto path = fs::path(band.href).lexically_normal().string();
                promise(path.starts_with(file.parent_path().string() + "/"));
            }
    }
}

void settings(std::string_view text) {
    static const OptionTable table = [] {
        OptionTable t;
        for (const auto& entry : pipeline::StageRegistry::all()) entry.make()->declare(t);
        return t;
    }();
    const auto file = folder() / "run.yaml";
    write(file, text);
    try {
        engine::Settings s(table);
        s.load(file);
        for (const auto& o : table.all()) {
            static_cast<void>(s.path(o.key));
            static_cast<void>(s.integer(o.key));
            static_cast<void>(s.list(o.key));
            if (o.type == OptionType::map) static_cast<void>(s.map(o.key));
        }
    } catch (const Error& e) {
        promise(e.code() == ErrorCode::usage);
    }
}

void rules(std::string_view text) {
    const auto file = folder() / "rules.yaml";
    write(file, text);
    try {
        static_cast<void>(engine::RuleSet::load(file, algorithms::rule_items()));
    } catch (const Error& e) {
        promise(e.code() == ErrorCode::usage);
    }
    try {
        static_cast<void>(engine::Dictionary::load(file));
    } catch (const Error& e) {
        promise(e.code() == ErrorCode::usage);
    }
}

void words(std::string_view text) {
    if (const auto tile = TileId::parse(text)) promise(TileId::parse(tile->str()) == tile);
    if (const auto date = Date::parse(text)) {
        promise(Date::parse(date->iso()) == date);
        promise(Date::parse(date->compact()) == date);
    }
    for (const char c : engine::printable(text, 100))
        promise(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

}  // namespace shuibao::fuzz
