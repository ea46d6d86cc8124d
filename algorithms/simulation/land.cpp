// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "parts.hpp"

namespace shuibao::algorithms::simulated {
namespace {

constexpr double pi = 3.14159265358979;

// Four soils of the plain, dry: silty alluvium, black clay with lime nodules, yellow-brown earth, sand.
Spectrum soil_at(std::uint64_t seed, double x, double y) {
    static constexpr std::array<Spectrum, 4> soils = {{{0.105F, 0.140F, 0.180F, 0.240F, 0.310F, 0.275F},
                                                       {0.070F, 0.090F, 0.115F, 0.160F, 0.220F, 0.200F},
                                                       {0.075F, 0.110F, 0.155F, 0.220F, 0.290F, 0.245F},
                                                       {0.140F, 0.180F, 0.225F, 0.285F, 0.360F, 0.320F}}};
    const double a = billows(seed + 31, x, y, 230), b = billows(seed + 32, x, y, 310);
    const auto& first = a < 0.45 ? soils[0] : a < 0.62 ? soils[2] : soils[1];
    return mixed(first, soils[3], smooth_step(0.58, 0.74, b));
}

// Distance to the river and height above its datum; the channel winds from west to east.
struct River {
    double y0, swing, phase, half_width, extent;
    std::uint64_t seed;
    River(const Options& o) : extent(static_cast<double>(o.size)), seed(part(o.seed, 41)) {
        y0 = (0.6 + 0.3 * uniform(seed)) * extent;
        swing = 0.06 * extent;
        phase = 2 * pi * uniform(seed + 1);
        half_width = 6 + 4 * uniform(seed + 2);
    }
    [[nodiscard]] double distance(double x, double y) const {
        const double middle = y0 + swing * std::sin(2 * pi * x / (0.9 * extent) + phase) +
                              30 * (waves(seed + 3, x, 0, 80) - 0.5);
        return std::abs(y - middle);
    }
    [[nodiscard]] double height(double x, double y, double d) const {
        if (d < half_width) return -260 * (1 - (d / half_width) * (d / half_width));
        return std::max(5.0, (d - half_width) * 7 + 60 * (waves(seed + 4, x, y, 24) - 0.4));
    }
};

struct Reservoir {
    double x, y, radius;
    std::uint64_t key;
    // 1 at the shore of a full reservoir, 0 in its middle.
    [[nodiscard]] double at(double px, double py) const {
        return std::hypot(px - x, py - y) / (radius * (0.65 + 0.7 * waves(key, px, py, 22)));
    }
};

class Builder {
  public:
    explicit Builder(const Options& o) : m_o(o), m_seed(mix(o.seed)), m_river(o) {
        m_land.size = o.size;
        const auto pixels = static_cast<std::size_t>(o.size * o.size);
        m_land.parcel.resize(pixels);
        m_land.cover.resize(pixels);
        m_land.texture.resize(pixels);
        m_land.slope_x.resize(pixels);
        m_land.slope_y.resize(pixels);
        m_land.height.assign(pixels, Land::dry);
        const double extent = static_cast<double>(o.size);
        const int count = std::max(1, static_cast<int>(extent * extent / 360000));
        Draws d(part(m_seed, 42));
        for (int tries = 0; tries < 400 && static_cast<int>(m_reservoirs.size()) < count; ++tries) {
            const double radius = std::min(0.09 * extent, d.uniform(18, 38));
            const double margin = 1.4 * radius, x = d.uniform(margin, extent - margin),
                         y = d.uniform(margin, extent - margin);
            if (m_river.distance(x, y) > 60 + radius || tries > 300)
                m_reservoirs.push_back({x, y, radius, part(m_seed, 43 + m_reservoirs.size())});
        }
    }

    Land build() {
        const auto n = m_o.size;
        for (std::int64_t y = 0; y < n; ++y)
            for (std::int64_t x = 0; x < n; ++x) pixel(x, y);
        for (const auto& p : m_land.parcels)
            m_land.seasons.push_back(seasons_of(p, m_o.from.days() - 400, m_o.to.days() + 400));
        return std::move(m_land);
    }

