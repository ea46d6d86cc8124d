// SPDX-License-Identifier: Apache-2.0
#include "sight.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "delineate.hpp"
#include "detect.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

constexpr int step = 4;              // lattice of the tiles' overviews
constexpr double wanted = 0.9;       // power
constexpr double block_side = 1000;  // m

struct Period {
    std::vector<const io::Acquisition*> before, looks;  // `before` only between epochs
    Date first, last;
};

// The looks that decide the batch, by method.
class Sight {
  public:
    Sight(RunContext& c, const io::TileArchive& archive) : m_job(detect_job(c, archive)) {
        m_job.quiet = true;
        m_detector = Registry<algorithms::Detector>::make(m_job.method);
        if ((m_series = dynamic_cast<const algorithms::SeriesDetector*>(m_detector.get())) != nullptr) {
            const auto plan = plan_series(m_job, *m_series);
            m_bands = plan.bands;
            m_period.first = std::max(plan.times.report_from, plan.times.monitor_from);
            m_period.last = plan.looks.back()->date;
            for (const auto* a : plan.looks)
                if (a->date >= m_period.first) m_period.looks.push_back(a);
        } else {
            const auto plan =
                plan_pair(m_job, dynamic_cast<const algorithms::PairwiseDetector&>(*m_detector));
            m_period.before = plan.before;
            m_period.looks = plan.after;
            m_period.first = plan.before.back()->date;
            m_period.last = plan.after.back()->date;
        }
    }

    [[nodiscard]] const Period& period() const { return m_period; }
    [[nodiscard]] const std::string& method() const { return m_job.method; }

    /// Marks of the lattice pixels of one tile.
    struct Marks {
        Window lattice;  // col · step and row · step are the grid's
        std::vector<std::uint8_t> clear, decided, covered;
    };
    [[nodiscard]] Marks look_at(TileId tile) const {
        const Window window = m_job.archive.grid().window(tile);
        Marks m;
        std::vector<std::vector<Date>> days;
        std::vector<std::uint8_t> earlier;
        const auto add = [&](const io::Acquisition& a, auto&& clear) {
            if (!std::binary_search(a.tiles.begin(), a.tiles.end(), tile)) return;
            const Image image = m_job.archive.sample(a, window, {}, step);
            const auto quality = image.pixels.quality();
            if (days.empty()) {
                m.lattice = image.pixels.window();
                days.resize(quality.size());
                earlier.resize(quality.size());
                m.clear.resize(quality.size());
                m.decided.resize(quality.size());
                m.covered.resize(quality.size());
            }
            for (std::size_t i = 0; i < quality.size(); ++i) {
                if (quality[i] != Quality::nodata) m.covered[i] = 1;
                if (usable(quality[i])) clear(i, a.date);
            }
        };
        for (const auto* a : m_period.before) add(*a, [&](std::size_t i, Date) { earlier[i] = 1; });
        for (const auto* a : m_period.looks) add(*a, [&](std::size_t i, Date d) { days[i].push_back(d); });
        // Clouds are larger than pixels: few patterns, many pixels.
        std::map<std::vector<Date>, bool> known;
        for (std::size_t i = 0; i < days.size(); ++i) {
            m.clear[i] = static_cast<std::uint8_t>(std::min<std::size_t>(days[i].size(), 255));
            if (m_series == nullptr) {
                m.decided[i] = earlier[i] != 0 && !days[i].empty() ? 1 : 0;
                continue;
            }
            const auto [it, fresh] = known.try_emplace(days[i], false);
            if (fresh) it->second = m_series->power(days[i], m_bands, m_job.options) >= wanted;
            m.decided[i] = it->second ? 1 : 0;
        }
        return m;
    }

  private:
    DetectJob m_job;
    std::unique_ptr<algorithms::Detector> m_detector;
    const algorithms::SeriesDetector* m_series = nullptr;
    std::vector<Band> m_bands;  // of a series
    Period m_period;
};

// All lattice pixels of the area.
struct Field {
    Window lattice;
    std::vector<std::uint8_t> clear, decided, covered;

