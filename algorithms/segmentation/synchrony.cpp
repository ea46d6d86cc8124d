// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include <shuibao/algorithms/synchrony.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double cell_m = 600;
constexpr std::int64_t reach = 5;  // cells: 3 km
constexpr std::int32_t fortnight = 15;
// Steps of PixelHistory, 0.12 of NDVI: crops differ by more, fields of one crop by less.
constexpr int kind_step = 24;
constexpr double doubt = 100;  // pixels by which a share is drawn towards 0

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// What ground was, coarsely: 5 terms of 4 bits.
std::uint32_t kind_of(const std::array<int, PixelHistory::terms>& season) {
    std::uint32_t kind = 0;
    for (const int term : season) kind = kind << 4U | static_cast<std::uint32_t>(term / kind_step & 15);
    return kind;
}

}  // namespace

SynchronyCells::SynchronyCells(double gsd) : m_side(std::max<std::int64_t>(1, std::llround(cell_m / gsd))) {}

SynchronyCells::Place SynchronyCells::place(std::int64_t row, std::int64_t col) const {
    return {floor_div(row, m_side), floor_div(col, m_side)};
}

void SynchronyCells::add(Cell& to, const Cell& from) {
    Cell sum;
    sum.reserve(to.size() + from.size());
    auto a = to.begin();
    for (const auto& b : from) {
        while (a != to.end() && a->key() < b.key()) sum.push_back(*a++);
        sum.push_back(b);
        if (a != to.end() && a->key() == b.key()) sum.back().pixels += (a++)->pixels;
    }
    sum.insert(sum.end(), a, to.end());
    to = std::move(sum);
}

void SynchronyCells::add(const Change& part) {
    const Window& w = part.window;
    const PixelHistory& h = part.history;
    std::map<Place, std::map<Key, std::uint32_t>> counts;
    for (std::int64_t r = 0; r < w.rows; ++r) {
        std::map<Key, std::uint32_t>* cell = nullptr;
        Place at{};
        for (std::int64_t c = 0; c < w.cols; ++c) {
            const auto i = static_cast<std::size_t>(r * w.cols + c);
            if (!h.known(i) || part.evidence[i] == Change::unobserved) continue;
            const Place here = place(w.row + r, w.col + c);
            if (cell == nullptr || here != at) cell = &counts[at = here];
            const auto kind = kind_of(h.season(i));
            ++(*cell)[{kind, all}];
            if (part.evidence[i] != Change::no_evidence) ++(*cell)[{kind, part.onset_to[i] / fortnight}];
        }
    }
    for (const auto& [at, cell] : counts) {
        Cell list;
        for (const auto& [key, n] : cell) list.push_back({key.first, key.second, n});
        add(m_cells[at], list);
    }
}

void SynchronyCells::merge(const SynchronyCells& other) {
    for (const auto& [at, cell] : other.m_cells) add(m_cells[at], cell);
}

Synchrony::Synchrony(const SynchronyCells& cells) : m_around(cells) {
    for (auto& [at, around] : m_around.m_cells) {
        // Only what is bare here is asked for, and only ground like it.
        std::set<std::uint32_t> asked;
        for (const auto& count : around)
            if (count.when != SynchronyCells::all) asked.insert(count.kind);
        around.clear();
        if (asked.empty()) continue;
        for (std::int64_t dr = -reach; dr <= reach; ++dr)
            for (std::int64_t dc = -reach; dc <= reach; ++dc) {
                if (dr * dr + dc * dc > reach * reach || std::max(std::abs(dr), std::abs(dc)) < 2) continue;
                const auto it = cells.m_cells.find({at.first + dr, at.second + dc});
                if (it == cells.m_cells.end()) continue;
                SynchronyCells::Cell alike;
                std::copy_if(it->second.begin(), it->second.end(), std::back_inserter(alike),
                             [&](const auto& count) { return asked.contains(count.kind); });
                SynchronyCells::add(around, alike);
            }
        around.shrink_to_fit();
    }
}

std::uint8_t Synchrony::share(std::int64_t row, std::int64_t col,
                              const std::array<int, PixelHistory::terms>& season, std::uint16_t onset) const {
    const auto cell = m_around.m_cells.find(m_around.place(row, col));
    if (cell == m_around.m_cells.end()) return 0;
    const auto kind = kind_of(season);
    const auto& list = cell->second;
    const auto from = [&](std::int32_t when) {
        return std::lower_bound(list.begin(), list.end(), SynchronyCells::Key{kind, when},
                                [](const auto& count, const auto& key) { return count.key() < key; });
    };
    const auto first = from(SynchronyCells::all);
    if (first == list.end() || first->key() != SynchronyCells::Key{kind, SynchronyCells::all}) return 0;
    std::int64_t bare = 0;
    const std::int32_t middle = onset / fortnight;
    for (auto it = from(middle - 1); it != list.end() && it->kind == kind && it->when <= middle + 1; ++it)
        bare += it->pixels;
    const double share = static_cast<double>(bare) / (static_cast<double>(first->pixels) + doubt);
    return static_cast<std::uint8_t>(std::lround(share * scale));
}

}  // namespace shuibao::algorithms
