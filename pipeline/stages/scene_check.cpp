// SPDX-License-Identifier: Apache-2.0
#include "scene_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scene_mask.hpp"
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

constexpr int window_size = 256;  // px; smaller for scenes that hold no 2 × 2 of them, or many clouds
constexpr int least_size = 64;    // px
constexpr std::int64_t windows_along = 5;  // 5 × 5 over the scene, in two bands
constexpr std::int64_t tried_along = 10;   // where there are masks: the clearest 5 × 5 of these
constexpr std::size_t enough_windows = 4;  // so that three can agree when one is wrong
constexpr double least_clear = 0.7;        // share of a window that must be usable in both scenes
constexpr double jump_least = 0.05;        // reflectance: half of the 0.1 that a missing offset makes
constexpr double jump_share_refused = 0.8;

const engine::SceneBand* band_of(const engine::Scene& s, Band role) {
    const auto it =
        std::find_if(s.bands.begin(), s.bands.end(), [&](const auto& b) { return b.band == role; });
    return it == s.bands.end() ? nullptr : &*it;
}

// Windows over what two scenes share, on the scene's own blocks, which hold a power of two of pixels: one is
// decoded where four would be.
std::vector<Window> windows_over(const Window& common, int size, std::int64_t most_along) {
    std::vector<Window> list;
    const auto along = [&](std::int64_t n) { return std::clamp<std::int64_t>(n / size, 1, most_along); };
    const auto nx = along(common.cols), ny = along(common.rows);
    if (common.cols < size || common.rows < size) return list;
    for (std::int64_t j = 0; j < ny; ++j)
        for (std::int64_t i = 0; i < nx; ++i) {
            const auto x = nx == 1 ? (common.cols - size) / 2 : i * (common.cols - size) / (nx - 1);
            const auto y = ny == 1 ? (common.rows - size) / 2 : j * (common.rows - size) / (ny - 1);
            list.push_back({common.col + x / size * size, common.row + y / size * size, size, size});
        }
    return list;
}

Window lattice_window(const engine::Scene& s, const Grid& grid) {
    return grid.window(io::transform_bounds(s.bounds, s.crs, grid.crs()));
}

// Both scenes' physical values in one window. Where either has no data both hold their mean; where one is
// masked that one does, and the other is left as it is: an outline that both had in common would tie them
// together where it lies.
struct Pair {
    std::vector<float> fixed, moving;
    std::vector<std::uint8_t> used;
};

// Two scenes in the windows in which both can be seen.
class Comparison {
  public:
    Comparison(const engine::Scene& fixed, const engine::Scene& moving, const Grid& grid,
               const engine::Executor& executor)
        : m_fixed(fixed),
          m_moving(moving),
          m_grid(grid),
          m_masked(fixed.mask != engine::MaskKind::none || moving.mask != engine::MaskKind::none) {
        const Window common = lattice_window(moving, grid).intersection(lattice_window(fixed, grid));
        m_size = window_size;
        while (m_size > least_size && std::min(common.cols, common.rows) < 2 * m_size) m_size /= 2;
        m_windows = windows_over(common, m_size, m_masked ? tried_along : windows_along);
        if (!m_masked) return;
        // Between clouds there may be room for small windows where there is none for large ones.
        for (;; m_size /= 2, m_windows = windows_over(common, m_size, tried_along)) {
            keep_usable(executor);
            if (m_windows.size() >= enough_windows || m_size == least_size) return;
        }
    }

    [[nodiscard]] int size() const { return m_size; }
    [[nodiscard]] std::size_t windows() const { return m_windows.size(); }

    [[nodiscard]] std::optional<Pair> read(Band role, std::size_t window) const {
        const auto *f = band_of(m_fixed, role), *m = band_of(m_moving, role);
        if (f == nullptr || m == nullptr) return std::nullopt;
        const Window& w = m_windows[window];
        const auto n = static_cast<std::size_t>(w.pixels());
        std::vector<std::uint16_t> a(n), b(n);
        std::vector<std::uint8_t> va(n), vb(n);
        io::read_band(
            {.path = f->href, .band = f->index, .nodata = f->nodata, .gain = f->gain, .lift = f->lift},
            m_grid, w, a, va);
        io::read_band(
            {.path = m->href, .band = m->index, .nodata = m->nodata, .gain = m->gain, .lift = m->lift},
            m_grid, w, b, vb);
        Pair p{std::vector<float>(n), std::vector<float>(n), std::move(va)};
        std::size_t valid = 0;
        double sum_a = 0, sum_b = 0;
        for (std::size_t i = 0; i < n; ++i) {
            vb[i] = p.used[i] != 0 && vb[i] != 0 ? seen(window, i) : 0;
            p.used[i] = vb[i] == both ? 1 : 0;
            if (p.used[i] == 0) continue;
            ++valid;
            sum_a += a[i];
            sum_b += b[i];
        }
        if (static_cast<double>(valid) < least_clear * static_cast<double>(n)) return std::nullopt;
        const double mean_a = sum_a / static_cast<double>(valid), mean_b = sum_b / static_cast<double>(valid);
        for (std::size_t i = 0; i < n; ++i) {
            p.fixed[i] =
                static_cast<float>(((vb[i] & fixed_seen) != 0 ? a[i] : mean_a) * f->scale + f->offset);
            p.moving[i] =
                static_cast<float>(((vb[i] & moving_seen) != 0 ? b[i] : mean_b) * m->scale + m->offset);
        }
        return p;
    }

