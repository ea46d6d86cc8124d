// SPDX-License-Identifier: Apache-2.0
#include "capacity.hpp"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "risk_input.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

void declare_capacity(OptionTable& t) {
    t.add({.key = "rank.capacity",
           .type = OptionType::integer,
           .fallback = "0",
           .help = "At most so many suspects, the first in rank; 0 = all",
           .min = 0,
           .max = 1e9});
    t.add({.key = "rank.county_capacity",
           .type = OptionType::integer,
           .fallback = "0",
           .help = "At most so many suspects for each county, the first in rank; 0 = all",
           .min = 0,
           .max = 1e9});
    t.add({.key = "rank.capacity_of",
           .type = OptionType::map,
           .help = "At most so many suspects for a county by name, e.g. {南召县: 40, 内乡县: 25}; the others "
                   "have rank.county_capacity. What was cut off is counted in run.json and in the ledger"});
}

Capacity::Capacity(const RunContext& c)
    : m_all(c.settings.integer("rank.capacity")),
      m_each(c.settings.integer("rank.county_capacity")),
      m_origin(c.settings.origin("rank.capacity_of")) {
    for (const auto& [county, text] : c.settings.map("rank.capacity_of")) {
        std::int64_t n = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc() || end != text.data() + text.size() || n < 0)
            throw Error(ErrorCode::usage,
                        fmt::format("{}: rank.capacity_of gives {} '{}', which is no number of suspects.",
                                    m_origin, county, text),
                        "Write e.g. `rank.capacity_of: {南召县: 40}`.");
        m_of[county] = n;
    }
}

bool Capacity::takes(const std::string& county) {
    if (m_all > 0 && m_taken >= m_all) return false;
    const auto named = m_of.find(county);
    const auto most = named != m_of.end() ? named->second : m_each;
    if ((named != m_of.end() || most > 0) && m_taken_of[county] >= most) return false;
    ++m_taken_of[county];
    ++m_taken;
    return true;
}

void Capacity::tell_unknown(RunContext& c, const std::set<std::string>& counties) const {
    const std::vector<std::string> names(counties.begin(), counties.end());
    for (const auto& [county, n] : m_of) {
        if (counties.contains(county)) continue;
        const auto near = nearest_of(county, names);
        c.problems.add({"rank", m_origin, "unknown_county",
                        fmt::format("rank.capacity_of names {}, and the ledger has no such county.", county),
                        near.empty() ? "Write the name as it stands in the layer of counties."
                                     : fmt::format("Did you mean '{}'?", near)});
    }
}

void tell_cut_off(RunContext& c, const std::filesystem::path& ranked, const std::string& tier_none) {
    if (c.executor.options().dry_run || !Capacity(c).limited() || !std::filesystem::exists(ranked)) return;
    struct Count {
        std::size_t suspects = 0, listed = 0;
    };
    std::map<std::string, Count> counties;
    const auto each = [&](const char* layer, auto&& body) {
        io::LayerReader reader(ranked.string(),
                               {.layer = layer, .fields = {"county", "tier"}, .shapes = false});
        for (io::VectorFeature f; reader.next(f);) body(f, counties[row_text(f, "county")]);
    };
    each("disturbances",
         [&](const auto& f, Count& n) { n.suspects += row_text(f, "tier") != tier_none ? 1U : 0U; });
    each("suspects", [](const auto& /*f*/, Count& n) { ++n.listed; });
    std::string text;
    for (const auto& [county, n] : counties) {
        if (n.suspects == n.listed) continue;
        const auto name = county.empty() ? std::string("(no county)") : county;
        text +=
            fmt::format("{}{}: {} of {}", text.empty() ? "" : "; ", name, n.suspects - n.listed, n.suspects);
        c.notes.push_back({"rank", name, "cut_off",
                           fmt::format("{} of {} suspects are beyond the capacity and were not sent out.",
                                       n.suspects - n.listed, n.suspects),
                           "They stand in the layer disturbances with their rank."});
    }
    if (!text.empty())
        c.log.write(engine::LogLevel::info, "beyond the capacity, not sent out: " + text, "rank", c.batch);
}

}  // namespace shuibao::pipeline
