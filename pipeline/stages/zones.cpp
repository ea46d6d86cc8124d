// SPDX-License-Identifier: Apache-2.0
#include "zones.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "layer_files.hpp"
#include "words.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_vertices = 512;

fs::path words_file(const RunContext& c) {
    return c.settings.has("zones.dictionary") ? fs::path(c.settings.path("zones.dictionary"))
                                              : engine::config_file("dictionaries/zones.yaml");
}

// "key_prevention/省级" is a layer of the kind key_prevention with a name of its own.
std::pair<std::string, std::string> kind_and_name(const std::string& key) {
    const auto slash = key.find('/');
    return slash == std::string::npos ? std::pair(key, std::string())
                                      : std::pair(key.substr(0, slash), key.substr(slash + 1));
}

std::string name_of(const io::VectorFeature& f, const engine::Dictionary& words, const std::string& kind,
                    const std::string& title) {
    const auto name = io::to_text(field_value(f, words.values("fields", "name")));
    return !name.empty() ? name : title.empty() ? words.text("kinds", kind) : title;
}

bool administrative(const std::string& kind) {
    return kind == "county" || kind == "township";
}

// How wide points and lines of this kind are taken on each side; 0 where only areas make sense.
double half_width(const RunContext& c, const engine::Dictionary& words, const std::string& kind) {
    const auto& values = words.values("half_widths", kind);
    if (values.empty()) return 0;
    const auto metres = io::to_number(io::Value(values.front()));
    if (!metres || *metres <= 0 || *metres > 1000)
        throw Error(
            ErrorCode::usage,
            fmt::format("{}: half_widths of {} is '{}'.", words_file(c).string(), kind, values.front()),
            "Write metres, more than 0 and up to 1000, e.g. `road: [10]`.");
    return *metres;
}

// What was mended, and what was lost, of a layer.
void tell(RunContext& c, const io::VectorLayer& layer, const std::string& file, const std::string& kind) {
    for (const auto& n : layer.notes)
        tell_row(c, "screen", file, n,
                 n.code == "no_area" ? fmt::format("Zones of the kind {} are drawn as areas.", kind)
                                     : "Ask for a corrected layer.");
    if (layer.features.empty())
        c.problems.add({"screen", file, "empty",
                        fmt::format("The layer of the kind {} holds no area: nothing will lie in it.", kind),
                        "Give the right layer, or take it out of zones.layers."});
}

bool overlap(const Bounds& a, const Bounds& b) {
    return a.min_x < b.max_x && b.min_x < a.max_x && a.min_y < b.max_y && b.min_y < a.max_y;
}
bool inside(const Bounds& a, const Bounds& b) {
    return b.min_x <= a.min_x && a.max_x <= b.max_x && b.min_y <= a.min_y && a.max_y <= b.max_y;
}

// Halved across its longer side until no piece has too many vertices.
void cut_into(std::vector<io::Geometry>& pieces, io::Geometry shape) {
    if (shape.empty()) return;
    if (shape.vertices() <= most_vertices) {
        pieces.push_back(std::move(shape));
        return;
    }
    const Bounds b = shape.bounds();
    Bounds low = b, high = b;
    if (b.max_x - b.min_x > b.max_y - b.min_y)
        low.max_x = high.min_x = (b.min_x + b.max_x) / 2;
    else
        low.max_y = high.min_y = (b.min_y + b.max_y) / 2;
    cut_into(pieces, shape.within(low));
    cut_into(pieces, shape.within(high));
}

}  // namespace

void declare_zones(OptionTable& t) {
    t.add({.key = "zones.layers",
           .type = OptionType::map,
           .help =
               "Polygon layers by kind, e.g. {key_prevention: danjiangkou.shp, county: counties.gpkg, "
               "steep/announced 2025: steep.shp}; kinds: hazard, river, key_prevention, key_treatment, "
               "water_source, reserve, urban, steep, fragile, plant_belt, lakeside, settlement, road, hill, "
               "scope, county, township"});
    t.add({.key = "zones.dem",
           .type = OptionType::path,
           .help =
               "Elevation model (m): slopes and erosion of disturbances, and steep ground where no announced "
               "layer says otherwise, marked as such",
           .long_name = "dem"});
    t.add({.key = "zones.dictionary",
           .type = OptionType::path,
           .help = "What the kinds mean: words, articles, points, roles; default: "
                   "configs/dictionaries/zones.yaml",
           .long_name = "zone-dictionary"});
}

engine::Dictionary load_zone_words(const RunContext& c) {
    return load_dictionary("zones", words_file(c));
}

std::string zone_words_hash(const RunContext& c) {
    return engine::hash_file(words_file(c).string());
}

std::map<std::string, std::string> zone_hashes(RunContext& c) {
    std::map<std::string, std::string> hashes = {{"dictionary zones", zone_words_hash(c)}};
    for (const auto& [key, path] : c.settings.path_map("zones.layers"))
        hashes["zones " + key] = c.inputs[path] = hash_vector(path);
    return hashes;
}