    // How `moving` differs from `fixed` in one band; nothing when too little can be compared.
    struct Difference {
        double median = 0, share = 0;  ///< share of the pixels beyond `jump_least` on the median's side
    };
    [[nodiscard]] std::optional<Difference> difference(Band role) const {
        std::vector<float> d;
        for (std::size_t i = 0; i < m_windows.size(); i += std::max<std::size_t>(1, m_windows.size() / 9))
            if (const auto p = read(role, i))
                for (std::size_t k = 0; k < p->fixed.size(); k += 7)
                    if (p->used[k] != 0) d.push_back(p->moving[k] - p->fixed[k]);
        if (d.size() < 100) return std::nullopt;
        const auto middle = d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2);
        std::nth_element(d.begin(), middle, d.end());
        const double median = *middle;
        const auto beyond = std::count_if(
            d.begin(), d.end(), [&](float v) { return std::abs(v) > jump_least && (v > 0) == (median > 0); });
        return Difference{median, static_cast<double>(beyond) / static_cast<double>(d.size())};
    }

  private:
    static constexpr std::uint8_t fixed_seen = 1, moving_seen = 2, both = 3;

    [[nodiscard]] std::uint8_t seen(std::size_t window, std::size_t pixel) const {
        return m_masked ? m_seen[window][pixel] : both;
    }

    void keep_usable(const engine::Executor& executor) {
        std::vector<std::vector<std::uint8_t>> seen_in(m_windows.size());
        executor.parallel_for(m_windows.size(), [&](std::size_t i) { seen_in[i] = masks_in(m_windows[i]); });
        std::vector<std::pair<std::ptrdiff_t, std::size_t>> best;  // pixels not seen by both, window
        for (std::size_t i = 0; i < m_windows.size(); ++i) {
            const auto n = std::ssize(seen_in[i]),
                       lost = n - std::count(seen_in[i].begin(), seen_in[i].end(), both);
            if (static_cast<double>(n - lost) >= least_clear * static_cast<double>(n))
                best.emplace_back(lost, i);
        }
        std::sort(best.begin(), best.end());
        best.resize(std::min<std::size_t>(best.size(), windows_along * windows_along));
        std::vector<Window> kept;
        m_seen.clear();
        for (const auto& [lost, i] : best) {
            kept.push_back(m_windows[i]);
            m_seen.push_back(std::move(seen_in[i]));
        }
        m_windows = std::move(kept);
    }

    [[nodiscard]] std::vector<std::uint8_t> masks_in(const Window& window) const {
        const auto n = static_cast<std::size_t>(window.pixels());
        std::vector<std::uint8_t> all(n, both);
        std::vector<Quality> quality(n);
        MaskBuffers buffers;
        for (const auto& [scene, bit] :
             {std::pair{&m_fixed, fixed_seen}, std::pair{&m_moving, moving_seen}}) {
            if (scene->mask == engine::MaskKind::none) continue;
            read_mask(*scene, m_grid, window, 0, 0, buffers, quality);
            for (std::size_t k = 0; k < n; ++k)
                if (!usable(quality[k])) all[k] = static_cast<std::uint8_t>(all[k] & ~bit);
        }
        return all;
    }

    const engine::Scene &m_fixed, &m_moving;
    const Grid& m_grid;
    bool m_masked;
    int m_size = 0;
    std::vector<Window> m_windows;
    std::vector<std::vector<std::uint8_t>> m_seen;  // per window, bits of who sees what, when there is a mask
};

struct Jump {
    double size = 0, share = 0;  ///< smallest median and smallest share over the bands
    [[nodiscard]] bool like_a_missing_offset() const {
        return share > jump_share_refused && std::abs(size) > 0.07 && std::abs(size) < 0.13;
    }
};

