// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>

#include <shuibao/algorithms/lineage.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::array<std::pair<Growth, std::string_view>, 4> codes = {{{Growth::appeared, "new"},
                                                                       {Growth::grown, "grown"},
                                                                       {Growth::shrunk, "shrunk"},
                                                                       {Growth::same, "same"}}};

// Shared areas closer than this are a tie that the place decides: a vertex moved by a millimetre must not.
constexpr double tie = 10;  // m²

struct Link {
    std::size_t before, after;
    double area;
    double weight;  // area, with that of the cases that were split off from `before`
};

class Groups {
  public:
    explicit Groups(std::size_t n) : m_parent(n) { std::iota(m_parent.begin(), m_parent.end(), 0U); }
    std::size_t of(std::size_t i) {
        while (m_parent[i] != i) i = m_parent[i] = m_parent[m_parent[i]];
        return i;
    }
    void join(std::size_t a, std::size_t b) { m_parent[std::max(of(a), of(b))] = std::min(of(a), of(b)); }

  private:
    std::vector<std::size_t> m_parent;
};

struct Limit {
    double area = 0;
    std::string_view by;
};
Limit limit_of(double before, double band, const Rules& rules) {
    Limit largest{band, "tolerance"};
    for (const auto& other : {Limit{rules("change_area_m2"), "change_area_m2"},
                              Limit{rules("change_share") * before, "change_share"}})
        if (other.area > largest.area) largest = other;
    return largest;
}

Growth by_limit(double before, double after, double limit) {
    if (after - before > limit) return Growth::grown;
    if (before - after > limit) return Growth::shrunk;
    return Growth::same;
}

std::vector<Link> links_of(const std::vector<LineageNode>& before, const std::vector<LineageNode>& after,
                           const std::vector<LineageOverlap>& overlaps, const Rules& rules) {
    std::vector<Link> links;
    for (const auto& o : overlaps)
        if (o.area > rules("lineage_overlap") * std::min(before[o.before].area, after[o.after].area))
            links.push_back({o.before, o.after, o.area, o.area});
    return links;
}

}  // namespace

std::string_view growth_code(Growth growth) {
    for (const auto& [g, code] : codes)
        if (g == growth) return code;
    return "";
}

Growth growth_between(double before, const LineageNode& after, const Rules& rules) {
    return by_limit(before, after.area, limit_of(before, after.tolerance * after.perimeter, rules).area);
}

Lineage trace_lineage(const std::vector<LineageNode>& before, const std::vector<LineageNode>& after,
                      const std::vector<LineageOverlap>& overlaps,
                      const std::function<bool(std::size_t, std::size_t)>& descends, const Rules& rules) {
    auto links = links_of(before, after, overlaps, rules);
    std::vector<std::vector<std::size_t>> of_after(after.size());
    for (std::size_t k = 0; k < links.size(); ++k) of_after[links[k].after].push_back(k);
    for (const auto& list : of_after)
        for (const auto a : list)
            for (const auto b : list)
                if (a != b && descends(links[b].before, links[a].before)) links[a].weight += links[b].area;

    const auto place = [](const LineageNode& n) { return std::tuple(n.x, n.y); };
    std::sort(links.begin(), links.end(), [&](const Link& a, const Link& b) {
        const double wa = std::round(a.weight / tie), wb = std::round(b.weight / tie);
        if (wa != wb) return wa > wb;
        const auto pa = std::tuple_cat(place(before[a.before]), place(after[a.after])),
                   pb = std::tuple_cat(place(before[b.before]), place(after[b.after]));
        return std::tuple_cat(pa, std::tuple(a.before, a.after)) <
               std::tuple_cat(pb, std::tuple(b.before, b.after));
    });

    Lineage result;
    result.after.resize(after.size());
    result.merged_into.resize(before.size());
    std::vector<bool> goes_on(before.size(), false);
    Groups groups(before.size() + after.size());
    for (const auto& l : links) {
        auto& s = result.after[l.after];
        s.parents.push_back(l.before);
        groups.join(l.before, before.size() + l.after);
        if (!s.heir_of && !goes_on[l.before]) {
            s.heir_of = l.before;
            goes_on[l.before] = true;
        }
    }
    for (const auto& l : links)  // by falling weight: the first is where most of it went
        if (!goes_on[l.before] && !result.merged_into[l.before]) result.merged_into[l.before] = l.after;

    struct Sum {
        double before = 0, after = 0, band = 0;
    };
    std::vector<Sum> sums(before.size() + after.size());
    for (std::size_t i = 0; i < before.size(); ++i) sums[groups.of(i)].before += before[i].area;
    for (std::size_t i = 0; i < after.size(); ++i) {
        auto& s = sums[groups.of(before.size() + i)];
        s.after += after[i].area;
        s.band += after[i].tolerance * after[i].perimeter;
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
        auto& s = result.after[i];
        const auto& sum = sums[groups.of(before.size() + i)];
        s.gained = sum.after - sum.before;
        if (s.parents.empty()) continue;
        const auto limit = limit_of(sum.before, sum.band, rules);
        s.growth = by_limit(sum.before, sum.after, limit.area);
        s.limit = limit.area;
        s.limit_by = limit.by;
    }
    return result;
}

}  // namespace shuibao::algorithms
