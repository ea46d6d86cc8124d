// SPDX-License-Identifier: Apache-2.0
#include "pair_detector.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "lanes.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

constexpr int halo = 4;
constexpr int strata = 3;  // by the greener date: open ground, mixed, vegetation
constexpr std::size_t enough = 500;
constexpr std::int64_t patch_rows = 32, patch_cols = 256;

double option(const DetectorOptions& options, const char* key) {
    return options.at(key);
}

// The sums of 3 × 3 neighbourhoods over usable pixels, exact because stored values are integers.
struct BoxSums {
    std::vector<std::int32_t> green, red, nir;
};

struct Place {
    std::size_t cols = 0;    // of the grown window
    std::size_t origin = 0;  // index of the strip's first pixel in the grown window
    std::size_t out_cols = 0;
    std::size_t out_rows = 0;
};

Place place_of(const PairView& v, std::int64_t first, std::int64_t rows) {
    const auto& w = v.before.pixels.window();
    return {static_cast<std::size_t>(w.cols),
            static_cast<std::size_t>((v.window.row + first - w.row) * w.cols + (v.window.col - w.col)),
            static_cast<std::size_t>(v.window.cols), static_cast<std::size_t>(rows)};
}

SHUIBAO_LANES void sum3(const std::int32_t* __restrict row, std::int32_t* __restrict out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = row[i] + row[i + 1] + row[i + 2];
}

SHUIBAO_LANES void add3(const std::int32_t* __restrict a, const std::int32_t* __restrict b,
                        const std::int32_t* __restrict c, std::int32_t* __restrict out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + b[i] + c[i];
}

SHUIBAO_LANES void masked_row(const std::uint16_t* __restrict v, const std::uint8_t* __restrict ok,
                              std::int32_t* __restrict out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = v[i] * ok[i];  // a choice would not be vectorised
}

SHUIBAO_LANES void usable_row(const Quality* __restrict a, const Quality* __restrict b,
                              std::uint8_t* __restrict ok, std::size_t n) {
    static_assert(static_cast<int>(Quality::clear) == 1 && static_cast<int>(Quality::water) == 2);
    for (std::size_t i = 0; i < n; ++i) {
        const auto u = static_cast<std::uint8_t>(static_cast<std::uint8_t>(a[i]) - 1),
                   v = static_cast<std::uint8_t>(static_cast<std::uint8_t>(b[i]) - 1);
        ok[i] = static_cast<std::uint8_t>((u < 2) & (v < 2));
    }
}

// Usable at both dates, for the strip grown by one pixel.
void usable_mask(const PairView& v, const Place& p, std::vector<std::uint8_t>& ok) {
    const std::size_t cols = p.out_cols + 2, rows = p.out_rows + 2;
    ok.resize(cols * rows);
    const auto a = v.before.pixels.quality(), b = v.after.pixels.quality();
    for (std::size_t y = 0; y < rows; ++y) {
        const std::size_t from = p.origin + y * p.cols - p.cols - 1;
        usable_row(a.data() + from, b.data() + from, ok.data() + y * cols, cols);
    }
}

struct BoxScratch {
    std::vector<std::int32_t> line, sums;
};

void box_plane(std::span<const std::uint16_t> plane, const Place& p, const std::vector<std::uint8_t>& ok,
               BoxScratch& scratch, std::vector<std::int32_t>& out) {
    const std::size_t cols = p.out_cols + 2, rows = p.out_rows + 2;
    auto &line = scratch.line, &sums = scratch.sums;
    line.resize(cols);
    sums.resize(p.out_cols * rows);
    for (std::size_t y = 0; y < rows; ++y) {
        masked_row(plane.data() + p.origin + y * p.cols - p.cols - 1, ok.data() + y * cols, line.data(),
                   cols);
        sum3(line.data(), sums.data() + y * p.out_cols, p.out_cols);
    }
    out.resize(p.out_cols * p.out_rows);
    for (std::size_t y = 0; y < p.out_rows; ++y)
        add3(sums.data() + y * p.out_cols, sums.data() + (y + 1) * p.out_cols,
             sums.data() + (y + 2) * p.out_cols, out.data() + y * p.out_cols, p.out_cols);
}

