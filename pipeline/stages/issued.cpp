// SPDX-License-Identifier: Apache-2.0
#include "issued.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "override_ground.hpp"
#include "risk_input.hpp"
#include "rows_ahead.hpp"
#include "rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

// Every number and name of every set: comments and spaces give no points.
std::string weights_hash(const RuleBook& book) {
    std::string text;
    for (const auto& set : book.sets()) {
        text += set.valid_from.iso();
        for (const auto& [item, number] : set.items) text += fmt::format(" {}={}", item, number.value);
    }
    return engine::hash_bytes(text);
}

// The score table of a row, as `rank` wrote it.
std::vector<std::pair<std::string, double>> points_of(const std::string& reasons) {
    std::vector<std::pair<std::string, double>> points;
    for (const auto& item : nlohmann::json::parse(reasons)) {
        const auto rule = item.at("rule").get<std::string>();
        points.emplace_back(rule.substr(rule.find(':') + 1), item.at("points").get<double>());
    }
    return points;
}

Issued from_layer(const RunContext& c, const std::filesystem::path& ranked,
                  const std::map<std::string, Override>& overrides) {
    Issued issued;
    io::LayerReader reader(ranked.string(),
                           {.layer = "disturbances",
                            .fields = {"case_id", "spot", "rank", "tier", "tier_reason", "severity",
                                       "confidence", "verdict", "county", "industry", "area_m2", "reasons"},
                            .shapes = false});
    read_ahead(c.executor, reader, [&](std::span<io::VectorFeature> rows) {
        std::vector<IssuedCase> cases(rows.size());
        c.executor.parallel_for(rows.size(), [&](std::size_t i) {
            const auto& f = rows[i];
            cases[i] = {.spot = row_text(f, "spot"),
                        .tier = row_text(f, "tier"),
                        .tier_reason = row_text(f, "tier_reason"),
                        .verdict = row_text(f, "verdict"),
                        .county = row_text(f, "county"),
                        .industry = row_text(f, "industry"),
                        .severity = row_number(f, "severity"),
                        .confidence = row_number(f, "confidence"),
                        .area = row_number(f, "area_m2"),
                        .rank = static_cast<std::int64_t>(row_number(f, "rank")),
                        .points = points_of(row_text(f, "reasons")),
                        .decision = {}};
            if (const auto* d = decision_on(overrides, {row_text(f, "case_id"), cases[i].spot}))
                cases[i].decision = *d;
        });
        for (std::size_t i = 0; i < rows.size(); ++i)
            issued.cases.emplace(row_text(rows[i], "case_id"), std::move(cases[i]));
    });
    return issued;
}

