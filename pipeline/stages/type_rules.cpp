// SPDX-License-Identifier: Apache-2.0
#include "type_rules.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::TypeRule, algorithms::TypeRules;

class Reader {
  public:
    explicit Reader(std::filesystem::path file) : m_file(std::move(file)) {
        try {
            m_root = YAML::LoadFile(m_file.string());
        } catch (const YAML::BadFile&) {
            throw Error(ErrorCode::usage, fmt::format("{} cannot be read.", m_file.string()),
                        "Check delineate.types.");
        } catch (const YAML::Exception& e) {
            throw Error(
                ErrorCode::usage,
                fmt::format("{}:{}: this is not valid YAML: {}.", m_file.string(), e.mark.line + 1, e.msg),
                hint);
        }
        if (!m_root.IsMap() || !m_root["types"] || !m_root["types"].IsMap() || !m_root["rules"] ||
            !m_root["rules"].IsSequence() || !m_root["otherwise"])
            refuse(m_root, "rules of types need types, rules and otherwise.");
        for (const auto& t : m_root["types"]) m_types.push_back(text(t.first));
    }

    [[nodiscard]] TypeRules rules() const {
        TypeRules all;
        for (const auto& t : m_root["types"]) all.words[text(t.first)] = text(t.second);
        all.otherwise = known_type(m_root["otherwise"]);
        for (const auto& n : m_root["rules"]) all.rules.push_back(rule(n));
        return all;
    }

  private:
    [[noreturn]] void refuse(const YAML::Node& at, const std::string& what) const {
        throw Error(ErrorCode::usage, fmt::format("{}:{}: {}", m_file.string(), at.Mark().line + 1, what),
                    hint);
    }
    [[nodiscard]] std::string text(const YAML::Node& n) const {
        if (!n.IsScalar() || n.Scalar().empty()) refuse(n, "a word is missing.");
        return n.Scalar();
    }
    [[nodiscard]] double number(const YAML::Node& n) const {
        double v = 0;
        if (!n.IsScalar() || !YAML::convert<double>::decode(n, v) || !std::isfinite(v))
            refuse(n, "this is no number.");
        return v;
    }
    // Refuses with the nearest of the names there are.
    void known(const YAML::Node& n, const std::string& what, const std::vector<std::string>& names) const {
        const auto name = text(n);
        if (std::find(names.begin(), names.end(), name) != names.end()) return;
        const auto near = nearest_of(name, names);
        refuse(n, fmt::format("there is no {} '{}'{}.", what, name,
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
    [[nodiscard]] std::string known_type(const YAML::Node& n) const {
        known(n, "type", m_types);
        return text(n);
    }
    [[nodiscard]] TypeRule rule(const YAML::Node& n) const {
        if (!n.IsMap() || !n["type"] || !n["because"] || !n["when"] || !n["when"].IsMap())
            refuse(n, "a rule needs type, because and when.");
        TypeRule r;
        for (const auto& part : n)
            known(part.first, "part of a rule", {"type", "because", "when", "most_confidence"});
        r.type = known_type(n["type"]);
        r.because = text(n["because"]);
        if (n["most_confidence"]) r.most_confidence = number(n["most_confidence"]);
        static const auto names = type_input_names();
        for (const auto& c : n["when"]) {
            known(c.first, "input", names);
            TypeRule::Condition condition{text(c.first), {}, {}};
            if (!c.second.IsMap() || c.second.size() == 0)
                refuse(c.first, "a condition is {at_least: number, at_most: number}, or one of the two.");
            for (const auto& bound : c.second) {
                known(bound.first, "bound", {"at_least", "at_most"});
                (text(bound.first) == "at_least" ? condition.least : condition.most) = number(bound.second);
            }
            r.conditions.push_back(std::move(condition));
        }
        if (r.conditions.empty()) refuse(n, "a rule without a condition would hold for everything.");
        return r;
    }

    static constexpr const char* hint = "Compare with configs/objects/types.yaml, which comes with shuibao.";
    std::filesystem::path m_file;
    YAML::Node m_root;
    std::vector<std::string> m_types;
};

}  // namespace

std::vector<std::string> type_input_names() {
    std::vector<std::string> names = {
        "area_m2",     "length_m",    "width_m",      "widest_m",  "elongation",  "fill",      "convexity",
        "built_share", "water_share", "beside_water", "slope_deg", "to_larger_m", "confidence"};
    for (std::size_t k = 0; k < algorithms::measure_count; ++k)
        names.emplace_back(name_of(static_cast<algorithms::Measure>(k)));
    return names;
}

TypeRules load_type_rules(const std::filesystem::path& file) {
    return Reader(file).rules();
}

}  // namespace shuibao::pipeline
