// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include <shuibao/algorithms/object_type.hpp>

namespace shuibao::algorithms {
namespace {

struct Step {
    std::int64_t row, col;
    std::int32_t cost;  // `unit` = one pixel
};
constexpr std::int32_t unit = 5;
constexpr std::array<Step, 8> steps = {
    {{-1, -1, 7}, {-1, 0, 5}, {-1, 1, 7}, {0, -1, 5}, {0, 1, 5}, {1, -1, 7}, {1, 0, 5}, {1, 1, 7}}};

// The pixels of an object, numbered in order of rows and columns.
class Pixels {
  public:
    static constexpr std::int32_t none = -1;

    explicit Pixels(const Segment& segment) : m_runs(segment.runs) {
        for (const Run& run : m_runs) {
            m_first.push_back(m_count);
            while (static_cast<std::int64_t>(m_row_run.size()) <= run.row - m_runs.front().row)
                m_row_run.push_back(m_first.size() - 1);
            m_count += static_cast<std::int32_t>(run.end - run.col);
        }
        m_row_run.push_back(m_runs.size());
    }

    [[nodiscard]] std::int32_t count() const { return m_count; }
    [[nodiscard]] const std::vector<Run>& runs() const { return m_runs; }

    [[nodiscard]] std::int32_t at(std::int64_t row, std::int64_t col) const {
        const std::int64_t r = row - m_runs.front().row;
        if (r < 0 || r + 1 >= static_cast<std::int64_t>(m_row_run.size())) return none;
        const auto run = [&](std::int64_t k) {
            return m_runs.begin() + static_cast<std::ptrdiff_t>(m_row_run[static_cast<std::size_t>(k)]);
        };
        const auto it = std::partition_point(run(r), run(r + 1), [&](const Run& x) { return x.end <= col; });
        if (it == run(r + 1) || it->col > col) return none;
        return m_first[static_cast<std::size_t>(it - m_runs.begin())] +
               static_cast<std::int32_t>(col - it->col);
    }

    [[nodiscard]] std::pair<std::int64_t, std::int64_t> place(std::int32_t i) const {
        const auto k = static_cast<std::size_t>(std::upper_bound(m_first.begin(), m_first.end(), i) -
                                                m_first.begin() - 1);
        return {m_runs[k].row, m_runs[k].col + (i - m_first[k])};
    }

  private:
    const std::vector<Run>& m_runs;
    std::vector<std::int32_t> m_first;   // pixel that a run begins with
    std::vector<std::size_t> m_row_run;  // first run of each row; one more at the end
    std::int32_t m_count = 0;
};

// The cheapest way inside the object from any of the starts to each pixel (Dial 1969: a step costs less than
// the buckets are many), and the pixel that is farthest.
struct Ways {
    std::vector<std::int32_t> cost;
    std::int32_t farthest = 0;

    Ways(const Pixels& pixels, const std::vector<std::int32_t>& starts, std::int32_t at_start)
        : cost(static_cast<std::size_t>(pixels.count()), std::numeric_limits<std::int32_t>::max()) {
        std::array<std::vector<std::int32_t>, 8> buckets;
        std::size_t waiting = starts.size();
        for (const auto s : starts) {
            cost[static_cast<std::size_t>(s)] = at_start;
            bucket(buckets, at_start).push_back(s);
        }
        for (std::int32_t now = at_start; waiting > 0; ++now) {
            const auto ready = std::exchange(bucket(buckets, now), {});
            waiting -= ready.size();
            for (const auto i : ready) {
                if (cost[static_cast<std::size_t>(i)] != now) continue;
                farthest = i;
                const auto [row, col] = pixels.place(i);
                for (const auto& s : steps) {
                    const auto next = pixels.at(row + s.row, col + s.col);
                    if (next == Pixels::none || cost[static_cast<std::size_t>(next)] <= now + s.cost)
                        continue;
                    cost[static_cast<std::size_t>(next)] = now + s.cost;
                    bucket(buckets, now + s.cost).push_back(next);
                    ++waiting;
                }
            }
        }
    }

