// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "parts.hpp"

namespace shuibao::algorithms::simulated {
namespace {

constexpr std::int16_t never = std::numeric_limits<std::int16_t>::max();
constexpr std::int64_t least_pixels = 11;  // 0.1 hm² and a bit: what the rules call too small is no site

// Pixels of a shape with how far the work has come when it reaches them, 0–1.
struct Shape {
    struct Pixel {
        std::int64_t col, row;
        double progress;
    };
    std::vector<Pixel> pixels;
};

class Placer {
  public:
    explicit Placer(Plan& plan)
        : m_plan(plan), m_o(plan.options), m_n(plan.options.size), m_taken(plan.land.cover.size(), 0) {}

    void place() {
        for (const bool old : {false, true})
            for (int i = 0; i < (old ? m_o.old_sites : m_o.sites); ++i) {
                Draws d(part(part(m_o.seed, old ? 80 : 81), static_cast<std::uint64_t>(i)));
                const double u = d.uniform();
                const auto kind = u < 0.60   ? SiteKind::construction
                                  : u < 0.75 ? SiteKind::road
                                  : u < 0.87 ? SiteKind::quarry
                                             : SiteKind::spoil;
                // 0.11 … 8 hm²; what was drawn is looked for room until there is none, so that large ones and
                // roads are not crowded out.
                const double area = 11 * std::pow(70.0, std::pow(d.uniform(), 1.25));
                bool placed = false;
                for (int tries = 0; tries < 400 && !placed; ++tries) placed = one(d, kind, area, old);
                // No room for that: a small building site finds some.
                for (int tries = 0; tries < 200 && !placed; ++tries)
                    placed = one(d, SiteKind::construction, std::min(area, 40.0), old);
            }
    }

  private:
    bool one(Draws& d, SiteKind kind, double wanted, bool old) {
        Site s;
        s.old = old;
        s.kind = kind;
        const Shape shape = kind == SiteKind::road ? road(d) : patch(d, kind, wanted);
        if (static_cast<std::int64_t>(shape.pixels.size()) < least_pixels || !room_for(shape, kind))
            return false;
        const auto area = static_cast<double>(shape.pixels.size());
        const int from = m_o.from.days(), to = m_o.to.days(), watched = m_o.monitor_from.days();
        const double f = d.uniform();
        s.fate = f < 0.42 ? Fate::open : f < 0.72 ? Fate::built : f < 0.86 ? Fate::reverted : Fate::dormant;
        if (old) s.fate = f < 0.6 ? Fate::open : Fate::built;
        // Weeks to months: large sites and roads take longer.
        double duration = std::min(220.0, (12 + 4.5 * std::sqrt(area)) * d.uniform(0.6, 1.8));
        const double when = d.uniform();
        if (old) {  // all work is done when the watch begins
            duration = std::min(duration, 90.0);
            s.onset = from - 300 + static_cast<int>(when * std::max(1, watched - 200 - from + 300));
        } else if (s.fate == Fate::reverted) {  // early and quick, so that its end is inside the archive
            s.onset = watched + static_cast<int>(when * 0.45 * (to - watched));
            duration = std::min(duration, 60.0);
        } else {
            s.onset = watched + static_cast<int>(when * std::max(1, to - 45 - watched));
        }
        s.soil = open_ground(d, shape);
        const auto index = static_cast<std::int16_t>(m_plan.sites.size());
        const auto key = part(part(m_o.seed, 82), m_plan.sites.size());
        const double halt = d.uniform(0.4, 0.7), pause = d.uniform(120, 260),
                     wait = old ? 40 : d.uniform(80, 200);
        s.complete = s.onset;
        std::vector<std::size_t> opened;
        for (const auto& p : shape.pixels) {
            const auto k = static_cast<std::size_t>(p.row * m_n + p.col);
            double t = p.progress * duration;
            if (s.fate == Fate::dormant && p.progress > halt) t += pause;
            const int day = s.onset + static_cast<int>(t);
            if (day > to) continue;
            s.complete = std::max(s.complete, day);
            m_plan.site[k] = index;
            m_plan.opened[k] = static_cast<std::int16_t>(day - from);
            // Lots of 3 × 3 pixels are built over; a third of them stays open until the end.
            const auto lot = part(key, static_cast<std::uint64_t>(p.col / 3 * 65536 + p.row / 3));
            if (s.fate == Fate::built && (s.kind == SiteKind::road || uniform(lot) < 0.68))
                m_plan.built[k] =
                    static_cast<std::int16_t>(std::min(30000.0, day - from + wait + 60 * uniform(lot + 1)));
            opened.push_back(k);
        }
        if (opened.empty()) return false;
        if (s.fate == Fate::reverted) {
            const int day = s.complete + static_cast<int>(d.uniform(60, 140));
            if (day <= to) s.reverted = day;
        }
        std::sort(opened.begin(), opened.end());
        s.segment = segment_of(opened, m_n);
        claim(shape);
        m_plan.sites.push_back(std::move(s));
        return true;
    }

