// SPDX-License-Identifier: Apache-2.0
// `mosum`: one index against its own stable history, as bfastmonitor does (Verbesselt et al. 2012, RSE
// 123:98).
#include <algorithm>
#include <cmath>

#include "whole_series.hpp"
#include <shuibao/algorithms/structural_change.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double days_per_year = 365.25;
constexpr double bare_index = 0.02;  // as in look_stack.cpp

class Mosum final : public FeatureSeries {
  public:
    [[nodiscard]] std::string summary() const override {
        return "bfastmonitor (Verbesselt et al. 2012) on one index, anew with every batch; for comparison";
    }
    [[nodiscard]] std::vector<Option> options() const override {
        return {
            number_option("index", "0",
                          "0 = NDVI, which must fall; 1 = index of bare ground, which must rise; 2 = "
                          "brightness, which must rise",
                          "", 0, 2),
            number_option("history_years", "3", "Years before the watched time that are learnt from", "a",
                          0.5, 20),
            number_option("order", "2",
                          "Yearly harmonics of the model; published: 3, which two years of cloudy history "
                          "do not carry (seed 11)",
                          "", 0, 6),
            number_option("trend", "0",
                          "1 = with a trend, as published; 0 = without, because a trend of two years "
                          "leads astray in the third (seed 11)",
                          "", 0, 1),
            number_option("stable", "1",
                          "1 = history from where a CUSUM run backwards is stable, as published; 0 = all of "
                          "it",
                          "", 0, 1),
            number_option("window", "0.25",
                          "Share of the history in the moving window: 0.25, 0.5 or 1; published: 0.25", "",
                          0.25, 1),
            number_option("level", "0.001",
                          "Chance of a false alarm in a time ten times as long as the history, if residuals "
                          "were independent, which they are not; published: 0.05",
                          "", 0.001, 0.05)};
    }

  protected:
    void judge(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
               std::span<Finding> found) const override {
        const auto dates = source.dates();
        const auto feature = static_cast<std::size_t>(options.at("index"));
        const int order = static_cast<int>(options.at("order"));
        const bool trend = options.at("trend") >= 0.5;
        const MonitoringOptions settings{
            .history = options.at("stable") >= 0.5 ? History::stable : History::all,
            .window = options.at("window"),
            .level = options.at("level")};
        // Refuses a window or level without critical value before a pixel is read.
        static_cast<void>(monitoring_critical_value(Fluctuation::mosum, settings.window, settings.level));
        const auto begin = static_cast<std::int32_t>(times.monitor_from.days() -
                                                     options.at("history_years") * days_per_year);
        const auto first_at = [&](std::int32_t day) {
            return static_cast<std::size_t>(std::lower_bound(dates.begin(), dates.end(), Date(day)) -
                                            dates.begin());
        };
        const std::size_t first = first_at(begin), watched = first_at(times.monitor_from.days()) - first;
        std::vector<std::int32_t> days;
        for (const Date d : dates.subspan(first)) days.push_back(d.days());
        Eigen::MatrixXd design = season_trend_design(days, order, trend);
        if (trend)  // looks are not equally far apart: time, not number
            for (Eigen::Index i = 0; i < design.rows(); ++i)
                design(i, 1) =
                    (days[static_cast<std::size_t>(i)] - times.monitor_from.days()) / days_per_year;

        thread_local LookStack stack;
        const FeatureSet& set = read(source, found.size(), stack);
        if (feature >= set.told)
            throw Error(ErrorCode::input,
                        "The looks tell NDVI alone, and detect.mosum.index asks for another index.",
                        "Set detect.mosum.index: 0, or add the bands of the looks.");
        std::vector<double> values(days.size());
        std::vector<Look> seen(days.size());
        for (std::size_t p = 0; p < found.size(); ++p) {
            const std::int16_t* looks = stack.block(p / lane_count) + p % lane_count;
            const auto look = [&](std::size_t i, std::size_t f) {
                return looks[((first + i) * feature_count + f) * lane_count];
            };
            for (std::size_t i = 0; i < days.size(); ++i) {
                seen[i] = look(i, 0) == not_seen ? Look::hidden : Look::clear;
                values[i] = look(i, feature) / static_cast<double>(feature_unit);
                if (seen[i] == Look::hidden) continue;
                found[p].last = days[i];
            }
            const auto result = try_monitor_series(design, values, seen, watched, settings);
            if (!result || result->dates.empty() || result->sigma <= 0) continue;
            conclude(*result, days, seen, settings.window, feature == 0 ? -1 : 1, found[p]);
            if (found[p].ratio > 0) found[p].kind = kind_of(*result, look);
        }
    }

  private:
    static void conclude(const MonitoringResult& r, const std::vector<std::int32_t>& days,
                         const std::vector<Look>& seen, double window, int sign, Finding& f) {
        f.judged = true;
        if (!r.break_date) return;
        const auto at = static_cast<std::size_t>(std::find(r.dates.begin(), r.dates.end(), *r.break_date) -
                                                 r.dates.begin());
        if (r.process[at] * sign < 0) return;  // the other way: greener, or darker
        for (std::size_t i = at; i < r.dates.size(); ++i)
            f.ratio = std::max(f.ratio, r.process[i] * sign / r.boundary[i]);
        f.deviations = std::abs(r.magnitude) / r.sigma;
        f.to = f.alarm = days[*r.break_date];
        // What broke it lies in the moving window; the look before that window is the last before it.
        auto left = static_cast<std::size_t>(window * static_cast<double>(r.history_looks));
        std::size_t i = *r.break_date;
        while (left > 0 && i > r.history_first) left -= seen[--i] == Look::clear ? 1U : 0U;
        f.from = days[i];
    }

    // Bare or built, from what is seen from the break on.
    template <class Value>
    static ChangeKind kind_of(const MonitoringResult& r, const Value& look) {
        double sum = 0, n = 0;
        for (const std::size_t i : r.dates)
            if (i >= *r.break_date) {
                sum += look(i, 1) / static_cast<double>(feature_unit);
                ++n;
            }
        return sum / n > bare_index ? ChangeKind::vegetation_to_bare : ChangeKind::vegetation_to_built;
    }
};

const Registration<Detector, Mosum> registration{"mosum", 31};

}  // namespace
}  // namespace shuibao::algorithms
