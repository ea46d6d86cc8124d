// SPDX-License-Identifier: Apache-2.0
#include "change_strips.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::int64_t strip_rows = 256;  // on the grid's lattice: a block row of the tiles

// Bands of a change map.
constexpr int evidence_band = 0, magnitude_band = 2, onset_from_band = 3, onset_to_band = 4, kind_band = 5;

// A strip with the rows around it, what is taken out of it, and what its pixels are scored in.
std::size_t bytes_of_strip(std::int64_t cols) {
    constexpr std::size_t planes_around = 4 + PixelHistory::planes, planes = 7;
    const auto width = static_cast<std::size_t>(cols);
    return 2 * width *
               (planes_around * (strip_rows + 2 * algorithms::PixelScore::reach) + planes * strip_rows) +
           algorithms::PixelScore::bytes(strip_rows, cols);
}

std::size_t at_once(const engine::Executor& executor, std::int64_t cols) {
    const auto& o = executor.options();
    return std::clamp<std::size_t>(o.memory / 2 / std::max<std::size_t>(1, bytes_of_strip(cols)), 1,
                                   static_cast<std::size_t>(std::max(1, o.jobs)));
}

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

void ChangeStrips::each(const std::function<void(std::size_t)>& body) const {
    std::atomic<std::size_t> next = 0;
    m_executor.parallel_for(at_once(m_executor, m_window.cols), [&](std::size_t) {
        for (auto i = next++; i < count(); i = next++) {
            engine::check_stop();
            body(i);
        }
    });
}

std::size_t ChangeStrips::memory(const engine::Executor& executor, std::int64_t cols) {
    return at_once(executor, cols) * bytes_of_strip(cols);
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
    each([&](std::size_t i) {
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

void ChangeStrips::read_evidence(const Window& strip, std::int64_t reach, Near& near) const {
    const Window window{m_window.col, strip.row - reach, m_window.cols, strip.rows + 2 * reach};
    near.history.window = window;
    near.evidence.resize(static_cast<std::size_t>(window.pixels()));
    read(window, evidence_band, near.evidence);
}

void ChangeStrips::read_rest(bool pixels, Near& near) const {
    const Window window = near.history.window;
    near.history.resize(window);
    read(near.history);
    if (!pixels) return;
    for (auto& [band, plane] :
         {std::pair(magnitude_band, &near.magnitude), std::pair(onset_from_band, &near.onset_from),
          std::pair(onset_to_band, &near.onset_to)}) {
        plane->resize(near.evidence.size());
        read(window, band, *plane);
    }
}

ChangeStrips::Runs ChangeStrips::runs(std::size_t i, const algorithms::SegmentationOptions& options,
                                      const algorithms::Synchrony* synchrony, const Window& area,
                                      Date seen) const {
    Change strip(window(i));
    const auto reach = m_history ? algorithms::Surroundings::reach_of(*options.model) : 0;
    Near near;
    read_evidence(strip.window, reach, near);
    const auto take = [&](const std::vector<std::uint16_t>& from, std::vector<std::uint16_t>& to) {
        std::copy_n(from.begin() + reach * m_window.cols, strip.window.pixels(), to.begin());
    };
    take(near.evidence, strip.evidence);
    Runs runs;
    runs.unseen = algorithms::extract_unobserved(strip.evidence, strip.window, area);
    const bool any = std::any_of(strip.evidence.begin(), strip.evidence.end(), [](std::uint16_t v) {
        return v != Change::no_evidence && v != Change::unobserved;
    });
    if (!any) return runs;
    const bool pixels = m_history && options.model->pixels.has_value();
    if (m_history) read_rest(pixels, near);
    if (pixels) {
        take(near.magnitude, strip.magnitude);
        take(near.onset_from, strip.onset_from);
        take(near.onset_to, strip.onset_to);
    } else {
        read(strip.window, magnitude_band, strip.magnitude);
        read(strip.window, onset_from_band, strip.onset_from);
        read(strip.window, onset_to_band, strip.onset_to);
    }
    std::vector<std::uint16_t> kind(strip.kind.size());
    read(strip.window, kind_band, kind);
    std::transform(kind.begin(), kind.end(), strip.kind.begin(),
                   [](std::uint16_t k) { return static_cast<ChangeKind>(k); });
    if (!m_history) {
        runs.grown = algorithms::extract_runs(strip, options);
        return runs;
    }
    runs.grown = algorithms::extract_runs(
        strip, options,
        {near.evidence, near.history, synchrony, near.magnitude, near.onset_from, near.onset_to, seen});
    return runs;
}

void ChangeStrips::visit(std::size_t i, const algorithms::ObjectModel& model, const algorithms::Forest* first,
                         Date seen, const algorithms::PixelScore::Visit& visit) const {
    Near near;
    read_evidence(window(i), algorithms::PixelScore::reach, near);
    read_rest(true, near);
    algorithms::PixelScore(
        {near.evidence, near.magnitude, near.onset_from, near.onset_to, near.history, seen},
        model.least_evidence, model.quiet)
        .visit(window(i), first, visit);
}

}  // namespace shuibao::pipeline
