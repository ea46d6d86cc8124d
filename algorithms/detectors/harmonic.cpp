// SPDX-License-Identifier: Apache-2.0
// `harmonic`: every pixel against its own seasons, its own bare soil and the chance that a field is skipped.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "harmonic_account.hpp"
#include "harmonic_history.hpp"
#include "harmonic_model.hpp"
#include "harmonic_state.hpp"
#include <shuibao/algorithms/detector.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/registry.hpp>

namespace shuibao::algorithms {
namespace {
using namespace harmonic_state;

// Models are learnt anew every year after the first watched day, from what then lies behind; which year a
// model is of is kept with it, counted from 1.
std::int32_t epoch_of(Date day, Date monitor_from) {
    if (day < monitor_from) return 0;
    return 1 + static_cast<std::int32_t>((day.days() - monitor_from.days()) / days_per_year);
}
Date epoch_start(std::int32_t epoch, Date monitor_from) {
    return Date(monitor_from.days() + static_cast<std::int32_t>(std::ceil((epoch - 1) * days_per_year)));
}

HarmonicOptions kernel_options(const DetectorOptions& o) {
    const auto f = [&](const char* key) { return static_cast<float>(o.at(key)); };
    HarmonicOptions k;
    k.least_looks = static_cast<int>(o.at("least_looks"));
    k.field_skip = f("field_skip");
    k.wild_skip = f("wild_skip");
    k.fallow_days = f("fallow_days");
    k.watch = f("watch");
    k.suspect = f("suspect");
    k.confirm = f("confirm");
    return k;
}

// Onset between the looks: P(gap j) ∝ length · exp(evidence of all looks after it); the smallest run of gaps
// around the likeliest that holds 90 % (`algorithms.md` §2.2).
struct Interval {
    std::int32_t from, to;
};

Interval onset_of(const PixelTrack& t, std::size_t l) {
    constexpr double wanted = 0.9;
    const auto n = static_cast<std::size_t>(t.run[l]);
    std::array<std::int32_t, PixelTrack::ring_size + 1> day{};
    day[0] = t.before[l];
    day[1] = t.first[l];
    for (std::size_t k = 1; k < n; ++k) day[k + 1] = day[k] + t.ring_days[k][l];
    std::array<double, PixelTrack::ring_size> weight{};
    double tail = 0, sum = 0;
    for (std::size_t k = n; k-- > 0;) {
        tail += static_cast<double>(t.ring_evidence[k][l]) / PixelTrack::ring_unit;
        weight[k] = tail;
    }
    const double top = *std::max_element(weight.begin(), weight.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t k = 0; k < n; ++k)
        sum += weight[k] = std::exp(weight[k] - top) * std::max(1, day[k + 1] - day[k]);
    auto low = static_cast<std::size_t>(
        std::max_element(weight.begin(), weight.begin() + static_cast<std::ptrdiff_t>(n)) - weight.begin());
    std::size_t high = low;
    for (double held = weight[low]; held < wanted * sum;) {
        const double left = low > 0 ? weight[low - 1] : -1, right = high + 1 < n ? weight[high + 1] : -1;
        if (left < 0 && right < 0) break;
        held += left >= right ? weight[--low] : weight[++high];
    }
    return {day[low], day[high + 1]};
}

// Below it a field alone says nothing; beside ground that was the same until then it may.
constexpr double least_told = 0.8;

double level_of(const PixelTrack& t, std::size_t l) {
    return std::max(t.material[l], t.persistence[l]) / static_cast<double>(PixelTrack::statistic_unit);
}

// Log-odds of a level of the statistic. Below even they fall so that watched pixels just join an object
// that grows: a season left out alone brings a pixel there, and so does a site in the same season.
double log_odds_of(double level, double even, double watch) {
    constexpr double above = 0.16, joins = -1.213;
    const double slope = level < even && watch < even ? -joins / (even - watch) : above;
    return slope * (level - even);
}

// Makes a change map, one vector of pixels after the other.
class Teller {
  public:
    Teller(const Window& window, const SeriesTimes& times, const DetectorOptions& options, Change& change)
        : m_change(change),
          m_history(times.report_to),
          m_report_from(times.report_from.days()),
          m_even(options.at("even_level")),
          m_watch(options.at("watch")) {
        change.reset(window);
        change.history.resize(window);
    }

