// SPDX-License-Identifier: Apache-2.0
// The mask that a product brings along, read as Quality: the one place where its codes get their meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/core/quality.hpp>
#include <shuibao/engine/scene.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {

/// Buffers that a thread uses again from window to window.
struct MaskBuffers {
    std::vector<std::uint16_t> codes;
    std::vector<std::uint8_t> known;
};

/// The scene's own mask in `window` of the grid, moved with the scene by a shift in pixels; nodata where the
/// mask ends. `out` holds the window row by row. The scene must have a mask. `reading` as in io::BandRequest.
/// Throws Error(input).
void read_mask(const engine::Scene& scene, const Grid& grid, const Window& window, double shift_x,
               double shift_y, MaskBuffers& buffers, std::span<Quality> out,
               const std::optional<io::Reading>& reading = std::nullopt);

/// Usable share of the whole frame, nodata included, from a coarse sample of the mask; 1 without a mask.
/// Throws Error(input) when the mask cannot be read.
[[nodiscard]] double clear_share(const engine::Scene& scene);

}  // namespace shuibao::pipeline
