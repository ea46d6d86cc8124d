// SPDX-License-Identifier: Apache-2.0
#include "object_model.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "yaml_rules.hpp"
#include <shuibao/core/change.hpp>

namespace shuibao::pipeline {
namespace {
using algorithms::Measure, algorithms::measure_count, algorithms::ObjectModel;

class Reader : YamlRules {
  public:
    explicit Reader(const std::filesystem::path& file)
        : YamlRules(file, "delineate.objects",
                    "Compare with configs/objects/series.yaml, which comes with shuibao.") {
        for (std::size_t k = 0; k < measure_count; ++k)
            m_names.emplace_back(name_of(static_cast<Measure>(k)));
    }

    ObjectModel model() const {
        const auto& root = YamlRules::root();
        if (!root.IsMap()) refuse(root, "this is no object model.");
        ObjectModel m;
        m.quiet = number(root, "quiet");
        m.likely = number(root, "likely");
        m.least = number(root, "least");
        if (root["beside"]) m.beside = number(root["beside"]);
        if (m.beside < 0) refuse(root["beside"], "beside lies below 0.");
        m.base = number(root, "base");
        const YAML::Node levels = root["levels"], trees = root["trees"];
        if (!levels || !levels.IsSequence() || levels.size() < 1 || levels.size() > 64)
            refuse(root, "levels must list 1 to 64 log-odds.");
        for (const auto& l : levels) {
            m.levels.push_back(number(l));
            if (m.levels.size() > 1 && m.levels[m.levels.size() - 2] >= m.levels.back())
                refuse(l, "levels must ascend.");
        }
        if (m.levels.front() < Change::kept_evidence)
            refuse(levels, fmt::format("no level lies below {}: change maps keep nothing there.",
                                       Change::kept_evidence));
        if (!trees || !trees.IsSequence()) refuse(root, "trees is missing.");
        for (const auto& t : trees) {
            m.trees.emplace_back();
            ask(t, m.trees.back(), 0);
        }
        return m;
    }

  private:
    using YamlRules::number;
    [[nodiscard]] double number(const YAML::Node& root, const char* key) const {
        if (!root[key]) refuse(root, fmt::format("{} is missing.", key));
        return number(root[key]);
    }
    // Adds what `n` says to a tree; returns where it is, as ObjectModel::Tree::Question has it.
    std::int32_t ask(const YAML::Node& n, ObjectModel::Tree& tree, int depth) const {
        constexpr int deepest = 32;
        if (n.IsScalar()) {
            tree.answers.push_back(number(n));
            return -static_cast<std::int32_t>(tree.answers.size());
        }
        if (!n.IsSequence() || n.size() != 4)
            refuse(n,
                   "a tree is [measure, number, what holds if it is at most that, what else]: each of the "
                   "last two "
                   "a number of log-odds or such a list.");
        if (depth == deepest) refuse(n, fmt::format("a tree asks at most {} questions in a row.", deepest));
        const std::size_t mine = tree.questions.size();
        tree.questions.push_back(
            {static_cast<std::uint8_t>(known(n[0], "measure", m_names)), number(n[1]), 0, 0});
        const std::int32_t yes = ask(n[2], tree, depth + 1), no = ask(n[3], tree, depth + 1);
        tree.questions[mine].yes = yes;
        tree.questions[mine].no = no;
        return static_cast<std::int32_t>(mine);
    }

    std::vector<std::string> m_names;
};

}  // namespace

algorithms::ObjectModel load_object_model(const std::filesystem::path& file) {
    return Reader(file).model();
}

}  // namespace shuibao::pipeline