    explicit Field(const Window& area) {
        const auto up = [](std::int64_t v) { return v >= 0 ? (v + step - 1) / step : -(-v / step); };
        lattice = {up(area.col), up(area.row), up(area.col + area.cols) - up(area.col),
                   up(area.row + area.rows) - up(area.row)};
        const auto n = static_cast<std::size_t>(lattice.pixels());
        clear.resize(n);
        decided.resize(n);
        covered.resize(n);
    }
    [[nodiscard]] std::size_t at(std::int64_t col, std::int64_t row) const {
        return static_cast<std::size_t>((row - lattice.row) * lattice.cols + col - lattice.col);
    }
    void take(const Sight::Marks& m) {
        const Window w = m.lattice.intersection(lattice);
        for (std::int64_t r = w.row; r < w.row + w.rows; ++r)
            for (std::int64_t c = w.col; c < w.col + w.cols; ++c) {
                const auto from =
                    static_cast<std::size_t>((r - m.lattice.row) * m.lattice.cols + c - m.lattice.col);
                clear[at(c, r)] = m.clear[from];
                decided[at(c, r)] = m.decided[from];
                covered[at(c, r)] = m.covered[from];
            }
    }
    // Sums over everything above and left, so that any square costs four reads.
    [[nodiscard]] std::vector<std::uint32_t> sums() const {
        const auto cols = static_cast<std::size_t>(lattice.cols),
                   rows = static_cast<std::size_t>(lattice.rows);
        std::vector<std::uint32_t> s((cols + 1) * (rows + 1));
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < cols; ++c)
                s[(r + 1) * (cols + 1) + c + 1] = decided[r * cols + c] + s[r * (cols + 1) + c + 1] +
                                                  s[(r + 1) * (cols + 1) + c] - s[r * (cols + 1) + c];
        return s;
    }
};

// Smallest side in lattice steps at which squares that begin in the block are found with the power wanted.
std::optional<int> smallest_side(const Field& f, const std::vector<std::uint32_t>& sums,
                                 const Window& block) {
    const auto cols = static_cast<std::size_t>(f.lattice.cols) + 1;
    const int most = static_cast<int>(std::min(block.cols, block.rows));
    for (int side = 1; side <= most; ++side) {
        std::int64_t all = 0, found = 0;
        // Squares that the block holds; the whole block is the last.
        for (std::int64_t r = block.row; r + side <= block.row + block.rows; ++r)
            for (std::int64_t c = block.col; c + side <= block.col + block.cols; ++c) {
                const auto x = static_cast<std::size_t>(c - f.lattice.col),
                           y = static_cast<std::size_t>(r - f.lattice.row),
                           n = static_cast<std::size_t>(side);
                const std::uint32_t inside = sums[(y + n) * cols + x + n] - sums[y * cols + x + n] -
                                             sums[(y + n) * cols + x] + sums[y * cols + x];
                ++all;
                found +=
                    2 * static_cast<std::int64_t>(inside) >= static_cast<std::int64_t>(side) * side ? 1 : 0;
            }
        if (all > 0 && static_cast<double>(found) >= wanted * static_cast<double>(all)) return side;
    }
    return std::nullopt;
}

std::vector<TileId> tiles_of(const Period& p) {
    std::vector<TileId> tiles;
    for (const auto* list : {&p.before, &p.looks})
        for (const auto* a : *list) tiles.insert(tiles.end(), a->tiles.begin(), a->tiles.end());
    std::sort(tiles.begin(), tiles.end());
    tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
    return tiles;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

}  // namespace

std::map<std::string, std::string> sight_inputs(RunContext& c, const io::TileArchive& archive) {
    const Sight sight(c, archive);
    auto inputs = c.settings.canonical("detect." + sight.method() + ".");
    inputs["method"] = sight.method();
    inputs["period"] = sight.period().first.iso() + "/" + sight.period().last.iso();
    inputs["min_area"] = c.settings.text("delineate.min_area");
    std::string cut;
    for (const auto* list : {&sight.period().before, &sight.period().looks})
        for (const auto* a : *list)
            for (const TileId t : a->tiles)
                cut += a->key + " " + c.executor.key("tile", t.str() + "/" + a->key) + "\n";
    inputs["looks"] = engine::hash_bytes(cut);
    return inputs;
}