  private:
    [[nodiscard]] double hills(double x, double y) const {
        return smooth_step(0.55, 0.72, billows(m_seed + 11, x, y, 260)) *
               smooth_step(15, 80, m_river.distance(x, y));
    }
    // Metres. Smooth waves only: their slope is what shades the hills.
    [[nodiscard]] double elevation(double x, double y) const {
        const double h = hills(x, y);
        return h <= 0 ? 0 : h * (160 * billows(m_seed + 12, x, y, 70) + 60 * billows(m_seed + 13, x, y, 26));
    }

    void pixel(std::int64_t col, std::int64_t row) {
        const double x = static_cast<double>(col) + 0.5, y = static_cast<double>(row) + 0.5;
        const auto k = static_cast<std::size_t>(row * m_o.size + col);
        const double hilly = hills(x, y);
        if (hilly > 0) {
            const double here = elevation(x, y);
            m_land.slope_x[k] = static_cast<float>((elevation(x + 1, y) - here) / 10);
            m_land.slope_y[k] = static_cast<float>((elevation(x, y + 1) - here) / 10);
        }
        // Soil is darker in hollows and where it stays moist: some metres to some hundreds of metres.
        m_land.texture[k] = static_cast<float>(1 + 0.22 * (waves(m_seed + 14, x, y, 45) - 0.5) +
                                               0.14 * (waves(m_seed + 15, x, y, 11) - 0.5) +
                                               0.07 * (uniform(part(m_seed + 16, k)) - 0.5));
        const auto [parcel, cover] = place(x, y, hilly, k);
        m_land.parcel[k] = parcel;
        m_land.cover[k] = cover;
    }

    struct Placed {
        std::uint32_t parcel;
        Cover cover;
    };
    Placed place(double x, double y, double hilly, std::size_t k) {
        for (const auto& r : m_reservoirs)
            if (const double d = r.at(x, y); d < 1) {
                m_land.height[k] = static_cast<std::int16_t>(-(1 - d) * r.radius * 45);
                return {parcel(r.key, x, y, Cover::reservoir), Cover::reservoir};
            }
        const double to_river = m_river.distance(x, y);
        if (to_river < 60) {
            const double h = m_river.height(x, y, to_river);
            if (h < 300) m_land.height[k] = static_cast<std::int16_t>(h);
            if (h < 0) return {parcel(part(m_seed, 45), x, y, Cover::river), Cover::river};
        }
        const Cell town = cell_at(m_seed + 17, 125, x, y);
        Draws t(part(town.key, 1));
        if (to_river > 14 && hilly < 0.5 && t.chance(0.8)) {
            const double radius = t.uniform(8, 27), stretch = t.uniform(0.7, 1.4);
            const double d = std::hypot((x - town.x) * stretch, (y - town.y) / stretch) /
                             (radius * (0.6 + 0.8 * waves(m_seed + 18, x, y, 12)));
            if (d < 1) {
                // Houses, yards and trees in lots of two by two pixels and single ones.
                const auto lot = part(m_seed + 19, static_cast<std::uint64_t>(x / 2) * 100003 +
                                                       static_cast<std::uint64_t>(y / 2));
                const auto choice = uniform(lot) < 0.6 ? lot : part(lot, k);
                return {parcel(1000 + choice % 9, x, y, Cover::village), Cover::village};
            }
        }
        if (hilly > 0.08) {
            // Woods end in bends, not in straight lines.
            const Cell c = cell_at(m_seed + 20, 34, x + 26 * (waves(m_seed + 24, x, y, 17) - 0.5),
                                   y + 26 * (waves(m_seed + 25, x, y, 17) - 0.5));
            const double wood = billows(m_seed + 21, c.x, c.y, 150), u = uniform(part(c.key, 2));
            const Cover cover = hilly < 0.25 && u < 0.45 ? Cover::orchard
                                : u > 0.94               ? Cover::rock
                                : u > 0.72               ? Cover::grass
                                : wood > 0.5             ? Cover::evergreen
                                                         : Cover::deciduous;
            return {parcel(part(c.key, 3), c.x, c.y, cover), cover};
        }
        return field(x, y);
    }

