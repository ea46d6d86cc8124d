// SPDX-License-Identifier: Apache-2.0
#include "whole_series.hpp"

#include <algorithm>
#include <cmath>

#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

enum Plane : std::size_t { evidence, magnitude, onset_from, onset_to, kind, alarm, last, plane_count };

std::uint16_t day_of(std::int32_t d) {
    return static_cast<std::uint16_t>(std::clamp(d, 0, 65534));
}

}  // namespace

DetectorNeeds WholeSeries::needs() const {
    DetectorNeeds n;
    n.required = {Band::red, Band::nir};
    n.all_common = true;
    n.min_dates = 20;
    n.max_dates = 0;
    n.state_bytes_per_pixel = plane_count * sizeof(std::uint16_t);
    return n;
}

std::vector<std::string> WholeSeries::state_bands() const {
    return {"evidence", "magnitude", "onset_from", "onset_to", "kind", "alarm", "last"};
}

void WholeSeries::advance(LookSource& looks, const SeriesTimes& times, const DetectorOptions& options,
                          DetectorState& state) const {
    if (looks.applied() >= looks.dates().size()) return;
    const auto pixels = static_cast<std::size_t>(state.window.pixels());
    std::vector<Finding> found(pixels);
    judge(looks, times, options, found);
    Change one(Window{0, 0, 1, 1});
    for (std::size_t i = 0; i < pixels; ++i) {
        const Finding& f = found[i];
        const auto set = [&](Plane p, std::uint16_t v) { state.planes[p][i] = v; };
        const double log_odds = f.ratio > 0 ? std::log(f.ratio) : -1e9;
        const bool kept = f.judged && log_odds >= Change::kept_evidence;
        if (kept)
            one.set(0, log_odds, f.deviations);
        else
            one.evidence[0] = f.judged ? Change::no_evidence : Change::unobserved;
        set(evidence, one.evidence[0]);
        set(magnitude, kept ? one.magnitude[0] : std::uint16_t{0});
        set(onset_from, kept ? std::max<std::uint16_t>(1, day_of(f.from)) : std::uint16_t{0});
        set(onset_to, kept ? day_of(f.to) : std::uint16_t{0});
        set(kind, kept ? static_cast<std::uint16_t>(f.kind) : std::uint16_t{0});
        set(alarm, kept ? day_of(f.alarm) : std::uint16_t{0});
        set(last, day_of(f.last));
    }
}

void WholeSeries::report(const DetectorState& state, const SeriesTimes& times, const DetectorOptions&,
                         Change& change) const {
    change.reset(state.window);
    const auto pixels = static_cast<std::size_t>(state.window.pixels());
    for (std::size_t i = 0; i < pixels; ++i) {
        const auto at = [&](Plane p) { return state.planes[p][i]; };
        if (at(evidence) == Change::unobserved || at(last) < times.report_from.days()) continue;
        change.evidence[i] = Change::no_evidence;
        if (at(evidence) == Change::no_evidence) continue;
        change.set(i, (at(evidence) - Change::evidence_zero) / static_cast<double>(Change::evidence_per_unit),
                   at(magnitude) / 100.0);
        change.onset_from[i] = at(onset_from);
        change.onset_to[i] = at(onset_to);
        change.kind[i] = static_cast<ChangeKind>(at(kind));
    }
}

DetectorNeeds FeatureSeries::needs() const {
    auto n = WholeSeries::needs();
    n.or_else = {ndvi_alone().bands};
    return n;
}

std::vector<Band> FeatureSeries::bands(std::span<const Band> common) const {
    for (const FeatureSet* set : {&swir_features(), &visible_features(), &ndvi_alone()})
        if (std::all_of(set->bands.begin(), set->bands.end(),
                        [&](Band b) { return std::find(common.begin(), common.end(), b) != common.end(); }))
            return set->bands;
    throw Error(ErrorCode::input, "The looks have too few bands in common for an index of bare ground.",
                "Add green, or blue and swir16, or leave out the dates that lack them.");
}

const FeatureSet& FeatureSeries::read(LookSource& looks, std::size_t pixels, LookStack& stack) {
    const std::size_t n = looks.dates().size();
    stack.reset(pixels, n);
    const FeatureSet* set = &visible_features();
    for (std::size_t i = 0; i < n; ++i) {
        const Image& image = looks.read(i);
        set = &features_for(image.bands);
        stack.put(i, image, *set);
    }
    return *set;
}

}  // namespace shuibao::algorithms
