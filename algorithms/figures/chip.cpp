// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include <opencv2/imgproc.hpp>

#include <shuibao/algorithms/chip.hpp>

namespace shuibao::algorithms {
namespace {

constexpr double year = 365.25, cloud_price = 365, before_price = 1.0 / 12, after_price = 1.0 / 6;
constexpr double clipped = 0.01;
// Between linear and the eye's: bright roofs and pits would leave fields and woods black.
constexpr double brightness = 0.75;
constexpr std::uint8_t outside = 224;

double season_between(Date a, Date b) {
    const double d = std::fmod(std::abs(a.days() - b.days()), year);
    return std::min(d, year - d);
}

double age_price(std::span<const ChipLook> looks, std::size_t i, double per_day) {
    Date newest = looks[i].date;
    for (const auto& l : looks) newest = std::max(newest, l.date);
    return (newest.days() - looks[i].date.days()) * per_day + (1 - looks[i].clear) * cloud_price;
}

}  // namespace

ChipChoice choose_looks(std::span<const ChipLook> before, std::span<const ChipLook> after) {
    ChipChoice best;
    double price = std::numeric_limits<double>::infinity();
    const auto alone = [&](std::span<const ChipLook> looks, double per_day) {
        std::optional<std::size_t> found;
        for (std::size_t i = 0; i < looks.size(); ++i) {
            if (looks[i].clear <= 0) continue;
            const double p = age_price(looks, i, per_day);
            if (p > price || (p == price && found && looks[i].date < looks[*found].date)) continue;
            price = p;
            found = i;
        }
        return found;
    };
    for (std::size_t a = 0; a < after.size(); ++a) {
        if (after[a].clear <= 0) continue;
        for (std::size_t b = 0; b < before.size(); ++b) {
            if (before[b].clear <= 0) continue;
            const double p = age_price(after, a, after_price) + age_price(before, b, before_price) +
                             season_between(before[b].date, after[a].date);
            const bool later =
                best.after &&
                (after[a].date > after[*best.after].date ||
                 (after[a].date == after[*best.after].date && before[b].date > before[*best.before].date));
            if (p < price || (p == price && later)) {
                price = p;
                best = {b, a};
            }
        }
    }
    if (best.after) return best;
    best.after = alone(after, after_price);
    price = std::numeric_limits<double>::infinity();
    best.before = alone(before, before_price);
    return best;
}

std::vector<Band> ChipBands::distinct() const {
    std::vector<Band> list(bands.begin(), bands.end());
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
}

std::optional<ChipBands> chip_bands(std::span<const Band> one, std::span<const Band> other) {
    const auto both = [&](Band b) {
        return std::find(one.begin(), one.end(), b) != one.end() &&
               std::find(other.begin(), other.end(), b) != other.end();
    };
    const auto all = [&](const std::array<Band, 3>& bands) {
        return std::all_of(bands.begin(), bands.end(), both);
    };
    constexpr std::array<Band, 3> natural = {Band::red, Band::green, Band::blue},
                                  infrared = {Band::nir, Band::red, Band::green};
    if (all(natural)) return ChipBands{natural, true, false};
    if (all(infrared)) return ChipBands{infrared, false, false};
    for (const Band b : one)
        if (both(b)) return ChipBands{{b, b, b}, false, true};
    return std::nullopt;
}

Stretch common_stretch(std::span<const Image* const> images, const ChipBands& bands) {
    Stretch s;
    std::vector<float> values;
    for (std::size_t k = 0; k < 3; ++k) {
        values.clear();
        for (const Image* image : images) {
            const int p = image->plane_of(bands.bands[k]);
            const auto plane = image->pixels.plane(p);
            const auto quality = image->pixels.quality();
            const auto& scaling = image->scaling[static_cast<std::size_t>(p)];
            for (std::size_t i = 0; i < plane.size(); ++i)
                if (usable(quality[i]))
                    values.push_back(static_cast<float>(plane[i]) * scaling.scale + scaling.offset);
        }
        if (values.empty()) values.push_back(0);
        const auto at = [&](double share) {
            const auto n = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
            std::nth_element(values.begin(), values.begin() + n, values.end());
            return static_cast<double>(values[static_cast<std::size_t>(n)]);
        };
        s.low[k] = at(clipped);
        s.high[k] = at(1 - clipped);
        if (!(s.high[k] > s.low[k])) s.high[k] = s.low[k] + 1e-6;
    }
    return s;
}

std::vector<std::uint8_t> colours_of(const Image& image, const ChipBands& bands, const Stretch& stretch) {
    std::vector<std::uint8_t> rgb(image.pixels.pixels() * 3, outside);
    std::array<std::uint8_t, 1024> shade{};
    for (std::size_t i = 0; i < shade.size(); ++i)
        shade[i] = static_cast<std::uint8_t>(
            std::lround(255 * std::pow(static_cast<double>(i) / (shade.size() - 1), brightness)));
    const auto quality = image.pixels.quality();
    for (std::size_t k = 0; k < 3; ++k) {
        const int p = image.plane_of(bands.bands[k]);
        const double per_unit = 1 / (stretch.high[k] - stretch.low[k]);
        for (std::size_t i = 0; i < quality.size(); ++i) {
            if (quality[i] == Quality::nodata) continue;
            const double t = std::clamp((image.value(p, i) - stretch.low[k]) * per_unit, 0.0, 1.0);
            rgb[3 * i + k] = shade[static_cast<std::size_t>(t * (shade.size() - 1) + 0.5)];
        }
    }
    return rgb;
}

std::vector<std::uint8_t> resized(std::span<const std::uint8_t> rgb, int cols, int rows, int to_cols,
                                  int to_rows) {
    const cv::Mat from(rows, cols, CV_8UC3, const_cast<std::uint8_t*>(rgb.data()));
    std::vector<std::uint8_t> out(static_cast<std::size_t>(to_cols) * static_cast<std::size_t>(to_rows) * 3);
    cv::Mat to(to_rows, to_cols, CV_8UC3, out.data());
    cv::resize(from, to, to.size(), 0, 0,
               to_cols > cols || to_rows > rows ? cv::INTER_CUBIC : cv::INTER_AREA);
    return out;
}

}  // namespace shuibao::algorithms