    // Blocks of fields between tracks, each cut into rows of strips.
    Placed field(double x, double y) {
        const Cell block = cell_at(m_seed + 22, 58, x, y);
        if (block.margin < 1.3) {
            const std::uint64_t side = part(block.key, 4) % 2;
            return {parcel(part(block.key, 5 + side), block.x, block.y, Cover::edge), Cover::edge};
        }
        Draws b(part(block.key, 7));
        const double angle = 0.12 + 0.18 * b.gauss(), depth = b.uniform(6, 17);
        const double dx = x - block.x, dy = y - block.y;
        const double u = dx * std::cos(angle) + dy * std::sin(angle),
                     v = -dx * std::sin(angle) + dy * std::cos(angle);
        const auto row = static_cast<std::int64_t>(std::floor(u / depth));
        Draws r(part(block.key, 1000 + static_cast<std::uint64_t>(row + 500)));
        const double width = r.uniform(3, 9), offset = r.uniform();
        const auto strip = static_cast<std::int64_t>(std::floor(v / width + offset));
        const auto key = part(block.key, 5000 + static_cast<std::uint64_t>((row + 500) * 2003 + strip + 900));
        const double cx = block.x + (static_cast<double>(row) + 0.5) * depth * std::cos(angle) -
                          (static_cast<double>(strip) + 0.5 - offset) * width * std::sin(angle),
                     cy = block.y + (static_cast<double>(row) + 0.5) * depth * std::sin(angle) +
                          (static_cast<double>(strip) + 0.5 - offset) * width * std::cos(angle);
        Draws f(part(key, 8));
        const double custom = billows(m_seed + 23, cx, cy, 190) + 0.12 * f.gauss();  // villages farm alike
        const double u1 = f.uniform();
        const Cover cover = u1 < 0.022       ? Cover::greenhouse
                            : u1 < 0.045     ? Cover::orchard
                            : u1 < 0.085     ? Cover::idle
                            : custom < 0.63  ? Cover::double_crop
                            : custom < 0.74  ? Cover::rotated
                            : f.chance(0.75) ? Cover::single_crop
                                             : Cover::rotated;
        return {parcel(key, cx, cy, cover), cover};
    }

    std::uint32_t parcel(std::uint64_t key, double x, double y, Cover cover) {
        const auto [it, fresh] = m_index.try_emplace(key, static_cast<std::uint32_t>(m_land.parcels.size()));
        if (!fresh) return it->second;
        Parcel p;
        p.cover = cover;
        p.x = static_cast<float>(x);
        p.y = static_cast<float>(y);
        p.key = mix(key ^ m_seed);
        Draws d(part(p.key, 1));
        p.soil = scaled(soil_at(m_seed, x, y), 1 + 0.08 * d.gauss());
        p.vigour = static_cast<float>(std::clamp(1 + 0.13 * d.gauss(), 0.5, 1.3));
        furnish(p, key, d);
        m_land.parcels.push_back(p);
        return it->second;
    }