void box_sums(const Image& image, const Place& p, const std::vector<std::uint8_t>& ok, BoxScratch& scratch,
              BoxSums& s) {
    box_plane(image.pixels.plane(image.plane_of(Band::green)), p, ok, scratch, s.green);
    box_plane(image.pixels.plane(image.plane_of(Band::red)), p, ok, scratch, s.red);
    box_plane(image.pixels.plane(image.plane_of(Band::nir)), p, ok, scratch, s.nir);
}

// What ground a pixel shows at both dates, from the means of its 3 × 3 neighbourhood.
struct Ground {
    std::vector<float> ndvi_before, ndvi_after;
    std::vector<std::uint8_t> water;  // a pond, river or sea at either date that has not become land
    std::vector<std::uint8_t> seen;   // usable at both dates
};

struct Means {
    float scale_g, offset_g, scale_r, offset_r, scale_n, offset_n;
};

Means means_of(const Image& image) {
    const auto of = [&](Band b) { return image.scaling[static_cast<std::size_t>(image.plane_of(b))]; };
    const auto g = of(Band::green), r = of(Band::red), n = of(Band::nir);
    return {g.scale, g.offset, r.scale, r.offset, n.scale, n.offset};
}

SHUIBAO_LANES void index_row(const std::int32_t* __restrict green, const std::int32_t* __restrict red,
                             const std::int32_t* __restrict nir, const std::int32_t* __restrict count,
                             const Means m, float* __restrict ndvi, float* __restrict g_out,
                             float* __restrict n_out, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        const float per = 1.0F / static_cast<float>(count[i] > 0 ? count[i] : 1);
        const float g = static_cast<float>(green[i]) * per * m.scale_g + m.offset_g;
        const float r = static_cast<float>(red[i]) * per * m.scale_r + m.offset_r;
        const float n = static_cast<float>(nir[i]) * per * m.scale_n + m.offset_n;
        const float sum = n + r, safe = sum > 1e-6F ? sum : 1.0F, ratio = (n - r) / safe;
        ndvi[i] = sum > 1e-6F ? ratio : 0.0F;
        g_out[i] = g;
        n_out[i] = n;
    }
}

// McFeeters' NDWI > 0, made strict: a muddy river stays water, filled water does not (its NIR rises).
SHUIBAO_LANES void water_of_reflectance(const float* __restrict ga, const float* __restrict na,
                                        const float* __restrict gb, const float* __restrict nb,
                                        std::uint8_t* __restrict water, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        const bool wet_a = (ga[i] > na[i]) & (na[i] < 0.10F), wet_b = (gb[i] > nb[i]) & (nb[i] < 0.10F);
        water[i] = static_cast<std::uint8_t>((wet_a | wet_b) & (na[i] < 0.15F) & (nb[i] < 0.15F));
    }
}

// Digital numbers have no absolute level, so both dates must look wet.
SHUIBAO_LANES void water_of_numbers(const float* __restrict ga, const float* __restrict na,
                                    const float* __restrict gb, const float* __restrict nb,
                                    std::uint8_t* __restrict water, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        water[i] = static_cast<std::uint8_t>((ga[i] - na[i] > 0.1F * (ga[i] + na[i])) &
                                             (gb[i] - nb[i] > 0.1F * (gb[i] + nb[i])));
}

// What ground_of() works in, kept from patch to patch: clearing it anew took a tenth of the time of
// detection.
struct GroundScratch {
    std::vector<std::uint8_t> ok;
    BoxScratch box;
    BoxSums before, after;
    std::vector<std::int32_t> ones, sums, count;
    std::vector<float> green_before, nir_before, green_after, nir_after;
};

