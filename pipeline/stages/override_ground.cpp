// SPDX-License-Identifier: Apache-2.0
#include "override_ground.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

constexpr const char* geographic = "EPSG:4490";

// Where a decision was first applied.
struct Anchor {
    std::string id, batch;
    Point inside;  // EPSG:4490
};
using Anchors = std::map<std::string, Anchor>;  // by what the decision says

std::string content_of(const std::string& id, const Override& o) {
    return ordered_json({id, o.tier ? algorithms::tier_code(*o.tier) : "",
                         o.verdict ? algorithms::verdict_code(*o.verdict) : "", o.by, o.day.iso(), o.reason})
        .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Anchors read_anchors(const engine::Store& store) {
    Anchors anchors;
    const auto path = store.overrides_file();
    std::ifstream in(path);
    if (!in) return anchors;
    try {
        const auto whole = nlohmann::json::parse(in);
        for (const auto& a : whole.at("overrides"))
            anchors[a.at("decision").get<std::string>()] = {
                a.at("case").get<std::string>(),
                a.at("batch").get<std::string>(),
                {a.at("inside").at(0).get<double>(), a.at("inside").at(1).get<double>()}};
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", path.string(), e.what()),
                    "It holds where people's decisions were first applied: restore it from a backup, or "
                    "delete it, and check that each decision still means its case.");
    }
    return anchors;
}

void write_anchors(const engine::Store& store, const Anchors& anchors) {
    ordered_json j = {{"what",
                       "Where each decision against the program was first applied; written by "
                       "`shuibao rank`"},
                      {"overrides", ordered_json::array()}};
    for (const auto& [decision, a] : anchors)
        j["overrides"].push_back({{"case", a.id},
                                  {"batch", a.batch},
                                  {"inside", {a.inside.x, a.inside.y}},
                                  {"decision", decision}});
    io::write_text(store.overrides_file(), j.dump(1) + "\n");
}

// By its id for life, else by the number of its polygon in the batch.
const LedgerCase* shown_as(const LedgerState& state, const std::string& id) {
    const LedgerCase* by_spot = nullptr;
    for (const auto& k : state.cases) {
        if (k.present && k.id == id) return &k;
        if (k.present && k.spot == id && by_spot == nullptr) by_spot = &k;
    }
    return by_spot;
}

bool holds(const LedgerState& state, const LedgerCase& k, Point inside) {
    constexpr double rounding = 1;  // m
    return k.shape.distance(io::Transformation(geographic, state.crs)(inside)) <= rounding;
}

class Follow {
  public:
    Follow(RunContext& c, const LedgerState& now)
        : m_c(c), m_now(now), m_file(c.settings.path("rank.overrides")), m_anchors(read_anchors(c.store)) {}

    // Whether the decision holds in this batch.
    bool operator()(const std::string& id, const Override& o) {
        const auto decision = content_of(id, o);
        const auto* here = shown_as(m_now, id);
        if (const auto it = m_anchors.find(decision); it != m_anchors.end())
            if (const auto* then = state_of(it->second.batch)) {
                const auto* k = shown_as(*then, id);
                if (k != nullptr && holds(*then, *k, it->second.inside)) return here != nullptr;
                other_ground(id, o, it->second, *then, k);
                return false;
            }
        if (here == nullptr) {
            if (!known_anywhere(id)) unknown(id, o);
            return false;
        }
        m_anchors[decision] = {id, m_now.batch,
                               io::Transformation(m_now.crs, geographic)(here->shape.point_inside())};
        m_fresh = true;
        return true;
    }
    void keep() const {
        if (m_fresh) write_anchors(m_c.store, m_anchors);
    }

  private:
    const LedgerState* state_of(const std::string& batch) {
        if (batch == m_now.batch) return &m_now;
        auto [it, first] = m_states.try_emplace(batch);
        if (first) it->second = ledger_of(m_c.store, batch, true);
        return it->second ? &*it->second : nullptr;
    }
    bool known_anywhere(const std::string& id) {
        if (m_known.empty())
            for (const auto& b : screened_batches(m_c.store))
                if (const auto state = ledger_of(m_c.store, b, false))
                    for (const auto& k : state->cases) {
                        m_known.push_back(k.id);
                        if (k.present) m_known.push_back(k.spot);
                    }
        return std::find(m_known.begin(), m_known.end(), id) != m_known.end();
    }
    [[nodiscard]] std::string at(const Override& o) const { return fmt::format("{}:{}", m_file, o.line); }
    void unknown(const std::string& id, const Override& o) {
        std::sort(m_known.begin(), m_known.end());
        m_known.erase(std::unique(m_known.begin(), m_known.end()), m_known.end());
        constexpr std::size_t most = 10000;  // to look for a name that is like it
        const auto near = m_known.size() > most ? std::string() : nearest_of(id, m_known);
        m_c.problems.add(
            {"rank", at(o), "unknown_case", fmt::format("No batch of the ledger has a case {}.", id),
             near.empty() ? std::string("Correct the case id.") : fmt::format("Did you mean '{}'?", near)});
    }
    void other_ground(const std::string& id, const Override& o, const Anchor& a, const LedgerState& then,
                      const LedgerCase* k) {
        const auto i = SpotFinder(then)(id, a.inside);
        const auto now =
            i ? fmt::format("is part of {}", then.cases[*i].id) : std::string("is part of no case");
        m_c.problems.add(
            {"rank", at(o), "other_ground",
             fmt::format("The decision of {} on {} was made for the ground at {:.5f}, {:.5f}, which {} since "
                         "batch {} was run again; it is not applied.",
                         o.by, id, a.inside.x, a.inside.y, now, a.batch),
             k == nullptr ? std::string("Correct the case id.")
                          : fmt::format("Correct the case id; if {} as it is now is meant, say so with a new "
                                        "date or reason.",
                                        id)});
    }

    RunContext& m_c;
    const LedgerState& m_now;
    std::string m_file;
    Anchors m_anchors;
    bool m_fresh = false;
    std::map<std::string, std::optional<LedgerState>> m_states;
    std::vector<std::string> m_known;
};

}  // namespace

Overrides overrides_in_force(RunContext& c, const engine::Dictionary& words, const LedgerState& state,
                             bool keep) {
    if (!c.settings.has("rank.overrides")) return {};
    auto overrides = read_overrides(c.settings.path("rank.overrides"), words);
    Follow follow(c, state);
    std::erase_if(overrides, [&](const auto& entry) { return !follow(entry.first, entry.second); });
    if (keep) follow.keep();
    return overrides;
}

std::string overrides_hash(const Overrides& overrides) {
    std::string text;
    for (const auto& [id, o] : overrides) text += content_of(id, o) + "\n";
    return engine::hash_bytes(text);
}

}  // namespace shuibao::pipeline
