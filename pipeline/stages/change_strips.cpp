// SPDX-License-Identifier: Apache-2.0
#include "change_strips.hpp"

#include <algorithm>

#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::int64_t strip_rows = 256;  // on the grid's lattice: a block row of the tiles

// Bands of a change map.
constexpr int evidence_band = 0, magnitude_band = 2, onset_from_band = 3, onset_to_band = 4, kind_band = 5;

}  // namespace

ChangeStrips::ChangeStrips(const engine::Executor& executor, const Grid& grid, std::filesystem::path changes,
                           const Window& window, bool history)
    : m_executor(executor),
      m_grid(grid),
      m_changes(std::move(changes)),
      m_window(window),
      m_history(history) {}

std::size_t ChangeStrips::count() const {
    return static_cast<std::size_t>((m_window.rows + strip_rows - 1) / strip_rows);
}

Window ChangeStrips::window(std::size_t strip) const {
    const auto first = m_window.row + static_cast<std::int64_t>(strip) * strip_rows;
    return {m_window.col, first, m_window.cols, std::min(strip_rows, m_window.row + m_window.rows - first)};
}

void ChangeStrips::read(const Window& window, int band, std::vector<std::uint16_t>& out) const {
    io::read_change_band(m_changes, m_grid, window, band, out, io::Reading{io::Reading::end, 0});
}

void ChangeStrips::read(PixelHistory& history) const {
    for (std::size_t p = 0; p < PixelHistory::planes; ++p)
        read(history.window, io::first_history_band + static_cast<int>(p), history.values[p]);
}

algorithms::Synchrony ChangeStrips::synchrony() const {
    std::vector<algorithms::SynchronyCells> parts(count(), algorithms::SynchronyCells(m_grid.gsd()));
    m_executor.parallel_for(parts.size(), [&](std::size_t i) {
        Change strip(window(i));
        strip.history.resize(strip.window);
        read(strip.window, evidence_band, strip.evidence);
        read(strip.window, onset_to_band, strip.onset_to);
        read(strip.history);
        parts[i].add(strip);
    });
    algorithms::SynchronyCells all(m_grid.gsd());
    for (const auto& part : parts) all.merge(part);
    return algorithms::Synchrony(all);
}

ChangeStrips::Runs ChangeStrips::runs(std::size_t i, const algorithms::SegmentationOptions& options,
                                      const algorithms::Synchrony* synchrony, const Window& area) const {
    Change strip(window(i));
    const auto reach = m_history ? algorithms::Surroundings::reach : 0;
    const Window near{m_window.col, strip.window.row - reach, m_window.cols, strip.window.rows + 2 * reach};
    std::vector<std::uint16_t> evidence(static_cast<std::size_t>(near.pixels()));
    read(near, evidence_band, evidence);
    std::copy_n(evidence.begin() + reach * near.cols, strip.window.pixels(), strip.evidence.begin());
    Runs runs;
    runs.unseen = algorithms::extract_unobserved(strip.evidence, strip.window, area);
    const bool any = std::any_of(strip.evidence.begin(), strip.evidence.end(), [](std::uint16_t v) {
        return v != Change::no_evidence && v != Change::unobserved;
    });
    if (!any) return runs;
    read(strip.window, magnitude_band, strip.magnitude);
    read(strip.window, onset_from_band, strip.onset_from);
    read(strip.window, onset_to_band, strip.onset_to);
    std::vector<std::uint16_t> kind(strip.kind.size());
    read(strip.window, kind_band, kind);
    std::transform(kind.begin(), kind.end(), strip.kind.begin(),
                   [](std::uint16_t k) { return static_cast<ChangeKind>(k); });
    if (!m_history) {
        runs.grown = algorithms::extract_runs(strip, options);
        return runs;
    }
    PixelHistory past;
    past.resize(near);
    read(past);
    runs.grown = algorithms::extract_runs(strip, options, {evidence, past, synchrony});
    return runs;
}

}  // namespace shuibao::pipeline