void ground_of(const PairView& v, std::int64_t first, std::int64_t rows, Ground& g) {
    thread_local GroundScratch scratch;
    auto& [ok, box, a, b, ones, sums, count, ga, na, gb, nb] = scratch;
    const Place p = place_of(v, first, rows);
    usable_mask(v, p, ok);
    const std::size_t n = p.out_cols * p.out_rows, cols = p.out_cols + 2;
    box_sums(v.before, p, ok, box, a);
    box_sums(v.after, p, ok, box, b);
    ones.assign(ok.begin(), ok.end());
    sums.resize(p.out_cols * (p.out_rows + 2));
    count.resize(n);
    for (std::size_t y = 0; y < p.out_rows + 2; ++y)
        sum3(ones.data() + y * cols, sums.data() + y * p.out_cols, p.out_cols);
    for (std::size_t y = 0; y < p.out_rows; ++y)
        add3(sums.data() + y * p.out_cols, sums.data() + (y + 1) * p.out_cols,
             sums.data() + (y + 2) * p.out_cols, count.data() + y * p.out_cols, p.out_cols);
    for (auto* list : {&g.ndvi_before, &g.ndvi_after, &ga, &na, &gb, &nb}) list->resize(n);
    g.water.resize(n);
    g.seen.resize(n);
    index_row(a.green.data(), a.red.data(), a.nir.data(), count.data(), means_of(v.before),
              g.ndvi_before.data(), ga.data(), na.data(), n);
    index_row(b.green.data(), b.red.data(), b.nir.data(), count.data(), means_of(v.after),
              g.ndvi_after.data(), gb.data(), nb.data(), n);
    for (std::size_t y = 0; y < p.out_rows; ++y)
        std::copy_n(ok.data() + (y + 1) * cols + 1, p.out_cols, g.seen.data() + y * p.out_cols);
    (v.before.reflectance && v.after.reflectance ? water_of_reflectance : water_of_numbers)(
        ga.data(), na.data(), gb.data(), nb.data(), g.water.data(), n);
}

int stratum_of(float ndvi_before, float ndvi_after) {
    const float green = std::max(ndvi_before, ndvi_after);
    return green < 0.3F ? 0 : green < 0.5F ? 1 : 2;
}

struct GroundRow {
    const float *ndvi_before, *ndvi_after;
    const std::uint8_t *water, *seen;
};

// Turns scores into multiples of their stratum's null, and says which are worth a logarithm.
SHUIBAO_LANES void ratio_row(const GroundRow g, const std::array<float, strata> per_null, float keep,
                             float max_green, float* __restrict q, std::uint8_t* __restrict worth,
                             std::size_t n) {
    const float* __restrict before = g.ndvi_before, * __restrict after = g.ndvi_after;
    const std::uint8_t* __restrict water = g.water, * __restrict seen = g.seen;
    for (std::size_t i = 0; i < n; ++i) {
        const float green = before[i] > after[i] ? before[i] : after[i];
        const float null = green < 0.3F ? per_null[0] : green < 0.5F ? per_null[1] : per_null[2];
        const float ratio = q[i] * null;
        q[i] = ratio;
        worth[i] = static_cast<std::uint8_t>((ratio >= keep) & (after[i] <= max_green) & (water[i] == 0) &
                                             (seen[i] != 0));
    }
}

SHUIBAO_LANES void observed_row(const std::uint8_t* __restrict seen, std::uint16_t* __restrict evidence,
                                std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) evidence[i] = seen[i] != 0 ? Change::no_evidence : Change::unobserved;
}

float visible(const Image& image, std::size_t k) {
    float sum = 0;
    for (const Band b : {Band::blue, Band::green, Band::red}) {
        const int p = image.plane_of(b);
        if (p < 0) continue;
        const auto s = image.scaling[static_cast<std::size_t>(p)];
        sum += static_cast<float>(image.pixels.plane(p)[k]) * s.scale + s.offset;
    }
    return sum;
}

ChangeKind kind_of(float ndvi_before, float ndvi_after, float brightness_before, float brightness_after) {
    const bool brighter = brightness_after > brightness_before;
    if (ndvi_before > 0.4F && ndvi_after < 0.35F)
        return brighter ? ChangeKind::vegetation_to_bare : ChangeKind::vegetation_to_built;
    if (ndvi_before < 0.05F && ndvi_before < ndvi_after && brighter) return ChangeKind::water_to_bare;
    return brighter ? ChangeKind::surface : ChangeKind::bare_to_built;
}

// Median of χ²_k (Wilson–Hilferty), the constant that turns r into squared null standard deviations.
double chi2_median(int k) {
    const double t = 1 - 2.0 / (9 * k);
    return k * t * t * t;
}

}  // namespace

std::vector<Band> common_bands(const Image& a, const Image& b) {
    std::vector<Band> out;
    std::set_intersection(a.bands.begin(), a.bands.end(), b.bands.begin(), b.bands.end(),
                          std::back_inserter(out));
    return out;
}

double median_of(std::vector<float>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return static_cast<double>(*middle);
}

