// SPDX-License-Identifier: Apache-2.0
// What an input of images holds: STAC files, products as they were delivered, plain images; each looked at
// once.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "products/product.hpp"
#include "stac.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/folder.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t largest_json = std::size_t{512} << 20U;
constexpr int deepest_catalogue = 32, deepest_folder = 64;

std::string extension_of(const std::string& name) {
    return lower(fs::path(name).extension().string());
}

bool is_json(const std::string& name) {
    const auto e = extension_of(name);
    return e == ".json" || e == ".geojson";
}

bool is_product_name(const std::string& name) {
    const bool landsat = name.size() > 3 && name[0] == 'L' && name[2] == '0';
    return landsat || name.starts_with("S2") || name.starts_with("GF") || name.starts_with("ZY");
}

// How GDAL looks into a packed product; empty for other files.
std::string unpacked(const std::string& path, const std::string& name) {
    if (!is_product_name(name)) return {};
    return extension_of(name) == ".zip"   ? "/vsizip/" + path
           : extension_of(name) == ".tar" ? "/vsitar/" + path
                                          : std::string();
}

// Readable from its start only: every block would cost the whole file.
bool is_squeezed(const std::string& name) {
    return is_product_name(name) && (name.ends_with(".tar.gz") || name.ends_with(".tgz"));
}

class Reader {
  public:
    Reader(const std::vector<Sensor>& sensors, const ProductOptions& options)
        : m_sensors(sensors), m_options(options) {
        for (const auto& entry : ProductRegistry::all()) m_products.push_back(entry.make());
    }
    SceneList list;

    void folder(const std::string& path) {
        gather(path, 0);
        for (const auto& f : m_json) file(f, 0);
        if (!m_stac)
            for (auto& [left, found] : m_left) ask(left, found, true);
    }

    void file(const fs::path& path, int depth) {
        std::error_code error;
        const auto canonical = fs::weakly_canonical(path, error);
        if (depth > deepest_catalogue || !m_seen.insert(error ? path : canonical).second)
            return;  // each file once: cycles end here
        std::string text;
        try {
            text = io::read_text(path.string(), largest_json);
        } catch (const Error& e) {
            return reject(path, {}, {"unreadable", e.what()});
        }
        json j;
        try {
            j = json::parse(text);
        } catch (const json::parse_error& e) {  // its text quotes the file, which may be anybody's
            const auto before = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
            return reject(
                path, {},
                {"not_json", fmt::format("{} is not JSON: it breaks off or goes wrong in line {}.",
                                         path.string(), 1 + std::count(text.begin(), before, '\n'))});
        } catch (const json::out_of_range&) {
            return reject(
                path, {},
                {"not_json", fmt::format("{} is not JSON that can be used: a number in it is too large.",
                                         path.string())});
        }
        object(path, j, depth);
    }

    // One file that is no STAC: what a reader of products makes of it alone.
    void product(const fs::path& path) {
        const auto name = path.filename().string();
        if (const auto inside = unpacked(path.string(), name); !inside.empty()) return gather(inside, 0);
        const auto parent = path.parent_path().empty() ? fs::path(".") : path.parent_path();
        ProductFolder alone{parent.string(), fs::absolute(parent).filename().string(), {name}, {}};
        Findings found;
        for (const bool last : {false, true}) ask(alone, found, last);
        if (list.scenes.empty() && list.rejected.empty()) object(path, {}, 0);
    }

  private:
    void reject(const fs::path& path, const std::string& id, const Refusal& r) {
        list.rejected.push_back({path.string(), id, r.code, r.reason});
    }

    void object(const fs::path& path, const json& j, int depth) {
        const std::string type = j.is_object() ? text_of(j, "type") : std::string();
        if (type == "FeatureCollection" && j.contains("features") && j["features"].is_array()) {
            for (const auto& item : j["features"]) one(path, item);
        } else if (type == "Feature") {
            one(path, j);
        } else if (type == "Catalog" || type == "Collection") {
            m_stac = true;
            for (const auto& link : j.value("links", json::array())) {
                const std::string rel = text_of(link, "rel"), href = text_of(link, "href");
                if (rel != "child" && rel != "item") continue;
                try {
                    file(resolve(path, href), depth + 1);
                } catch (const Refusal& r) {
                    reject(path, href, r);
                }
            }
        } else {
            reject(path, {},
                   {"not_stac",
                    fmt::format("{} is no STAC Item, ItemCollection, Catalog or Collection{}.", path.string(),
                                is_json(path.string()) ? "" : ", and no product that shuibao knows")});
        }
    }