    // From the field's own soil to bright subsoil: the colours of sites and of fields overlap.
    Spectrum open_ground(Draws& d, const Shape& shape) {
        const auto& middle = shape.pixels[shape.pixels.size() / 2];
        const auto& parcel =
            m_plan.land.parcels[m_plan.land.parcel[static_cast<std::size_t>(middle.row * m_n + middle.col)]];
        const bool field = is_field(parcel.cover);
        if (field && d.chance(0.22)) return parcel.soil;
        const double share = d.uniform(0.35, 1), brightness = std::exp(0.16 * d.gauss());
        return scaled(mixed(field ? parcel.soil : material::mud, material::subsoil, share),
                      std::clamp(brightness, 0.72, 1.35));
    }

    // A rotated rectangle or ellipse with a ragged rim; work starts at one end.
    Shape patch(Draws& d, SiteKind kind, double area) {
        Shape shape;
        const double ratio = d.uniform(1, 2.8), angle = d.uniform(0, 3.14159265358979);
        const bool round = kind == SiteKind::quarry || kind == SiteKind::spoil;
        const double b = std::sqrt(area / ratio / (round ? 3.1416 : 4)), a = b * ratio;
        const double margin = a + 4, extent = static_cast<double>(m_n);
        if (2 * margin >= extent) return shape;
        const double cx = d.uniform(margin, extent - margin), cy = d.uniform(margin, extent - margin);
        const auto rim_key = mix(static_cast<std::uint64_t>(d.uniform() * 1e15));
        const double from_u = d.uniform(-1, 1), from_v = d.uniform(-1, 1);
        for (auto y = static_cast<std::int64_t>(cy - a - 2); y <= static_cast<std::int64_t>(cy + a + 2); ++y)
            for (auto x = static_cast<std::int64_t>(cx - a - 2); x <= static_cast<std::int64_t>(cx + a + 2);
                 ++x) {
                const double px = static_cast<double>(x) + 0.5, py = static_cast<double>(y) + 0.5;
                const double dx = px - cx, dy = py - cy;
                const double u = dx * std::cos(angle) + dy * std::sin(angle),
                             v = -dx * std::sin(angle) + dy * std::cos(angle);
                const double rim = 1.4 * (waves(rim_key, px, py, 6) - 0.5);
                const bool in = round ? std::hypot(u / (a + rim), v / (b + rim)) <= 1
                                      : std::abs(u) <= a + rim && std::abs(v) <= b + rim;
                if (!in) continue;
                const double way = std::hypot(u - from_u * a, v - from_v * b) / a;
                shape.pixels.push_back({x, y, way + 0.12 * waves(rim_key + 1, px, py, 3)});
            }
        normalise(shape);
        return shape;
    }

    // A strip 10 to 30 m wide and 0.5 to 3 km long that bends a little, built from one end to the other.
    Shape road(Draws& d) {
        Shape shape;
        const double extent = static_cast<double>(m_n);
        const double length = std::min(d.uniform(50, 300), 0.6 * extent),
                     half = 0.55 + 0.95 * std::sqrt(d.uniform());
        double x = d.uniform(4, extent - 4), y = d.uniform(4, extent - 4), heading = d.uniform(0, 6.2831853);
        const double bend = 0.004 * d.gauss();
        std::vector<std::pair<std::size_t, double>> seen;
        for (double s = 0; s < length; s += 0.4) {
            if (x < 3 || y < 3 || x > extent - 3 || y > extent - 3) {
                shape.pixels.clear();
                return shape;
            }
            for (auto j = static_cast<std::int64_t>(y - half - 1);
                 j <= static_cast<std::int64_t>(y + half + 1); ++j)
                for (auto i = static_cast<std::int64_t>(x - half - 1);
                     i <= static_cast<std::int64_t>(x + half + 1); ++i)
                    if (std::hypot(static_cast<double>(i) + 0.5 - x, static_cast<double>(j) + 0.5 - y) <=
                        half)
                        seen.emplace_back(static_cast<std::size_t>(j * m_n + i), s / length);
            x += 0.4 * std::cos(heading);
            y += 0.4 * std::sin(heading);
            heading += 0.4 * bend;
        }
        std::stable_sort(seen.begin(), seen.end(),
                         [](const auto& p, const auto& q) { return p.first < q.first; });
        for (std::size_t i = 0; i < seen.size(); ++i)
            if (i == 0 || seen[i].first != seen[i - 1].first)
                shape.pixels.push_back({static_cast<std::int64_t>(seen[i].first) % m_n,
                                        static_cast<std::int64_t>(seen[i].first) / m_n, seen[i].second});
        normalise(shape);
        return shape;
    }

