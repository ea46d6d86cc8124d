// SPDX-License-Identifier: Apache-2.0
// How much of the ground is under green plants, from the looks in the store.
#pragma once

#include <optional>
#include <string>

#include <shuibao/algorithms/erosion.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/tile_archive.hpp>

namespace shuibao::pipeline {

/// What NDVI means (rule items ndvi_bare, ndvi_full), and how much must have been seen.
struct CoverScale {
    double bare = 0, full = 1;  ///< NDVI without plants and under closed cover
    double least_seen = 0.5;    ///< share of the pixels: of less nothing is said
    algorithms::CoverModel model = algorithms::CoverModel::cai;  ///< how cover becomes factor B
};

/// Mean share of cover of a shape's pixels, each by its last clear look.
struct Cover {
    double share = 0;       ///< 0–1
    double vegetation = 1;  ///< mean of factor B over the pixels: a little cover holds back much, so B of the
                            ///< mean cover would be far too small where some pixels are green
    Date first, last;       ///< days of the looks that were used
};

/// Reads looks in reflectance that tell NDVI; others say nothing of cover. Reentrant.
class PlantCover {
  public:
    /// Looks up to `until` count.
    PlantCover(io::TileArchive archive, Date until, const CoverScale& scale);
    PlantCover(const PlantCover&) = delete;
    PlantCover& operator=(const PlantCover&) = delete;
    /// Nothing where no look has seen enough. Looks before `from` do not count, where it is known: they saw
    /// the ground as it was before. Of water nothing is said.
    [[nodiscard]] std::optional<Cover> of(const io::Geometry& shape, const std::string& crs,
                                          std::optional<Date> from) const;

  private:
    io::TileArchive m_archive;
    std::vector<const io::Acquisition*> m_looks;  ///< the newest first
    CoverScale m_scale;
};

}  // namespace shuibao::pipeline
