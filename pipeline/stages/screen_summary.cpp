// SPDX-License-Identifier: Apache-2.0
#include "screen_summary.hpp"

#include <fstream>
#include <map>

#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {

nlohmann::ordered_json layers_used(const RunContext& c, const std::string& disturbances,
                                   const std::string& hash) {
    auto list = nlohmann::ordered_json::array();
    const auto add = [&](const std::string& what, const std::string& path, const std::string& content) {
        list.push_back(
            {{"layer", what}, {"file", std::filesystem::path(path).filename().string()}, {"hash", content}});
    };
    add("disturbances", disturbances, hash);
    const auto given = [&](const std::string& what, const std::string& path) {
        if (const auto it = c.inputs.find(path); it != c.inputs.end()) add(what, path, it->second);
    };
    if (c.settings.text("approvals.path") != "none") given("approvals", c.settings.path("approvals.path"));
    for (const auto& [kind, path] : c.settings.path_map("zones.layers")) given(kind, path);
    if (c.settings.has("screen.clues")) given("clues", c.settings.path("screen.clues"));
    for (const auto& [what, path] : ground_files(c)) given(what, path);
    return list;
}

void write_screen_summary(const std::filesystem::path& path, const std::vector<Case>& cases,
                          const RuleBook& book, const RangeSummary& ranges,
                          const std::vector<engine::Problem>& missing, const nlohmann::ordered_json& layers) {
    nlohmann::ordered_json j = {{"cases", cases.size()}, {"rule_sets", nlohmann::ordered_json::array()}};
    std::map<std::string, std::size_t> verdicts, flags, by_set, erosion, methods;
    for (const auto& k : cases) {
        ++verdicts[std::string(algorithms::verdict_code(k.judgement.verdict))];
        for (const auto& f : k.judgement.flags) ++flags[f.code];
        ++by_set[k.law->name];
        if (const auto& e = k.ground.erosion) {
            ++erosion[std::string(algorithms::erosion_code(e->intensity))];
            ++methods[e->method];
        }
    }
    for (const auto& s : book.sets())
        if (by_set[s.name] > 0)
            j["rule_sets"].push_back({{"name", s.name},
                                      {"version", s.version},
                                      {"valid_from", s.valid_from.iso()},
                                      {"cases", by_set[s.name]}});
    j["verdicts"] = verdicts;
    if (!erosion.empty()) j["erosion"] = {{"classes", erosion}, {"methods", methods}};
    for (const auto& p : missing)
        j["missing"].push_back({{"unit", p.unit}, {"code", p.code}, {"what", p.what}, {"hint", p.hint}});
    j["flags"] = flags;
    j["layers"] = layers;
    if (ranges.known) {
        const auto& approvals = ranges.approvals;
        std::map<std::string, std::size_t> states;
        for (std::size_t i = 0; i < approvals.projects.size(); ++i)
            ++states[range_state(approvals.projects[i], ranges.looks[i], ranges.rules)];
        j["approvals"] = {{"projects_with_range", approvals.projects.size()},
                          {"projects_without_range", approvals.without_range},
                          {"share_with_range", approvals.share_with_range()},
                          {"range_states", states}};
    }
    io::write_text(path, j.dump(1) + "\n");
}

void tell_missing(RunContext& c, const std::filesystem::path& summary) {
    std::ifstream in(summary);
    const auto j = nlohmann::json::parse(in, nullptr, false);
    if (!j.is_object() || !j.contains("missing")) return;
    for (const auto& m : j["missing"]) {
        const engine::Problem p{"screen", m.value("unit", ""), m.value("code", ""), m.value("what", ""),
                                m.value("hint", "")};
        if (p.code != "no_data") {
            c.problems.add(p);
            continue;
        }
        c.notes.push_back(p);
        c.log.write(engine::LogLevel::warn, p.what, "screen", p.unit);
    }
}

}  // namespace shuibao::pipeline
