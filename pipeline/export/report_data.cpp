// SPDX-License-Identifier: Apache-2.0
#include "report_data.hpp"

#include <algorithm>
#include <fstream>

#include "approvals.hpp"
#include "evidence_content.hpp"
#include "ledger.hpp"
#include "range_states.hpp"
#include <shuibao/engine/hash.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

void count(std::map<std::string, Tally>& into, const std::string& key, double area, bool late = false) {
    auto& t = into[key];
    ++t.count;
    t.area += area;
    t.overdue += late ? 1 : 0;
}

// In the order of the dictionary, then what it does not know by name.
Tallies in_order(std::map<std::string, Tally> from, const engine::Dictionary& words, const char* section) {
    Tallies list;
    if (const auto it = words.sections.find(section); it != words.sections.end())
        for (const auto& [code, text] : it->second)
            if (const auto found = from.find(code); found != from.end()) {
                list.emplace_back(*found);
                from.erase(found);
            }
    list.insert(list.end(), from.begin(), from.end());
    return list;
}

// The largest first; equals by name.
Tallies by_count(const std::map<std::string, Tally>& from) {
    Tallies list(from.begin(), from.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
    return list;
}

double area_of(const io::VectorFeature& row) {
    return io::to_number(field_of(row, "area_m2")).value_or(0);
}

std::string batch_before(const engine::Store& store, const std::string& batch) {
    const auto batches = screened_batches(store);
    const auto it = std::lower_bound(batches.begin(), batches.end(), batch);
    return it == batches.begin() ? std::string() : *std::prev(it);
}

ordered_json json_of(const fs::path& path) {
    std::ifstream in(path);
    auto j = ordered_json::parse(in, nullptr, false);
    return j.is_discarded() ? ordered_json() : j;
}

bool has_layer(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

// Of the run that is going on, or of the one that run.json tells of.
std::vector<engine::Problem> problems_of(const RunContext& c) {
    const auto& counts = c.executor.counts();
    const bool whole_run =
        std::any_of(counts.begin(), counts.end(), [](const auto& s) { return s.first != "export"; });
    if (whole_run) return c.problems.sorted();
    std::vector<engine::Problem> list;
    const auto record = json_of(c.output / "run.json");
    if (!record.is_object() || record.value("batch", "") != c.batch || !record.contains("problems"))
        return list;
    for (const auto& p : record["problems"])
        list.push_back({p.value("stage", ""), p.value("unit", ""), p.value("code", ""), p.value("what", ""),
                        p.value("hint", "")});
    return list;
}

}  // namespace

std::map<std::string, std::string> summary_hashes(const RunContext& c, const std::string& batch) {
    std::map<std::string, std::string> list;
    const auto before = batch_before(c.store, batch);
    const std::map<std::string, fs::path> files = {
        {"observation", c.output / "observation.gpkg"},
        {"screened", c.store.batch(batch) / "screened.json"},
        {"previous", before.empty() ? fs::path() : c.store.batch(before) / "screened.gpkg"},
        {"acquisitions", c.store.acquisitions_file()}};
    for (const auto& [name, path] : files)
        if (!path.empty() && has_layer(path)) list[name] = engine::hash_file(path.string());
    list.merge(kind_hashes(c, "county"));
    list["ledger"] = ledger_hash(c.store, batch);
    if (!before.empty()) list["ledger before"] = ledger_hash(c.store, before);
    list.merge(hit_rate_hashes(c.store));
    std::string problems;
    for (const auto& p : problems_of(c)) problems += p.stage + p.unit + p.code + p.what + "\n";
    list["problems"] = engine::hash_bytes(problems);
    return list;
}

BatchSummary summary_of(const ExportInput& in, const PageWords& words) {
    const auto& c = in.run;
    BatchSummary s;
    s.end = end_of_batch(in.batch);
    std::map<std::string, Tally> verdicts, tiers, counties, industries, previous;
    for (const auto* row : in.disturbances.rows) {
        const double area = area_of(*row);
        ++s.disturbances.count;
        s.disturbances.area += area;
        count(verdicts, verdict_words(*row, words).code, area);
        count(tiers, words.code_of("tiers", text_of(*row, "tier")), area);
    }
    for (const auto* row : in.suspects.rows) {
        const double area = area_of(*row);
        const bool late = overdue(*row, s.end);
        ++s.suspects.count;
        s.suspects.area += area;
        s.suspects.overdue += late ? 1 : 0;
        count(counties, plain_of(*row, "county"), area, late);
        count(industries, plain_of(*row, "industry"), area);
        s.rule_sets.insert(plain_of(*row, "rule_set"));
    }
    s.verdicts = in_order(std::move(verdicts), words.verdicts, "verdicts");
    s.tiers = in_order(std::move(tiers), words.verdicts, "tiers");
    s.counties = by_count(counties);
    s.industries = by_count(industries);
    if (const auto seen = c.output / "observation.gpkg"; has_layer(seen)) {
        s.unobserved = 0;
        for (auto& f : io::read_layer(seen.string(), {"unobserved", "", in.suspects.crs}).features) {
            *s.unobserved += area_of(f);
            s.unobserved_drawn.push_back(std::move(f.shape));
        }
        std::vector<double> sizes;
        for (const auto& f : io::read_layer(seen.string(), {"smallest_detectable", "", ""}).features)
            if (const auto v = io::to_number(field_of(f, "smallest_m2"))) sizes.push_back(*v);
        std::sort(sizes.begin(), sizes.end());
        if (!sizes.empty()) s.smallest = sizes[sizes.size() / 2];
    }
    s.share_with_range = share_with_range(c.store, in.batch);
    s.previous = batch_before(c.store, in.batch);
    if (!s.previous.empty()) {
        for (const auto& f : io::read_layer((c.store.batch(s.previous) / "screened.gpkg").string()).features)
            count(previous, text_of(f, "verdict"), area_of(f));
        s.previous_verdicts = in_order(std::move(previous), words.verdicts, "verdicts");
        s.changes = changes_between(c.store, s.previous, in);
    }
    s.hits = hit_rates(c.store);
    Bounds around;
    for (const auto* row : in.disturbances.rows) around.expand(row->shape.bounds());
    s.counties_drawn = borders_near(in, around);
    s.problems = problems_of(c);
    if (ranges_given(c)) s.approvals = fs::path(c.settings.path("approvals.path")).filename().string();
    for (const auto& a : json_of(c.store.acquisitions_file()))
        if (a.is_object() && a.contains("key")) s.dates.push_back(a["key"].get<std::string>());
    std::sort(s.dates.begin(), s.dates.end());
    return s;
}

}  // namespace shuibao::pipeline
