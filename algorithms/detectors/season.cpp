// SPDX-License-Identifier: Apache-2.0
// `season`: every look against the looks of the same season in earlier years: the simplest guard against
// fields that are bare twice a year.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "whole_series.hpp"
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double days_per_year = 365.25;
constexpr double bare_index = 0.02;  // as in look_stack.cpp
// Spread of a feature below which no covariance goes: a handful of looks agree by chance (`algorithms.md`
// §2.2, least spread of NDVI, index and brightness).
constexpr std::array<double, feature_count> least_spread{0.04, 0.03, 0.06};

using Vector = Eigen::Matrix<double, feature_count, 1>;
using Matrix = Eigen::Matrix<double, feature_count, feature_count>;

struct Rule {
    double loss = 0, distance = 0;
    std::size_t confirm = 0, of = 0, reference = 0;
};

// What the same season of earlier years showed of a pixel.
struct Baseline {
    std::size_t looks = 0;
    double least = 0;  // NDVI
    Vector mean = Vector::Zero();
    Matrix covariance = Matrix::Zero();
};

class Season final : public FeatureSeries {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Every look against the same weeks of earlier years, as DIST-ALERT does; for comparison";
    }
    [[nodiscard]] std::vector<Option> options() const override {
        return {
            number_option("history_years", "3", "Years before the watched time that are compared with", "a",
                          1, 20),
            number_option("days", "15", "Half width of the season that is compared with", "d", 1, 90),
            number_option("reference", "2", "Clear looks of that season below which a look is not judged", "",
                          1, 50),
            number_option("loss", "0.15",
                          "NDVI that must be lost against the least of that season; algorithm of DIST-ALERT: "
                          "0.15 of cover",
                          "", 0.01, 1),
            number_option("distance", "11.34",
                          "Squared distance from the mean of that season, in its covariance, that a look "
                          "must also reach; the default is χ² of three features at 0.99",
                          "", 0, 1000),
            number_option("confirm", "4", "Looks that must show it; DIST-ALERT: 4", "", 1, 50),
            number_option("of", "6", "… of so many in a row from the first on", "", 1, 100)};
    }

  protected:
    void judge(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
               std::span<Finding> found) const override {
        const auto dates = source.dates();
        const Rule rule{options.at("loss"), options.at("distance"),
                        static_cast<std::size_t>(options.at("confirm")),
                        static_cast<std::size_t>(std::max(options.at("of"), options.at("confirm"))),
                        static_cast<std::size_t>(options.at("reference"))};
        const auto same_season = references(dates, times, options);
        thread_local LookStack stack;
        read(source, found.size(), stack);
        for (std::size_t p = 0; p < found.size(); ++p) {
            const std::int16_t* looks = stack.block(p / lane_count) + p % lane_count;
            const auto look = [&](std::size_t i, std::size_t f) {
                return looks[(i * feature_count + f) * lane_count];
            };
            follow(dates, times, look, same_season, rule, found[p]);
        }
    }

  private:
    // For every watched look, the looks of history that lie in its season.
    static std::vector<std::vector<std::size_t>> references(std::span<const Date> dates,
                                                            const SeriesTimes& times,
                                                            const DetectorOptions& options) {
        const double begin = times.monitor_from.days() - options.at("history_years") * days_per_year;
        std::vector<std::vector<std::size_t>> list(dates.size());
        for (std::size_t i = 0; i < dates.size(); ++i) {
            if (dates[i] < times.monitor_from) continue;
            for (std::size_t h = 0; h < i && dates[h] < times.monitor_from; ++h) {
                if (dates[h].days() < begin) continue;
                const double years = (dates[i].days() - dates[h].days()) / days_per_year;
                if (std::abs(years - std::round(years)) * days_per_year <= options.at("days"))
                    list[i].push_back(h);
            }
        }
        return list;
    }

    template <class Value>
    static Vector vector_of(const Value& look, std::size_t i) {
        Vector x;
        for (std::size_t f = 0; f < feature_count; ++f)
            x[static_cast<Eigen::Index>(f)] = look(i, f) / static_cast<double>(feature_unit);
        return x;
    }

    template <class Value>
    static Baseline baseline(const Value& look, const std::vector<std::size_t>& history) {
        Baseline b;
        b.least = 1;
        for (const std::size_t h : history) {
            if (look(h, 0) == not_seen) continue;
            const Vector x = vector_of(look, h);
            ++b.looks;
            const Vector step = x - b.mean;
            b.mean += step / static_cast<double>(b.looks);
            b.covariance += step * (x - b.mean).transpose();
            b.least = std::min(b.least, x[0]);
        }
        if (b.looks > 1) b.covariance /= static_cast<double>(b.looks - 1);
        for (std::size_t f = 0; f < feature_count; ++f)
            b.covariance(static_cast<Eigen::Index>(f), static_cast<Eigen::Index>(f)) +=
                least_spread[f] * least_spread[f];
        return b;
    }

    // A watched look that could be compared.
    struct Judged {
        std::int32_t day, before;  // before: the one before it, or the last look of history
        double deviations, index;
        bool odd;
    };

    template <class Value>
    static void follow(std::span<const Date> dates, const SeriesTimes& times, const Value& look,
                       const std::vector<std::vector<std::size_t>>& same_season, const Rule& rule,
                       Finding& f) {
        thread_local std::vector<Judged> judged;
        judged.clear();
        std::int32_t before = times.monitor_from.days();  // last look of history, then last judged one
        for (std::size_t i = 0; i < dates.size(); ++i) {
            if (look(i, 0) == not_seen) continue;
            f.last = dates[i].days();
            if (dates[i] < times.monitor_from) {
                before = f.last;
                continue;
            }
            const Baseline b = baseline(look, same_season[i]);
            if (b.looks < rule.reference) continue;
            const Vector x = vector_of(look, i), away = x - b.mean;
            const double distance2 = away.dot(b.covariance.llt().solve(away));
            judged.push_back({f.last, before, std::sqrt(distance2), x[1],
                              b.least - x[0] >= rule.loss && distance2 >= rule.distance});
            before = f.last;
        }
        f.judged = !judged.empty();
        conclude(judged, rule, f);
    }

    // Confirmed when enough looks of a row are odd; taken back when a whole row shows nothing.
    static void conclude(const std::vector<Judged>& looks, const Rule& rule, Finding& f) {
        const auto odd_in = [&](std::size_t from, std::size_t to) {
            return static_cast<std::size_t>(std::count_if(looks.begin() + static_cast<std::ptrdiff_t>(from),
                                                          looks.begin() + static_cast<std::ptrdiff_t>(to),
                                                          [](const Judged& j) { return j.odd; }));
        };
        const auto row_before = [&](std::size_t end) { return end - std::min(end, rule.of); };
        std::size_t first = 0;  // the first odd look of what is going on
        for (std::size_t i = 0; i < looks.size(); ++i) {
            const std::size_t from = row_before(i + 1), odd = odd_in(from, i + 1);
            if (f.alarm > 0 && odd == 0) f.alarm = 0;
            if (f.alarm > 0 || odd < rule.confirm) continue;
            f.alarm = looks[i].day;
            for (first = from; !looks[first].odd;) ++first;
            while (first > 0 && looks[first - 1].odd) --first;
        }
        if (f.alarm == 0)
            for (first = row_before(looks.size()); first < looks.size() && !looks[first].odd;) ++first;
        const std::size_t odd = odd_in(first, looks.size());
        if (odd == 0) return;
        f.ratio = static_cast<double>(odd) / static_cast<double>(rule.confirm);
        f.from = looks[first].before;
        f.to = looks[first].day;
        double index = 0;
        for (std::size_t i = first; i < looks.size(); ++i)
            if (looks[i].odd) {
                f.deviations += looks[i].deviations / static_cast<double>(odd);
                index += looks[i].index / static_cast<double>(odd);
            }
        f.kind = index > bare_index ? ChangeKind::vegetation_to_bare : ChangeKind::vegetation_to_built;
    }
};

const Registration<Detector, Season> registration{"season", 32};

}  // namespace
}  // namespace shuibao::algorithms
