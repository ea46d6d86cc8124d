// SPDX-License-Identifier: Apache-2.0
#include "overrides.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>
#include <shuibao/core/text.hpp>

namespace shuibao::pipeline {
namespace {

constexpr const char* example =
    "Write e.g. `- {case: 202403-00012, tier: low, by: 张三, date: 2024-04-02, reason: 已核实为临时便道}`.";

class Reader {
  public:
    Reader(const std::filesystem::path& file, const engine::Dictionary& words)
        : m_file(file), m_words(words) {}

    std::map<std::string, Override> operator()() const {
        std::map<std::string, Override> list;
        const auto root = parse();
        if (root.IsNull()) return list;
        if (!root.IsSequence()) refuse(root, "overrides are a list.");
        for (const auto& entry : root) {
            auto [id, decision] = one(entry);
            if (const auto it = list.find(id); it != list.end())
                refuse(entry, fmt::format("case {} stands in line {} already.", id, it->second.line));
            list.emplace(id, std::move(decision));
        }
        return list;
    }

  private:
    [[noreturn]] void refuse(const YAML::Node& at, const std::string& what,
                             const std::string& hint = example) const {
        throw Error(ErrorCode::usage, fmt::format("{}:{}: {}", m_file.string(), at.Mark().line + 1, what),
                    hint);
    }
    [[nodiscard]] YAML::Node parse() const {
        try {
            return YAML::LoadFile(m_file.string());
        } catch (const YAML::BadFile&) {
            throw Error(ErrorCode::usage, fmt::format("{} cannot be read.", m_file.string()),
                        "Check rank.overrides and the file's permissions.");
        } catch (const YAML::Exception& e) {
            throw Error(ErrorCode::usage,
                        fmt::format("{}:{}: this is not YAML: {}.", m_file.string(), e.mark.line + 1, e.msg),
                        example);
        }
    }
    // A dictionary without the section leaves codes as they are.
    [[nodiscard]] std::string code(const char* section, const std::string& text) const {
        return m_words.sections.contains(section) ? m_words.code_of(section, text) : text;
    }
    [[nodiscard]] std::pair<std::string, Override> one(const YAML::Node& entry) const {
        static const std::vector<std::string> keys = {"case", "tier", "verdict", "by", "date", "reason"};
        if (!entry.IsMap()) refuse(entry, "an override is a mapping.");
        std::map<std::string, std::string> values;
        for (const auto& pair : entry) {
            const auto key = pair.first.IsScalar() ? pair.first.Scalar() : std::string();
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                const auto near = nearest_of(key, keys);
                refuse(pair.first, fmt::format("an override has no '{}'.", key),
                       near.empty() ? example : fmt::format("Did you mean '{}'?", near));
            }
            if (!pair.second.IsScalar()) refuse(pair.second, fmt::format("'{}' is no text.", key));
            values[key] = trimmed(pair.second.Scalar());
        }
        for (const char* needed : {"case", "by", "date", "reason"})
            if (values[needed].empty()) refuse(entry, fmt::format("an override needs '{}'.", needed));
        Override o;
        o.line = entry.Mark().line + 1;
        o.by = values["by"];
        o.reason = values["reason"];
        const auto day = Date::parse(values["date"]);
        if (!day) refuse(entry, fmt::format("'{}' is no day.", values["date"]), "Write it as 2024-04-02.");
        o.day = *day;
        if (!values["tier"].empty()) {
            o.tier = algorithms::tier_from_code(code("tiers", values["tier"]));
            if (!o.tier)
                refuse(entry, fmt::format("there is no tier '{}'.", values["tier"]),
                       "Tiers are high, medium, low, none.");
        }
        if (!values["verdict"].empty()) {
            o.verdict = algorithms::verdict_from_code(code("verdicts", values["verdict"]));
            if (!o.verdict)
                refuse(entry, fmt::format("there is no verdict '{}'.", values["verdict"]),
                       "Only suspected verdicts, compliant and pending can be set here; a field check "
                       "confirms.");
        }
        if (!o.tier && !o.verdict) refuse(entry, "an override sets a tier or a verdict.");
        return {values["case"], std::move(o)};
    }

    const std::filesystem::path& m_file;
    const engine::Dictionary& m_words;
};

}  // namespace

std::map<std::string, Override> read_overrides(const std::filesystem::path& file,
                                               const engine::Dictionary& words) {
    return Reader(file, words)();
}

const Override* decision_on(const std::map<std::string, Override>& overrides,
                            const std::vector<std::string>& ids) {
    for (const auto& id : ids)
        if (const auto it = overrides.find(id); it != overrides.end()) return &it->second;
    return nullptr;
}

}  // namespace shuibao::pipeline
