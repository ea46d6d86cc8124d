// SPDX-License-Identifier: Apache-2.0
// Which of many boxes come near one: what keeps an overlay of layers from growing with their product.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <shuibao/core/grid.hpp>

namespace shuibao::io {

/// A packed R-tree (sort-tile-recursive; Leutenegger, Lopez and Edgington 1997) over bounds that do not
/// change. O(n log n) to build, O(log n + hits) to ask. Reentrant once built. Empty bounds are never found.
class BoxIndex {
  public:
    explicit BoxIndex(const std::vector<Bounds>& boxes);
    ~BoxIndex();
    BoxIndex(BoxIndex&&) noexcept;
    BoxIndex& operator=(BoxIndex&&) noexcept;
    /// Numbers of the boxes that come within `margin` (unit of the CRS, in x and in y) of `bounds`, touching
    /// included, in rising order.
    [[nodiscard]] std::vector<std::size_t> near(const Bounds& bounds, double margin = 0) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace shuibao::io