    // Of the first `n` lanes, whose pixels begin at `from`.
    void tell(const PixelModel& m, const PixelTrack& t, std::size_t n, std::size_t from) {
        m_history.tell(m, t, n, m_change.history, from);
        for (std::size_t l = 0; l < n; ++l) tell_pixel(m, t, l, from + l);
    }

  private:
    void tell_pixel(const PixelModel& m, const PixelTrack& t, std::size_t l, std::size_t i) {
        const auto ground = m.ground[l];
        if (ground == static_cast<std::int32_t>(Ground::water)) m_change.history.set_water(i);
        if (ground == static_cast<std::int32_t>(Ground::unknown) || t.last[l] < m_report_from)
            return;  // stays unobserved
        m_change.evidence[i] = Change::no_evidence;
        if (t.run[l] == 0 || level_of(t, l) < least_told) return;
        const double log_odds = log_odds_of(level_of(t, l), m_even, m_watch);
        if (log_odds < Change::kept_evidence) return;
        const double ndvi = (t.mean_ndvi[l] - 100) / 100.0, index = (t.mean_index[l] - 100) / 100.0,
                     usual = m.terms[0][0][l] / static_cast<double>(feature_unit),
                     deviation = std::max(m.spread[0][l], 1) / static_cast<double>(feature_unit);
        m_change.set(i, log_odds, std::abs(usual - ndvi) / deviation);
        const Interval onset = onset_of(t, l);
        const auto day = [](std::int32_t d) { return static_cast<std::uint16_t>(std::clamp(d, 1, 65534)); };
        m_change.onset_from[i] = day(onset.from);
        m_change.onset_to[i] = day(onset.to);
        m_change.kind[i] = t.status[l] == static_cast<std::int32_t>(Status::built) ? ChangeKind::bare_to_built
                           : index > 0.02 ? ChangeKind::vegetation_to_bare
                                          : ChangeKind::vegetation_to_built;
    }