std::vector<Option> PairDetector::options() const {
    return {
        {.key = "even_odds",
         .type = OptionType::number,
         .fallback = std::to_string(static_cast<int>(even_odds())),
         .help = "Score, as a multiple of the null's median, at which a pixel is as likely disturbed as not; "
                 "20 to 40 give nearly the same map, more is stricter",
         .min = 1,
         .max = 1000},
        {.key = "steepness",
         .type = OptionType::number,
         .fallback = "1.75",
         .help = "Rise of the log-odds per unit of the score's logarithm, from the reliability curves of "
                 "Nanjing and OSCD",
         .min = 0.1,
         .max = 10},
        {.key = "max_ndvi_after",
         .type = OptionType::number,
         .fallback = "0.5",
         .help = "Greener ground at the later date is not open ground",
         .min = -1,
         .max = 1},
        {.key = "null_shrinkage",
         .type = OptionType::number,
         .fallback = "0.5",
         .help = "How far the null of a season stratum is drawn towards the null of all ground: 0 = not at "
                 "all, 1 = one null",
         .min = 0,
         .max = 1},
    };
}

DetectorNeeds PairDetector::needs() const {
    DetectorNeeds n;
    n.required = {Band::green, Band::red, Band::nir};
    n.halo = halo;
    n.bytes_per_pixel = 11;
    return n;
}

DetectorModel PairDetector::fit(std::span<const std::vector<Image>> cells,
                                const DetectorOptions& options) const {
    std::vector<SampleCell> sample;
    std::size_t usable_pixels = 0;
    Ground g;
    for (const auto& cell : cells) {
        const auto& full = cell.front().pixels.window();
        const Window inner = full.grown(-halo);
        if (inner.empty()) continue;
        SampleCell s{{cell.front(), cell.back(), inner}, {}, {}};
        ground_of(s.view, 0, inner.rows, g);
        s.stratum.resize(g.seen.size());
        for (std::size_t i = 0; i < g.seen.size(); ++i) {
            const auto row = inner.row + static_cast<std::int64_t>(i) / inner.cols,
                       col = inner.col + static_cast<std::int64_t>(i) % inner.cols;
            const bool in = g.seen[i] != 0 && g.water[i] == 0;
            s.stratum[i] = in ? static_cast<std::uint8_t>(stratum_of(g.ndvi_before[i], g.ndvi_after[i]))
                              : SampleCell::left_out;
            if (in && row % 4 == 0 && col % 4 == 0) s.chosen.push_back(static_cast<std::uint32_t>(i));
        }
        usable_pixels += s.chosen.size();
        sample.push_back(std::move(s));
    }
    if (usable_pixels < enough)
        throw Error(ErrorCode::input,
                    "There is too little land seen at both dates to learn what no change looks like (" +
                        std::to_string(usable_pixels) + " sampled pixels of the " + std::to_string(enough) +
                        " needed).",
                    "Look at the masks of the scenes, or choose other dates.");
    DetectorModel model;
    learn(sample, model, options);

    std::vector<float> all, q;
    std::array<std::vector<float>, strata> by_stratum;
    for (const auto& s : sample) {
        q.resize(s.stratum.size());
        score(s.view, 0, s.view.window.rows, model, options, q);
        for (const auto i : s.chosen) {
            all.push_back(q[i]);
            by_stratum[s.stratum[i]].push_back(q[i]);
        }
    }
    const double overall = std::max(median_of(all), 1e-9), shrink = option(options, "null_shrinkage");
    auto& null = model.values["null_median"];
    auto& counts = model.values["null_pixels"];
    for (auto& values : by_stratum) {
        counts.push_back(static_cast<double>(values.size()));
        const double own = values.size() >= enough ? std::max(median_of(values), 1e-9) : overall;
        null.push_back(std::exp((1 - shrink) * std::log(own) + shrink * std::log(overall)));
    }
    return model;
}

