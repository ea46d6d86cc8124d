// SPDX-License-Identifier: Apache-2.0
// Beyond the scores: by size, wrong objects by what lies under them, delay, and object by object.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "assess.hpp"
#include <shuibao/algorithms/detector.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/geotiff.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;
using Objects = std::vector<AssessedObject>;

constexpr double hm2 = 1e4;

ordered_json recall_by_size(const Objects& truth, double min_area) {
    ordered_json j;
    for (const auto& [name, least, most] :
         {std::tuple{"below_half_hm2", 0.0, 0.5 * hm2}, std::tuple{"half_to_1_hm2", 0.5 * hm2, hm2},
          std::tuple{"from_1_hm2", hm2, 1e30}}) {
        std::size_t n = 0, hits = 0;
        for (const auto& t : truth) {
            if (t.area < std::max(least, min_area) || t.area >= most) continue;
            ++n;
            hits += t.hit ? 1 : 0;
        }
        if (n > 0)
            j[name] = {{"truth", n}, {"recall", rounded(static_cast<double>(hits) / static_cast<double>(n))}};
    }
    return j;
}

// The raster of classes and what of the reference lies on it.
class Cover {
  public:
    Cover(const std::string& path, const std::string& crs)
        : m_info(io::describe_raster(path)),
          m_grid(Grid::aligned_to(m_info.crs, m_info.left, m_info.top, m_info.gsd_x, 1024)),
          m_window(m_grid.window(m_info.bounds())),
          m_codes(io::read_whole_band(path, 1)) {
        if (!io::same_crs(m_info.crs, crs))
            throw Error(ErrorCode::input, fmt::format("{} has another CRS than the reference.", path),
                        "Give assess.cover on the CRS of the reference: gdalwarp does it.");
    }

    [[nodiscard]] std::string name(int code) const {
        const auto it = m_info.metadata.find(fmt::format("CLASS_{}", code));
        return it != m_info.metadata.end() ? it->second : fmt::format("{}", code);
    }
    /// The class that most pixels of an object have; the lower code on a tie; -1 outside.
    [[nodiscard]] int under(const AssessedObject& o) const {
        const Window w = m_grid.window(o.bounds).intersection(m_window);
        if (w.empty()) return -1;
        const auto inside = io::burn({o.shape}, m_grid, w);
        std::map<int, std::size_t> count;
        for (std::size_t i = 0; i < inside.size(); ++i)
            if (inside[i] != 0) ++count[code_at(w, i)];
        int best = -1;
        for (const auto& [code, n] : count)
            if (best < 0 || n > count[best]) best = code;
        return best;
    }
    /// hm² by class, without what lies in an object of the reference.
    [[nodiscard]] std::map<int, double> unchanged(const Objects& truth) const {
        std::vector<io::Geometry> shapes;
        for (const auto& t : truth) shapes.push_back(t.shape);
        const auto changed = io::burn(shapes, m_grid, m_window);
        std::map<int, double> area;
        for (std::size_t i = 0; i < changed.size(); ++i)
            if (changed[i] == 0) area[code_at(m_window, i)] += m_info.gsd_x * m_info.gsd_y / hm2;
        return area;
    }

  private:
    [[nodiscard]] int code_at(const Window& w, std::size_t i) const {
        const auto k = static_cast<std::int64_t>(i);
        const auto row = w.row - m_window.row + k / w.cols, col = w.col - m_window.col + k % w.cols;
        return static_cast<int>(m_codes[static_cast<std::size_t>(row * m_window.cols + col)]);
    }

    io::RasterInfo m_info;
    Grid m_grid;
    Window m_window;
    std::vector<float> m_codes;
};

ordered_json wrong_by_class(const Cover& cover, const Objects& truth, const Objects& found, double min_area) {
    std::map<int, std::size_t> wrong;
    for (const auto& f : found)
        if (f.area >= min_area && !f.hit) ++wrong[cover.under(f)];
    ordered_json j;
    for (const auto& [code, area] : cover.unchanged(truth))
        j[cover.name(code)] = {{"unchanged_hm2", rounded(area)}, {"wrong", wrong[code]}};
    return j;
}

