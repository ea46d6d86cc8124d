// SPDX-License-Identifier: Apache-2.0
#include "surroundings.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "approvals.hpp"
#include "zones.hpp"
#include <shuibao/core/text.hpp>
#include <shuibao/io/box_index.hpp>

namespace shuibao::pipeline {
namespace {

constexpr double margin = 0.05;  // of the longer side of an extent
constexpr double seen = 0.9;     // lengths of a suspect around its middle: the frame of its pictures

io::LayerData layer_of(const std::vector<const DrawnRange*>& ranges, const std::string& crs) {
    io::LayerData layer;
    layer.name = "ranges";
    layer.crs = crs;
    for (const auto& name : Surroundings::range_fields())
        layer.fields.push_back({name, name == "approval_date" ? io::FieldType::date : io::FieldType::text});
    for (const auto* r : ranges)
        layer.rows.push_back(
            {r->shape,
             {io::or_null(plain_text(r->key)), io::or_null(plain_text(r->name)),
              io::or_null(plain_text(r->owner)), io::or_null(plain_text(r->type)),
              io::or_null(plain_text(r->authority)), io::or_null(r->approved),
              io::or_null(plain_text(r->part)), std::string(r->schematic ? "示意性范围" : "防治责任范围")}});
    return layer;
}

}  // namespace

struct Surroundings::Impl {
    std::once_flag once;
    std::vector<DrawnRange> ranges;
    io::BoxIndex index{{}};
    std::map<std::string, std::vector<io::Geometry>> counties;

    [[nodiscard]] std::vector<io::Geometry> area_of(const ExportInput& county) const {
        const auto it = counties.find(county.county);
        return it == counties.end() ? std::vector<io::Geometry>() : it->second;
    }
};

Surroundings::Surroundings() : m_impl(std::make_unique<Impl>()) {}
Surroundings::~Surroundings() = default;

std::vector<std::string> Surroundings::range_fields() {
    return {"approval_id", "approval_name", "owner",      "project_type",
            "authority",   "approval_date", "range_part", "range_kind"};
}

std::map<std::string, std::string> Surroundings::inputs(const ExportInput& input) {
    auto map = drawn_range_hashes(input.run);
    map.merge(kind_hashes(input.run, "county"));
    return map;
}

const Surroundings::Impl& Surroundings::read(const ExportInput& input) const {
    std::call_once(m_impl->once, [&] {
        m_impl->ranges = drawn_ranges(input.run, input.suspects.crs);
        std::vector<Bounds> boxes;
        for (const auto& r : m_impl->ranges) boxes.push_back(r.shape.bounds());
        m_impl->index = io::BoxIndex(boxes);
        for (auto& a : areas_of_kind(input.run, "county", input.suspects.crs))
            m_impl->counties[a.name].push_back(std::move(a.shape));
    });
    return *m_impl;
}

io::LayerData Surroundings::border(const ExportInput& county) const {
    io::LayerData layer;
    layer.name = "county";
    layer.crs = county.suspects.crs;
    layer.fields.push_back({"county"});
    for (const auto& shape : read(county).area_of(county))
        layer.rows.push_back({shape, {io::or_null(plain_text(county.county))}});
    return layer;
}

io::LayerData Surroundings::ranges(const ExportInput& county) const {
    const auto& all = read(county);
    const auto area = all.area_of(county);
    Bounds extent;
    for (const auto& shape : area) extent.expand(shape.bounds());
    if (area.empty())
        for (const auto* f : county.disturbances.rows) extent.expand(f->shape.bounds());
    const double around = area.empty() && !extent.empty()
                              ? margin * std::max(extent.max_x - extent.min_x, extent.max_y - extent.min_y)
                              : 0;
    std::vector<const DrawnRange*> found;
    for (const auto i : all.index.near(extent, around)) {
        const auto touches = [&](const io::Geometry& a) { return a.intersects(all.ranges[i].shape); };
        if (area.empty() || std::any_of(area.begin(), area.end(), touches)) found.push_back(&all.ranges[i]);
    }
    return layer_of(found, county.suspects.crs);
}

io::LayerData Surroundings::ranges_near_suspects(const ExportInput& county) const {
    const auto& all = read(county);
    std::set<std::size_t> near;
    std::set<std::string> linked;
    for (const auto* f : county.suspects.rows) {
        const auto b = f->shape.bounds();
        const auto close = all.index.near(b, seen * std::max(b.max_x - b.min_x, b.max_y - b.min_y));
        near.insert(close.begin(), close.end());
        linked.insert(text_of(*f, "approval_id"));
    }
    linked.erase("");
    std::vector<const DrawnRange*> found;
    for (std::size_t i = 0; i < all.ranges.size(); ++i)
        if (near.contains(i) || linked.contains(all.ranges[i].key)) found.push_back(&all.ranges[i]);
    return layer_of(found, county.suspects.crs);
}

}  // namespace shuibao::pipeline