// The least jump that all bands made to one side, with share 0 when they did not; nothing when too few bands
// can be compared. A band that has not jumped ends the search when only a whole jump is asked for: mostly the
// first does.
std::optional<Jump> jump_between(const Comparison& c, bool whole_only) {
    std::vector<double> medians;
    Jump jump{0, 1};
    for (const Band role : {Band::blue, Band::green, Band::red, Band::nir}) {
        const auto d = c.difference(role);
        if (!d) continue;
        if (whole_only && d->share <= jump_share_refused) return Jump{};
        medians.push_back(d->median);
        jump.share = std::min(jump.share, d->share);
    }
    const bool one_way = std::all_of(medians.begin(), medians.end(),
                                     [&](double d) { return (d > 0) == (medians.front() > 0); });
    if (medians.size() < 3) return std::nullopt;
    if (!one_way) return Jump{};
    jump.size = *std::min_element(medians.begin(), medians.end(),
                                  [](double a, double b) { return std::abs(a) < std::abs(b); });
    return jump;
}

}  // namespace

Accusation compare_with_neighbours(const engine::Scene& scene,
                                   std::span<const engine::Scene* const> neighbours, const Grid& grid,
                                   const engine::Executor& executor) {
    Accusation a;
    std::vector<std::string> against;
    double sum = 0, share = 1;
    std::size_t left = neighbours.size(), agreeing = 0;
    for (const auto* other : neighbours) {
        if (against.size() + left < accusers || agreeing > 1) return a;
        --left;
        const Comparison c(*other, scene, grid, executor);
        const auto jump = jump_between(c, true);
        if (!jump) continue;
        if (!jump->like_a_missing_offset() || (sum != 0 && (sum > 0) != (jump->size > 0))) {
            ++agreeing;
            continue;
        }
        against.push_back(other->id);
        sum += jump->size;
        share = std::min(share, jump->share);
    }
    if (against.size() < accusers || agreeing > 1) return a;
    a.refused = fmt::format(
        "all bands differ from {} by {:+.3f} on at least {:.0f} % of the pixels, as when the offset of -0.1 "
        "is "
        "missing or applied twice",
        fmt::join(against, ", "), sum / static_cast<double>(against.size()), 100 * share);
    a.against = std::move(against);
    return a;
}

namespace {

// Least and largest value of what is compared of `moving`.
std::pair<float, float> extent_of(const Pair& p) {
    std::pair<float, float> e{std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()};
    for (std::size_t i = 0; i < p.moving.size(); ++i)
        if (p.used[i] != 0) e = {std::min(e.first, p.moving[i]), std::max(e.second, p.moving[i])};
    return e;
}

// The value that a band has everywhere; nothing where it has several, or too little was looked at to say so.
std::optional<float> only_value(std::span<const std::optional<std::pair<float, float>>> extents) {
    std::optional<float> value;
    std::size_t seen = 0;
    for (const auto& e : extents) {
        if (!e) continue;
        if (e->first != e->second || (value && *value != e->first)) return std::nullopt;
        value = e->first;
        ++seen;
    }
    return seen >= enough_windows ? value : std::nullopt;
}

// Half of the tie points, and so many, agree on more than what is corrected: chance does not do that.
bool lies_elsewhere(const algorithms::Shift& s, const SceneCheckOptions& o) {
    return s.reliable && s.used >= 5 && 2 * s.used >= s.measured && std::hypot(s.dx, s.dy) > o.max_shift;
}

}  // namespace

SceneReport check_scene(const engine::Scene& scene, const engine::Scene& reference, const Grid& grid,
                        const SceneCheckOptions& o, const engine::Executor& executor) {
    SceneReport r;
    r.id = scene.id;
    if (scene.id == reference.id) {
        r.decision = "reference";
        return r;
    }
    r.reference = reference.id;
    r.decision = "not reliable: not shifted";
    const Comparison pair(reference, scene, grid, executor);
    constexpr std::array<Band, 3> roles = {Band::red, Band::nir, Band::ndvi};
    std::vector<std::optional<algorithms::TiePoint>> found(o.registration ? roles.size() * pair.windows()
                                                                          : 0);
    std::vector<std::optional<std::pair<float, float>>> extent(found.size());
    executor.parallel_for(found.size(), [&](std::size_t i) {
        if (const auto p = pair.read(roles[i / pair.windows()], i % pair.windows())) {
            found[i] = algorithms::phase_correlation(p->fixed, p->moving, pair.size());
            extent[i] = extent_of(*p);
        }
    });
    for (std::size_t k = 0; k < roles.size() && r.refused.empty(); ++k)
        if (const auto value = only_value(
                std::span(extent).subspan(k * found.size() / roles.size(), found.size() / roles.size()))) {
            r.decision = "one value";
            r.refused = fmt::format("its band {} holds nothing but {:g} in all {} places that were looked at",
                                    common_name(roles[k]), *value, pair.windows());
        }
    if (!r.refused.empty()) return r;
    std::vector<algorithms::TiePoint> points;
    for (const auto& p : found)
        if (p) points.push_back(*p);
    r.shift = algorithms::combine_tie_points(points, o.max_shift);
    if (!o.registration)
        r.decision = "off";
    else if (r.shift.reliable) {
        const bool apply = std::hypot(r.shift.dx, r.shift.dy) > o.threshold;
        r.decision = apply ? "shifted" : "aligned";
        // To a hundredth of a pixel: finer is noise, and this is what the report can print.
        if (apply)
            r.shift_x = -std::round(r.shift.dx * 100) / 100, r.shift_y = -std::round(r.shift.dy * 100) / 100;
    } else if (const auto far = algorithms::combine_tie_points(points, pair.size()); lies_elsewhere(far, o)) {
        r.shift = far;
        r.decision = "misplaced";
        r.against = {reference.id};
        r.refused = fmt::format(
            "it lies {:.0f} m ({:+.1f}, {:+.1f} px) beside {}, as {} of {} tie points say",
            std::hypot(far.dx, far.dy) * grid.gsd(), far.dx, far.dy, reference.id, far.used, far.measured);
        return r;
    }
    if (!scene.reflectance || !reference.reflectance) return r;
    if (const auto jump = jump_between(pair, false)) {
        r.jump = jump->size;
        r.jump_share = jump->share;
        if (jump->like_a_missing_offset()) {
            r.against = {reference.id};
            r.refused = fmt::format(
                "all bands differ from {} by {:+.3f} on {:.0f} % of the pixels, as when the offset of "
                "-0.1 is missing or applied twice",
                reference.id, r.jump, 100 * r.jump_share);
        }
    }
    return r;
}