// The plane of a method's state that holds the day of a pixel's latest alarm.
int alarm_plane(const std::string& method) {
    const auto detector = Registry<algorithms::Detector>::make(method);
    if (const auto* series = dynamic_cast<const algorithms::SeriesDetector*>(detector.get())) {
        const auto names = series->state_bands();
        if (const auto it = std::find(names.begin(), names.end(), "alarm"); it != names.end())
            return static_cast<int>(it - names.begin());
    }
    throw Error(ErrorCode::usage, fmt::format("The method '{}' keeps no days of alarm.", method),
                "Give a method that follows a series for assess.method.");
}

// A site is reported when so much of it had been suspected that it could be drawn: the minimum area, or half
// of it. Alarms from before its onset are not of it.
void find_report_days(RunContext& c, const std::string& crs, const std::string& method, Objects& truth,
                      double min_area) {
    const int plane = alarm_plane(method);
    const Grid grid = load_grid(c.store);
    if (!io::same_crs(grid.crs(), crs))
        throw Error(ErrorCode::input, "The store has another CRS than the reference.",
                    fmt::format("Give the reference on {} when assess.method is set.", grid.crs()));
    const auto batch = resolve_batch(c);
    std::vector<std::vector<int>> days(truth.size());
    std::vector<std::size_t> pixels(truth.size(), 0);
    std::map<TileId, std::vector<std::uint16_t>> tiles;
    const auto tile_of = [&](TileId id) -> const std::vector<std::uint16_t>& {
        auto [it, fresh] = tiles.try_emplace(id);
        const auto path = c.store.state(method) / id.str() / (batch + ".tif");
        if (fresh && std::filesystem::exists(path)) {
            it->second.resize(static_cast<std::size_t>(grid.window(id).pixels()));
            io::GeoTiffReader(path).read(plane, 0, it->second);
        }
        return it->second;
    };
    for (std::size_t i = 0; i < truth.size(); ++i) {
        auto& t = truth[i];
        if (!t.onset || t.area < min_area) continue;
        const Window all = grid.window(t.bounds);
        for (const TileId id : grid.tiles(all)) {
            const Window tile = grid.window(id), w = all.intersection(tile);
            const auto inside = io::burn({t.shape}, grid, w);
            const auto& alarms = tile_of(id);
            for (std::size_t k = 0; k < inside.size(); ++k) {
                if (inside[k] == 0) continue;
                ++pixels[i];
                if (alarms.empty()) continue;
                const auto row = w.row - tile.row + static_cast<std::int64_t>(k) / w.cols,
                           col = w.col - tile.col + static_cast<std::int64_t>(k) % w.cols;
                const int day = alarms[static_cast<std::size_t>(row * tile.cols + col)];
                if (day >= t.onset->days()) days[i].push_back(day);
            }
        }
        std::sort(days[i].begin(), days[i].end());
        const double least = std::min(std::ceil(min_area / (grid.gsd() * grid.gsd())),
                                      std::ceil(static_cast<double>(pixels[i]) / 2));
        const auto needed = static_cast<std::size_t>(std::max(1.0, least));
        if (days[i].size() >= needed) t.reported = Date(days[i][needed - 1]);
    }
}

// The delay of what was found; and how much of all that could be seen was found and reported within so many
// days after its first clear view. What nobody could see is not late.
ordered_json delay_of(const Objects& truth, double min_area) {
    std::vector<int> delays;
    std::size_t seen = 0;
    for (const auto& t : truth) {
        if (t.area < min_area || !t.first_clear) continue;
        ++seen;
        if (t.hit && t.reported) delays.push_back(t.reported->days() - t.first_clear->days());
    }
    std::sort(delays.begin(), delays.end());
    ordered_json j = {{"dated", delays.size()}};
    if (!delays.empty()) {
        j["median_days"] = delays[delays.size() / 2];
        j["nine_of_ten_days"] = delays[delays.size() * 9 / 10];
    }
    if (seen > 0) {
        j["seen"] = seen;
        for (const int days : {30, 60, 90, 180, 365})
            j["within"][fmt::format("{}_days", days)] = rounded(
                static_cast<double>(std::upper_bound(delays.begin(), delays.end(), days) - delays.begin()) /
                static_cast<double>(seen));
    }
    return j;
}

