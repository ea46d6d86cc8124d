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
enum class Against { idle, undated, occupied, later, owner, size, distance, other_site };
constexpr std::array<const char*, 8> reasons = {"非在建",       "批复时间缺失",    "范围内已有扰动",
                                                "批复晚于扰动", "建设单位不同",    "面积相差超过倍数",
                                                "距离超限",     "与另一图斑更相符"};

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

void Overlay::relocate(std::vector<Case>& cases, const Each& each) const {
    const auto& rules = m_in.rules;
    const auto& projects = m_in.projects;
    std::vector<double> covered(projects.size(), 0);
    for (const auto& k : cases)
        for (const auto& [project, area] : k.overlaps) covered[project] += area;
    const double reach = rules("relocation_distance_m"), ratio = rules("relocation_area_ratio"),
                 least = rules("min_overlap");
    std::vector<std::vector<algorithms::RelocationPair>> found(cases.size());
    std::vector<Tried> tried(cases.size());
    const auto asked = [&](const Case& c) {
        return c.facts.overlap_ratio < least && c.facts.type == algorithms::GroundType::other;
    };
    each(cases.size(), [&](std::size_t k) {
        const auto& c = cases[k];
        const auto& f = c.facts;
        if (!asked(c) || !f.onset_to) return;
        for (const auto i : m_exact.near(c.shape.bounds(), reach)) {
            const auto& p = projects[i];
            const bool owners_known = !c.source->owner.empty() && !p.owner.empty();
            const auto against = [&]() -> std::optional<Against> {
                if (!p.under_construction) return Against::idle;
                if (!p.approved) return Against::undated;
                if (covered[i] >= least * p.exact.area()) return Against::occupied;
                if (*f.onset_to < *p.approved) return Against::later;
                if (owners_known && c.source->owner != p.owner) return Against::owner;
                const double larger = c.shape.area() / p.exact.area();
                if (larger > ratio || larger < 1 / ratio) return Against::size;
                const double distance = p.exact.distance(c.shape);
                if (distance > reach) return Against::distance;
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
        f.relocation_tried = f.onset_to ? tried[k].text(reach) : std::string("扰动起始时间未知");
    }
}

}  // namespace shuibao::pipeline
