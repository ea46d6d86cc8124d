// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <unordered_map>

#include <shuibao/algorithms/segmentation.hpp>

namespace shuibao::algorithms {
namespace {

// The segment's pixels with a rim of one, row-major; x grows east, y grows south.
struct Mask {
    std::int64_t col = 0, row = 0, cols = 0, rows = 0;
    std::vector<std::uint8_t> in;
    [[nodiscard]] std::size_t at(std::int64_t x, std::int64_t y) const {
        return static_cast<std::size_t>(y * cols + x);
    }
};

Mask mask_of(const Segment& s) {
    std::int64_t c0 = s.runs.front().col, c1 = s.runs.front().end;
    for (const auto& r : s.runs) {
        c0 = std::min(c0, r.col);
        c1 = std::max(c1, r.end);
    }
    const std::int64_t r0 = s.runs.front().row, r1 = s.runs.back().row;
    Mask m{c0 - 1, r0 - 1, c1 - c0 + 2, r1 - r0 + 3, {}};
    m.in.assign(static_cast<std::size_t>(m.cols * m.rows), 0);
    for (const auto& r : s.runs)
        std::fill_n(m.in.begin() + static_cast<std::ptrdiff_t>(m.at(r.col - m.col, r.row - m.row)),
                    r.end - r.col, std::uint8_t{1});
    return m;
}

// Background reached from the rim is outside (4 neighbours, because the object has 8); what is left is holes.
void fill_holes(Mask& m, std::int64_t max_hole) {
    if (max_hole <= 0) return;
    std::vector<std::uint8_t> seen(m.in.size(), 0);
    std::vector<std::size_t> queue;
    const auto flood = [&](std::size_t start) {
        queue.assign(1, start);
        seen[start] = 1;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            const auto k = queue[i];
            const auto x = static_cast<std::int64_t>(k) % m.cols, y = static_cast<std::int64_t>(k) / m.cols;
            const auto visit = [&](std::int64_t nx, std::int64_t ny) {
                if (nx < 0 || ny < 0 || nx >= m.cols || ny >= m.rows) return;
                const auto n = m.at(nx, ny);
                if (m.in[n] != 0 || seen[n] != 0) return;
                seen[n] = 1;
                queue.push_back(n);
            };
            visit(x + 1, y);
            visit(x - 1, y);
            visit(x, y + 1);
            visit(x, y - 1);
        }
    };
    flood(0);
    for (std::size_t k = 0; k < m.in.size(); ++k) {
        if (m.in[k] != 0 || seen[k] != 0) continue;
        flood(k);
        if (static_cast<std::int64_t>(queue.size()) <= max_hole)
            for (const auto i : queue) m.in[i] = 1;
    }
}

// Corners in half pixels, so that the middles of pixels are integers too.
struct Corner {
    std::int64_t x = 0, y = 0;  // y grows south
    bool frozen = false;        // several rings (or one ring twice) meet here
};
using Loop = std::vector<Corner>;  // not closed

enum Direction { east = 0, north = 1, west = 2, south = 3 };
constexpr std::array<std::int64_t, 4> dx = {1, 0, -1, 0}, dy = {0, -1, 0, 1};

// Twice the area enclosed, in half pixels squared; positive for anticlockwise as seen on a map.
std::int64_t signed_area(const Loop& loop) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < loop.size(); ++i) {
        const auto &a = loop[i], &b = loop[(i + 1) % loop.size()];
        sum += b.x * a.y - a.x * b.y;
    }
    return sum;
}