// Share of the reference of which something was found, however little: a field team that goes there sees the
// rest.
double reached(const Objects& truth, const Objects& found, double min_area) {
    std::size_t n = 0, hits = 0;
    for (const auto& t : truth) {
        if (t.area < min_area) continue;
        ++n;
        hits += t.hit || std::any_of(found.begin(), found.end(),
                                     [&](const AssessedObject& f) {
                                         return f.hit && f.area >= min_area &&
                                                f.bounds.intersects(t.bounds) &&
                                                f.shape.intersection(t.shape).area() > 0;
                                     })
                    ? 1U
                    : 0U;
    }
    return n > 0 ? static_cast<double>(hits) / static_cast<double>(n) : 0;
}

// What the images took each kind of site for, of those that were found, and what is none.
ordered_json types_of(const Objects& truth, const Objects& found, double min_area) {
    const auto text = [](const AssessedObject& o, const char* field) {
        const auto it = o.fields.find(field);
        return it == o.fields.end() ? std::string() : it->second;
    };
    std::map<std::string, std::map<std::string, std::size_t>> table;
    for (const auto& t : truth)
        if (t.area >= min_area && t.hit && !text(t, "kind").empty())
            if (const auto type = text(*t.match, "image_type"); !type.empty()) ++table[text(t, "kind")][type];
    for (const auto& f : found)
        if (f.area >= min_area && !f.hit)
            if (const auto type = text(f, "image_type"); !type.empty())
                ++table["(not in the reference)"][type];
    return table;
}

ordered_json each_of(const Objects& list, double min_area, bool reference, const Cover* cover) {
    ordered_json out = ordered_json::array();
    const auto day = [](const std::optional<Date>& d) { return d ? ordered_json(d->iso()) : ordered_json(); };
    for (const auto& o : list) {
        if (o.area < min_area || (!reference && o.hit)) continue;
        ordered_json j;
        for (const auto& [name, value] : o.fields) j[name] = value;
        j["area"] = rounded(o.area);
        if (cover != nullptr)
            if (const int code = cover->under(o); code >= 0) j["cover"] = cover->name(code);
        if (reference) {
            j["found"] = o.hit;
            if (o.hit && o.match->fields.contains("image_type"))
                j["found_type"] = o.match->fields.at("image_type");
            j["found_from"] = o.hit ? day(o.match->from) : ordered_json();
            j["found_to"] = o.hit ? day(o.match->to) : ordered_json();
            j["reported"] = day(o.reported);
        }
        out.push_back(std::move(j));
    }
    return out;
}

}  // namespace

void declare_details(OptionTable& t) {
    t.add({.key = "assess.cover",
           .type = OptionType::path,
           .help =
               "Raster of land classes: wrong objects are counted by the class under them. Names come from "
               "its metadata (CLASS_1=…)"});
    t.add({.key = "assess.method",
           .help = "Series method whose state in the store tells when each site was first suspected: gives "
                   "the delay after the reference's first_clear_m",
           .long_name = "alarms-of"});
    t.add({.key = "assess.each",
           .type = OptionType::flag,
           .fallback = "false",
           .help = "List every object of the reference with what was found of it, and every wrong one"});
}

void add_details(RunContext& c, const std::string& crs, Objects& truth, const Objects& found, double min_area,
                 ordered_json& j) {
    j["objects"]["reached"] = rounded(reached(truth, found, min_area));
    if (const auto sizes = recall_by_size(truth, min_area); !sizes.empty()) j["by_size"] = sizes;
    if (const auto types = types_of(truth, found, min_area); !types.empty()) j["types"] = types;
    std::optional<Cover> cover;
    if (c.settings.has("assess.cover")) {
        cover.emplace(c.settings.path("assess.cover"), crs);
        j["wrong_by_cover"] = wrong_by_class(*cover, truth, found, min_area);
    }
    if (c.settings.has("assess.method")) {
        find_report_days(c, crs, c.settings.text("assess.method"), truth, min_area);
        j["delay"] = delay_of(truth, min_area);
    }
    if (!c.settings.flag("assess.each")) return;
    j["sites"] = each_of(truth, min_area, true, cover ? &*cover : nullptr);
    j["wrong"] = each_of(found, min_area, false, cover ? &*cover : nullptr);
}

}  // namespace shuibao::pipeline
