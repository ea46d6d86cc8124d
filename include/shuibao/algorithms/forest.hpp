// SPDX-License-Identifier: Apache-2.0
// Sums of small decision trees, as boosting learns them (Friedman 2001, Annals of Statistics 29).
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace shuibao::algorithms {

/// Questions, each of which leads to another or to an answer.
struct DecisionTree {
    struct Question {
        std::uint8_t at = 0;             ///< which of the values
        double than = 0;                 ///< is it at most this?
        std::int32_t yes = -1, no = -1;  ///< the next question; below 0: answer −1 − this
    };
    std::vector<Question> questions;  ///< the first is asked first; none: the first answer holds
    std::vector<double> answers;      ///< log-odds

    [[nodiscard]] double answer(std::span<const double> values) const {
        std::int32_t next = questions.empty() ? -1 : 0;
        while (next >= 0) {
            const Question& q = questions[static_cast<std::size_t>(next)];
            next = values[q.at] <= q.than ? q.yes : q.no;
        }
        return answers[static_cast<std::size_t>(-1 - next)];
    }
};

struct Forest {
    double base = 0;  ///< log-odds before anything is asked
    std::vector<DecisionTree> trees;
    /// What has less than `hopeless` after this many trees is not asked further: most pixels are nothing, and
    /// that soon shows.
    std::size_t hopeless_after = 0;
    double hopeless = 0;

    [[nodiscard]] double log_odds(std::span<const double> values) const {
        double of_one = 0;
        log_odds(values, {&of_one, 1});
        return of_one;
    }
    /// The same of several, whose values lie one after the other: a tree is asked by all before the next,
    /// since hundreds of them do not fit into the nearest cache.
    void log_odds(std::span<const double> values, std::span<double> of_each) const {
        if (of_each.empty()) return;
        const std::size_t count = values.size() / of_each.size();
        std::vector<std::size_t> asked(of_each.size());
        std::iota(asked.begin(), asked.end(), std::size_t{0});
        for (double& sum : of_each) sum = base;
        for (std::size_t t = 0; t < trees.size(); ++t) {
            if (t > 0 && t == hopeless_after)
                std::erase_if(asked, [&](std::size_t i) { return of_each[i] < hopeless; });
            for (const std::size_t i : asked) of_each[i] += trees[t].answer(values.subspan(i * count, count));
        }
    }
};

}  // namespace shuibao::algorithms
