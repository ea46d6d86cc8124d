// SPDX-License-Identifier: Apache-2.0
#include "case_ground.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ledger.hpp"
#include "rounded.hpp"
#include "rules.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/ndvi.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::GroundCover;
using algorithms::GroundLook;
using Looks = std::vector<const io::Acquisition*>;

// Looks of one season, from before the ground was opened, that say what it is when it is green.
constexpr int season_days = 30;
constexpr std::size_t most_history = 6;  // the newest; a median of more is the same

// Indices ask for reflectance, and for what tells the NDVI.
bool fit(const io::Acquisition& a) {
    return a.reflectance && !ndvi_bands(a.bands).empty();
}

int days_of_year_apart(Date a, Date b) {
    constexpr int year = 365;
    const int apart = std::abs(a.days() - b.days()) % year;
    return std::min(apart, year - apart);
}

// Those that touch the window, by date.
Looks over(const io::TileArchive& archive, const Looks& looks, const Window& window) {
    const auto tiles = archive.grid().tiles(window);
    Looks found;
    std::copy_if(looks.begin(), looks.end(), std::back_inserter(found),
                 [&](const auto* a) { return a->touches(tiles); });
    return found;
}

class GroundLooks {
  public:
    GroundLooks(const io::TileArchive& archive, Looks period, Looks all, const algorithms::Rules& rules)
        : m_archive(archive), m_period(std::move(period)), m_all(std::move(all)), m_rules(rules) {}

    // `shape` in the CRS of the grid. The last day on which the ground was seen as it had been is `until`.
    [[nodiscard]] std::vector<GroundLook> at(const io::Geometry& shape, std::optional<Date> until) const {
        const Window window = m_archive.grid().window(shape.bounds());
        const auto inside = io::burn({shape}, m_archive.grid(), window);
        const auto all = std::count(inside.begin(), inside.end(), 1);
        std::vector<GroundLook> looks;
        if (all == 0) return looks;
        const auto past = over(m_archive, m_all, window);
        for (const auto* a : over(m_archive, m_period, window)) {
            std::vector<Image> history;
            for (auto h = past.rbegin(); until && h != past.rend() && history.size() < most_history; ++h)
                if ((*h)->date <= *until && days_of_year_apart((*h)->date, a->date) <= season_days)
                    history.push_back(read(**h, window));
            const auto covers = algorithms::ground_cover(read(*a, window), history, m_rules);
            std::map<GroundCover, double> n;
            for (std::size_t i = 0; i < covers.size(); ++i)
                if (inside[i] != 0) n[covers[i]] += 1;
            const double decided = n[GroundCover::open] + n[GroundCover::green] + n[GroundCover::built];
            if (decided > 0)
                looks.push_back({a->date, decided / static_cast<double>(all), n[GroundCover::green] / decided,
                                 n[GroundCover::built] / decided});
        }
        return looks;
    }

  private:
    [[nodiscard]] Image read(const io::Acquisition& a, const Window& window) const {
        return m_archive.read(a, window, algorithms::ground_bands(a.bands));
    }

    const io::TileArchive& m_archive;
    Looks m_period, m_all;
    const algorithms::Rules& m_rules;
};

void write_ground(const std::filesystem::path& file, const std::string& batch, const GroundEvidence& cases) {
    nlohmann::json list = nlohmann::json::object();  // sorted by case
    for (const auto& [id, looks] : cases)
        for (const auto& l : looks)
            list[id].push_back({{"day", l.day.iso()},
                                {"seen", rounded(l.seen)},
                                {"green", rounded(l.green)},
                                {"built", rounded(l.built)},
                                {"open", rounded(l.open())}});
    io::write_text(file, nlohmann::ordered_json({{"batch", batch}, {"cases", list}}).dump(1) + "\n");
}

}  // namespace

std::filesystem::path ground_file(const engine::Store& store, const std::string& batch) {
    return store.batch(batch) / "ground.json";
}

