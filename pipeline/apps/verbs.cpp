// SPDX-License-Identifier: Apache-2.0
#include "verbs.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <map>
#include <ostream>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/date.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/manifest.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::apps {
namespace fs = std::filesystem;
namespace {

std::string wrapped(const std::string& text, const std::string& indent) {
    std::string out, line;
    for (std::size_t at = 0; at < text.size();) {
        const auto space = std::min(text.find(' ', at), text.size());
        const std::string word = text.substr(at, space - at);
        if (!line.empty() && line.size() + 1 + word.size() > 96) {
            out += indent + "# " + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
        at = space + 1;
    }
    return out + indent + "# " + line + "\n";
}

// Calls leaf(option, depth) and section(name, depth) in document order; sections are opened once.
template <class Section, class Leaf>
void in_sections(const OptionTable& table, Section section, Leaf leaf) {
    std::vector<std::string>
        order;  // top-level names in the order of declaration, so that one section is one place
    std::map<std::string, std::vector<const Option*>> by_top;
    for (const auto& o : table.all()) {
        const std::string top = o.key.substr(0, o.key.find('.'));
        if (!by_top.contains(top)) order.push_back(top);
        by_top[top].push_back(&o);
    }
    for (const auto& top : order) {
        std::set<std::string> open;
        for (const Option* o : by_top[top]) {
            int depth = 0;
            for (auto dot = o->key.find('.'); dot != std::string::npos; dot = o->key.find('.', dot + 1)) {
                const std::string prefix = o->key.substr(0, dot);
                if (open.insert(prefix).second) section(prefix.substr(prefix.rfind('.') + 1), depth);
                ++depth;
            }
            leaf(*o, depth);
        }
    }
}

// Counts of the ledger, and what should have been done by now: the only place that asks what day it is.
nlohmann::ordered_json ledger_status(const fs::path& summary) {
    std::ifstream in(summary);
    const auto j = in ? nlohmann::ordered_json::parse(in, nullptr, false) : nlohmann::ordered_json();
    if (!j.is_object() || !j.contains("states") || !j.contains("due")) return {};
    nlohmann::ordered_json out = {{"batch", j.value("batch", std::string())},
                                  {"cases", j.value("cases", 0)},
                                  {"seen", j.value("seen", 0)},
                                  {"states", j["states"]},
                                  {"overdue", nlohmann::ordered_json::array()}};
    constexpr int day = 24 * 3600;
    const auto today = Date(static_cast<std::int32_t>(std::time(nullptr) / day)).iso();
    for (const auto& d : j["due"])
        if (d.value("due", today) < today) out["overdue"].push_back(d);
    return out;
}

std::string ledger_lines(const nlohmann::ordered_json& j) {
    std::string states;
    for (const auto& [state, n] : j["states"].items())
        states += fmt::format("{}{} {}", states.empty() ? "" : ", ", state, n.get<std::size_t>());
    auto text = fmt::format("ledger    {} cases: {}\n", j["cases"].get<std::size_t>(), states);
    const auto& overdue = j["overdue"];
    text += fmt::format("overdue   {}\n", overdue.size());
    constexpr std::size_t shown = 10;
    for (std::size_t i = 0; i < std::min(shown, overdue.size()); ++i)
        text += fmt::format(
            "          {} ({}) since {}{}\n", overdue[i].value("case", std::string()),
            overdue[i].value("state", std::string()), overdue[i].value("due", std::string()),
            overdue[i].contains("county") ? ", " + overdue[i].value("county", std::string()) : std::string());
    if (overdue.size() > shown)
        text += fmt::format("          and {} more: --json lists all\n", overdue.size() - shown);
    return text;
}

nlohmann::ordered_json value_of(const engine::Settings& settings, const Option& o) {
    if (o.type == OptionType::path) return settings.path(o.key);
    const bool many = o.type == OptionType::path_list || o.type == OptionType::list;
    if (many && settings.has(o.key)) return settings.list(o.key);
    return settings.text(o.key);
}

}  // namespace

std::string commented_config(const OptionTable& table) {
    std::string text =
        "# shuibao configuration. Every key is optional unless it says otherwise; what stands behind '#' is "
        "the default.\n"
        "# Relative paths start from the folder of this file. `shuibao check` validates it.\n";
    in_sections(
        table,
        [&](const std::string& name, int depth) {
            text += fmt::format("{}{:{}}{}:\n", depth == 0 ? "\n" : "", "", 2 * depth, name);
        },
        [&](const Option& o, int depth) {
            const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
            std::string help = o.help;
            if (!o.unit.empty()) help += " Unit: " + o.unit + ".";
            if (!o.choices.empty()) help += fmt::format(" One of: {}.", fmt::join(o.choices, ", "));
            text += (depth == 0 ? "\n" : "") + wrapped(help, indent);
            text += fmt::format("{}#{}: {}\n", indent, o.key.substr(o.key.rfind('.') + 1), o.fallback);
        });
    return text;
}

std::string resolved_config(const engine::Settings& settings, bool origins) {
    std::string text;
    in_sections(
        settings.table(),
        [&](const std::string& name, int depth) { text += fmt::format("{:{}}{}:\n", "", 2 * depth, name); },
        [&](const Option& o, int depth) {
            const auto value = value_of(settings, o);
            text += fmt::format("{:{}}{}: {}{}\n", "", 2 * depth, o.key.substr(o.key.rfind('.') + 1),
                                value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                                origins ? "  # " + settings.origin(o.key) : std::string());
        });
    return text;
}

std::string resolved_config_json(const engine::Settings& settings) {
    nlohmann::ordered_json j = nlohmann::ordered_json::object();
    for (const auto& o : settings.table().all())
        j[o.key] = {{"value", value_of(settings, o)}, {"origin", settings.origin(o.key)}};
    return j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void print_status(const engine::Store& store, bool json, std::ostream& out) {
    std::error_code error;
    if (!fs::exists(store.root(), error))
        throw Error(ErrorCode::usage, "There is no store at " + store.root().string() + ".",
                    "Give it with --store or in the configuration; `shuibao run` makes one.");
    nlohmann::ordered_json j = {{"store", store.root().string()}};
    for (const auto& name : engine::recorded_stages(store)) {
        const engine::StageManifest manifest(store.manifest(), name, 0, 1);
        std::size_t done = 0, missing = 0;
        for (const auto& [unit, entry] : manifest.entries())
            if (!entry.key.empty()) {
                ++done;
                for (const auto& [path, size] : entry.outputs)
                    missing += !size || fs::exists(path, error) ? 0U : 1U;
            }
        j["stages"][name] = {{"units_done", done}, {"outputs_missing", missing}};
    }
    std::set<std::string> batches;
    for (const auto& entry : fs::directory_iterator(store.batches(), error))
        batches.insert(entry.path().filename().string());
    j["batches"] = batches;
    if (std::ifstream scenes(store.scenes_file()); scenes) {
        const auto s = nlohmann::json::parse(scenes, nullptr, false);
        if (s.is_object()) {
            j["scenes"] = s.value("scenes", nlohmann::json::array()).size();
            j["rejected"] = s.value("rejected", nlohmann::json::array()).size();
        }
    }
    if (!batches.empty()) {
        std::ifstream screened(store.batch(*batches.rbegin()) / "screened.json");
        const auto s = nlohmann::ordered_json::parse(screened, nullptr, false);
        if (s.is_object() && s.contains("approvals")) j["approvals"] = s["approvals"];
    }
    if (auto ledger = ledger_status(store.ledger_summary_file()); !ledger.is_null())
        j["ledger"] = std::move(ledger);
    const auto holder = engine::store_holder(store);
    j["in_use"] = holder.has_value();
    if (holder) j["holder"] = *holder;
    if (json) {
        out << j.dump(1) << "\n";
        return;
    }
    out << "store     " << store.root().string() << "\n";
    if (j.contains("scenes"))
        out << fmt::format("scenes    {} accepted, {} set aside\n", j["scenes"].get<int>(),
                           j["rejected"].get<int>());
    // Only stages that can be called by name; --json tells the parts of their work as well.
    for (const auto& entry : pipeline::StageRegistry::all()) {
        if (!j.contains("stages") || !j["stages"].contains(entry.name)) continue;
        const auto& s = j["stages"][entry.name];
        out << fmt::format("{:<10}{} units done{}\n", entry.name, s["units_done"].get<int>(),
                           s["outputs_missing"].get<int>() > 0
                               ? fmt::format(", {} outputs missing", s["outputs_missing"].get<int>())
                               : std::string());
    }
    out << fmt::format("batches   {}\n", fmt::join(batches, ", "));
    if (j.contains("approvals"))
        out << fmt::format("ranges    {:.0f} % of the approved projects have one, {} do not\n",
                           100 * j["approvals"].value("share_with_range", 0.0),
                           j["approvals"].value("projects_without_range", 0));
    if (j.contains("ledger")) out << ledger_lines(j["ledger"]);
    out << (j["in_use"].get<bool>() ? "in use    " + j["holder"].get<std::string>()
                                    : std::string("in use    no"))
        << "\n";
}

}  // namespace shuibao::apps
