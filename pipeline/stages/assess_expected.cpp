// SPDX-License-Identifier: Apache-2.0
#include "assess_expected.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "dictionaries.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::pipeline {
namespace {

// Every word for a verdict → its code.
std::map<std::string, std::string> verdict_codes() {
    std::map<std::string, std::string> codes;
    const auto load = [](const char* name) { return load_dictionary(name); };
    const auto program = load("verdicts"), field = load("feedback");
    for (const auto& list : {program.sections.at("verdicts"), field.sections.at("violations")})
        for (const auto& [code, words] : list) {
            codes.emplace(code, code);
            for (const auto& word : words) codes.emplace(word, code);
        }
    const std::pair<const char*, const char*> others[] = {
        {"lawful", "compliant"}, {"not_works", "not_works"}, {"undecided", "pending"}};
    for (const auto& [section, code] : others) {
        codes.emplace(code, code);
        for (const auto& word : field.values(section, "")) codes.emplace(word, code);
    }
    return codes;
}

struct Expected {
    std::string verdict;
    int line = 0;
};

class ExpectedFile {
  public:
    ExpectedFile(RunContext& c, std::string path) : m_c(c), m_path(std::move(path)) {}

    // truth_id → verdict, in whatever words.
    std::map<std::string, Expected> operator()() {
        std::ifstream in(m_path);
        if (!in)
            throw Error(ErrorCode::input, fmt::format("{} cannot be read.", m_path),
                        "Give a CSV with the columns truth_id and verdict.");
        std::map<std::string, Expected> out;
        std::string line;
        std::size_t id = 0, verdict = 0;
        for (int number = 1; std::getline(in, line); ++number) {
            if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
            if (!line.empty() && line.back() == '\r') line.pop_back();
            const auto cells = cells_of(line);
            if (number == 1) {
                id = column(cells, "truth_id");
                verdict = column(cells, "verdict");
                continue;
            }
            if (line.empty()) continue;
            if (cells.size() <= std::max(id, verdict) || cells[id].empty() || cells[verdict].empty()) {
                tell(number, "incomplete", "The line does not give an object and its verdict.");
                continue;
            }
            const auto [it, fresh] = out.try_emplace(cells[id], Expected{cells[verdict], number});
            if (!fresh)
                tell(number, "twice",
                     fmt::format("The object {} stands in line {} already, which holds.", cells[id],
                                 it->second.line));
        }
        return out;
    }
    void tell(int line, const char* code, const std::string& what, const std::string& hint = {}) {
        m_c.problems.add({"assess",
                          fmt::format("{}:{}", std::filesystem::path(m_path).filename().string(), line), code,
                          what, hint.empty() ? "Correct the line; it counts for nothing." : hint});
    }

  private:
    static std::vector<std::string> cells_of(const std::string& line) {
        std::vector<std::string> cells(1);
        for (const char ch : line)
            if (ch == ',')
                cells.emplace_back();
            else
                cells.back() += ch;
        return cells;
    }
    [[nodiscard]] std::size_t column(const std::vector<std::string>& names, const char* name) const {
        const auto it = std::find(names.begin(), names.end(), name);
        if (it == names.end())
            throw Error(ErrorCode::input,
                        fmt::format("{}:1: the columns truth_id and verdict are missing.", m_path),
                        "Name them in the first line.");
        return static_cast<std::size_t>(it - names.begin());
    }

    RunContext& m_c;
    std::string m_path;
};

std::string known_hint(const std::string& word, const std::map<std::string, std::string>& codes) {
    std::vector<std::string> known;
    for (const auto& [name, code] : codes) known.push_back(name);
    const auto near = nearest_of(word, known);
    return near.empty() ? fmt::format("Known are: {}.", fmt::join(known, ", "))
                        : fmt::format("Did you mean '{}'?", near);
}

}  // namespace

void settle_expected(RunContext& c, const std::string& reference, std::vector<AssessedObject>& truth) {
    const auto codes = verdict_codes();
    const auto field = load_dictionary("feedback");
    std::map<std::string, AssessedObject*> by_id;
    for (auto& t : truth) {
        by_id.emplace(t.id, &t);
        for (const auto& name : field.values("fields", "verdict"))
            if (const auto it = t.fields.find(name); t.verdict.empty() && it != t.fields.end())
                t.verdict = it->second;
    }
    if (c.settings.has("assess.expected")) {
        ExpectedFile file(c, c.settings.path("assess.expected"));
        for (const auto& [id, e] : file()) {
            const auto object = by_id.find(id);
            if (object == by_id.end())
                file.tell(e.line, "unknown_object", fmt::format("The reference has no object {}.", id));
            else if (!codes.contains(e.verdict))
                file.tell(e.line, "verdict", fmt::format("'{}' is no verdict.", e.verdict),
                          known_hint(e.verdict, codes));
            else
                object->second->verdict = e.verdict;
        }
    }
    const auto name = std::filesystem::path(reference).filename().string();
    for (auto& t : truth) {
        if (t.verdict.empty()) continue;
        if (const auto it = codes.find(t.verdict); it != codes.end()) {
            t.verdict = it->second;
            continue;
        }
        c.problems.add({"assess", fmt::format("{}:{}", name, t.row), "verdict",
                        fmt::format("'{}' is no verdict; the object counts without one.", t.verdict),
                        known_hint(t.verdict, codes)});
        t.verdict.clear();
    }
}

}  // namespace shuibao::pipeline