GroundEvidence read_ground(const std::filesystem::path& file) {
    GroundEvidence cases;
    std::ifstream in(file);
    if (!in) return cases;
    try {
        const auto j = nlohmann::json::parse(in);
        for (const auto& [id, looks] : j.at("cases").items())
            for (const auto& l : looks) {
                const auto day = Date::parse(l.at("day").get<std::string>());
                if (!day)
                    throw Error(ErrorCode::input,
                                fmt::format("{}: a look of {} has no day.", file.string(), id),
                                "Delete the file; `shuibao rank` makes it again.");
                cases[id].push_back({*day, l.at("seen").get<double>(), l.at("green").get<double>(),
                                     l.at("built").get<double>()});
            }
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", file.string(), e.what()),
                    "Delete it; `shuibao rank` makes it again.");
    }
    return cases;
}

void look_at_ground(RunContext& c, const std::string& batch, const std::string& previous) {
    std::error_code error;
    if (!std::filesystem::exists(c.store.acquisitions_file(), error)) return;
    const auto archive = open_archive(c.store);
    const Date first = end_of_batch(previous), last = end_of_batch(batch);
    Looks period, all;
    std::string cut;  // under which keys the tiles were cut, and what their numbers mean
    for (const auto& a : archive.acquisitions()) {
        if (!fit(a) || last < a.date) continue;
        all.push_back(&a);
        if (first < a.date) period.push_back(&a);
        for (const auto tile : a.tiles) {
            const auto unit = tile.str() + "/" + a.key;
            cut += unit + " " + c.executor.key("tile", unit) + "\n";
        }
        for (const auto& s : a.scaling) cut += fmt::format("{} {}\n", s.scale, s.offset);
    }
    const auto output = ground_file(c.store, batch);
    if (period.empty()) {
        if (!c.executor.options().dry_run) std::filesystem::remove(output, error);  // of looks that are gone
        return;
    }
    const RuleBook book(c);
    engine::Unit u;
    u.id = batch + " ground";
    u.inputs = rule_hashes(c);
    u.inputs["before"] = ledger_hash(c.store, previous);
    u.inputs["looks"] = engine::hash_bytes(cut);
    u.inputs["period"] = first.iso() + " " + last.iso();
    u.outputs = {output};
    u.work = [&] {
        const auto state = ledger_of(c.store, previous, true);
        if (!state) return;
        const auto rules = rules_of(book.at(last));
        const io::Transformation to_grid(state->crs, archive.grid().crs());
        std::vector<std::pair<const LedgerCase*, io::Geometry>> cases;
        for (const auto& k : state->cases)
            if (!k.folded && (k.construction != "finished" || k.finished_on))
                cases.emplace_back(&k, to_grid(k.shape));
        // Neighbours one after the other find in the cache of blocks what both need.
        const Grid& grid = archive.grid();
        std::stable_sort(cases.begin(), cases.end(), [&](const auto& a, const auto& b) {
            const auto wa = grid.window(a.second.bounds()), wb = grid.window(b.second.bounds());
            return std::pair(wa.row / 256, wa.col) < std::pair(wb.row / 256, wb.col);
        });
        const GroundLooks ground(archive, period, all, rules);
        std::vector<std::vector<GroundLook>> found(cases.size());
        c.executor.parallel_for(cases.size(), [&](std::size_t i) {
            engine::check_stop();
            const auto& k = *cases[i].first;
            auto until = k.onset_from;
            if (!until && k.onset_to) until = Date(k.onset_to->days() - 1);
            found[i] = ground.at(cases[i].second, until);
        });
        GroundEvidence evidence;
        for (std::size_t i = 0; i < cases.size(); ++i)
            if (!found[i].empty()) evidence[cases[i].first->id] = std::move(found[i]);
        write_ground(output, batch, evidence);
    };
    c.executor.run("ledger", {u});
}

}  // namespace shuibao::pipeline
