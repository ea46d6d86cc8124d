// SPDX-License-Identifier: Apache-2.0
#include "mosaic.hpp"

#include <algorithm>
#include <cstdlib>

#include <shuibao/io/picture.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::size_t most_looks = 12;
constexpr double full_enough = 0.995;
constexpr int a_year = 365, half_a_year = 180;
constexpr int jpeg_quality = 78;

using Looks = std::vector<const io::Acquisition*>;

// Usable pixels of the looks, the first that has one; what only unusable looks show comes from the first.
std::optional<Image> filled(const io::TileArchive& archive, const Looks& looks, const Window& area,
                            const std::vector<Band>& bands, int step, MosaicPicture& picture) {
    std::optional<Image> out;
    std::size_t open = 0;
    for (std::size_t k = 0; k < std::min(most_looks, looks.size()); ++k) {
        Image next = archive.sample(*looks[k], area, bands, step);
        const auto theirs = next.pixels.quality();
        std::size_t taken = 0;
        if (!out) {
            out = std::move(next);
            const auto q = out->pixels.quality();
            taken = static_cast<std::size_t>(std::count_if(q.begin(), q.end(), usable));
            open = q.size() - taken;
        } else {
            const auto ours = out->pixels.quality();
            for (std::size_t i = 0; i < ours.size(); ++i) {
                const bool better = usable(theirs[i])
                                        ? !usable(ours[i])
                                        : ours[i] == Quality::nodata && theirs[i] != Quality::nodata;
                if (!better) continue;
                if (usable(theirs[i])) {
                    --open;
                    ++taken;
                }
                ours[i] = theirs[i];
                for (std::size_t b = 0; b < bands.size(); ++b) {
                    // Looks have scales of their own: stored as the first one stores it.
                    const auto &from = next.scaling[b], &to = out->scaling[b];
                    const float v =
                        static_cast<float>(next.pixels.plane(static_cast<int>(b))[i]) * from.scale +
                        from.offset;
                    out->pixels.plane(static_cast<int>(b))[i] = static_cast<std::uint16_t>(
                        std::clamp((v - to.offset) / to.scale + 0.5F, 0.0F, 65535.0F));
                }
            }
        }
        if (taken > 0) {
            const Date d = looks[k]->date;
            picture.first = picture.first ? std::min(*picture.first, d) : d;
            picture.last = picture.last ? std::max(*picture.last, d) : d;
        }
        if (out && static_cast<double>(open) <= (1 - full_enough) * static_cast<double>(out->pixels.pixels()))
            break;
    }
    return picture.first ? std::move(out) : std::nullopt;
}

}  // namespace

Mosaic mosaic_of(const io::TileArchive& archive, const Window& area, Date until, int longest,
                 const std::vector<io::Geometry>& sites) {
    Mosaic m;
    Looks after;
    for (const auto& a : archive.acquisitions())
        if (a.date <= until && !a.tiles.empty()) after.push_back(&a);
    std::sort(after.begin(), after.end(), [](const io::Acquisition* l, const io::Acquisition* r) {
        return l->date != r->date ? l->date > r->date : l->key < r->key;
    });
    if (after.empty() || area.empty()) return m;
    const Date newest = after.front()->date, wanted(newest.days() - a_year);
    Looks before;
    for (const auto* a : after)
        if (newest.days() - a->date.days() >= half_a_year) before.push_back(a);
    if (before.empty() && after.back()->date < newest) {
        for (const auto* a : after)
            if (a->date == after.back()->date) before.push_back(a);
    }
    std::stable_sort(before.begin(), before.end(), [&](const io::Acquisition* l, const io::Acquisition* r) {
        return std::abs(l->date.days() - wanted.days()) < std::abs(r->date.days() - wanted.days());
    });
    const auto bands = algorithms::chip_bands((before.empty() ? after.front() : before.front())->bands,
                                              after.front()->bands);
    if (!bands) return m;
    m.natural = bands->natural;
    const auto distinct = bands->distinct();
    const auto has_all = [&](const io::Acquisition* a) {
        return std::all_of(distinct.begin(), distinct.end(), [&](Band b) { return a->has(b); });
    };
    for (auto* list : {&before, &after})
        list->erase(std::remove_if(list->begin(), list->end(), [&](const auto* a) { return !has_all(a); }),
                    list->end());
    const auto side = std::max(area.cols, area.rows);
    auto step = static_cast<int>((side + longest - 1) / longest);
    if (step > 2) step = (step + 3) / 4 * 4;  // multiples of four are what tiles keep an overview for
    MosaicPicture first, second;
    const auto one = filled(archive, before, area, distinct, step, first),
               other = filled(archive, after, area, distinct, step, second);
    std::vector<const Image*> images;
    if (one) images.push_back(&*one);
    if (other) images.push_back(&*other);
    if (images.empty()) return m;
    const auto& w = images.front()->pixels.window();
    m.bounds = archive.grid().bounds({w.col * step, w.row * step, w.cols * step, w.rows * step});
    m.cols = static_cast<int>(w.cols);
    m.rows = static_cast<int>(w.rows);
    const auto& g = archive.grid();
    const Grid coarse(g.crs(), g.gsd() * step, g.tile_size(), g.origin_x(), g.origin_y());
    const auto shown = io::burn(sites, coarse, w);
    const auto stretch = algorithms::common_stretch(images, *bands, shown);
    const auto picture = [&](const Image& image, MosaicPicture& p) {
        p.jpeg =
            io::encode_jpeg(algorithms::colours_of(image, *bands, stretch), m.cols, m.rows, jpeg_quality);
        return std::move(p);
    };
    if (one) m.before = picture(*one, first);
    if (other) m.after = picture(*other, second);
    return m;
}

}  // namespace shuibao::pipeline
