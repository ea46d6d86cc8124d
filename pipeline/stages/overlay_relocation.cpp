// SPDX-License-Identifier: Apache-2.0
// Sites that lie in no range, and ranges of works under construction where nothing is to be seen (rules §3).
#include <array>
#include <cstddef>
#include <iterator>

#include <fmt/format.h>

#include "overlay.hpp"

namespace shuibao::pipeline {
namespace {

// Why a project near by cannot have moved here: the first that applies.
enum class Against { idle, undated, later, occupied, unseen, owner, size, distance, corridor, other_site };
constexpr std::array<const char*, 10> reasons = {
    "非在建",       "批复时间缺失",     "批复晚于扰动", "范围内已有扰动", "范围未能观测",
    "建设单位不同", "面积相差超过倍数", "距离超限",     "不在其线路走廊", "与另一图斑更相符"};

class Tried {
  public:
    void add(Against why) { ++m_counts[static_cast<std::size_t>(why)]; }
    [[nodiscard]] std::string text(double reach) const {
        std::string list;
        std::size_t all = 0;
        for (std::size_t i = 0; i < reasons.size(); ++i) {
            if (m_counts[i] == 0) continue;
            all += m_counts[i];
            list += fmt::format("{}{} 个{}", list.empty() ? "：" : "，", m_counts[i], reasons[i]);
        }
        return fmt::format("{:g} m 内 {} 个项目{}", reach, all, list);
    }

  private:
    std::array<std::size_t, reasons.size()> m_counts{};
};

}  // namespace

// Linear works move along their corridor: a compact site is none of theirs. Rows of dots are short each.
bool Overlay::in_corridor(const Case& c, const Project& p) const {
    const auto& profile = m_in.industries.of(p.type).profile;
    const auto& rules = c.law->rules;
    const auto elongated = [&](const io::Geometry& g) {
        const double length = algorithms::strip_length(g.area(), g.perimeter());
        return length * length >= rules("corridor_elongation") * g.area();
    };
    if (!profile.linear || !elongated(p.exact)) return true;
    return (profile.dots || elongated(c.shape)) && c.shape.depth_beyond(p.exact) <= rules("corridor_m");
}

// Sites that lie in no range, and ranges of works under construction where nothing is to be seen although
// they were looked at.
void Overlay::relocate(std::vector<Case>& cases, const std::vector<RangeLook>& looks,
                       const Each& each) const {
    const auto& projects = m_in.projects;
    std::vector<std::vector<algorithms::RelocationPair>> found(cases.size());
    std::vector<Tried> tried(cases.size());
    const auto asked = [&](const Case& c) {
        const auto& rules = c.law->rules;
        return c.facts.overlap_ratio < rules("min_overlap") &&
               c.facts.type == algorithms::GroundType::other &&
               !algorithms::gated(c.facts, rules);  // it would take the range from a site that may be accused
    };
    each(cases.size(), [&](std::size_t k) {
        const auto& c = cases[k];
        const auto& f = c.facts;
        if (!asked(c) || !f.onset_to) return;
        const auto& rules = c.law->rules;
        const double reach = rules("relocation_distance_m"), ratio = rules("relocation_area_ratio");
        for (const auto i : m_exact.near(c.shape.bounds(), reach)) {
            const auto& p = projects[i];
            const bool owners_known = !c.source->owner.empty() && !p.owner.empty();
            const auto against = [&]() -> std::optional<Against> {
                if (!p.under_construction) return Against::idle;
                if (!p.approved) return Against::undated;
                if (*f.onset_to < *p.approved) return Against::later;
                if (const auto state = range_state(p, looks[i], rules); state != "not_started")
                    return state == "not_observed" ? Against::unseen : Against::occupied;
                if (owners_known && c.source->owner != p.owner) return Against::owner;
                const double larger = c.shape.area() / p.exact.area();
                if (larger > ratio || larger < 1 / ratio) return Against::size;
                const double distance = p.exact.distance(c.shape);
                if (distance > reach) return Against::distance;
                if (!in_corridor(c, p)) return Against::corridor;
                found[k].push_back({k, i, {p.key, p.name, distance, larger, owners_known}});
                return std::nullopt;
            }();
            if (against) tried[k].add(*against);
        }
    });
    std::vector<algorithms::RelocationPair> pairs;
    for (auto& list : found) std::copy(list.begin(), list.end(), std::back_inserter(pairs));
    for (auto& pair : algorithms::match_one_to_one(std::move(pairs))) {
        auto& f = cases[pair.disturbance].facts;
        f.relocation = std::move(pair.what);
        f.profile = m_in.industries.of(projects[pair.project].type).profile;
    }
    for (std::size_t k = 0; k < cases.size(); ++k) {
        auto& f = cases[k].facts;
        if (!asked(cases[k]) || f.relocation || !m_in.ranges_known) continue;
        for (std::size_t n = 0; n < found[k].size(); ++n) tried[k].add(Against::other_site);
        f.relocation_tried = f.onset_to ? tried[k].text(cases[k].law->rules("relocation_distance_m"))
                                        : std::string("扰动起始时间未知");
    }
}

}  // namespace shuibao::pipeline
