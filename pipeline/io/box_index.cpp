// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point_xy.hpp>
#include <boost/geometry/index/rtree.hpp>

#include <shuibao/io/box_index.hpp>

namespace shuibao::io {
namespace {

namespace bg = boost::geometry;
using Box = bg::model::box<bg::model::d2::point_xy<double>>;
using Entry = std::pair<Box, std::size_t>;
constexpr std::size_t node_size = 16;

std::vector<Entry> entries(const std::vector<Bounds>& boxes) {
    std::vector<Entry> list;
    list.reserve(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i)
        if (const auto& b = boxes[i]; !b.empty())
            list.emplace_back(Box({b.min_x, b.min_y}, {b.max_x, b.max_y}), i);
    return list;
}

}  // namespace

struct BoxIndex::Impl {
    bg::index::rtree<Entry, bg::index::quadratic<node_size>> tree;  // packed when made from a list
};

BoxIndex::BoxIndex(const std::vector<Bounds>& boxes)
    : m_impl(std::make_unique<Impl>(Impl{decltype(Impl::tree)(entries(boxes))})) {}
BoxIndex::~BoxIndex() = default;
BoxIndex::BoxIndex(BoxIndex&&) noexcept = default;
BoxIndex& BoxIndex::operator=(BoxIndex&&) noexcept = default;

std::vector<std::size_t> BoxIndex::near(const Bounds& b, double margin) const {
    std::vector<std::size_t> found;
    if (b.empty()) return found;
    const Box window({b.min_x - margin, b.min_y - margin}, {b.max_x + margin, b.max_y + margin});
    for (auto it = m_impl->tree.qbegin(bg::index::intersects(window)); it != m_impl->tree.qend(); ++it)
        found.push_back(it->second);
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace shuibao::io