    void furnish(Parcel& p, std::uint64_t key, Draws& d) {
        const int days = m_o.to.days() - m_o.from.days();
        switch (p.cover) {
            case Cover::evergreen:
                p.plant = scaled(material::conifer, 1 + 0.1 * d.gauss());
                p.soil = material::litter;
                break;
            case Cover::deciduous:
                p.plant = scaled(material::broadleaf, 1 + 0.08 * d.gauss());
                p.soil = material::litter;
                break;
            case Cover::edge:
                p.plant = material::broadleaf;
                break;
            case Cover::orchard:
                p.plant = scaled(material::broadleaf, 1 + 0.08 * d.gauss());
                break;
            case Cover::grass:
                p.plant = scaled(material::herbs, 1 + 0.1 * d.gauss());
                p.soil = mixed(material::dry_herbs, p.soil, 0.35);
                break;
            case Cover::rock:
                p.plant = material::herbs;
                p.soil = scaled(material::rock, 1 + 0.1 * d.gauss());
                break;
            case Cover::village: {
                static constexpr std::array<Spectrum, 9> lots = {
                    {{0.10F, 0.11F, 0.16F, 0.21F, 0.24F, 0.21F},
                     {0.09F, 0.10F, 0.11F, 0.13F, 0.14F, 0.13F},
                     material::concrete,
                     {0.22F, 0.20F, 0.17F, 0.21F, 0.22F, 0.18F},
                     material::bright_roof,
                     {0.11F, 0.14F, 0.17F, 0.22F, 0.26F, 0.23F},
                     {0.12F, 0.13F, 0.15F, 0.18F, 0.19F, 0.18F},
                     {0.09F, 0.11F, 0.14F, 0.20F, 0.24F, 0.20F},
                     {0.09F, 0.11F, 0.14F, 0.20F, 0.24F, 0.20F}}};
                p.soil = lots[(key - 1000) % lots.size()];
                p.plant = material::broadleaf;
                // Yards have trees: the last two kinds of lot most of all.
                p.vigour = key - 1000 >= 7 ? 0.75F : 0.12F;
                break;
            }
            case Cover::greenhouse:
                p.plant = material::herbs;
                // Half of them stand from the beginning; the others replace a field on some autumn day.
                p.film_since = d.chance(0.5)
                                   ? m_o.from.days() - 1000
                                   : m_o.from.days() + static_cast<int>(d.uniform(0.2, 0.95) * days);
                break;
            case Cover::idle:
                p.plant = material::herbs;
                p.idle_from = m_o.from.days() + static_cast<int>(d.uniform(-0.2, 0.8) * days);
                p.idle_to = p.idle_from + static_cast<int>(d.uniform(330, 900));
                break;
            default:
                p.plant = scaled(d.chance(0.5) ? material::wheat : material::maize, 1 + 0.06 * d.gauss());
        }
    }

    Options m_o;
    std::uint64_t m_seed;
    River m_river;
    std::vector<Reservoir> m_reservoirs;
    Land m_land;
    std::unordered_map<std::uint64_t, std::uint32_t> m_index;
};

}  // namespace

Cell cell_at(std::uint64_t seed, double spacing, double x, double y) {
    const double cx = std::floor(x / spacing), cy = std::floor(y / spacing);
    Cell best;
    double nearest = 1e30, second = 1e30;
    for (int j = -1; j <= 1; ++j)
        for (int i = -1; i <= 1; ++i) {
            const auto key = part(part(seed, static_cast<std::uint64_t>(static_cast<std::int64_t>(cx) + i)),
                                  static_cast<std::uint64_t>(static_cast<std::int64_t>(cy) + j));
            const double px = (cx + i + 0.1 + 0.8 * uniform(key)) * spacing,
                         py = (cy + j + 0.1 + 0.8 * uniform(key + 1)) * spacing;
            const double d = (px - x) * (px - x) + (py - y) * (py - y);
            if (d < nearest) {
                second = nearest;
                nearest = d;
                best = {key, px, py, 0};
            } else {
                second = std::min(second, d);
            }
        }
    best.margin = std::sqrt(second) - std::sqrt(nearest);
    return best;
}

Land make_land(const Options& o) {
    return Builder(o).build();
}

const char* name_of(Cover cover) {
    static constexpr std::array<const char*, cover_count> names = {
        "double_crop", "single_crop", "rotated",   "idle",  "orchard", "evergreen", "deciduous", "grass",
        "village",     "greenhouse",  "reservoir", "river", "rock",    "edge",      "old_site"};
    return names[static_cast<std::size_t>(cover) - 1];
}

}  // namespace shuibao::algorithms::simulated