std::string json_of(const IssuedCase& k) {
    ordered_json j = {{"spot", k.spot},
                      {"tier", k.tier},
                      {"severity", k.severity},
                      {"confidence", k.confidence},
                      {"verdict", k.verdict},
                      {"county", k.county},
                      {"industry", k.industry},
                      {"area_m2", k.area},
                      {"rank", k.rank},
                      {"tier_reason", k.tier_reason},
                      {"points", ordered_json::array()}};
    for (const auto& [rule, points] : k.points) j["points"].push_back({rule, points});
    if (const auto& d = k.decision) {
        j["decision"] = {{"by", d->by}, {"date", d->day.iso()}, {"reason", d->reason}};
        if (d->tier) j["decision"]["tier"] = algorithms::tier_code(*d->tier);
        if (d->verdict) j["decision"]["verdict"] = algorithms::verdict_code(*d->verdict);
    }
    return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// A line a case, in the order of rank.
std::string text_of(const Issued& issued, const std::string& batch) {
    std::vector<const std::pair<const std::string, IssuedCase>*> list;
    for (const auto& entry : issued.cases) list.push_back(&entry);
    std::stable_sort(list.begin(), list.end(),
                     [](const auto* a, const auto* b) { return a->second.rank < b->second.rank; });
    std::string text = fmt::format("{{\"batch\": {}, \"rule_set\": {}, \"weights\": {}, \"cases\": {{",
                                   ordered_json(batch).dump(), ordered_json(issued.rule_set).dump(),
                                   ordered_json(issued.weights).dump());
    const char* between = "\n";
    for (const auto* entry : list) {
        text += fmt::format("{}{}: {}", between, ordered_json(entry->first).dump(), json_of(entry->second));
        between = ",\n";
    }
    return text + "\n}}\n";
}

IssuedCase case_of(const nlohmann::json& j) {
    IssuedCase k;
    const auto text = [&](const char* key) { return j.value(key, std::string()); };
    k.spot = text("spot");
    k.tier = text("tier");
    k.tier_reason = text("tier_reason");
    k.verdict = text("verdict");
    k.county = text("county");
    k.industry = text("industry");
    k.severity = j.value("severity", 0.0);
    k.confidence = j.value("confidence", 0.0);
    k.area = j.value("area_m2", 0.0);
    k.rank = j.value("rank", std::int64_t{0});
    for (const auto& p : j.value("points", nlohmann::json::array()))
        k.points.emplace_back(p.at(0).get<std::string>(), p.at(1).get<double>());
    if (j.contains("decision")) {
        const auto& d = j.at("decision");
        k.decision = {.tier = algorithms::tier_from_code(d.value("tier", std::string("-"))),
                      .verdict = algorithms::verdict_from_code(d.value("verdict", std::string())),
                      .by = d.value("by", std::string()),
                      .reason = d.value("reason", std::string()),
                      .day = Date::parse(d.value("date", std::string())).value_or(Date())};
    }
    return k;
}

bool same_polygons(const Issued& a, const Issued& b) {
    return std::equal(
        a.cases.begin(), a.cases.end(), b.cases.begin(), b.cases.end(), [](const auto& x, const auto& y) {
            return x.first == y.first && x.second.spot == y.second.spot && x.second.area == y.second.area;
        });
}

}  // namespace

std::filesystem::path issued_file(const engine::Store& store, const std::string& batch) {
    return store.batch(batch) / "issued.json";
}

std::filesystem::path issued_before_file(const engine::Store& store, const std::string& batch) {
    return store.batch(batch) / "issued_before.json";
}

Issued read_issued(const std::filesystem::path& file) {
    // Each case is taken when it ends and let go: a province is not held twice.
    constexpr int of_case = 2;
    Issued issued;
    std::ifstream in(file, std::ios::binary);
    if (!in) return issued;
    std::string name;
    const auto take = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        if (depth == of_case && event == nlohmann::json::parse_event_t::key) name = value.get<std::string>();
        if (depth != of_case || event != nlohmann::json::parse_event_t::object_end) return true;
        issued.cases[name] = case_of(value);
        return false;
    };
    try {
        const auto head = nlohmann::json::parse(in, take);
        issued.rule_set = head.value("rule_set", std::string());
        issued.weights = head.value("weights", std::string());
    } catch (const nlohmann::json::exception&) {
        return {};
    }
    return issued;
}

void record_issued(RunContext& c, const std::filesystem::path& ranked,
                   const std::map<std::string, Override>& overrides) {
    if (c.executor.options().dry_run || !std::filesystem::exists(ranked)) return;
    const RuleBook book(c);
    const auto weights = weights_hash(book);
    engine::Unit u;
    u.id = c.batch + " issued";
    u.inputs["disturbances"] = engine::hash_file(ranked.string());
    u.inputs["weights"] = weights;
    u.inputs["decisions"] = overrides_hash(overrides);
    const auto file = issued_file(c.store, c.batch), before = issued_before_file(c.store, c.batch);
    u.outputs = {file};
    u.work = [&] {
        auto now = from_layer(c, ranked, overrides);
        now.rule_set = fmt::format("{} {}", book.of_batch().name, book.of_batch().version);
        now.weights = weights;
        const auto old = read_issued(file);
        if (!same_polygons(old, now)) {
            std::error_code ignored;
            std::filesystem::remove(before, ignored);
        } else if (!old.weights.empty() && old.weights != weights) {
            // Gets its name before the new state gets its own: killed between the two, the next run finds the
            // old state where it was.
            io::write_text(before, text_of(old, c.batch));
        }
        io::write_text(file, text_of(now, c.batch));
    };
    c.executor.run("rank", {u});
}

}  // namespace shuibao::pipeline