Zones::Zones(RunContext& c, const std::string& crs) : m_words(load_zone_words(c)) {
    std::vector<std::string> kinds;
    for (const auto& [kind, words] : m_words.sections["kinds"]) kinds.push_back(kind);
    for (const auto& [key, path] : c.settings.path_map("zones.layers")) {
        const auto [kind, title] = kind_and_name(key);
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
            const auto near = nearest_of(kind, kinds);
            throw Error(
                ErrorCode::usage,
                fmt::format("{}: zones.layers has no kind '{}'.", c.settings.origin("zones.layers"), kind),
                near.empty() ? fmt::format("Known are: {}.", fmt::join(kinds, ", "))
                             : fmt::format("Did you mean '{}'?", near));
        }
        const auto layer = io::read_layer(path, {.to_crs = crs, .widen = half_width(c, m_words, kind)});
        tell(c, layer, fs::path(path).filename().string(), kind);
        std::map<std::string, std::vector<io::Geometry>> by_name;
        std::vector<std::int64_t> nameless;
        for (const auto& f : layer.features) {
            const auto name = name_of(f, m_words, kind, title);
            if (administrative(kind) && name == m_words.text("kinds", kind))
                nameless.push_back(f.row);
            else
                by_name[name].push_back(f.shape);
        }
        if (!nameless.empty())
            c.problems.add(
                {"screen", fmt::format("{}:{}", fs::path(path).filename().string(), nameless.front()),
                 "nameless",
                 fmt::format("Areas of the kind {} have no name ({} {}); what lies in them has none.", kind,
                             nameless.size() == 1 ? "row" : "rows", listed_rows(nameless)),
                 fmt::format("Give a field {}; the layer has: {}.",
                             fmt::join(m_words.values("fields", "name"), ", "),
                             fmt::join(layer.fields, ", "))});
        for (const auto& [name, shapes] : by_name) {
            m_zones.push_back({kind, name});
            // Areas of one name may overlap; an overlap would count twice.
            m_shapes.push_back(shapes.size() == 1 ? shapes.front() : io::union_of(shapes));
        }
    }
}

std::vector<NamedArea> areas_of_kind(const RunContext& c, std::string_view kind, const std::string& crs) {
    std::vector<NamedArea> list;
    for (const auto& [key, path] : c.settings.path_map("zones.layers")) {
        const auto [of, title] = kind_and_name(key);
        if (of != kind) continue;
        const auto words = load_zone_words(c);
        for (auto& f : io::read_layer(path, {"", "", crs}).features)
            list.push_back({name_of(f, words, of, title), std::move(f.shape)});
    }
    return list;
}

std::map<std::string, std::string> kind_hashes(const RunContext& c, std::string_view kind) {
    std::map<std::string, std::string> hashes;
    for (const auto& [key, path] : c.settings.path_map("zones.layers"))
        if (kind_and_name(key).first == kind) hashes["zones " + key] = hash_vector(path);
    if (!hashes.empty()) hashes["dictionary zones"] = zone_words_hash(c);
    return hashes;
}

void Zones::cut(const Each& each) {
    std::vector<std::vector<io::Geometry>> pieces(m_shapes.size());
    each(m_shapes.size(), [&](std::size_t i) { cut_into(pieces[i], std::move(m_shapes[i])); });
    m_shapes.clear();
    for (std::size_t zone = 0; zone < pieces.size(); ++zone)
        for (auto& piece : pieces[zone]) {
            const Bounds b = piece.bounds();
            const double frame = (b.max_x - b.min_x) * (b.max_y - b.min_y);
            m_full.push_back(piece.area() >= frame * (1 - 1e-12));
            m_bounds.push_back(b);
            m_zone_of.push_back(zone);
            m_pieces.push_back(std::move(piece));
        }
    m_index.emplace(m_bounds);
}

std::vector<Zones::Hit> Zones::over(const io::Geometry& shape) const {
    std::vector<Hit> hits;
    const Bounds b = shape.bounds();
    const double all = shape.area();
    if (all <= 0) return hits;
    std::map<std::size_t, double> areas;
    for (const auto i : m_index->near(b)) {
        if (!overlap(m_bounds[i], b)) continue;
        using Lies = io::Geometry::Lies;
        const auto lies = m_full[i] && inside(b, m_bounds[i]) ? Lies::inside : m_pieces[i].holds(b);
        if (lies == Lies::outside) continue;
        const double area = lies == Lies::inside ? all : m_pieces[i].intersection(shape).area();
        if (area > 0) areas[m_zone_of[i]] += area;
    }
    for (const auto& [zone, area] : areas) hits.push_back({zone, std::min(1.0, area / all)});
    std::stable_sort(hits.begin(), hits.end(),
                     [](const Hit& a, const Hit& b2) { return a.share > b2.share; });
    return hits;
}

std::vector<std::size_t> Zones::near(const io::Geometry& shape, std::string_view role,
                                     double distance) const {
    std::vector<std::size_t> found;
    for (const auto i : m_index->near(shape.bounds(), distance)) {
        const auto z = m_zone_of[i];
        if (!has_role(z, role) || std::find(found.begin(), found.end(), z) != found.end()) continue;
        if (m_pieces[i].within_distance(shape, distance)) found.push_back(z);
    }
    std::sort(found.begin(), found.end());
    return found;
}

io::Geometry Zones::part_in(const io::Geometry& shape, std::string_view role) const {
    std::vector<io::Geometry> parts;
    for (const auto i : m_index->near(shape.bounds()))
        if (has_role(m_zone_of[i], role)) parts.push_back(m_pieces[i].intersection(shape));
    return io::union_of(parts);
}

bool Zones::has_role(std::size_t zone, std::string_view role) const {
    return m_words.lists("roles", role, m_zones[zone].kind);
}

bool Zones::known(std::string_view role) const {
    for (std::size_t i = 0; i < m_zones.size(); ++i)
        if (has_role(i, role)) return true;
    return false;
}

}  // namespace shuibao::pipeline
