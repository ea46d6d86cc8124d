// SPDX-License-Identifier: Apache-2.0
#include "type_rules.hpp"

#include "yaml_rules.hpp"

namespace shuibao::pipeline {
namespace {

using algorithms::TypeRule, algorithms::TypeRules;

class Reader : YamlRules {
  public:
    explicit Reader(const std::filesystem::path& file)
        : YamlRules(file, "delineate.types",
                    "Compare with configs/objects/types.yaml, which comes with shuibao.") {
        if (!root().IsMap() || !root()["types"] || !root()["types"].IsMap() || !root()["rules"] ||
            !root()["rules"].IsSequence() || !root()["otherwise"])
            refuse(root(), "rules of types need types, rules and otherwise.");
        for (const auto& t : root()["types"]) m_types.push_back(text(t.first));
    }

    [[nodiscard]] TypeRules rules() const {
        TypeRules all;
        for (const auto& t : root()["types"]) all.words[text(t.first)] = text(t.second);
        all.otherwise = known_type(root()["otherwise"]);
        for (const auto& n : root()["rules"]) all.rules.push_back(rule(n));
        return all;
    }

  private:
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

    std::vector<std::string> m_types;
};

}  // namespace

std::vector<std::string> type_input_names() {
    std::vector<std::string> names = {
        "area_m2",     "length_m",    "width_m",      "widest_m",  "elongation",  "fill",      "convexity",
        "built_share", "water_share", "beside_water", "slope_deg", "to_larger_m", "hotspots", "confidence"};
    for (std::size_t k = 0; k < algorithms::measure_count; ++k)
        names.emplace_back(name_of(static_cast<algorithms::Measure>(k)));
    return names;
}

TypeRules load_type_rules(const std::filesystem::path& file) {
    return Reader(file).rules();
}

}  // namespace shuibao::pipeline