    static void normalise(Shape& shape) {
        double low = 1e30, high = -1e30;
        for (const auto& p : shape.pixels) {
            low = std::min(low, p.progress);
            high = std::max(high, p.progress);
        }
        for (auto& p : shape.pixels) p.progress = high > low ? (p.progress - low) / (high - low) : 0;
    }

    // Quarries lie in the hills where there are any; nobody builds in water, and sites keep apart. A road may
    // run along villages' rims and over the tracks, but not through a river: that is a bridge.
    [[nodiscard]] bool room_for(const Shape& shape, SiteKind kind) const {
        std::int64_t hilly = 0, water = 0, houses = 0;
        for (const auto& p : shape.pixels) {
            const auto k = static_cast<std::size_t>(p.row * m_n + p.col);
            if (m_taken[k] != 0) return false;
            const Cover c = m_plan.land.cover[k];
            water += c == Cover::reservoir || c == Cover::river || m_plan.land.height[k] < 260 ? 1 : 0;
            houses += c == Cover::village || c == Cover::greenhouse ? 1 : 0;
            hilly += c == Cover::evergreen || c == Cover::deciduous || c == Cover::grass || c == Cover::rock
                         ? 1
                         : 0;
        }
        if (water > 0 || houses > 0) return false;
        return kind != SiteKind::quarry || !m_hills ||
               hilly * 2 > static_cast<std::int64_t>(shape.pixels.size());
    }

    void claim(const Shape& shape) {
        constexpr std::int64_t apart = 14;
        for (const auto& p : shape.pixels)
            for (auto y = std::max<std::int64_t>(0, p.row - apart); y <= std::min(m_n - 1, p.row + apart);
                 ++y)
                std::fill(m_taken.begin() + (y * m_n + std::max<std::int64_t>(0, p.col - apart)),
                          m_taken.begin() + (y * m_n + std::min(m_n - 1, p.col + apart) + 1),
                          std::uint8_t{1});
    }

  private:
    Plan& m_plan;
    const Options& m_o;
    std::int64_t m_n;
    std::vector<std::uint8_t> m_taken;
    bool m_hills = std::count_if(m_plan.land.cover.begin(), m_plan.land.cover.end(), [](Cover c) {
                       return c == Cover::evergreen || c == Cover::deciduous || c == Cover::rock;
                   }) > static_cast<std::ptrdiff_t>(m_plan.land.cover.size() / 25);
};

}  // namespace

Segment segment_of(const std::vector<std::size_t>& sorted, std::int64_t n) {
    Segment s;
    for (const auto k : sorted) {
        const auto row = static_cast<std::int64_t>(k) / n, col = static_cast<std::int64_t>(k) % n;
        if (s.runs.empty() || s.runs.back().row != row || s.runs.back().end != col)
            s.runs.push_back({row, col, col + 1, 0, 1});
        else
            ++s.runs.back().end;
        ++s.pixels;
    }
    return s;
}

void place_sites(Plan& plan) {
    const auto pixels = plan.land.cover.size();
    plan.site.assign(pixels, -1);
    plan.opened.assign(pixels, never);
    plan.built.assign(pixels, never);
    Placer(plan).place();
    for (std::size_t k = 0; k < pixels; ++k)
        if (plan.site[k] >= 0 && plan.sites[static_cast<std::size_t>(plan.site[k])].old)
            plan.land.cover[k] = Cover::old_site;
}

const char* name_of(SiteKind kind) {
    static constexpr std::array<const char*, 4> names = {"construction", "road", "quarry", "spoil"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace shuibao::algorithms::simulated
