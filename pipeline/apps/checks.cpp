// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <filesystem>
#include <ostream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "run_record.hpp"

namespace shuibao::apps {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// Of the disk on which the store lies or would be made.
std::optional<double> free_bytes(std::filesystem::path folder) {
    std::error_code error;
    while (!std::filesystem::exists(folder, error) && folder.has_relative_path())
        folder = folder.parent_path();
    const auto space = std::filesystem::space(folder, error);
    if (error) return std::nullopt;
    return static_cast<double>(space.available);
}

}  // namespace

void check_all(const Stages& stages, const pipeline::RunContext& context, bool json, std::ostream& out) {
    std::ostringstream said;
    pipeline::RunContext c{context.settings, context.store,  context.executor, context.log,
                           context.problems, context.output, context.batch,    json,
                           json ? said : out};
    c.prospect = std::make_shared<pipeline::Prospect>();
    nlohmann::ordered_json plan = {{"valid", true}};
    for (const auto& [name, stage] : stages) {
        stage->check(c);
        plan["stages"][name] = lines_of(said.str());
        said.str({});
    }
    const auto available = free_bytes(context.store.root());
    if (json) {
        plan["batch"] = c.batch;
        if (available) plan["free_bytes"] = *available;
        plan["problems"] = json_of(context.problems);
        out << plan.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
        return;
    }
    if (available)
        out << fmt::format("store: {} in {}\n", fmt::format("{:.1f} GB free", *available / 1e9),
                           context.store.root().string());
    const auto n = context.problems.size();
    out << (n == 0 ? "The configuration is valid.\n"
                   : fmt::format(
                         "The configuration is valid; a run would go on without what {} problem{} tell{}.\n",
                         n, n == 1 ? "" : "s", n == 1 ? "s" : ""));
}

std::shared_ptr<const pipeline::Prospect> foresee(const Stages& stages, const pipeline::RunContext& context) {
    std::ostringstream said;
    pipeline::RunContext c{context.settings,
                           context.store,
                           context.executor,
                           context.log,
                           context.problems,
                           context.output,
                           context.batch,
                           false,
                           said};
    c.prospect = std::make_shared<pipeline::Prospect>();
    for (const auto& [name, stage] : stages) stage->check(c);
    return c.prospect;
}

void check_ahead(const Stages& stages, const pipeline::RunContext& context, std::string& at) {
    engine::Log silent({.level = engine::LogLevel::error});
    engine::Problems dropped(silent);
    std::ostringstream said;
    pipeline::RunContext apart{context.settings, context.store, context.executor,
                               silent,           dropped,       context.output,
                               context.batch,    false,         said};
    for (std::size_t i = 1; i < stages.size(); ++i) {
        at = stages[i].first;
        stages[i].second->check(apart);
    }
    at.clear();
}

}  // namespace shuibao::apps
