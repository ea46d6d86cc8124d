// SPDX-License-Identifier: Apache-2.0
#include "chips.hpp"

#include <algorithm>
#include <cmath>

#include <shuibao/io/picture.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::ChipBands;
using algorithms::ChipLook;

constexpr double margin = 1.8;                        // side of the frame, in lengths of the disturbance
constexpr std::int64_t least_side = 48, most = 3000;  // pixels
constexpr int printed = 384;                          // pixels of a chip: 160 dots per inch on the page
constexpr int located = 192;
constexpr double locator_side = 9;      // in sides of the frame
constexpr double locator_least = 4000;  // m
constexpr std::size_t most_looks = 24;  // on each side: two years of a look a month
constexpr int jpeg_quality = 82;
constexpr std::int64_t block = 256;

std::string sensor_of(const std::string& key) {
    const auto at = key.find('_');
    return at == std::string::npos ? key : key.substr(at + 1);
}

double share_usable(const Image& image) {
    const auto q = image.pixels.quality();
    return q.empty() ? 0
                     : static_cast<double>(std::count_if(q.begin(), q.end(), usable)) /
                           static_cast<double>(q.size());
}

Chip chip_of(const Image& image, const io::Acquisition& a, const ChipBands& bands,
             const algorithms::Stretch& stretch, int longest) {
    Chip chip;
    chip.date = a.date;
    chip.sensor = sensor_of(a.key);
    const auto rgb = algorithms::colours_of(image, bands, stretch);
    const auto cols = static_cast<int>(image.pixels.cols()), rows = static_cast<int>(image.pixels.rows());
    const double scale = static_cast<double>(longest) / std::max(cols, rows);
    chip.cols = std::max(1, static_cast<int>(std::lround(cols * scale)));
    chip.rows = std::max(1, static_cast<int>(std::lround(rows * scale)));
    chip.rgb = algorithms::resized(rgb, cols, rows, chip.cols, chip.rows);
    chip.jpeg = io::encode_jpeg(chip.rgb, chip.cols, chip.rows, jpeg_quality);
    return chip;
}

Window square_around(const Grid& grid, const Bounds& b, double side) {
    const auto n = std::clamp(static_cast<std::int64_t>(std::ceil(side / grid.gsd())), least_side, most);
    const auto col = static_cast<std::int64_t>(std::floor(grid.col_of_x((b.min_x + b.max_x) / 2)));
    const auto row = static_cast<std::int64_t>(std::floor(grid.row_of_y((b.min_y + b.max_y) / 2)));
    return {col - n / 2, row - n / 2, n, n};
}

}  // namespace

std::pair<std::int64_t, std::int64_t> ChipCutter::cut_order(Point p) const {
    const auto& grid = m_archive.grid();
    return {static_cast<std::int64_t>(std::floor(grid.row_of_y(p.y))) / block,
            static_cast<std::int64_t>(std::floor(grid.col_of_x(p.x))) / block};
}

ChipPair ChipCutter::cut(const io::Geometry& shape, std::optional<Date> from, std::optional<Date> to) const {
    const auto& grid = m_archive.grid();
    const Bounds b = shape.bounds();
    const double length = std::max(b.max_x - b.min_x, b.max_y - b.min_y);
    const Window frame = square_around(grid, b, margin * length);
    ChipPair pair;
    pair.frame = grid.bounds(frame);
    pair.gsd = grid.gsd();
    pair.whole = pair.frame.min_x <= b.min_x && pair.frame.max_x >= b.max_x;

    // The looks nearest to the onset are those that can show it; the newest come last.
    const auto tiles = grid.tiles(frame);
    std::vector<const io::Acquisition*> before, after;
    for (const auto& a : m_archive.acquisitions()) {
        if (!a.touches(tiles)) continue;
        if (from && a.date <= *from)
            before.push_back(&a);
        else if (!to || a.date >= *to)
            after.push_back(&a);
    }
    const auto by_date = [](const io::Acquisition* l, const io::Acquisition* r) {
        return l->date != r->date ? l->date < r->date : l->key < r->key;
    };
    std::sort(before.begin(), before.end(), by_date);
    std::sort(after.begin(), after.end(), by_date);
    for (auto* list : {&before, &after})
        if (list->size() > most_looks)
            list->erase(list->begin(), list->end() - static_cast<std::ptrdiff_t>(most_looks));
    const auto clearness = [&](const std::vector<const io::Acquisition*>& list) {
        std::vector<ChipLook> looks;
        Image image;
        for (const auto* a : list) {
            m_archive.read(*a, frame, {}, image);
            looks.push_back({a->date, share_usable(image)});
        }
        return looks;
    };
    const auto choice = algorithms::choose_looks(clearness(before), clearness(after));
    const io::Acquisition* first = choice.before ? before[*choice.before] : nullptr;
    const io::Acquisition* second = choice.after ? after[*choice.after] : nullptr;
    if (first == nullptr && second == nullptr) return pair;
    const io::Acquisition* shown = second != nullptr ? second : first;
    auto bands = algorithms::chip_bands((first != nullptr ? first : shown)->bands, shown->bands);
    if (!bands) {  // nothing in common: the later one alone
        first = nullptr;
        bands = algorithms::chip_bands(shown->bands, shown->bands);
        if (!bands) return pair;
    }
    pair.natural = bands->natural;
    pair.grey = bands->grey;
    const auto wanted = bands->distinct();
    std::optional<Image> one, other;
    std::vector<const Image*> images;
    if (first != nullptr) images.push_back(&one.emplace(m_archive.read(*first, frame, wanted)));
    if (second != nullptr) images.push_back(&other.emplace(m_archive.read(*second, frame, wanted)));
    const auto site = io::burn({shape}, grid, frame);
    const auto stretch = algorithms::common_stretch(images, *bands, site);
    if (one) pair.before = chip_of(*one, *first, *bands, stretch, printed);
    if (other) pair.after = chip_of(*other, *second, *bands, stretch, printed);

    const double side = std::max(locator_side * static_cast<double>(frame.cols) * grid.gsd(), locator_least);
    const auto n = static_cast<std::int64_t>(std::ceil(side / grid.gsd()));
    // Multiples of four are what tiles keep an overview for.
    const int step = n > 4 * located ? static_cast<int>((n / located) / 4 * 4)
                                     : std::max(1, static_cast<int>(n / located));
    const Window around{frame.col + frame.cols / 2 - n / 2, frame.row + frame.rows / 2 - n / 2, n, n};
    const Image wide = m_archive.sample(*shown, around, wanted, step);
    if (wide.pixels.pixels() > 0) {
        const auto& w = wide.pixels.window();
        pair.locator_frame = grid.bounds({w.col * step, w.row * step, w.cols * step, w.rows * step});
        const std::vector<const Image*> alone = {&wide};
        pair.locator = chip_of(wide, *shown, *bands, algorithms::common_stretch(alone, *bands), located);
    }
    return pair;
}

}  // namespace shuibao::pipeline