    Change& m_change;
    HistoryTeller m_history;
    std::int32_t m_report_from;
    double m_even, m_watch;
};

SHUIBAO_LANES void unpack(const Packed& packed, PixelModel& model, PixelTrack& track) {
    packed.fetch_ahead();
    packed.read(model);
    packed.read(track);
}
SHUIBAO_LANES void pack(const PixelTrack& track, const Packed& packed) {
    packed.write(track);
}

class Harmonic final : public SeriesDetector {
  public:
    [[nodiscard]] std::string summary() const override {
        return "Every pixel against its own seasons, soil and fallow, through all dates (default for series)";
    }
    [[nodiscard]] DetectorNeeds needs() const override {
        DetectorNeeds n;
        n.required = visible_features().bands;
        n.or_else = {swir_features().bands, ndvi_alone().bands};
        n.all_common = true;
        n.mixes = swir_features().bands;
        n.min_dates = 12;
        n.max_dates = 0;
        n.tells_history = true;
        n.state_bytes_per_pixel = plane_count * sizeof(std::uint16_t);
        return n;
    }
    [[nodiscard]] std::vector<Option> options() const override {
        return {
            number_option("history_years", "3",
                          "Years before the watched time that a pixel's model is learnt from", "a", 0.5, 10),
            number_option("least_looks", "10", "Clear looks of history below which a pixel is not judged", "",
                          6, 200),
            number_option(
                "field_skip", "0.1",
                "Chance that a field, ground that history saw bare in the warm months, is left bare for a "
                "season",
                "", 0.001, 0.9),
            number_option("wild_skip", "0.006", "The same for other ground: woods, orchards, grass", "",
                          0.0001, 0.9),
            number_option("fallow_days", "400",
                          "Time for which a field stays what it was outside its bare season", "d", 1, 4000),
            number_option("watch", "3", "Cumulative log-likelihood ratio at which a pixel is watched", "",
                          0.5, 30),
            number_option("suspect", "4", "The same at which it is suspected", "", 0.5, 30),
            number_option(
                "even_level", "16",
                "The same at which a pixel is as likely a site as not; on simulated series (seeds 11 to "
                "16) three of four objects with three such pixels are sites",
                "", 1, 40),
            number_option("confirm", "10", "The same at which it is confirmed", "", 0.5, 40),
        };
    }
    [[nodiscard]] std::vector<Band> bands(std::span<const Band> common) const override {
        return features_for(common).bands;
    }
    [[nodiscard]] std::vector<std::string> state_bands() const override {
        std::vector<std::string> names;
        const std::array<const char*, feature_count> feature = {"greenness", "soil_index", "brightness"};
        for (const char* f : feature) {
            names.push_back(std::string(f) + "_mean");
            for (const char* wave : {"cos1", "sin1", "cos2"})  // each with four bits of sin2
                names.push_back(std::string(f) + "_" + wave + "_sin2");
        }
        for (std::size_t i = 0; i < month_count / 4; ++i)
            names.push_back("greenest_" + std::to_string(i + 1));
        names.emplace_back("greenness_soil_index_spread");
        names.emplace_back("brightness_spread_mean_index");
        for (const char* f : feature) names.push_back(std::string(f) + "_own_soil");
        names.emplace_back("soil_looks_ground");
        for (std::size_t i = 0; i < month_count / 4; ++i)
            names.push_back("leverage_" + std::to_string(i + 1));
        for (std::size_t i = 0; i < half_months / 4; ++i)
            names.push_back("bare_share_" + std::to_string(i + 1));
        for (const char* n : {"material", "persistence", "before", "first", "last", "skip_run",
                              "status_greens", "alarm", "looks_epoch"})
            names.emplace_back(n);
        for (std::size_t i = 0; i < 3; ++i) names.push_back("recent_" + std::to_string(i + 1));
        for (std::size_t i = 0; i < PixelTrack::ring_size; ++i)
            names.push_back("ring_" + std::to_string(i + 1));
        return names;
    }

    [[nodiscard]] bool alters_with_looks(std::size_t plane) const override {
        return (plane >= greenest && plane < spread) || plane == spread + 1 ||
               (plane >= material && plane != looks_epoch);
    }

    void advance(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
                 DetectorState& state) const override {
        (void)go_on(source, times, options, state, nullptr);
    }

    void report(const DetectorState& state, const SeriesTimes& times, const DetectorOptions& options,
                Change& change) const override {
        Teller teller(state.window, times, options, change);
        PixelTrack t;
        PixelModel m;
        DetectorState& planes = const_cast<DetectorState&>(state);  // Packed reads only here
        const auto pixels = static_cast<std::size_t>(state.window.pixels());
        for (std::size_t from = 0; from < pixels; from += lane_count) {
            const Packed packed{planes, from, std::min(lane_count, pixels - from)};
            packed.read(t);
            packed.read_told(m);
            teller.tell(m, t, packed.n, from);
        }
    }

    void advance_and_report(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
                            DetectorState& state, Change& change) const override {
        Teller teller(state.window, times, options, change);
        if (!go_on(source, times, options, state, &teller)) report(state, times, options, change);
    }