void write_sight(RunContext& c, const io::TileArchive& archive, const std::filesystem::path& path) {
    const Sight sight(c, archive);
    const Grid& grid = archive.grid();
    Field field(supervised_area(c, grid));
    const auto tiles = tiles_of(sight.period());
    c.executor.parallel_for(tiles.size(), [&](std::size_t i) {  // tiles do not share pixels
        engine::check_stop();
        field.take(sight.look_at(tiles[i]));
    });
    const auto sums = field.sums();
    const auto side =
        std::max<std::int64_t>(2, std::llround(block_side / grid.gsd() / step));  // lattice steps
    // The smallest square whose whole pixels reach the minimum, wherever it lies on the lattice of pixels.
    const double least =
        std::pow(std::sqrt(static_cast<double>(segmentation_options(c.settings, grid, false).min_pixels)) + 1,
                 2) *
        grid.gsd() * grid.gsd();
    io::LayerData layer;
    layer.name = "smallest_detectable";
    layer.crs = grid.crs();
    layer.fields = {{"id", io::FieldType::integer},          {"first_day", io::FieldType::date},
                    {"last_day", io::FieldType::date},       {"looks", io::FieldType::integer},
                    {"clear_looks", io::FieldType::integer}, {"seen_share", io::FieldType::real},
                    {"decided_share", io::FieldType::real},  {"smallest_m2", io::FieldType::real}};
    const Window& all = field.lattice;
    for (auto by = floor_div(all.row, side); by * side < all.row + all.rows; ++by)
        for (auto bx = floor_div(all.col, side); bx * side < all.col + all.cols; ++bx) {
            const Window block = Window{bx * side, by * side, side, side}.intersection(all);
            std::int64_t n = 0, seen = 0, decided = 0;
            std::vector<std::uint8_t> clear;
            for (std::int64_t r = block.row; r < block.row + block.rows; ++r)
                for (std::int64_t x = block.col; x < block.col + block.cols; ++x) {
                    const std::size_t i = field.at(x, r);
                    ++n;
                    seen += field.clear[i] > 0 ? 1 : 0;
                    decided += field.decided[i];
                    clear.push_back(field.clear[i]);
                }
            if (n == 0) continue;
            const auto share = [&](std::int64_t k) {
                return std::round(1e4 * static_cast<double>(k) / static_cast<double>(n)) / 1e4;
            };
            std::nth_element(clear.begin(), clear.begin() + static_cast<std::ptrdiff_t>(clear.size() / 2),
                             clear.end());
            const auto found = smallest_side(field, sums, block);
            io::Value smallest;
            if (found) {
                const double metres = *found == 1 ? 0 : *found * step * grid.gsd();
                smallest = std::round(std::max(least, metres * metres));
            }
            const Window ground{block.col * step, block.row * step, block.cols * step, block.rows * step};
            const Bounds b = grid.bounds(ground);
            const Ring ring = {{b.min_x, b.min_y},
                               {b.max_x, b.min_y},
                               {b.max_x, b.max_y},
                               {b.min_x, b.max_y},
                               {b.min_x, b.min_y}};
            layer.rows.push_back(
                {io::Geometry(MultiPolygon{Polygon{ring, {}}}),
                 {static_cast<std::int64_t>(layer.rows.size() + 1), sight.period().first, sight.period().last,
                  static_cast<std::int64_t>(sight.period().looks.size()),
                  static_cast<std::int64_t>(clear[clear.size() / 2]), share(seen), share(decided),
                  smallest}});
        }
    io::write_geopackage(path, std::span(&layer, 1));
}

std::string sight_summary(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return {};
    io::VectorLayer layer;
    try {
        layer = io::read_layer(path.string());
    } catch (const Error&) {  // written again when its unit runs again
        return {};
    }
    if (layer.features.empty()) return {};
    std::vector<double> sizes;
    std::string first, last;
    for (const auto& f : layer.features) {
        first = io::to_text(f.values.at("first_day"));
        last = io::to_text(f.values.at("last_day"));
        if (const auto v = io::to_number(f.values.at("smallest_m2"))) sizes.push_back(*v);
    }
    const auto n = layer.features.size();
    std::string out = fmt::format("{} to {}: ", first, last);
    if (sizes.empty())
        return out +
               fmt::format(
                   "in none of {} blocks of 1 km² would a site of any size be found with 90 % power: no "
                   "disturbance there means nothing",
                   n);
    std::sort(sizes.begin(), sizes.end());
    out += fmt::format(
        "green ground opened on the first day would be found with 90 % power from {:.2f} hm² on "
        "(median of {} blocks of 1 km²)",
        sizes[sizes.size() / 2] / 1e4, sizes.size());
    if (sizes.size() < n)
        out += fmt::format("; in {} of {} blocks at no size: no disturbance there means nothing",
                           n - sizes.size(), n);
    return out;
}

}  // namespace shuibao::pipeline
