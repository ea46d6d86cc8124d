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
    int row, col;
    std::int32_t cost;  // `unit` = one pixel
};
constexpr std::int32_t unit = 5;
constexpr std::array<Step, 8> steps = {
    {{-1, -1, 7}, {-1, 0, 5}, {-1, 1, 7}, {0, -1, 5}, {0, 1, 5}, {1, -1, 7}, {1, 0, 5}, {1, 1, 7}}};

// The pixels of an object, numbered in order of rows and columns, and what lies beside each.
class Pixels {
  public:
    static constexpr std::int32_t none = -1;
    using Beside = std::array<std::int32_t, steps.size()>;  // in the order of `steps`

    explicit Pixels(const Segment& segment) {
        const auto& runs = segment.runs;
        std::vector<std::int32_t> first;   // pixel that a run begins with
        std::vector<std::size_t> row_run;  // first run of each row; one more at the end
        std::int32_t count = 0;
        for (const Run& run : runs) {
            first.push_back(count);
            while (static_cast<std::int64_t>(row_run.size()) <= run.row - runs.front().row)
                row_run.push_back(first.size() - 1);
            count += static_cast<std::int32_t>(run.end - run.col);
        }
        row_run.push_back(runs.size());
        m_beside.resize(static_cast<std::size_t>(count));
        const auto rows = static_cast<std::int64_t>(row_run.size()) - 1;
        for (std::int64_t r = 0; r < rows; ++r) {
            const auto of_row = [&](std::int64_t row) {
                const bool there = row >= 0 && row < rows;
                const auto at = [&](std::int64_t k) { return row_run[static_cast<std::size_t>(k)]; };
                return there ? Cursor(runs, first, at(row), at(row + 1)) : Cursor(runs, first, 0, 0);
            };
            std::array<Cursor, 3> near = {of_row(r - 1), of_row(r), of_row(r + 1)};
            for (auto k = row_run[static_cast<std::size_t>(r)]; k < row_run[static_cast<std::size_t>(r) + 1];
                 ++k)
                fill(runs[k], first[k], near);
        }
    }

    [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(m_beside.size()); }
    [[nodiscard]] const Beside& beside(std::int32_t i) const { return m_beside[static_cast<std::size_t>(i)]; }

  private:
    // Finds the pixels of one row, asked for from left to right.
    class Cursor {
      public:
        Cursor(const std::vector<Run>& runs, const std::vector<std::int32_t>& first, std::size_t begin,
               std::size_t end)
            : m_runs(&runs), m_first(&first), m_begin(begin), m_end(end), m_run(begin) {}
        [[nodiscard]] std::int32_t at(std::int64_t col) {
            while (m_run < m_end && (*m_runs)[m_run].end <= col) ++m_run;
            if (m_run == m_end || (*m_runs)[m_run].col > col) return none;
            return (*m_first)[m_run] + static_cast<std::int32_t>(col - (*m_runs)[m_run].col);
        }
        void step_back() {
            if (m_run > m_begin) --m_run;
        }

      private:
        const std::vector<Run>* m_runs;
        const std::vector<std::int32_t>* m_first;
        std::size_t m_begin, m_end, m_run;
    };

    void fill(const Run& run, std::int32_t pixel, std::array<Cursor, 3>& near) {
        std::array<std::array<std::int32_t, 3>, 3> around{};  // rows, columns
        for (std::size_t r = 0; r < 3; ++r) {
            near[r].step_back();  // a run may begin where the last one ended
            around[r] = {none, near[r].at(run.col - 1), near[r].at(run.col)};
        }
        for (auto col = run.col; col < run.end; ++col, ++pixel) {
            for (std::size_t r = 0; r < 3; ++r) around[r] = {around[r][1], around[r][2], near[r].at(col + 1)};
            m_beside[static_cast<std::size_t>(pixel)] = {around[0][0], around[0][1], around[0][2],
                                                         around[1][0], around[1][2], around[2][0],
                                                         around[2][1], around[2][2]};
        }
    }

    std::vector<Beside> m_beside;
};

// The cheapest way inside the object from any of the starts to each pixel (Dial 1969: a step costs less than
// the buckets are many), and the pixel that is farthest.
struct Ways {
    std::vector<std::int32_t> cost;
    std::int32_t farthest = 0;

    Ways(const Pixels& pixels, const std::vector<std::int32_t>& starts, std::int32_t at_start)
        : cost(static_cast<std::size_t>(pixels.count()), std::numeric_limits<std::int32_t>::max()) {
        std::array<std::vector<std::int32_t>, 8> buckets;
        std::vector<std::int32_t> ready;
        std::size_t waiting = starts.size();
        for (const auto s : starts) {
            cost[static_cast<std::size_t>(s)] = at_start;
            bucket(buckets, at_start).push_back(s);
        }
        for (std::int32_t now = at_start; waiting > 0; ++now) {
            ready.clear();
            ready.swap(bucket(buckets, now));
            waiting -= ready.size();
            for (const auto i : ready) {
                if (cost[static_cast<std::size_t>(i)] != now) continue;
                farthest = i;
                for (std::size_t s = 0; s < steps.size(); ++s) {
                    const auto next = pixels.beside(i)[s];
                    if (next == Pixels::none || cost[static_cast<std::size_t>(next)] <= now + steps[s].cost)
                        continue;
                    cost[static_cast<std::size_t>(next)] = now + steps[s].cost;
                    bucket(buckets, now + steps[s].cost).push_back(next);
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
        const auto& beside = pixels.beside(i);
        bool at_rim = false;
        for (std::size_t s = 0; s < steps.size(); ++s)
            at_rim = at_rim || (steps[s].cost == unit && beside[s] == Pixels::none);
        if (at_rim) rim.push_back(i);
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
