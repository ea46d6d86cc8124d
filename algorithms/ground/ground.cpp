// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <shuibao/algorithms/ground.hpp>
#include <shuibao/core/ndvi.hpp>

namespace shuibao::algorithms {
namespace {

// Neither sum is ever near zero over land; a defective pixel gives no index.
std::optional<double> ratio(double difference, double sum) {
    constexpr double darkest = 1e-3;
    if (sum < darkest) return std::nullopt;
    return difference / sum;
}

std::optional<double> ndvi(const Image& image, std::size_t pixel) {
    if (image.pixels.quality()[pixel] != Quality::clear) return std::nullopt;
    const double v = ndvi_of(image, pixel);
    return std::isnan(v) ? std::nullopt : std::optional(v);
}

std::optional<double> bare_soil_index(const Image& image, std::size_t pixel) {
    const int blue = image.plane_of(Band::blue), swir = image.plane_of(Band::swir16);
    if (blue < 0 || swir < 0) return std::nullopt;
    const double soil = image.value(swir, pixel) + image.value(image.plane_of(Band::red), pixel),
                 other = image.value(image.plane_of(Band::nir), pixel) + image.value(blue, pixel);
    return ratio(soil - other, soil + other);
}

std::optional<double> median(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

std::vector<Band> ground_bands(std::span<const Band> available) {
    std::vector<Band> bands;
    for (const auto b : {Band::blue, Band::red, Band::nir, Band::swir16, Band::ndvi})
        if (std::find(available.begin(), available.end(), b) != available.end()) bands.push_back(b);
    std::sort(bands.begin(), bands.end());
    return bands;
}

std::vector<GroundCover> ground_cover(const Image& look, std::span<const Image> history, const Rules& rules) {
    const double drop = rules("green_drop"), green = rules("green_ndvi"), built = rules("built_index");
    std::vector<GroundCover> covers(look.pixels.pixels(), GroundCover::hidden);
    std::vector<double> before;
    for (std::size_t i = 0; i < covers.size(); ++i) {
        const auto now = ndvi(look, i);
        if (!now) continue;
        before.clear();
        for (const auto& h : history)
            if (const auto v = ndvi(h, i)) before.push_back(*v);
        const auto usual = median(before);
        const bool was_green = usual && *usual >= green;
        if (*now >= (was_green ? std::max(*usual - drop, green) : green))
            covers[i] = GroundCover::green;
        else if (const auto index = bare_soil_index(look, i); index && *now < green && *index <= built)
            covers[i] = GroundCover::built;
        else
            covers[i] = usual && !was_green ? GroundCover::undecided : GroundCover::open;
    }
    return covers;
}

GroundRecord follow_ground(GroundRecord r, std::span<const GroundLook> looks, const Rules& rules) {
    for (const auto& look : looks) {
        if (r.finished_on) break;
        if (look.seen < rules("finished_seen_share")) continue;
        if (look.open() >= rules("finished_bare_share")) {
            r.closed_since.reset();
            continue;
        }
        if (!r.closed_since) r.closed_since = look.day;
        if (static_cast<double>(look.day.days() - r.closed_since->days()) < rules("finished_days")) continue;
        r.finished_on = look.day;
        r.green = look.green >= look.built;
    }
    return r;
}

std::string_view completion_code(bool green, std::optional<double> tilled_before, const Rules& rules) {
    if (!green) return "built";
    if (!tilled_before) return "green";
    return *tilled_before >= rules("finished_tilled_share") ? "tilled" : "planted";
}

}  // namespace shuibao::algorithms