    [[nodiscard]] double power(std::span<const Date> clear, std::span<const Band> bands,
                               const DetectorOptions& options) const override {
        return power_of(clear, features_for(bands), kernel_options(options), options.at("even_level"));
    }
    [[nodiscard]] std::vector<std::string> features(std::span<const Band> bands) const override {
        return feature_names(features_for(bands));
    }
    [[nodiscard]] std::vector<double> measure(const Image& image, std::size_t pixel,
                                              std::span<const Band> series) const override {
        return features_of(image, pixel, features_for(series));
    }
    [[nodiscard]] std::vector<Level> levels(const DetectorOptions& options) const override {
        std::vector<Level> list;
        for (const char* name : {"watch", "suspect", "confirm", "even_level"})
            list.push_back({name, options.at(name)});
        std::stable_sort(list.begin(), list.end(),
                         [](const Level& a, const Level& b) { return a.value < b.value; });
        return list;
    }
    [[nodiscard]] SeriesAccount account(const DetectorState& state, std::size_t pixel, Date day,
                                        std::span<const Band> series,
                                        const DetectorOptions& options) const override {
        PixelModel m;
        PixelTrack t;
        const Packed packed{const_cast<DetectorState&>(state), pixel, 1};  // reads only here
        packed.read(m);
        packed.read(t);
        if (low_of(packed.at(looks_epoch, 0)) == 0) return {};
        SeriesAccount a = account_of(m, t, 0, day, features_for(series));
        a.log_odds = log_odds_of(a.statistic, options.at("even_level"), options.at("watch"));
        if (t.run[0] > 0) {
            const Interval onset = onset_of(t, 0);
            a.onset_from = Date(onset.from);
            a.onset_to = Date(onset.to);
        }
        return a;
    }

  private:
    static constexpr std::size_t most_at_once = 64;

    static Date history_begin(std::int32_t epoch, const SeriesTimes& times, const DetectorOptions& options) {
        const auto years = static_cast<std::int32_t>(options.at("history_years") * days_per_year);
        return Date(epoch_start(epoch, times.monitor_from).days() - years);
    }

    // Brings a state forward; true when `teller` has told every pixel of it.
    static bool go_on(LookSource& source, const SeriesTimes& times, const DetectorOptions& options,
                      DetectorState& state, Teller* teller) {
        const auto dates = source.dates();
        const std::size_t fresh = source.applied();
        if (fresh >= dates.size()) return false;
        thread_local LookStack stack;
        const auto k = kernel_options(options);
        const std::int32_t last_epoch = epoch_of(dates.back(), times.monitor_from);
        std::int32_t known = fresh > 0 ? epoch_of(dates[fresh - 1], times.monitor_from) : 0;
        const auto bands = source.bands();
        const FeatureSet& set =
            features_for(bands.empty() ? std::span<const Band>(source.read(fresh).bands) : bands);
        const auto load = [&](std::size_t from, std::size_t to) {
            stack.reset(static_cast<std::size_t>(state.window.pixels()), to - from);
            for (std::size_t i = from; i < to; ++i) stack.put(i - from, source.read(i), set);
        };
        const auto index_at = [&](Date d) {
            return static_cast<std::size_t>(std::lower_bound(dates.begin(), dates.end(), d) - dates.begin());
        };
        bool told = false;
        std::size_t next = std::max(fresh, index_at(times.monitor_from));
        for (std::int32_t epoch = std::max(known, 1); epoch <= last_epoch; ++epoch) {
            const Date start = epoch_start(epoch, times.monitor_from);
            if (epoch > known) {
                const std::size_t from = index_at(history_begin(epoch, times, options)), to = index_at(start);
                load(from, to);
                learn(stack, moments_of(dates.subspan(from, to - from), start, stack), set, k, epoch, state);
            }
            const std::size_t end = index_at(epoch_start(epoch + 1, times.monitor_from));
            // In parts, so that memory does not grow with the number of looks.
            while (next < end) {
                const std::size_t part = std::min(end, next + most_at_once);
                load(next, part);
                const bool last = part == dates.size();
                follow(stack, moments_of(dates.subspan(next, part - next), start, stack), set, k, state,
                       last ? teller : nullptr);
                told = last;
                next = part;
            }
        }
        return told && teller != nullptr;
    }

