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
constexpr double middle = 1.0 / 3, least_exponent = 0.4, most_exponent = 0.75;  // see common_stretch
constexpr std::size_t most_samples = 65536;  // of an image: percentiles ask for no more
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

namespace {

using Usable = std::vector<std::size_t>;  // pixels of an image

Usable usable_of(const Image& image) {
    Usable list;
    const auto quality = image.pixels.quality();
    for (std::size_t i = 0; i < quality.size(); ++i)
        if (usable(quality[i])) list.push_back(i);
    return list;
}

double quantile(std::vector<float>& values, double share) {
    const auto n = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + n, values.end());
    return static_cast<double>(values[static_cast<std::size_t>(n)]);
}

double shade_of(double value, const Stretch& s, std::size_t k) {
    return std::clamp((value - s.low[k]) / (s.high[k] - s.low[k]), 0.0, 1.0);
}

// The median of what the three colours make together, before the curve.
double median_shade(const Image& image, const Usable& pixels, const ChipBands& bands, const Stretch& s) {
    std::vector<float> shades;
    shades.reserve(pixels.size());
    for (const auto i : pixels) {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k)
            sum += shade_of(image.value(image.plane_of(bands.bands[k]), i), s, k);
        shades.push_back(static_cast<float>(sum / 3));
    }
    return quantile(shades, 0.5);
}

}  // namespace

Stretch common_stretch(std::span<const Image* const> images, const ChipBands& bands,
                       std::span<const std::uint8_t> shown) {
    Stretch s;
    std::vector<Usable> pixels;
    std::size_t most = 0;
    for (const Image* image : images) {
        pixels.push_back(usable_of(*image));
        most = std::max(most, pixels.back().size());
    }
    const std::size_t samples = std::min(most, most_samples);
    std::vector<float> values;
    for (std::size_t k = 0; k < 3; ++k) {
        values.clear();
        for (std::size_t m = 0; m < images.size(); ++m) {
            const int p = images[m]->plane_of(bands.bands[k]);
            for (std::size_t i = 0; i < samples && !pixels[m].empty(); ++i)
                values.push_back(
                    static_cast<float>(images[m]->value(p, pixels[m][i * pixels[m].size() / samples])));
        }
        if (values.empty()) values.push_back(0);
        s.low[k] = quantile(values, clipped);
        s.high[k] = quantile(values, 1 - clipped);
        values.clear();
        if (!shown.empty())
            for (std::size_t m = 0; m < images.size(); ++m) {
                const int p = images[m]->plane_of(bands.bands[k]);
                for (const auto i : pixels[m])
                    if (shown[i] != 0) values.push_back(static_cast<float>(images[m]->value(p, i)));
            }
        if (!values.empty()) s.high[k] = std::max(s.high[k], quantile(values, 1 - clipped));
        if (!(s.high[k] > s.low[k])) s.high[k] = s.low[k] + 1e-6;
    }
    double darkest = 1;
    for (std::size_t m = 0; m < images.size(); ++m)
        if (!pixels[m].empty()) darkest = std::min(darkest, median_shade(*images[m], pixels[m], bands, s));
    s.exponent = most_exponent;
    if (darkest > 0 && darkest < 1)
        s.exponent = std::clamp(std::log(middle) / std::log(darkest), least_exponent, most_exponent);
    return s;
}

std::vector<std::uint8_t> colours_of(const Image& image, const ChipBands& bands, const Stretch& stretch) {
    std::vector<std::uint8_t> rgb(image.pixels.pixels() * 3, outside);
    std::array<std::uint8_t, 1024> shade{};
    for (std::size_t i = 0; i < shade.size(); ++i)
        shade[i] = static_cast<std::uint8_t>(
            std::lround(255 * std::pow(static_cast<double>(i) / (shade.size() - 1), stretch.exponent)));
    const auto quality = image.pixels.quality();
    for (std::size_t k = 0; k < 3; ++k) {
        const int p = image.plane_of(bands.bands[k]);
        for (std::size_t i = 0; i < quality.size(); ++i) {
            if (quality[i] == Quality::nodata) continue;
            const double t = shade_of(image.value(p, i), stretch, k);
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
