// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>

#include "parts.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms::simulated {
namespace {

// What happened in fields, from their calendars.
class Fields {
  public:
    Fields(const Plan& plan, std::vector<LookAlike>& out) : m_plan(plan), m_out(out) {
        std::vector<std::vector<std::size_t>> pixels(plan.land.parcels.size());
        for (std::size_t k = 0; k < plan.land.parcel.size(); ++k)
            if (plan.site[k] < 0) pixels[plan.land.parcel[k]].push_back(k);
        for (std::size_t p = 0; p < pixels.size(); ++p) {
            if (pixels[p].empty()) continue;
            m_segment = segment_of(pixels[p], plan.land.size);
            const auto& parcel = plan.land.parcels[p];
            if (parcel.cover == Cover::greenhouse) greenhouse(parcel);
            if (is_field(parcel.cover)) field(parcel, plan.land.seasons[p]);
        }
    }

  private:
    void add(const char* kind, int from, int to) {
        from = std::max(from, m_plan.options.from.days());
        to = std::min(to, m_plan.options.to.days());
        if (from < to) m_out.push_back({kind, from, to, m_segment});
    }

    void field(const Parcel& parcel, const std::vector<Season>& seasons) {
        if (parcel.idle_to > 0) add("idle", parcel.idle_from, parcel.idle_to);
        int open_from = 0, open_to = 0;  // tillering wheat and wheat are one crop: joined when they meet
        for (const auto& s : seasons) {
            if (s.fire > 0) add("fire", s.fire, s.fire + 30);
            if (!s.skipped || s.height <= 0) continue;
            if (open_to >= s.sown && open_to > 0) {
                open_to = std::max(open_to, s.harvest);
                continue;
            }
            if (open_to > 0) add("skipped_season", open_from, open_to);
            open_from = s.sown;
            open_to = s.harvest;
        }
        if (open_to > 0) add("skipped_season", open_from, open_to);
    }

    // A greenhouse that stood before the archive changes with every season; one that is new, once and for
    // all.
    void greenhouse(const Parcel& parcel) { add("greenhouse", parcel.film_since, m_plan.options.to.days()); }

    const Plan& m_plan;
    std::vector<LookAlike>& m_out;
    Segment m_segment;
};

// Ground that a body of water covers for some of the archive's days only.
void shores(const Plan& plan, std::vector<LookAlike>& out) {
    const auto& w = plan.weather;
    const int from = plan.options.from.days(), to = plan.options.to.days();
    const auto below = [&](Cover cover, bool channel, std::int16_t low, std::int16_t high) {
        std::vector<std::size_t> pixels;
        for (std::size_t k = 0; k < plan.land.height.size(); ++k)
            if (const auto h = plan.land.height[k]; h != Land::dry && h > low && h <= high &&
                                                    plan.site[k] < 0 &&
                                                    (plan.land.cover[k] == cover) == channel &&
                                                    (channel || plan.land.cover[k] != Cover::reservoir))
                pixels.push_back(k);
        return segment_of(pixels, plan.land.size);
    };
    const auto lowest = *std::min_element(w.reservoir.begin(), w.reservoir.end());
    if (auto s = below(Cover::reservoir, true, lowest, 0); s.pixels > 0)
        out.push_back({"drawdown", from, to, std::move(s)});
    int start = 0;
    std::int16_t crest = 0;
    for (int day = from; day <= to + 1; ++day) {
        const std::int16_t level = day <= to ? w.river[w.at(day)] : std::int16_t{-1};
        if (level > 5) {
            if (start == 0) start = day;
            crest = std::max(crest, level);
        } else if (start > 0) {
            // Silt lies for five weeks after the water has gone.
            if (auto s = below(Cover::river, false, 0, crest); s.pixels > 0)
                out.push_back({"flood", start, std::min(to, day + 35), std::move(s)});
            start = 0;
            crest = 0;
        }
    }
}

}  // namespace