void accuse_misplaced_references(std::span<SceneReport> reports) {
    for (auto& reference : reports) {
        if (reference.decision != "reference") continue;
        std::size_t beside = 0, placed = 0;
        std::string who;
        for (const auto& r : reports) {
            if (r.reference != reference.id) continue;
            if (r.decision == "misplaced" && beside++ == 0) who = r.id;
            placed += r.decision == "aligned" || r.decision == "shifted" ? 1U : 0U;
        }
        if (beside < 2 || beside <= placed) continue;
        reference.decision = "reference, misplaced";
        reference.refused =
            fmt::format("{} of the {} scenes that were compared with it lie elsewhere, {} is one of them",
                        beside, beside + placed, who);
        for (auto& r : reports)
            if (r.reference == reference.id && r.decision == "misplaced")
                r.decision = "not reliable: not shifted";
    }
}

void forgive_what_a_refused_reference_says(std::span<SceneReport> reports) {
    std::set<std::string> refused;
    for (const auto& r : reports)
        if (r.decision.starts_with("reference") && !r.refused.empty()) refused.insert(r.id);
    for (auto& r : reports)
        if (r.against.size() == 1 && refused.contains(r.against.front())) {
            r.refused.clear();
            r.against.clear();
        }
}

std::string report_text(const SceneReport& r) {
    const auto round = [](double v) { return std::round(v * 1e4) / 1e4; };
    const nlohmann::ordered_json j = {{"id", r.id},
                                      {"reference", r.reference},
                                      {"decision", r.decision},
                                      {"measured_dx", round(r.shift.dx)},
                                      {"measured_dy", round(r.shift.dy)},
                                      {"rmse", round(r.shift.rmse)},
                                      {"tie_points_used", r.shift.used},
                                      {"tie_points_measured", r.shift.measured},
                                      {"applied_x", r.shift_x},
                                      {"applied_y", r.shift_y},
                                      {"jump", round(r.jump)},
                                      {"jump_share", round(r.jump_share)},
                                      {"against", r.against},
                                      {"refused", r.refused}};
    return j.dump(1) + "\n";
}

std::string accusation_text(const Accusation& a) {
    return nlohmann::ordered_json{{"against", a.against}, {"refused", a.refused}}.dump(1) + "\n";
}

std::optional<Accusation> accusation_from(const std::string& text) {
    const auto j = nlohmann::json::parse(text, nullptr, false);
    try {
        return Accusation{j.at("refused"), j.at("against")};
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

std::optional<SceneReport> report_from(const std::string& text) {
    const auto j = nlohmann::json::parse(text, nullptr, false);
    SceneReport r;
    try {
        r.id = j.at("id");
        r.reference = j.at("reference");
        r.decision = j.at("decision");
        r.shift.dx = j.at("measured_dx");
        r.shift.dy = j.at("measured_dy");
        r.shift.rmse = j.at("rmse");
        r.shift.used = j.at("tie_points_used");
        r.shift.measured = j.at("tie_points_measured");
        r.shift_x = j.at("applied_x");
        r.shift_y = j.at("applied_y");
        r.jump = j.at("jump");
        r.jump_share = j.at("jump_share");
        r.against = j.at("against").get<std::vector<std::string>>();
        r.refused = j.at("refused");
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
    return r;
}

}  // namespace shuibao::pipeline
