// SPDX-License-Identifier: Apache-2.0
// Which verdict was given for which: the whole table, and what it says of each verdict.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "assess.hpp"

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

constexpr const char* missed = "(not found)";
constexpr const char* extra = "(not in the reference)";

}  // namespace

ordered_json verdict_table(const std::vector<AssessedObject>& truth, const std::vector<AssessedObject>& found,
                           double min_area) {
    std::map<std::string, std::map<std::string, std::size_t>> table;
    std::set<std::string> verdicts;
    for (const auto& t : truth) {
        if (t.area < min_area || t.verdict.empty()) continue;
        const bool seen = t.hit && t.match != nullptr;
        ++table[t.verdict][seen ? t.match->verdict : missed];
        verdicts.insert(t.verdict);
        if (seen) verdicts.insert(t.match->verdict);
    }
    for (const auto& f : found)
        if (f.area >= min_area && !f.hit) {
            ++table[extra][f.verdict];
            verdicts.insert(f.verdict);
        }
    const auto at = [&](const std::string& is, const std::string& said) -> std::size_t {
        const auto row = table.find(is);
        if (row == table.end()) return 0;
        const auto cell = row->second.find(said);
        return cell == row->second.end() ? 0 : cell->second;
    };
    // Agreement is asked of what was found; what was missed or invented stands in recall and precision.
    double n = 0, agreed = 0, by_chance = 0;
    std::map<std::string, double> rows, columns;
    for (const auto& is : verdicts)
        for (const auto& said : verdicts) {
            const auto k = static_cast<double>(at(is, said));
            n += k;
            rows[is] += k;
            columns[said] += k;
            agreed += is == said ? k : 0;
        }
    for (const auto& v : verdicts) by_chance += n > 0 ? rows[v] * columns[v] / (n * n) : 0;
    ordered_json j = {
        {"rows", "what it is"}, {"columns", "what was said"}, {"table", ordered_json::object()}};
    for (const auto& [is, row] : table)
        for (const auto& [said, k] : row) j["table"][is][said] = k;
    for (const auto& v : verdicts) {
        const auto right = static_cast<double>(at(v, v)),
                   said = columns[v] + static_cast<double>(at(extra, v)),
                   is = rows[v] + static_cast<double>(at(v, missed));
        j["by_verdict"][v] = {{"is", is}, {"said", said}, {"right", right}};
        if (said > 0) j["by_verdict"][v]["precision"] = rounded(right / said);
        if (is > 0) j["by_verdict"][v]["recall"] = rounded(right / is);
    }
    if (n > 0) {
        j["accuracy_of_found"] = rounded(agreed / n);
        // Cohen (1960)
        if (by_chance < 1) j["kappa"] = rounded((agreed / n - by_chance) / (1 - by_chance));
    }
    return j;
}

std::string verdict_text(const ordered_json& j) {
    std::vector<std::string> columns;
    for (const auto& [is, row] : j["table"].items())
        for (const auto& [said, k] : row.items())
            if (std::find(columns.begin(), columns.end(), said) == columns.end()) columns.push_back(said);
    std::sort(columns.begin(), columns.end());
    constexpr int first = 24, wide = 17;
    std::string out = fmt::format("{:<{}}", "is \\ said", first);
    for (const auto& c : columns) out += fmt::format("{:>{}}", c, wide);
    out += "\n";
    for (const auto& [is, row] : j["table"].items()) {
        out += fmt::format("{:<{}}", is, first);
        for (const auto& c : columns)
            out += fmt::format("{:>{}}", row.contains(c) ? row[c].get<std::size_t>() : 0, wide);
        out += "\n";
    }
    return out;
}

}  // namespace shuibao::pipeline
