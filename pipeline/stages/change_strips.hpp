// SPDX-License-Identifier: Apache-2.0
// The change maps of a batch, strip by strip: what objects are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include <shuibao/algorithms/segmentation.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/engine/executor.hpp>

namespace shuibao::pipeline {

/// Strips of full width over a window of the grid's lattice. Reentrant; memory is that of the strips that are
/// being read, which each() holds against the memory of the run. All but the constructor throw Error(input)
/// for a map that cannot be read.
class ChangeStrips {
  public:
    /// `history`: the maps have the bands of PixelHistory.
    ChangeStrips(const engine::Executor& executor, const Grid& grid, std::filesystem::path changes,
                 const Window& window, bool history);

    [[nodiscard]] std::size_t count() const;
    /// Runs body(strip) for every strip, on as many threads as half the memory of the run has room for
    /// strips.
    void each(const std::function<void(std::size_t)>& body) const;
    /// Bytes that each() takes over windows of so many columns.
    [[nodiscard]] static std::size_t memory(const engine::Executor& executor, std::int64_t cols);
    /// What happened around each place of the window. REQUIRES history.
    [[nodiscard]] algorithms::Synchrony synchrony() const;

    struct Runs {
        algorithms::RunStrip grown;   ///< what objects may be made of
        algorithms::RunStrip unseen;  ///< what nobody saw inside the area
    };
    /// `synchrony` may be null. `seen`: end of the batch.
    [[nodiscard]] Runs runs(std::size_t strip, const algorithms::SegmentationOptions& options,
                            const algorithms::Synchrony* synchrony, const Window& area, Date seen) const;
    /// What a model of pixels is told, of every pixel it is asked about, by rows and columns of the lattice:
    /// to learn one; with `first` what the second is told. REQUIRES history.
    void visit(std::size_t strip, const algorithms::ObjectModel& model, const algorithms::Forest* first,
               Date seen, const algorithms::PixelScore::Visit& visit) const;

  private:
    [[nodiscard]] Window window(std::size_t strip) const;
    void read(const Window& window, int band, std::vector<std::uint16_t>& out) const;
    void read(PixelHistory& history) const;
    // Planes of a strip with rows around it.
    struct Near {
        std::vector<std::uint16_t> evidence, magnitude, onset_from, onset_to;
        PixelHistory history;
    };
    void read_evidence(const Window& strip, std::int64_t reach, Near& near) const;
    void read_rest(bool pixels, Near& near) const;

    const engine::Executor& m_executor;
    const Grid& m_grid;
    std::filesystem::path m_changes;
    Window m_window;
    bool m_history;
};

}  // namespace shuibao::pipeline