void PairDetector::detect(std::span<const Image> images, const Window& window, const DetectorModel& model,
                          const DetectorOptions& options, Change& change) const {
    change.reset(window);
    const double steepness = option(options, "steepness"), even = option(options, "even_odds");
    const auto max_green = static_cast<float>(option(options, "max_ndvi_after"));
    const auto& null = model.values.at("null_median");
    const double chi2 = chi2_median(degrees_of_freedom(model));
    // Ratios below these are not worth a logarithm.
    const auto keep = static_cast<float>(even * std::exp(Change::kept_evidence / steepness));
    std::array<float, strata> per_null{};
    for (std::size_t k = 0; k < strata; ++k) per_null[k] = static_cast<float>(1 / null[k]);
    const auto from = static_cast<std::uint16_t>(std::clamp(images.front().date.days(), 1, 65534)),
               to = static_cast<std::uint16_t>(std::clamp(images.back().date.days(), 1, 65534));
    thread_local std::vector<float> q;
    thread_local std::vector<std::uint8_t> worth;
    thread_local Ground g;
    // Patches, because all the arrays of one patch fit the processor's cache.
    for (std::int64_t y = 0; y < window.rows; y += patch_rows)
        for (std::int64_t x = 0; x < window.cols; x += patch_cols) {
            const PairView view{images.front(),
                                images.back(),
                                {window.col + x, window.row + y, std::min(patch_cols, window.cols - x),
                                 std::min(patch_rows, window.rows - y)}};
            const auto& w = view.window;
            ground_of(view, 0, w.rows, g);
            if (std::none_of(g.seen.begin(), g.seen.end(), [](std::uint8_t s) { return s != 0; })) continue;
            q.resize(g.seen.size());
            worth.resize(g.seen.size());
            score(view, 0, w.rows, model, options, q);
            ratio_row({g.ndvi_before.data(), g.ndvi_after.data(), g.water.data(), g.seen.data()}, per_null,
                      keep, max_green, q.data(), worth.data(), q.size());
            const auto& grown = view.before.pixels.window();
            for (std::int64_t r = 0; r < w.rows; ++r) {
                auto i = static_cast<std::size_t>(r * w.cols),
                     o = static_cast<std::size_t>((y + r) * window.cols + x),
                     k = static_cast<std::size_t>((w.row + r - grown.row) * grown.cols + (w.col - grown.col));
                observed_row(g.seen.data() + i, change.evidence.data() + o, static_cast<std::size_t>(w.cols));
                for (std::int64_t n = 0; n < w.cols; ++n, ++i, ++o, ++k) {
                    if (worth[i] == 0) continue;
                    const auto ratio = static_cast<double>(q[i]);
                    change.set(o, steepness * std::log(ratio / even), std::sqrt(ratio * chi2));
                    change.onset_from[o] = from;
                    change.onset_to[o] = to;
                    change.kind[o] = kind_of(g.ndvi_before[i], g.ndvi_after[i], visible(view.before, k),
                                             visible(view.after, k));
                }
            }
        }
}

PairAccount PairDetector::account(std::span<const Image> images, const Window& pixel,
                                  const DetectorModel& model, const DetectorOptions& options) const {
    PairAccount a;
    const PairView view{images.front(), images.back(), pixel};
    Ground g;
    ground_of(view, 0, 1, g);
    a.seen = g.seen[0] != 0;
    if (!a.seen) return a;
    a.water = g.water[0] != 0;
    constexpr std::array<const char*, strata> names = {"open ground", "mixed", "vegetation"};
    a.stratum = names[static_cast<std::size_t>(stratum_of(g.ndvi_before[0], g.ndvi_after[0]))];
    a.ndvi_before = static_cast<double>(g.ndvi_before[0]);
    a.ndvi_after = static_cast<double>(g.ndvi_after[0]);
    a.most_ndvi_after = option(options, "max_ndvi_after");
    const double even = option(options, "even_odds");
    a.levels = {{"kept", even * std::exp(Change::kept_evidence / option(options, "steepness"))},
                {"even odds", even}};
    std::array<float, strata> per_null{};
    for (std::size_t k = 0; k < strata; ++k)
        per_null[k] = static_cast<float>(1 / model.values.at("null_median")[k]);
    std::vector<float> q(1);
    std::vector<std::uint8_t> worth(1);
    score(view, 0, 1, model, options, q);
    ratio_row({g.ndvi_before.data(), g.ndvi_after.data(), g.water.data(), g.seen.data()}, per_null,
              static_cast<float>(a.levels.front().value), static_cast<float>(a.most_ndvi_after), q.data(),
              worth.data(), 1);
    a.statistic = static_cast<double>(q[0]);
    return a;
}

}  // namespace shuibao::algorithms