    void one(const fs::path& path, const json& item) {
        m_stac = m_stac || (item.is_object() && item.contains("stac_version"));
        add(path, item);
    }

    bool add(const fs::path& path, const json& item) {
        const std::string id = item.is_object() ? text_of(item, "id") : std::string();
        try {
            list.scenes.push_back(scene_of_item(path, item, m_sensors));
            return true;
        } catch (const Refusal& r) {
            reject(path, id, r);
        } catch (const json::exception& e) {
            reject(path, id, {"malformed", fmt::format("The Item is malformed: {}.", e.what())});
        }
        return false;
    }

    void ask(const ProductFolder& folder, Findings& found, bool last) {
        for (const auto& p : m_products)
            if (p->last_resort() == last && !found.whole) p->find(folder, m_options, found);
        for (const auto& made : found.items)
            if (add(made.source, made.item))
                list.made.push_back({list.scenes.back().id,
                                     made.item.dump(1, ' ', false, json::error_handler_t::replace) + "\n"});
        std::move(found.rejected.begin(), found.rejected.end(), std::back_inserter(list.rejected));
        found.items.clear();
        found.rejected.clear();
    }

    // Each folder by itself: one that must not be read hides no others, and is told.
    void gather(const std::string& path, int depth) {
        ProductFolder here{path, fs::path(path).filename().string(), {}, {}};
        try {
            for (const auto& e : io::list_folder(path))
                (e.folder ? here.folders : here.files).push_back(e.name);
        } catch (const Error& e) {
            return reject(path, {}, {"unreadable", e.what()});
        }
        Findings found;
        ask(here, found, false);
        if (found.whole) return;
        for (const auto& name : here.files) {
            if (found.taken.contains(name)) continue;
            if (is_json(name)) m_json.insert(here.at(name));
            if (const auto inside = unpacked(here.at(name), name); !inside.empty()) gather(inside, depth + 1);
            if (is_squeezed(name))
                reject(here.at(name), {},
                       {"packed", fmt::format("{} is compressed as a whole: unpack it.", here.at(name))});
        }
        for (const auto& name : here.folders)
            if (depth < deepest_folder) gather(here.at(name), depth + 1);
        m_left.emplace_back(std::move(here), std::move(found));
    }

    const std::vector<Sensor>& m_sensors;
    const ProductOptions& m_options;
    std::vector<std::unique_ptr<Product>> m_products;
    std::set<fs::path> m_seen, m_json;
    std::vector<std::pair<ProductFolder, Findings>> m_left;  // what may hold plain images
    bool m_stac = false;                                     // a STAC file was there
};

}  // namespace

SceneList read_catalogue(const std::string& given, const std::vector<Sensor>& sensors,
                         const ProductOptions& options) {
    if (io::is_remote(given) && !io::network_allowed())
        throw Error(ErrorCode::input, fmt::format("The catalogue {} lies on the network.", given),
                    "Copy it here, or say --allow-network.");
    const std::string input = given.starts_with("http") ? "/vsicurl/" + given : given;
    const auto kind = io::path_kind(input);
    std::error_code error;
    if (kind == io::PathKind::none && (input.starts_with("/vsi") || !fs::exists(input, error)))
        throw Error(ErrorCode::input, fmt::format("The catalogue {} does not exist.", input),
                    "Correct imagery.catalog: a STAC file, a product, or a folder of them.");
    Reader reader(sensors, options);
    if (kind == io::PathKind::folder)
        reader.folder(input.size() > 1 ? input.substr(0, input.find_last_not_of('/') + 1) : input);
    else if (is_json(input) || extension_of(input).empty())
        reader.file(input, 0);
    else
        reader.product(input);
    return std::move(reader.list);
}

}  // namespace shuibao::engine
