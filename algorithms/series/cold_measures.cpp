// SPDX-License-Identifier: Apache-2.0
// What COLD measures along a series, and the two simple fits for pixels that hardly show ground.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <shuibao/algorithms/cold.hpp>

namespace shuibao::algorithms {
namespace {

constexpr std::size_t seasonal_looks = 24;

double median(std::vector<double>& v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return v.size() % 2 == 1 ? *middle : (*middle + *std::max_element(v.begin(), middle)) / 2;
}

}  // namespace

// Fills m_y of the date; false when a band is missing or no reflectance.
bool Cold::measured(std::span<const float> values, std::size_t date) {
    Lanes& y = m_y[date];
    for (std::size_t b = 0; b < m_bands; ++b) {
        const float v = values[b * m_basis.size() + date];
        if (!std::isfinite(v)) return false;
        if (b < static_cast<std::size_t>(m_options.reflective_bands) &&
            !(v > m_options.valid_above && v < m_options.valid_below))
            return false;
        y[b] = v;
    }
    return true;
}

void Cold::find_variogram() {
    m_variogram = {};
    if (m_live.size() < 2) return;
    for (std::size_t b = 0; b < m_bands; ++b) {
        m_scratch.clear();
        for (std::size_t i = 1; i < m_live.size(); ++i)
            m_scratch.push_back(std::abs(m_y[m_live[i]][b] - m_y[m_live[i - 1]][b]));
        m_variogram[b] = median(m_scratch);
    }
}

// Tmask (Zhu & Woodcock 2014, RSE 152:217) on m_live[from, to): fills m_noise, one
// entry per look from `from` on.
void Cold::screen(std::size_t from, std::size_t to) {
    const std::size_t n = to - from;
    const double years = std::ceil((day(to - 1) - day(from)) / 365.25);
    const double slow = 2 * std::numbers::pi / (365.25 * years);
    m_design.clear();
    for (std::size_t i = from; i < to; ++i) {
        const HarmonicRow& x = m_basis.row(m_live[i]);
        const double angle = slow * (day(i) - day(from));
        m_design.insert(m_design.end(), {1, x[2], x[3], std::cos(angle), std::sin(angle)});
    }
    m_noise.assign(n, false);
    for (const int band : m_options.tmask_bands) {
        const auto b = static_cast<std::size_t>(band);
        m_scratch.clear();
        for (std::size_t i = from; i < to; ++i) m_scratch.push_back(m_y[m_live[i]][b]);
        m_fitter.fit(m_design, m_scratch, 5);
        const auto beta = m_fitter.coefficients();
        const double limit = m_options.tmask_factor * m_variogram[b];
        for (std::size_t i = 0; i < n; ++i) {
            double r = m_scratch[i];
            for (std::size_t j = 0; j < 5; ++j) r -= m_design[5 * i + j] * beta[j];
            if (std::abs(r) > limit) m_noise[i] = true;
        }
    }
}

void Cold::fit_simple(std::size_t from, std::size_t to) {
    m_sums = {};
    for (std::size_t i = from; i < to; ++i) m_sums.add(m_basis.row(m_live[i]), m_y[m_live[i]]);
    m_fit = lasso_fit(m_sums, 4, m_options.lasso);
}

// Whether the model just fitted has no trend and no outlier at its ends (Zhu & Woodcock 2014, RSE 144:152,
// eq. 4).
bool Cold::stable() const {
    const HarmonicRow &first = m_basis.row(m_live[m_start]), &last = m_basis.row(m_live[m_stop - 1]);
    const Lanes scale = scale_of(m_fit.rmse), at_first = m_fit.predict(first), at_last = m_fit.predict(last);
    double sum = 0;
    for (std::size_t b = 0; b < m_bands; ++b) {
        const double ends = std::max(std::abs(m_y[m_live[m_start]][b] - at_first[b]),
                                     std::abs(m_y[m_live[m_stop - 1]][b] - at_last[b]));
        const double z = (std::abs(m_fit.beta[1][b] * (last[1] - first[1])) + ends) / scale[b];
        sum += m_tested[b] * z * z;
    }
    return sum <= m_options.change_threshold;
}

Lanes Cold::scale_of(const Lanes& rmse) const {
    Lanes s;
    for (std::size_t b = 0; b < series_lanes; ++b) s[b] = std::max({m_variogram[b], rmse[b], 1e-6});
    return s;
}

void Cold::look_at(std::size_t slot, std::size_t live, const Lanes& scale) {
    const Lanes expected = m_fit.predict(m_basis.row(m_live[live]));
    const Lanes& y = m_y[m_live[live]];
    double sum = 0;
    for (std::size_t b = 0; b < series_lanes; ++b) {
        m_raw[slot][b] = y[b] - expected[b];
        m_z[slot][b] = m_tested[b] * m_raw[slot][b] / scale[b];
        sum += m_z[slot][b] * m_z[slot][b];
    }
    m_distance2[slot] = sum;
}

// RMSE of the 24 looks of the model whose season is nearest to that of `day`: noise differs with the season.
Lanes Cold::seasonal_rmse(std::int32_t day) {
    const std::int32_t now = season_of(day);
    const std::size_t n = m_members.size();
    const auto above = static_cast<std::size_t>(
        std::lower_bound(m_members.begin(), m_members.end(), Member{now, 0}) - m_members.begin());
    std::size_t left = (above + n - 1) % n, right = above % n;
    Lanes sum{};
    for (std::size_t k = 0; k < seasonal_looks; ++k) {
        std::int32_t before = now - m_members[left].season, after = m_members[right].season - now;
        if (before < 0) before += quarter_days;
        if (after < 0) after += quarter_days;
        const bool take_left =
            before < after || (before == after && m_members[left].date > m_members[right].date);
        const Index date = m_members[take_left ? left : right].date;
        if (take_left)
            left = left == 0 ? n - 1 : left - 1;
        else
            right = right + 1 == n ? 0 : right + 1;
        Lanes& squares = m_squares[date];
        if (m_squares_fit[date] != m_fit_number) {
            m_squares_fit[date] = m_fit_number;
            squares = m_fit.predict(m_basis.row(date));
            for (std::size_t b = 0; b < series_lanes; ++b) {
                const double r = m_y[date][b] - squares[b];
                squares[b] = r * r;
            }
        }
        for (std::size_t b = 0; b < series_lanes; ++b) sum[b] += squares[b];
    }
    for (double& s : sum) s = std::sqrt(s / (seasonal_looks - 8));
    return sum;
}

double Cold::mean_angle(std::size_t from, std::size_t to) const {
    if (to - from < 2) return 0;
    double sum = 0;
    for (std::size_t k = from; k + 1 < to; ++k) {
        double product = 0;
        for (std::size_t b = 0; b < series_lanes; ++b) product += m_z[k][b] * m_z[k + 1][b];
        const double lengths = std::sqrt(m_distance2[k] * m_distance2[k + 1]);
        sum += lengths > 0 ? std::acos(std::clamp(product / lengths, -1.0, 1.0)) : std::numbers::pi / 2;
    }
    return sum / static_cast<double>(to - from - 1) * 180 / std::numbers::pi;
}

Lanes Cold::median_residual(std::size_t from, std::size_t to) {
    Lanes m{};
    for (std::size_t b = 0; b < m_bands; ++b) {
        m_scratch.clear();
        for (std::size_t k = from; k < to; ++k) m_scratch.push_back(m_raw[k][b]);
        m[b] = median(m_scratch);
    }
    return m;
}

void Cold::describe(ColdSegment& s) const {
    s.terms = m_fit.terms;
    s.rmse = m_fit.rmse;
    s.coefficients = m_fit.beta;
    for (std::size_t b = 0; b < series_lanes; ++b) {
        s.coefficients[1][b] /= 365.25;
        s.coefficients[0][b] -= s.coefficients[1][b] * m_basis.first_day();
    }
}

std::size_t Cold::first_at(std::int32_t wanted) const {
    const auto it = std::lower_bound(m_live.begin(), m_live.end(), wanted,
                                     [this](Index date, std::int32_t d) { return m_basis.day(date) < d; });
    return static_cast<std::size_t>(it - m_live.begin());
}

// Too few clear looks to watch a series: one model through everything that is measured and not bright,
// because the mask is then more likely wrong than the ground hidden.
void Cold::few_looks(std::span<const float> values, std::vector<ColdSegment>& out) {
    const auto green = static_cast<std::size_t>(m_options.tmask_bands[0]);
    m_scratch.clear();
    for (std::size_t i = 0; i < m_basis.size(); ++i)
        if ((m_live.empty() || day(m_live.size() - 1) != m_basis.day(i)) && measured(values, i)) {
            m_live.push_back(static_cast<Index>(i));
            m_scratch.push_back(m_y[i][green]);
        }
    if (m_live.empty()) return;
    const double limit = median(m_scratch) + m_options.few_looks_brightness;
    std::erase_if(m_live, [&](Index i) { return m_y[i][green] >= limit; });
    if (m_live.size() < 12) return;
    fit_simple(0, m_live.size());
    ColdSegment s;
    s.first_day = day(0);
    s.last_day = day(m_live.size() - 1);
    s.observations = static_cast<int>(m_live.size());
    s.kind = SegmentKind::few_looks;
    describe(s);
    out.push_back(s);
}

// Permanent snow: bands saturate, each for itself; one that is hardly ever below saturation gets that value.
void Cold::snow(std::span<const float> values, std::span<const Look> looks, std::vector<ColdSegment>& out) {
    const std::size_t n = m_basis.size();
    for (std::size_t i = 0; i < n; ++i)
        if (looks[i] != Look::hidden) m_live.push_back(static_cast<Index>(i));
    if (m_live.size() < 12) return;
    HarmonicFit all;
    all.terms = 4;
    for (std::size_t b = 0; b < m_bands; ++b) {
        m_sums = {};
        const bool reflective = b < static_cast<std::size_t>(m_options.reflective_bands);
        for (const Index i : m_live) {
            const float v = values[b * n + i];
            if (!std::isfinite(v) ||
                (reflective && !(v > m_options.valid_above && v < m_options.valid_below)))
                continue;
            Lanes y{};
            y[b] = v;
            m_sums.add(m_basis.row(i), y);
        }
        all.beta[0][b] = m_options.valid_below;
        if (m_sums.count < 12) continue;
        const HarmonicFit one = lasso_fit(m_sums, 4, m_options.lasso);
        for (std::size_t j = 0; j < harmonic_terms; ++j) all.beta[j][b] = one.beta[j][b];
        all.rmse[b] = one.rmse[b];
    }
    m_fit = all;
    ColdSegment s;
    s.first_day = day(0);
    s.last_day = day(m_live.size() - 1);
    s.observations = static_cast<int>(m_live.size());
    s.kind = SegmentKind::snow;
    describe(s);
    out.push_back(s);
}

}  // namespace shuibao::algorithms