// Walks all boundary edges with the object on the left. Where two pixels meet in a corner only, the walk
// stays with its pixel (turns left), so each 4-connected part is walked by itself.
std::vector<Loop> walk(const Mask& m) {
    const std::int64_t vertices = m.cols + 1;
    std::vector<std::uint8_t> out(static_cast<std::size_t>(vertices * (m.rows + 1)), 0);
    const auto vertex = [&](std::int64_t x, std::int64_t y) {
        return static_cast<std::size_t>(y * vertices + x);
    };
    for (std::int64_t y = 1; y + 1 < m.rows; ++y)
        for (std::int64_t x = 1; x + 1 < m.cols; ++x) {
            if (m.in[m.at(x, y)] == 0) continue;
            if (m.in[m.at(x, y - 1)] == 0) out[vertex(x + 1, y)] |= 1U << west;
            if (m.in[m.at(x - 1, y)] == 0) out[vertex(x, y)] |= 1U << south;
            if (m.in[m.at(x, y + 1)] == 0) out[vertex(x, y + 1)] |= 1U << east;
            if (m.in[m.at(x + 1, y)] == 0) out[vertex(x + 1, y + 1)] |= 1U << north;
        }
    const std::vector<std::uint8_t> all = out;
    const auto ambiguous = [&](std::size_t v) { return (all[v] & (all[v] - 1U)) != 0; };
    std::vector<Loop> loops;
    for (std::size_t start = 0; start < out.size(); ++start)
        while (out[start] != 0) {
            Loop path;
            std::unordered_map<std::size_t, std::size_t> met;  // ambiguous vertex → place in path
            std::size_t v = start;
            int d = 0;
            while ((out[v] >> d & 1U) == 0) ++d;
            const int first = d;
            bool begun = false;
            for (;;) {
                out[v] = static_cast<std::uint8_t>(out[v] & ~(1U << d));
                const std::size_t next =
                    vertex(static_cast<std::int64_t>(v) % vertices + dx[static_cast<std::size_t>(d)],
                           static_cast<std::int64_t>(v) / vertices + dy[static_cast<std::size_t>(d)]);
                int turn = d;
                const bool back = next == start && out[next] == 0;
                if (back) {
                    turn = first;
                } else {
                    const std::uint8_t choice = out[next];
                    const int left = (d + 1) % 4;
                    if (ambiguous(next))
                        turn = left;
                    else
                        for (turn = 0; (choice >> turn & 1U) == 0;) ++turn;
                    if ((choice >> turn & 1U) == 0) turn = first;  // closed at an ambiguous start
                }
                if (turn != d || ambiguous(next)) {
                    const auto x = static_cast<std::int64_t>(next) % vertices,
                               y = static_cast<std::int64_t>(next) / vertices;
                    const Corner corner{2 * (m.col + x), 2 * (m.row + y), ambiguous(next)};
                    if (corner.frozen) {
                        if (const auto it = met.find(next); it != met.end()) {
                            // The path closed upon itself: what lies between is a ring of its own.
                            loops.emplace_back(path.begin() + static_cast<std::ptrdiff_t>(it->second),
                                               path.end());
                            for (auto m2 = met.begin(); m2 != met.end();)
                                m2 = m2->second > it->second ? met.erase(m2) : std::next(m2);
                            path.resize(it->second + 1);
                        } else {
                            met[next] = path.size();
                            path.push_back(corner);
                        }
                    } else {
                        path.push_back(corner);
                    }
                }
                begun = true;
                if (next == start && (out[next] >> turn & 1U) == 0) break;
                v = next;
                d = turn;
            }
            if (begun && path.size() >= 4) loops.push_back(std::move(path));
        }
    return loops;
}

void drop_straight(Loop& loop) {
    bool changed = true;
    while (changed && loop.size() > 3) {
        changed = false;
        Loop kept;
        for (std::size_t i = 0; i < loop.size(); ++i) {
            const auto& a = kept.empty() ? loop[(i + loop.size() - 1) % loop.size()] : kept.back();
            const auto &b = loop[i], &c = loop[(i + 1) % loop.size()];
            const bool straight = (b.x - a.x) * (c.y - b.y) == (b.y - a.y) * (c.x - b.x);
            if (straight && !b.frozen)
                changed = true;
            else
                kept.push_back(b);
        }
        loop = std::move(kept);
    }
}

// The ring starts at its north-western corner wherever the walk began.
void canonical(Loop& loop) {
    std::rotate(
        loop.begin(),
        std::min_element(loop.begin(), loop.end(),
                         [](const Corner& a, const Corner& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; }),
        loop.end());
}

