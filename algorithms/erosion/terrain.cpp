// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numbers>

#include <shuibao/algorithms/terrain.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double gentle = 0.05;  // fall over way
constexpr double end_where_gentle = 0.7, end_where_steep = 0.5;
constexpr std::int8_t nowhere = -1;

struct Neighbour {
    int col, row;
};
constexpr std::array<Neighbour, 8> around = {
    {{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}};

double way(const Heights& h, int row, const Neighbour& n) {
    const auto r = static_cast<std::size_t>(row);
    if (n.row == 0) return h.east[r];
    return n.col == 0 ? h.south[r] : std::hypot(h.east[r], h.south[r]);
}

bool ends(double above, double here) {
    const double share = above < gentle ? end_where_gentle : end_where_steep;
    return std::atan(here) < share * std::atan(above);
}

}  // namespace

std::optional<double> slope_at(const Heights& h, int c, int r) {
    if (c < 1 || r < 1 || c + 1 >= h.cols || r + 1 >= h.rows) return std::nullopt;
    for (int y = r - 1; y <= r + 1; ++y)
        for (int x = c - 1; x <= c + 1; ++x)
            if (h.valid[h.at(x, y)] == 0) return std::nullopt;
    const auto z = [&](int x, int y) { return h.metres[h.at(c + x, r + y)]; };
    const double east = (z(1, -1) + 2 * z(1, 0) + z(1, 1)) - (z(-1, -1) + 2 * z(-1, 0) + z(-1, 1)),
                 south = (z(-1, 1) + 2 * z(0, 1) + z(1, 1)) - (z(-1, -1) + 2 * z(0, -1) + z(1, -1));
    const auto row = static_cast<std::size_t>(r);
    return std::atan(std::hypot(east / (8 * h.east[row]), south / (8 * h.south[row]))) / degree;
}

int slope_reach(double cap, double step) {
    return static_cast<int>(std::ceil(cap / step)) + 3;  // the rim gives nothing, its neighbours are cut off
}

std::vector<SlopePlace> slope_places(const Heights& h, double cap) {
    const auto n = static_cast<std::size_t>(h.cols) * static_cast<std::size_t>(h.rows);
    std::vector<SlopePlace> places(n);
    std::vector<std::int8_t> down(n, nowhere);
    std::vector<std::uint8_t> feeders(n, 0);
    std::vector<double> fall(n, 0);
    for (int r = 1; r + 1 < h.rows; ++r)
        for (int c = 1; c + 1 < h.cols; ++c) {
            const auto here = h.at(c, r);
            if (h.valid[here] == 0) continue;
            const auto row = static_cast<std::size_t>(r);
            places[here].piece = std::min(h.east[row], h.south[row]);
            for (std::size_t k = 0; k < around.size(); ++k) {
                const auto& to = around.at(k);
                const auto there = h.at(c + to.col, r + to.row);
                if (h.valid[there] == 0) continue;
                const double steepness = (h.metres[here] - h.metres[there]) / way(h, r, to);
                if (steepness > fall[here]) {  // of equal ways the first, counted from the east
                    fall[here] = steepness;
                    down[here] = static_cast<std::int8_t>(k);
                }
            }
            if (down[here] != nowhere) {
                const auto& to = around.at(static_cast<std::size_t>(down[here]));
                places[here].piece = way(h, r, to);
                ++feeders[h.at(c + to.col, r + to.row)];
            }
        }
    // From the tops down: a cell is done when all that lead into it are. Every way falls, so none is a ring.
    std::vector<std::pair<int, int>> ready;
    for (int r = 1; r + 1 < h.rows; ++r)
        for (int c = 1; c + 1 < h.cols; ++c)
            if (feeders[h.at(c, r)] == 0 && down[h.at(c, r)] != nowhere) ready.emplace_back(c, r);
    while (!ready.empty()) {
        const auto [c, r] = ready.back();
        ready.pop_back();
        const auto here = h.at(c, r);
        const auto& to = around.at(static_cast<std::size_t>(down[here]));
        const int next_c = c + to.col, next_r = r + to.row;
        const auto next = h.at(next_c, next_r);
        auto& before = places[next].before;
        if (!ends(fall[here], fall[next]))
            before = std::max(before, std::min(cap, places[here].before + places[here].piece));
        if (--feeders[next] == 0 && down[next] != nowhere) ready.emplace_back(next_c, next_r);
    }
    return places;
}

}  // namespace shuibao::algorithms
