// SPDX-License-Identifier: Apache-2.0
// Which states of the ledger are to be made, in which order, from what.
#include "ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace fs = std::filesystem;
namespace {

fs::path state_file(const engine::Store& store, const std::string& batch) {
    return store.batch(batch) / "cases.gpkg";
}

std::string hash_or(const fs::path& file, const char* otherwise) {
    std::error_code error;
    return fs::exists(file, error) ? engine::hash_file(file.string()) : otherwise;
}

// Empty where there is none.
std::string batch_before(const engine::Store& store, const std::string& batch) {
    std::string previous;
    for (const auto& b : screened_batches(store))
        if (b < batch) previous = b;
    return previous;
}

std::string hash_of(const std::vector<FieldRecord>& records) {
    std::string text;
    for (const auto& r : records) text += fmt::format("{} {} {}\n", r.key, r.inside.x, r.inside.y);
    return engine::hash_bytes(text);
}

}  // namespace

std::vector<std::string> screened_batches(const engine::Store& store) {
    std::vector<std::string> batches;
    std::error_code error;
    for (const auto& e : fs::directory_iterator(store.batches(), error))
        if (fs::exists(e.path() / "screened.gpkg", error)) batches.push_back(e.path().filename().string());
    std::sort(batches.begin(), batches.end());
    return batches;
}

std::string ledger_hash(const engine::Store& store, const std::string& batch) {
    return hash_or(state_file(store, batch), "none");
}

std::optional<LedgerState> ledger_of(const engine::Store& store, const std::string& batch, bool shapes) {
    const auto file = state_file(store, batch);
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    return read_ledger_state(file, batch, "", shapes);
}

std::optional<LedgerState> ledger_before(const engine::Store& store, const std::string& batch,
                                         const std::string& crs) {
    const auto previous = batch_before(store, batch);
    const auto file = state_file(store, previous);
    std::error_code error;
    if (previous.empty() || !fs::exists(file, error)) return std::nullopt;
    return read_ledger_state(file, previous, crs, true);
}

void bring_forward(RunContext& c, const std::string& until) {
    const RuleBook book(c);
    const auto dictionary = engine::config_file("dictionaries/disturbances.yaml");
    const auto words = load_dictionary("disturbances");
    const auto all_records = read_field_records(c.store);
    std::string previous;
    for (const auto& batch : screened_batches(c.store)) {
        if (!until.empty() && batch >= until) break;
        const auto input = c.store.batch(batch) / "screened.gpkg", output = state_file(c.store, batch);
        std::vector<FieldRecord> records;
        for (const auto& r : all_records)
            if (r.batch == batch) records.push_back(r);
        engine::Unit u;
        u.id = batch;
        u.inputs = rule_hashes(c);
        u.inputs["dictionary disturbances"] = engine::hash_file(dictionary.string());
        u.inputs["screened"] = engine::hash_file(input.string());
        u.inputs["before"] =
            previous.empty() ? std::string("none") : previous + " " + ledger_hash(c.store, previous);
        u.inputs["feedback"] = hash_of(records);
        if (!previous.empty()) look_at_ground(c, batch, previous);
        const auto ground = previous.empty() ? fs::path() : ground_file(c.store, batch);
        u.inputs["ground"] = previous.empty() ? std::string("none") : hash_or(ground, "none");
        u.outputs = {output};
        u.work = [&] {
            const auto screened = io::read_layer(
                input.string(),
                {.fields = {"case_id", "issuer_id", "verdict", "county", "industry", "change_type",
                            "construction", "completion", "bare_share", "tilled", "confidence", "facts"},
                 .ours = true});
            LedgerState before;
            if (!previous.empty())
                before = read_ledger_state(state_file(c.store, previous), previous, screened.crs, true);
            const auto end = end_of_batch(batch);
            const auto rules = rules_of(book.at(end));
            const auto each = [&](std::size_t n, const std::function<void(std::size_t)>& body) {
                c.executor.parallel_for(n, body);
            };
            LedgerDoubts doubts;
            const auto seen = previous.empty() ? GroundEvidence() : read_ground(ground);
            const auto state =
                step(before, {batch, end, screened, records, rules, words, seen}, each, doubts);
            for (const auto& circle : doubts.circles)
                c.problems.add(
                    {"ledger", batch, "merge_circle", circle,
                     "None of these mergers holds; send one of the rows again with the right HBZ."});
            for (const auto& l : doubts.lost)
                c.problems.add(
                    {"ledger", batch, "lost_check",
                     fmt::format("No polygon of batch {} lies where the field check of {} was made.", batch,
                                 l),
                     "The check is kept; look at what changed in the batch."});
            write_ledger_state(c.executor, output, state);
        };
        c.executor.run("ledger", {u});
        previous = batch;
    }
}

std::vector<algorithms::Checked> checked_cases(const std::optional<LedgerState>& state) {
    std::vector<algorithms::Checked> checked;
    if (state)
        for (const auto& k : state->cases)
            if (k.checked_confidence >= 0) checked.push_back({k.checked_confidence, k.checked_real});
    return checked;
}

algorithms::Calibration calibration_before(const engine::Store& store, const std::string& batch) {
    const auto previous = batch_before(store, batch);
    return algorithms::calibrate(
        checked_cases(previous.empty() ? std::nullopt : ledger_of(store, previous, false)));
}

}  // namespace shuibao::pipeline
