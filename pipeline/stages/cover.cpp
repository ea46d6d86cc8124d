// SPDX-License-Identifier: Apache-2.0
#include "cover.hpp"

#include <algorithm>
#include <cmath>

#include <shuibao/algorithms/terrain.hpp>
#include <shuibao/core/ndvi.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::int64_t block = 256;
constexpr std::size_t most_looks = 24;  // where none of so many was clear, older ones say little of today

}  // namespace

PlantCover::PlantCover(io::TileArchive archive, Date until, const CoverScale& scale)
    : m_archive(std::move(archive)), m_scale(scale) {
    for (const auto& a : m_archive.acquisitions())
        if (a.reflectance && a.date <= until && !ndvi_bands(a.bands).empty()) m_looks.push_back(&a);
    std::stable_sort(m_looks.begin(), m_looks.end(), [](const auto* a, const auto* b) {
        return a->date != b->date ? a->date > b->date : a->key < b->key;
    });
}

std::optional<Cover> PlantCover::of(const io::Geometry& shape, const std::string& crs,
                                    std::optional<Date> from) const {
    const auto& grid = m_archive.grid();
    const io::Geometry here = io::Transformation(crs, grid.crs())(shape);
    if (here.empty() || m_looks.empty()) return std::nullopt;
    const Window all = grid.window(here.bounds());
    algorithms::OrderFreeMean mean, vegetation;
    std::size_t wanted = 0;
    std::optional<Cover> cover;
    Image image;
    const auto look = [&](const Window& part, std::vector<std::uint8_t> open) {
        auto left = static_cast<std::size_t>(std::count(open.begin(), open.end(), 1));
        wanted += left;
        const auto tiles = grid.tiles(part);
        std::size_t looked = 0;
        for (const auto* a : m_looks) {
            if (left == 0 || looked == most_looks || (from && a->date < *from)) return;
            if (!a->touches(tiles)) continue;
            ++looked;
            m_archive.read(*a, part, ndvi_bands(a->bands), image);
            const auto quality = image.pixels.quality();
            for (std::size_t i = 0; i < open.size(); ++i) {
                if (open[i] == 0 || quality[i] != Quality::clear) continue;
                const double ndvi = ndvi_of(image, i);
                if (std::isnan(ndvi)) continue;
                const double share = algorithms::cover_fraction(ndvi, m_scale.bare, m_scale.full);
                mean.add(share);
                vegetation.add(algorithms::vegetation_factor(m_scale.model, share));
                open[i] = 0;
                --left;
                if (!cover) cover = Cover{0, 1, a->date, a->date};
                cover->first = std::min(cover->first, a->date);
                cover->last = std::max(cover->last, a->date);
            }
        }
    };
    for (auto row = all.row; row < all.row + all.rows; row += block)
        for (auto col = all.col; col < all.col + all.cols; col += block) {
            const Window part = Window{col, row, block, block}.intersection(all);
            look(part, io::burn({here}, grid, part));
        }
    if (wanted == 0) {  // smaller than a pixel
        const Point p = here.point_inside();
        look({static_cast<std::int64_t>(std::floor(grid.col_of_x(p.x))),
              static_cast<std::int64_t>(std::floor(grid.row_of_y(p.y))), 1, 1},
             {1});
    }
    if (!cover || static_cast<double>(mean.count()) < m_scale.least_seen * static_cast<double>(wanted))
        return std::nullopt;
    cover->share = mean.mean();
    cover->vegetation = vegetation.mean();
    return cover;
}

}  // namespace shuibao::pipeline