// A one-pixel step p–q between opposite turns becomes one point m on it, placed so that the area lost on one
// side is gained on the other. Very unequal neighbours keep their step: m would lie at its end.
Ring smooth_steps(const Loop& loop) {
    const std::size_t n = loop.size();
    Ring in, out;
    for (const auto& c : loop) in.push_back({static_cast<double>(c.x) / 2, -static_cast<double>(c.y) / 2});
    const auto turn = [&](std::size_t i) {
        const auto &a = in[(i + n - 1) % n], &b = in[i], &c = in[(i + 1) % n];
        const double cross = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
        return cross > 0 ? 1 : -1;
    };
    // Where the ring starts its own step must not be lost: the first corner is never replaced.
    for (std::size_t i = 0; i < n; ++i) {
        if (i > 0 && i + 1 < n) {
            const auto &p = in[i], &q = in[i + 1], &a = out.back(), &b = in[(i + 2) % n];
            const double length = std::abs(q.x - p.x) + std::abs(q.y - p.y);
            if (length == 1 && !loop[i].frozen && !loop[i + 1].frozen && turn(i) * turn(i + 1) < 0) {
                const bool across = p.y == q.y;
                const double da = across ? std::abs(a.y - p.y) : std::abs(a.x - p.x),
                             db = across ? std::abs(b.y - q.y) : std::abs(b.x - q.x);
                const double t = db / (da + db);
                if (3 * t >= 1 && 3 * t <= 2) {
                    out.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
                    ++i;
                    continue;
                }
            }
        }
        out.push_back(in[i]);
    }
    Ring ring;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto &a = ring.empty() ? out.back() : ring.back(), &b = out[i], &c = out[(i + 1) % out.size()];
        if (std::abs((b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x)) > 1e-9 || i == 0)
            ring.push_back(b);
    }
    ring.push_back(ring.front());
    return ring;
}

bool contains(const Loop& loop, std::int64_t x, std::int64_t y) {
    bool in = false;
    for (std::size_t i = 0; i < loop.size(); ++i) {
        const auto &a = loop[i], &b = loop[(i + 1) % loop.size()];
        if ((a.y > y) == (b.y > y)) continue;
        // Edges are vertical where this is asked (before smoothing), so a.x is where they cut.
        if (a.x > x) in = !in;
    }
    return in;
}

Ring ring_of(const Loop& loop) {
    Ring ring;
    for (const auto& c : loop) ring.push_back({static_cast<double>(c.x) / 2, -static_cast<double>(c.y) / 2});
    ring.push_back(ring.front());
    return ring;
}

}  // namespace

MultiPolygon outline(const Segment& segment, std::int64_t max_hole, bool generalise) {
    Mask m = mask_of(segment);
    fill_holes(m, max_hole);
    std::vector<Loop> outer, holes;
    for (auto& loop : walk(m)) {
        drop_straight(loop);
        canonical(loop);
        (signed_area(loop) > 0 ? outer : holes).push_back(std::move(loop));
    }
    const auto before = [](const Loop& a, const Loop& b) {
        return a.front().y != b.front().y ? a.front().y < b.front().y : a.front().x < b.front().x;
    };
    std::sort(outer.begin(), outer.end(), before);
    std::sort(holes.begin(), holes.end(), before);
    std::vector<std::vector<Loop>> holes_of(outer.size());
    for (auto& hole : holes) {
        // The pixel above the hole's north-western corner edge belongs to the part that has the hole.
        const auto x = hole.front().x + 1, y = hole.front().y - 1;
        std::size_t best = outer.size();
        for (std::size_t i = 0; i < outer.size(); ++i)
            if (contains(outer[i], x, y) &&
                (best == outer.size() || signed_area(outer[i]) < signed_area(outer[best])))
                best = i;
        if (best < outer.size()) holes_of[best].push_back(std::move(hole));
    }
    MultiPolygon polygons;
    for (std::size_t i = 0; i < outer.size(); ++i) {
        Polygon p;
        const auto finish = [&](const Loop& loop) { return generalise ? smooth_steps(loop) : ring_of(loop); };
        p.outer = finish(outer[i]);
        for (const auto& hole : holes_of[i]) p.holes.push_back(finish(hole));
        polygons.push_back(std::move(p));
    }
    return polygons;
}

}  // namespace shuibao::algorithms
