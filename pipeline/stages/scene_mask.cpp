// SPDX-License-Identifier: Apache-2.0
#include "scene_mask.hpp"

#include <algorithm>

#include <shuibao/algorithms/masks.hpp>

namespace shuibao::pipeline {
namespace {

using engine::MaskKind;

Quality decode(MaskKind kind, std::uint16_t code) {
    switch (kind) {
        case MaskKind::scl:
            return algorithms::quality_of_scl(code);
        case MaskKind::qa_pixel:
            return algorithms::quality_of_qa_pixel(code);
        case MaskKind::fmask:
            return algorithms::quality_of_fmask(code);
        case MaskKind::valid_is_1:
            return code == 1 ? Quality::clear : Quality::nodata;
        case MaskKind::masked_is_1:
            return code == 0 ? Quality::clear : Quality::cloud;
        case MaskKind::none:
            return Quality::clear;
    }
    return Quality::nodata;
}

}  // namespace

void read_mask(const engine::Scene& scene, const Grid& grid, const Window& window, double shift_x,
               double shift_y, MaskBuffers& buffers, std::span<Quality> out,
               const std::optional<io::Reading>& reading) {
    auto& [codes, known] = buffers;
    codes.resize(static_cast<std::size_t>(window.pixels()));
    known.resize(codes.size());
    io::read_band({scene.mask_href, 1, -1.0, shift_x, shift_y, io::Resampling::nearest, 1, 0, reading}, grid,
                  window, codes, known);
    for (std::size_t k = 0; k < codes.size(); ++k)
        out[k] = known[k] != 0 ? decode(scene.mask, codes[k]) : Quality::nodata;
}

double clear_share(const engine::Scene& scene) {
    if (scene.mask == MaskKind::none) return 1;
    const auto codes = io::sample_codes(scene.mask_href, 1);
    if (codes.empty()) return 0;
    const auto clear = std::count_if(codes.begin(), codes.end(),
                                     [&](std::uint16_t code) { return usable(decode(scene.mask, code)); });
    return static_cast<double>(clear) / static_cast<double>(codes.size());
}

}  // namespace shuibao::pipeline