Plan make_plan(const Options& o) {
    if (o.to.days() - o.from.days() < 2 * o.revisit)
        throw Error(ErrorCode::usage,
                    "The simulated archive from " + o.from.iso() + " to " + o.to.iso() + " is too short.",
                    "Give simulate.from and simulate.to at least some weeks apart.");
    if (o.to.days() - o.from.days() > 30000 - 400)
        throw Error(ErrorCode::usage,
                    "The simulated archive from " + o.from.iso() + " to " + o.to.iso() + " is too long.",
                    "Give simulate.from and simulate.to at most 80 years apart.");
    if (o.monitor_from < o.from || o.monitor_from.days() > o.to.days() - 46)
        throw Error(ErrorCode::usage,
                    "Sites cannot begin to open on " + o.monitor_from.iso() + " in an archive from " +
                        o.from.iso() + " to " + o.to.iso() + ".",
                    "Give simulate.monitor_from inside the archive, at least 46 days before its end.");
    Plan plan;
    plan.options = o;
    plan.weather = make_weather(o);
    plan.land = make_land(o);
    place_sites(plan);
    plan.looks = make_looks(o);
    return plan;
}

std::vector<LookAlike> look_alikes(const Plan& plan) {
    std::vector<LookAlike> out;
    Fields(plan, out);
    shores(plan, out);
    for (const auto& s : plan.sites)
        if (s.old) {
            out.push_back(
                {"old_site", std::max(s.onset, plan.options.from.days()), plan.options.to.days(), s.segment});
        }
    std::stable_sort(out.begin(), out.end(), [](const LookAlike& a, const LookAlike& b) {
        const auto key = [](const LookAlike& l) {
            return std::make_tuple(std::string_view(l.kind), l.segment.runs.front().row,
                                   l.segment.runs.front().col, l.from);
        };
        return key(a) < key(b);
    });
    return out;
}

GroundUnder ground_under(const Plan& plan, std::size_t site) {
    const Site& s = plan.sites[site];
    std::map<Cover, std::int64_t> count;
    std::map<std::uint32_t, std::int64_t> parcels;
    for (const auto& run : s.segment.runs)
        for (auto col = run.col; col < run.end; ++col) {
            const auto k = static_cast<std::size_t>(run.row * plan.land.size + col);
            ++count[plan.land.cover[k]];
            ++parcels[plan.land.parcel[k]];
        }
    GroundUnder g;
    std::int64_t most = 0;
    for (const auto& [cover, n] : count)
        if (n > most) most = n, g.cover = cover;
    for (const auto& [index, n] : parcels) {
        const Spectrum& soil = plan.land.parcels[index].soil;
        double squares = 0;
        for (std::size_t b = 0; b < soil.size(); ++b) {
            const double ratio = std::log(static_cast<double>(s.soil[b]) / static_cast<double>(soil[b]));
            squares += ratio * ratio / static_cast<double>(soil.size());
        }
        g.contrast += std::sqrt(squares) * static_cast<double>(n) / static_cast<double>(s.segment.pixels);
    }
    g.contrast = std::round(g.contrast * 1000) / 1000;
    return g;
}

std::optional<Date> first_clear(const Plan& plan, std::size_t site,
                                const std::vector<std::vector<Picture::SiteView>>& views) {
    for (std::size_t i = 0; i < views.size(); ++i) {
        const auto& v = views[i][site];
        if (plan.looks[i].date.days() > plan.sites[site].onset && v.open > 0 && 2 * v.clear >= v.open)
            return plan.looks[i].date;
    }
    return std::nullopt;
}

double clear_looks(const Plan& plan, std::size_t site,
                   const std::vector<std::vector<Picture::SiteView>>& views) {
    const Site& s = plan.sites[site];
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < views.size(); ++i)
        if (!s.reverted || plan.looks[i].date.days() < *s.reverted) seen += views[i][site].clear;
    return std::round(10 * static_cast<double>(seen) / static_cast<double>(s.segment.pixels)) / 10;
}

}  // namespace shuibao::algorithms::simulated
