// SPDX-License-Identifier: Apache-2.0
#include "object_model.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "yaml_rules.hpp"
#include <shuibao/algorithms/pixel_score.hpp>
#include <shuibao/core/change.hpp>

namespace shuibao::pipeline {
namespace {
using algorithms::DecisionTree, algorithms::Forest, algorithms::Measure, algorithms::measure_count,
    algorithms::ObjectModel;

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
        if (root["together"]) m.together = number(root["together"]);
        if (m.together < 0) refuse(root["together"], "together lies below 0.");
        m.ndvi_alone_least = m.least;
        if (const YAML::Node alone = root["ndvi_alone"]) {
            if (!alone.IsMap()) refuse(alone, "ndvi_alone needs less and least.");
            m.ndvi_alone_less = number(alone, "less");
            m.ndvi_alone_least = number(alone, "least");
        }
        const YAML::Node levels = root["levels"], pixels = root["pixels"];
        if (!levels || !levels.IsSequence() || levels.size() < 1 || levels.size() > 64)
            refuse(root, "levels must list 1 to 64 log-odds.");
        for (const auto& l : levels) {
            m.levels.push_back(number(l));
            if (m.levels.size() > 1 && m.levels[m.levels.size() - 2] >= m.levels.back())
                refuse(l, "levels must ascend.");
        }
        m.least_evidence = m.levels.front();
        if (pixels) {
            if (!pixels.IsMap())
                refuse(pixels, "pixels is no model: it needs least_evidence, base and trees.");
            m.least_evidence = number(pixels, "least_evidence");
            m.pixels = forest(pixels, algorithms::PixelScore::names());
            if (const YAML::Node again = pixels["again"]) {
                if (!again.IsMap()) refuse(again, "pixels.again is no model: it needs base and trees.");
                m.pixels_again = forest(again, algorithms::PixelScore::names_again());
            }
            const double most = (Change::unobserved - 1 - Change::evidence_zero) / Change::evidence_per_unit;
            if (m.levels.front() < -most) refuse(levels, fmt::format("no level lies below {}.", -most));
        }
        if (m.least_evidence < Change::kept_evidence)
            refuse(pixels ? pixels["least_evidence"] : levels,
                   fmt::format("no level lies below {}: change maps keep nothing there.",
                               Change::kept_evidence));
        m.objects = forest(root, m_names);
        return m;
    }

  private:
    using YamlRules::number;
    [[nodiscard]] double number(const YAML::Node& root, const char* key) const {
        if (!root[key]) refuse(root, fmt::format("{} is missing.", key));
        return number(root[key]);
    }
    [[nodiscard]] Forest forest(const YAML::Node& n, const std::vector<std::string>& names) const {
        Forest f;
        f.base = number(n, "base");
        const YAML::Node trees = n["trees"];
        if (!trees || !trees.IsSequence()) refuse(n, "trees is missing.");
        for (const auto& t : trees) {
            f.trees.emplace_back();
            ask(t, names, f.trees.back(), 0);
        }
        if (const YAML::Node hopeless = n["hopeless"]) {
            if (!hopeless.IsSequence() || hopeless.size() != 2)
                refuse(hopeless,
                       "hopeless is [a number of trees, the log-odds that must be reached by then].");
            const double after = number(hopeless[0]);
            if (after < 1 || after > static_cast<double>(f.trees.size()) || after != std::floor(after))
                refuse(hopeless[0], fmt::format("hopeless counts some of the {} trees.", f.trees.size()));
            f.hopeless_after = static_cast<std::size_t>(after);
            f.hopeless = number(hopeless[1]);
        }
        return f;
    }
    // Adds what `n` says to a tree; returns where it is, as DecisionTree::Question has it.
    std::int32_t ask(const YAML::Node& n, const std::vector<std::string>& names, DecisionTree& tree,
                     int depth) const {
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
            {static_cast<std::uint8_t>(known(n[0], "measure", names)), number(n[1]), 0, 0});
        const std::int32_t yes = ask(n[2], names, tree, depth + 1), no = ask(n[3], names, tree, depth + 1);
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
