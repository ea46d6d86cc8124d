// SPDX-License-Identifier: Apache-2.0
#include "run_record.hpp"

#include <cmath>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "build_id.hpp"
#include "versions.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;
namespace {

nlohmann::ordered_json json_of(const engine::Problem& p) {
    return {{"stage", p.stage}, {"unit", p.unit}, {"code", p.code}, {"what", p.what}, {"hint", p.hint}};
}

double milliseconds(double seconds) {
    return std::round(seconds * 1000) / 1000;
}

nlohmann::ordered_json json_of(const std::vector<Outcome>& outcomes) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& o : outcomes) list.push_back({{"stage", o.stage}, {"seconds", milliseconds(o.seconds)}});
    return list;
}

nlohmann::ordered_json json_of(const engine::Executor& executor) {
    auto units = nlohmann::ordered_json::object();
    for (const auto& [stage, c] : executor.counts())
        units[stage] = {{"planned", c.planned},
                        {"run", c.run},
                        {"up_to_date", c.skipped},
                        {"failed", c.failed},
                        {"seconds", milliseconds(c.seconds)}};
    return units;
}

// Null for what cannot be read: it may be what has ended the run.
nlohmann::ordered_json hash_of(const fs::path& file) try {
    std::error_code error;
    if (fs::is_directory(file, error)) {
        std::map<std::string, std::string> parts;
        for (fs::recursive_directory_iterator at(file, error), end; !error && at != end; at.increment(error))
            if (at->is_regular_file(error))
                parts[at->path().string()] = engine::hash_file(at->path().string());
        return engine::hash_values(parts);
    }
    if (!fs::is_regular_file(file, error)) return nullptr;
    return engine::hash_file(file.string());
} catch (const Error&) {
    return nullptr;
}

// The files that say how to decide: the program's own (rules, dictionaries, sensors, models, templates), and
// those that the configuration names. Hashes, so that another wording of a rule shows.
void add_files(const engine::Settings& settings, nlohmann::ordered_json& j) {
    constexpr std::uintmax_t largest = 16 << 20;  // larger ones are inputs, hashed where they are read
    for (const auto& [name, file] : engine::config_files_used())
        j["files"]["configs/" + name] = {{"path", file.string()}, {"hash", hash_of(file)}};
    std::error_code error;
    for (const auto& o : settings.table().all())
        if (o.type == OptionType::path && o.changes_result && settings.has(o.key))
            if (const fs::path file = settings.path(o.key);
                fs::is_regular_file(file, error) && fs::file_size(file, error) <= largest)
                j["files"][o.key] = {{"path", file.string()}, {"hash", hash_of(file)}};
}

}  // namespace

nlohmann::ordered_json json_of(const engine::Problems& problems) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& p : problems.sorted()) list.push_back(json_of(p));
    return list;
}

std::optional<engine::Problem> problem_of(const Error& e, const std::string& stage) {
    if (e.code() == ErrorCode::interrupted) return std::nullopt;
    const char* code = e.code() == ErrorCode::usage       ? "usage"
                       : e.code() == ErrorCode::input     ? "input"
                       : e.code() == ErrorCode::temporary ? "temporary"
                                                          : "failed";
    return engine::Problem{stage, "", code, e.what(), e.hint()};
}

nlohmann::ordered_json run_record(const engine::Settings& settings, const pipeline::RunContext& context,
                                  const std::vector<Outcome>& outcomes, const std::string& ended,
                                  const std::optional<engine::Problem>& last) {
    nlohmann::ordered_json j = {
        {"program", build_id}, {"libraries", library_versions()}, {"batch", context.batch}, {"ended", ended}};
    for (const auto& o : settings.table().all())
        if (settings.has(o.key))
            j["config"][o.key] = {{"value", settings.text(o.key)}, {"origin", settings.origin(o.key)}};
    j["inputs"] = context.inputs;
    add_files(settings, j);
    j["stages"] = json_of(outcomes);
    if (auto units = json_of(context.executor); !units.empty()) j["units"] = std::move(units);
    j["problems"] = json_of(context.problems);
    if (last) j["problems"].push_back(json_of(*last));
    j["notes"] = nlohmann::ordered_json::array();
    for (const auto& p : context.notes)
        j["notes"].push_back({{"stage", p.stage}, {"unit", p.unit}, {"code", p.code}, {"what", p.what}});
    j["disclaimer"] =
        "Findings are clues from satellite images, not findings of law (疑似图斑，不作为执法认定依据).";
    return j;
}

nlohmann::ordered_json summary_of(const std::string& verb, const pipeline::RunContext& context,
                                  const std::vector<Outcome>& outcomes) {
    return {{"verb", verb},
            {"batch", context.batch},
            {"store", context.store.root().string()},
            {"output", context.output.string()},
            {"stages", json_of(outcomes)},
            {"units", json_of(context.executor)},
            {"problems", json_of(context.problems)}};
}

nlohmann::ordered_json plan_of(const pipeline::RunContext& context,
                               const std::vector<std::pair<std::string, std::string>>& waiting) {
    nlohmann::ordered_json j = {{"dry_run", true}, {"plan", nlohmann::ordered_json::array()}};
    for (const auto& u : context.executor.plan())
        j["plan"].push_back({{"stage", u.stage},
                             {"unit", u.unit},
                             {"decision", u.run ? "RUN" : "SKIP"},
                             {"reason", u.reason}});
    j["waiting"] = nlohmann::ordered_json::array();
    for (const auto& [stage, file] : waiting) j["waiting"].push_back({{"stage", stage}, {"for", file}});
    j["problems"] = json_of(context.problems);
    return j;
}

}  // namespace shuibao::apps
