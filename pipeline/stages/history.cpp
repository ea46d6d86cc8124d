// SPDX-License-Identifier: Apache-2.0
#include "history.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kept_looks.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Detector;
using algorithms::PairwiseDetector;
using algorithms::SeriesDetector;

constexpr std::int32_t curve_step = 5;  // days

std::vector<PixelLook> looks_at(const io::TileArchive& archive, const Window& pixel) {
    std::vector<PixelLook> looks;
    for (const auto& a : archive.acquisitions()) {
        const Image image = archive.read(a, pixel, a.bands);
        PixelLook look;
        look.acquisition = &a;
        look.quality = image.pixels.quality()[0];
        if (look.quality == Quality::nodata) continue;
        for (std::size_t b = 0; b < a.bands.size(); ++b)
            look.values.push_back(image.value(static_cast<int>(b), 0));
        looks.push_back(std::move(look));
    }
    std::stable_sort(looks.begin(), looks.end(), [](const PixelLook& a, const PixelLook& b) {
        return a.acquisition->date != b.acquisition->date ? a.acquisition->date < b.acquisition->date
                                                          : a.acquisition->key < b.acquisition->key;
    });
    return looks;
}

void follow(const DetectJob& job, const SeriesDetector& detector, PixelHistory& h) {
    const auto plan = plan_series(job, detector);
    SeriesHistory s;
    s.features = detector.features(plan.bands);
    if (s.features.empty()) return;
    s.levels = detector.levels(job.options);
    s.times = plan.times;
    KeptLooks source(plan.bands);
    for (const auto* a : plan.looks) source.add(job.archive.read(*a, h.pixel, plan.bands_of(*a)));
    const auto& dates = source.all_dates();
    std::map<std::string, PixelLook*> by_key;
    for (auto& look : h.looks) by_key[look.acquisition->key] = &look;

    algorithms::DetectorState state;
    state.reset(h.pixel, detector.state_bands().size());
    const auto bend = [&](Date from, Date to, bool history) {  // (from, to]
        for (std::int32_t d = from.days() + curve_step; d <= to.days(); d += curve_step) {
            auto a = detector.account(state, 0, Date(d), plan.bands, job.options);
            if (a.learnt) s.curve.push_back({Date(d), history, std::move(a.expected), std::move(a.spread)});
        }
    };
    std::string status = "stable";
    bool begun = false;
    for (std::size_t i = 0; i < dates.size(); ++i) {
        const auto it = by_key.find(plan.looks[i]->key);
        PixelLook* look = it == by_key.end() ? nullptr : it->second;
        if (look != nullptr) look->features = detector.measure(source.images()[i], 0, plan.bands);
        source.show(i, i + 1);
        detector.advance(source, plan.times, job.options, state);
        if (dates[i] < plan.times.monitor_from) continue;
        s.last = detector.account(state, 0, dates[i], plan.bands, job.options);
        if (!begun) bend(Date(dates.front().days() - curve_step), plan.times.monitor_from, true);
        bend(begun ? dates[i - 1] : plan.times.monitor_from, dates[i], false);
        begun = true;
        if (look != nullptr) look->account = s.last;
        if (!s.last.learnt || s.last.status == status) continue;
        s.changes.push_back({dates[i], status, s.last.status});
        status = s.last.status;
    }
    h.series = std::move(s);
}

void compare(const DetectJob& job, const PairwiseDetector& detector, PixelHistory& h) {
    const auto plan = plan_pair(job, detector);
    PairHistory p;
    for (const auto* a : plan.before) p.before.push_back(a->key);
    for (const auto* a : plan.after) p.after.push_back(a->key);
    const auto images = read_epochs(job, plan, h.pixel.grown(detector.needs().halo));
    p.account = detector.account(images, h.pixel, pair_model(job), job.options);
    h.pair = std::move(p);
}

}  // namespace

PixelHistory history_of(RunContext& c, const io::TileArchive& archive, const Window& pixel) {
    PixelHistory h;
    h.pixel = pixel;
    h.looks = looks_at(archive, pixel);
    if (h.looks.empty())
        throw Error(
            ErrorCode::input,
            fmt::format("No look of the store sees {:.6g},{:.6g} ({}).",
                        archive.grid().x_of_col(static_cast<double>(pixel.col) + 0.5),
                        archive.grid().y_of_row(static_cast<double>(pixel.row) + 0.5), archive.grid().crs()),
            "Check inspect.at and inspect.crs: the area of the store is elsewhere.");
    DetectJob job = detect_job(c, archive);
    job.quiet = true;
    h.method = job.method;
    const auto detector = Registry<Detector>::make(job.method);
    if (const auto* series = dynamic_cast<const SeriesDetector*>(detector.get()))
        follow(job, *series, h);
    else
        compare(job, dynamic_cast<const PairwiseDetector&>(*detector), h);
    return h;
}

}  // namespace shuibao::pipeline
