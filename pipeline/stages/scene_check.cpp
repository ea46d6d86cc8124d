// SPDX-License-Identifier: Apache-2.0
#include "scene_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/io/raster.hpp>

namespace shuibao::pipeline {
namespace {

constexpr int window_size = 256;     // px; smaller for scenes that hold no 2 × 2 of them
constexpr int most_windows = 25;     // 5 × 5 over the scene, in two bands
constexpr double least_clear = 0.7;  // share of a window that must hold data in both scenes
constexpr double jump_least = 0.05;  // reflectance: half of the 0.1 that a missing offset makes
constexpr double jump_share_refused = 0.8;

const engine::SceneBand* band_of(const engine::Scene& s, Band role) {
    const auto it =
        std::find_if(s.bands.begin(), s.bands.end(), [&](const auto& b) { return b.band == role; });
    return it == s.bands.end() ? nullptr : &*it;
}

struct Pair {
    std::vector<float> fixed, moving;
    std::size_t valid = 0;
};

// Both scenes' physical values in one window; where either has no data both hold the mean.
std::optional<Pair> read_pair(const engine::SceneBand& f, const engine::SceneBand& m, const Grid& grid,
                              const Window& w) {
    const auto n = static_cast<std::size_t>(w.pixels());
    std::vector<std::uint16_t> a(n), b(n);
    std::vector<std::uint8_t> va(n), vb(n);
    io::read_band({f.href, f.index, f.nodata}, grid, w, a, va);
    io::read_band({m.href, m.index, m.nodata}, grid, w, b, vb);
    Pair p{std::vector<float>(n), std::vector<float>(n), 0};
    double sum_a = 0, sum_b = 0;
    for (std::size_t i = 0; i < n; ++i)
        if (va[i] != 0 && vb[i] != 0) {
            ++p.valid;
            sum_a += a[i];
            sum_b += b[i];
        }
    if (static_cast<double>(p.valid) < least_clear * static_cast<double>(n)) return std::nullopt;
    const double mean_a = sum_a / static_cast<double>(p.valid), mean_b = sum_b / static_cast<double>(p.valid);
    for (std::size_t i = 0; i < n; ++i) {
        const bool ok = va[i] != 0 && vb[i] != 0;
        p.fixed[i] = static_cast<float>((ok ? a[i] : mean_a) * f.scale + f.offset);
        p.moving[i] = static_cast<float>((ok ? b[i] : mean_b) * m.scale + m.offset);
    }
    return p;
}

std::vector<Window> windows_over(const Window& common, int& size) {
    size = window_size;
    while (size > 64 && std::min(common.cols, common.rows) < 2 * size) size /= 2;
    std::vector<Window> list;
    const auto along = [&](std::int64_t n) { return std::clamp<std::int64_t>(n / size, 1, 5); };
    const auto nx = along(common.cols), ny = along(common.rows);
    if (common.cols < size || common.rows < size) return list;
    for (std::int64_t j = 0; j < ny; ++j)
        for (std::int64_t i = 0; i < nx; ++i) {
            const auto x = nx == 1 ? (common.cols - size) / 2 : i * (common.cols - size) / (nx - 1);
            const auto y = ny == 1 ? (common.rows - size) / 2 : j * (common.rows - size) / (ny - 1);
            // On the scene's own blocks, which hold a power of two of pixels: one is decoded where four would
            // be.
            list.push_back({common.col + x / size * size, common.row + y / size * size, size, size});
        }
    static_assert(most_windows == 5 * 5);
    return list;
}

Window lattice_window(const engine::Scene& s, const Grid& grid) {
    return grid.window(io::transform_bounds(s.bounds, s.crs, grid.crs()));
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
    const Window common = lattice_window(scene, grid).intersection(lattice_window(reference, grid));
    int size = 0;
    const auto windows = windows_over(common, size);
    constexpr std::array<Band, 2> roles = {Band::red, Band::nir};
    std::vector<std::optional<algorithms::TiePoint>> found(o.registration ? roles.size() * windows.size()
                                                                          : 0);
    executor.parallel_for(found.size(), [&](std::size_t i) {
        const Band role = roles[i / windows.size()];
        const auto *f = band_of(reference, role), *m = band_of(scene, role);
        if (f == nullptr || m == nullptr) return;
        if (const auto p = read_pair(*f, *m, grid, windows[i % windows.size()]))
            found[i] = algorithms::phase_correlation(p->fixed, p->moving, size);
    });
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
    }
    if (scene.reflectance && reference.reflectance) {
        std::vector<double> medians;
        double least_share = 1;
        for (const Band role : {Band::blue, Band::green, Band::red, Band::nir}) {
            const auto *f = band_of(reference, role), *m = band_of(scene, role);
            if (f == nullptr || m == nullptr) continue;
            std::vector<float> differences;
            for (std::size_t i = 0; i < windows.size(); i += std::max<std::size_t>(1, windows.size() / 9))
                if (const auto p = read_pair(*f, *m, grid, windows[i]))
                    for (std::size_t k = 0; k < p->fixed.size(); k += 7)
                        differences.push_back(p->moving[k] - p->fixed[k]);
            if (differences.size() < 100) continue;
            std::nth_element(differences.begin(),
                             differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2),
                             differences.end());
            const double median = differences[differences.size() / 2];
            const auto beyond = std::count_if(differences.begin(), differences.end(), [&](float d) {
                return std::abs(d) > jump_least && (d > 0) == (median > 0);
            });
            medians.push_back(median);
            least_share =
                std::min(least_share, static_cast<double>(beyond) / static_cast<double>(differences.size()));
        }
        const bool one_way = std::all_of(medians.begin(), medians.end(),
                                         [&](double d) { return (d > 0) == (medians.front() > 0); });
        if (medians.size() >= 3 && one_way) {
            r.jump_share = least_share;
            r.jump = *std::min_element(medians.begin(), medians.end(),
                                       [](double a, double b) { return std::abs(a) < std::abs(b); });
            if (least_share > jump_share_refused && std::abs(r.jump) > 0.07 && std::abs(r.jump) < 0.13)
                r.refused = fmt::format(
                    "all bands differ from {} by {:+.3f} on {:.0f} % of the pixels, as when the offset of "
                    "-0.1 is missing or applied twice",
                    reference.id, r.jump, 100 * least_share);
        }
    }
    return r;
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
                                      {"refused", r.refused}};
    return j.dump(1) + "\n";
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
        r.refused = j.at("refused");
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
    return r;
}

}  // namespace shuibao::pipeline
