// SPDX-License-Identifier: Apache-2.0
#include "harmonic_account.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shuibao::algorithms {
namespace {

const char* name_of(Ground g) {
    switch (g) {
        case Ground::unknown:
            return "too few looks";
        case Ground::seasonal:
            return "seasonal";
        case Ground::bare:
            return "bare";
        case Ground::water:
            return "water";
    }
    return "?";
}

const char* name_of(Status s) {
    switch (s) {
        case Status::stable:
            return "stable";
        case Status::watch:
            return "watch";
        case Status::suspected:
            return "suspected";
        case Status::confirmed:
            return "confirmed";
        case Status::reverted:
            return "reverted";
        case Status::built:
        case Status::restored:
            return "finished";
    }
    return "?";
}

}  // namespace

std::vector<std::string> feature_names(const FeatureSet& set) {
    if (&set == &swir_features()) return {"NDVI", "BSI", "ln brightness"};
    if (&set == &ndvi_alone()) return {"NDVI"};
    return {"NDVI", "(R-G)/(R+G)", "ln brightness"};
}

std::vector<double> features_of(const Image& image, std::size_t pixel, const FeatureSet& set) {
    if (!usable(image.pixels.quality()[pixel])) return {};
    const auto cols = static_cast<std::int64_t>(image.pixels.cols());
    const auto& w = image.pixels.window();
    Image one = image;
    one.pixels = Block<std::uint16_t>({w.col + static_cast<std::int64_t>(pixel) % cols,
                                       w.row + static_cast<std::int64_t>(pixel) / cols, 1, 1},
                                      image.pixels.planes());
    one.pixels.quality()[0] = image.pixels.quality()[pixel];
    for (int p = 0; p < image.pixels.planes(); ++p) one.pixels.plane(p)[0] = image.pixels.plane(p)[pixel];
    LookStack stack;
    stack.reset(1, 1);
    stack.put(0, one, set);
    std::vector<double> values;
    for (std::size_t f = 0; f < set.told; ++f)
        values.push_back(f == 1 && !stack.tells_index(0)
                             ? std::numeric_limits<double>::quiet_NaN()
                             : stack.block(0)[f * lane_count] / static_cast<double>(feature_unit));
    return values;
}

SeriesAccount account_of(const PixelModel& model, const PixelTrack& track, std::size_t l, Date day,
                         const FeatureSet& set) {
    SeriesAccount a;
    a.learnt = true;
    const auto ground = static_cast<Ground>(model.ground[l]);
    a.ground = name_of(ground);
    a.judged = ground == Ground::seasonal;
    a.history_looks = model.looks[l];
    const Moment m = moment_of(day);
    const auto widening =
        static_cast<double>(std::sqrt(leverage_of(model.leverage[static_cast<std::size_t>(m.month)][l])));
    for (std::size_t f = 0; f < set.told; ++f) {
        double v = 0;
        for (std::size_t i = 0; i < season_terms; ++i)
            v += static_cast<double>(m.basis[i]) * model.terms[f][i][l];
        a.expected.push_back(v / static_cast<double>(feature_unit));
        a.spread.push_back(model.spread[f][l] / static_cast<double>(feature_unit) * widening);
    }
    a.bare_chance =
        static_cast<double>(share_of(model.bare_share[static_cast<std::size_t>(m.half_month)][l]));
    a.skipped_season = track.skip[l] / static_cast<double>(PixelTrack::skip_one);
    a.statistic =
        std::max(track.material[l], track.persistence[l]) / static_cast<double>(PixelTrack::statistic_unit);
    a.status = name_of(static_cast<Status>(track.status[l]));
    return a;
}

double power_of(std::span<const Date> clear, const FeatureSet& set, const HarmonicOptions& o, double level) {
    // Of the evidence of one look at opened woods.
    const double mean = set.told == 1 ? 2.4 : 4.0, spread = set.told == 1 ? 0.8 : 0.9;
    double sum = 0, square = 0;
    for (std::size_t i = 0; i < clear.size(); ++i) {
        const double gap = i == 0 ? 1e9 : clear[i].days() - clear[i - 1].days();
        const double kappa = std::clamp(gap / static_cast<double>(o.independent_days), 0.25, 1.0);
        sum += kappa;
        square += kappa * kappa;
    }
    if (clear.empty()) return 0;
    return 0.5 * std::erfc((level - mean * sum) / (spread * std::sqrt(square)) / std::sqrt(2.0));
}

}  // namespace shuibao::algorithms