  private:
    static std::vector<std::int32_t>& bucket(std::array<std::vector<std::int32_t>, 8>& all, std::int32_t of) {
        return all[static_cast<std::size_t>(of) % all.size()];
    }
};

double way_across(const Pixels& pixels) {
    const Ways there(pixels, {0}, 0), back(pixels, {there.farthest}, 0);
    return static_cast<double>(back.cost[static_cast<std::size_t>(back.farthest)]) / unit + 1;
}

double widest_place(const Pixels& pixels) {
    std::vector<std::int32_t> rim;
    for (std::int32_t i = 0; i < pixels.count(); ++i) {
        const auto [row, col] = pixels.place(i);
        if (std::any_of(steps.begin(), steps.end(), [&, r = row, c = col](const Step& s) {
                return s.cost == unit && pixels.at(r + s.row, c + s.col) == Pixels::none;
            }))
            rim.push_back(i);
    }
    const Ways inward(pixels, rim, unit);
    return 2.0 * inward.cost[static_cast<std::size_t>(inward.farthest)] / unit - 1;
}

struct Corner {
    std::int64_t x, y;
    bool operator==(const Corner&) const = default;
};

std::int64_t cross(const Corner& o, const Corner& a, const Corner& b) {
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

// Andrew's monotone chain (1979) over the corners of all runs.
std::vector<Corner> hull_of(const std::vector<Run>& runs) {
    std::vector<Corner> corners;
    for (const Run& r : runs)
        for (const auto y : {r.row, r.row + 1})
            for (const auto x : {r.col, r.end}) corners.push_back({x, y});
    std::sort(corners.begin(), corners.end(),
              [](const Corner& a, const Corner& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
    corners.erase(std::unique(corners.begin(), corners.end()), corners.end());
    std::vector<Corner> hull;
    const auto chain = [&](auto begin, auto end) {
        const std::size_t base = hull.size();
        for (auto it = begin; it != end; ++it) {
            while (hull.size() >= base + 2 && cross(hull[hull.size() - 2], hull.back(), *it) <= 0)
                hull.pop_back();
            hull.push_back(*it);
        }
        hull.pop_back();
    };
    chain(corners.begin(), corners.end());
    chain(corners.rbegin(), corners.rend());
    return hull;
}

double area_of(const std::vector<Corner>& hull) {
    std::int64_t twice = 0;
    for (std::size_t i = 0; i < hull.size(); ++i)
        twice += cross({0, 0}, hull[i], hull[(i + 1) % hull.size()]);
    return static_cast<double>(twice) / 2;
}

double smallest_rectangle(const std::vector<Corner>& hull) {
    double best = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < hull.size(); ++i) {
        const Corner &a = hull[i], &b = hull[(i + 1) % hull.size()];
        const auto dx = static_cast<double>(b.x - a.x), dy = static_cast<double>(b.y - a.y);
        double along_low = 0, along_high = 0, across = 0;
        for (const Corner& p : hull) {
            const auto px = static_cast<double>(p.x - a.x), py = static_cast<double>(p.y - a.y);
            const double along = px * dx + py * dy;
            along_low = std::min(along_low, along);
            along_high = std::max(along_high, along);
            across = std::max(across, std::abs(px * dy - py * dx));
        }
        best = std::min(best, (along_high - along_low) * across / (dx * dx + dy * dy));
    }
    return best;
}

}  // namespace

ObjectShape shape_of(const Segment& segment) {
    const Pixels pixels(segment);
    const auto area = static_cast<double>(pixels.count());
    const auto hull = hull_of(segment.runs);
    ObjectShape s;
    s.length = way_across(pixels);
    s.width = area / s.length;
    s.widest = widest_place(pixels);
    s.elongation = s.length / s.width;
    s.fill = area / smallest_rectangle(hull);
    s.convexity = area / area_of(hull);
    return s;
}

}  // namespace shuibao::algorithms