    // Of the looks of a stack.
    static std::vector<Moment> moments_of(std::span<const Date> dates, Date end, const LookStack& stack) {
        std::vector<Moment> list;
        for (const Date d : dates) {
            list.push_back(moment_of(d));
            list.back().years = static_cast<float>((d.days() - end.days()) / days_per_year);
            list.back().tells_index = stack.tells_index(list.size() - 1);
        }
        return list;
    }

    // New models for all pixels but those that are suspected: what is watched is not learnt from.
    static void learn(const LookStack& stack, const std::vector<Moment>& moments, const FeatureSet& set,
                      const HarmonicOptions& k, std::int32_t epoch, DetectorState& state) {
        PixelModel model;
        PixelTrack track;
        const auto pixels = static_cast<std::size_t>(state.window.pixels());
        for (std::size_t b = 0; b < stack.blocks(); ++b) {
            const Packed packed{state, b * lane_count, std::min(lane_count, pixels - b * lane_count)};
            fit_pixels(stack.block(b), moments, set, k, model);
            packed.read(track);
            for (std::size_t l = 0; l < packed.n; ++l) {
                if (epoch > 1 && is_open(track.status[l])) continue;
                packed.write(model, l, epoch);
                // What is not followed any more must not keep what was said of it.
                if (model.ground[l] != static_cast<std::int32_t>(Ground::seasonal))
                    packed.at(material, l) = packed.at(persistence, l) = packed.at(status_greens, l) = 0;
            }
            if (epoch > 1) continue;
            // The last look of history is what the first gap is counted from; its last year was how green?
            PixelTrack behind;
            const auto ndvi = [&](std::size_t i) { return stack.block(b) + i * feature_count * lane_count; };
            std::size_t missing = packed.n;
            std::int32_t year_of = 0;  // of the lane that was seen longest ago
            for (std::size_t i = moments.size(); i-- > 0 && missing > 0;)
                for (std::size_t l = 0; l < packed.n; ++l) {
                    if (behind.last[l] > 0 || ndvi(i)[l] == not_seen) continue;
                    behind.last[l] = moments[i].date.days();
                    year_of = months_of(moments[i]);
                    --missing;
                }
            // What is older than a year would be forgotten again.
            LaneInt month{};
            for (std::size_t i = 0; i < moments.size(); ++i)
                if (months_of(moments[i]) > year_of - static_cast<std::int32_t>(month_count))
                    see_green(behind, ndvi(i), month, months_of(moments[i]));
            for (std::size_t l = 0; l < packed.n; ++l) {
                if (behind.last[l] > 0)
                    packed.at(last, l) = static_cast<std::uint16_t>(std::clamp(behind.last[l], 0, 65535));
                for (std::size_t q = 0; q < behind.greenest.size(); ++q)
                    packed.at(greenest + q, l) = static_cast<std::uint16_t>(behind.greenest[q][l]);
            }
        }
    }

    // Whether any look shows any pixel of a block.
    static bool seen(const std::int16_t* block, std::size_t looks) {
        for (std::size_t i = 0; i < looks; ++i, block += feature_count * lane_count)
            if (shows_any(block)) return true;
        return false;
    }

    static void follow(const LookStack& stack, const std::vector<Moment>& moments, const FeatureSet& set,
                       const HarmonicOptions& k, DetectorState& state, Teller* teller) {
        PixelModel model;
        PixelTrack track;
        const auto pixels = static_cast<std::size_t>(state.window.pixels());
        for (std::size_t b = 0; b < stack.blocks(); ++b) {
            const Packed packed{state, b * lane_count, std::min(lane_count, pixels - b * lane_count)};
            const bool shown = seen(stack.block(b), moments.size());  // what nobody saw stays as it is
            if (!shown && teller == nullptr) continue;
            unpack(packed, model, track);
            if (shown) {
                follow_pixels(stack.block(b), moments, set, k, model, track);
                pack(track, packed);
            }
            if (teller != nullptr) teller->tell(model, track, packed.n, b * lane_count);
        }
    }
};

const Registration<Detector, Harmonic> registration{"harmonic", 6};

}  // namespace
}  // namespace shuibao::algorithms
