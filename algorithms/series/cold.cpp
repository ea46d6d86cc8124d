// SPDX-License-Identifier: Apache-2.0
// The course of COLD along one series. What it measures on the way is in cold_measures.cpp.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <shuibao/algorithms/cold.hpp>
#include <shuibao/core/error.hpp>

namespace shuibao::algorithms {
namespace {

// Three looks per coefficient; models have 4, 6 or 8 (Zhu et al. 2015, RSE 162:67).
constexpr std::size_t enough_for_4 = 12, enough_for_6 = 18, enough_for_8 = 24;
constexpr std::size_t enough_for_simple = 6;

int terms_for(std::size_t looks) {
    return looks < enough_for_6 ? 4 : looks < enough_for_8 ? 6 : 8;
}

}  // namespace

Cold::Cold(std::span<const std::int32_t> days, int bands, ColdOptions options)
    : m_options(std::move(options)), m_basis(days), m_fitter(m_options.robust) {
    const auto refuse = [](const std::string& what, const char* hint) {
        throw Error(ErrorCode::usage, "COLD: " + what, hint);
    };
    if (bands < 1 || bands > series_lanes)
        refuse("a pixel has " + std::to_string(bands) + " bands.", "Use 1 to 8 bands.");
    if (days.size() > std::numeric_limits<Index>::max())
        refuse("the series has " + std::to_string(days.size()) + " dates.", "Use at most 65535.");
    for (std::size_t i = 1; i < days.size(); ++i)
        if (days[i] < days[i - 1])
            refuse("day " + std::to_string(days[i]) + " comes after day " + std::to_string(days[i - 1]) + ".",
                   "Sort the acquisitions by date.");
    if (m_options.consecutive < 2 || m_options.consecutive > 32)
        refuse("'consecutive' is " + std::to_string(m_options.consecutive) + ".", "Use 2 to 32 looks.");
    for (const int b : m_options.test_bands) {
        if (b < 0 || b >= bands)
            refuse("test band " + std::to_string(b) + " does not exist.", "Bands count from 0.");
        m_tested[static_cast<std::size_t>(b)] = 1;
    }
    for (const int b : m_options.tmask_bands)
        if (b < 0 || b >= bands)
            refuse("Tmask band " + std::to_string(b) + " does not exist.", "Bands count from 0.");
    m_bands = static_cast<std::size_t>(bands);
    m_conse = static_cast<std::size_t>(m_options.consecutive);
    m_y.resize(days.size());
    m_squares.resize(days.size());
    m_squares_fit.resize(days.size());
    m_z.resize(m_conse);
    m_raw.resize(m_conse);
    m_distance2.resize(m_conse);
}

void Cold::run(std::span<const float> values, std::span<const Look> looks, std::vector<ColdSegment>& out) {
    if (looks.size() != m_basis.size() || values.size() != m_bands * m_basis.size())
        throw Error(ErrorCode::usage,
                    "COLD: a pixel came with " + std::to_string(values.size()) + " values and " +
                        std::to_string(looks.size()) + " looks for " + std::to_string(m_basis.size()) +
                        " dates.",
                    "Give one look per date and one value per date and band.");
    const auto clear = std::count(looks.begin(), looks.end(), Look::clear);
    const auto snowy = std::count(looks.begin(), looks.end(), Look::snow);
    m_live.clear();
    if (clear < static_cast<std::ptrdiff_t>(enough_for_8)) {
        if (static_cast<double>(snowy) > m_options.snow_share * static_cast<double>(snowy + clear))
            snow(values, looks, out);
        else
            few_looks(values, out);
        return;
    }
    for (std::size_t i = 0; i < looks.size(); ++i)
        if (looks[i] == Look::clear && (m_live.empty() || day(m_live.size() - 1) != m_basis.day(i)) &&
            measured(values, i))
            m_live.push_back(static_cast<Index>(i));
    monitor(out);
}

void Cold::monitor(std::vector<ColdSegment>& out) {
    find_variogram();
    m_first_segment = out.size();
    m_start = m_dense = 0;
    m_stop = enough_for_4;
    m_trained = false;
    m_fitted_span = 0;
    while (m_stop + m_conse <= m_live.size()) {
        const bool long_enough =
            m_stop - m_start >= enough_for_4 && day(m_stop - 1) - day(m_start) >= m_options.min_days;
        if (long_enough) {
            if (!m_trained && !initialise(out)) continue;
            if (!step(out)) continue;
        }
        ++m_stop;
    }
    if (m_trained)
        close_open(out);
    else
        close_short(out);
}

// Tries to start a model on m_live[m_start, m_stop). When that fails it moves on to the next attempt.
bool Cold::initialise(std::vector<ColdSegment>& out) {
    for (std::size_t i = m_start + 1; i < m_stop; ++i)
        if (day(i) - day(i - 1) > m_options.max_gap_days) {
            ++m_stop;
            m_dense = ++m_start;
            return false;
        }

    // Noise is dropped only when what is left can carry a model: until then every attempt masks anew.
    screen(m_start, m_stop + m_conse);
    std::size_t kept = 0, first = m_stop, last = m_start;
    for (std::size_t i = m_start; i < m_stop; ++i)
        if (!m_noise[i - m_start]) {
            if (kept++ == 0) first = i;
            last = i;
        }
    if (kept < enough_for_4 || day(last) - day(first) < m_options.min_days) {
        ++m_stop;
        return false;
    }
    drop_noise(m_start, m_stop);
    m_stop = m_start + kept;

    fit_simple(m_start, m_stop);
    if (!stable()) {
        ++m_start;
        ++m_stop;
        return false;
    }
    m_trained = m_fresh = true;
    const bool first_model = out.size() == m_first_segment;
    const std::size_t earliest = first_model ? m_dense : first_at(out.back().break_day);
    if (m_start > earliest) extend_back(earliest);
    if (first_model && m_start >= m_dense + enough_for_simple) record_start(out);
    return true;
}

void Cold::drop_noise(std::size_t from, std::size_t to) {
    std::size_t kept = from;
    for (std::size_t i = from; i < m_live.size(); ++i)
        if (i >= to || !m_noise[i - from]) m_live[kept++] = m_live[i];
    m_live.resize(kept);
}

// Looks before a stable model belong to it until a run of them disagrees.
void Cold::extend_back(std::size_t earliest) {
    const Lanes scale = scale_of(m_fit.rmse);
    for (std::size_t next = m_start; next-- > earliest;) {
        m_window = std::min(next - earliest + 1, m_conse);
        for (std::size_t k = 0; k < m_window; ++k) look_at(k, next - k, scale);
        const double least = *std::min_element(m_distance2.begin(),
                                               m_distance2.begin() + static_cast<std::ptrdiff_t>(m_window));
        if (least > m_options.change_threshold && mean_angle(0, m_window) < m_options.max_angle_deg) return;
        if (m_distance2[0] > m_options.outlier_threshold) {
            m_live.erase(m_live.begin() + static_cast<std::ptrdiff_t>(next));
            --m_stop;
        }
        m_start = next;
    }
}

// The looks before the first stable model that are not part of it.
void Cold::record_start(std::vector<ColdSegment>& out) {
    ColdSegment s;
    s.magnitude = median_residual(0, m_window);  // of the past against the future: turned round
    for (double& m : s.magnitude) m = -m;
    fit_simple(m_dense, m_start);
    s.first_day = day(m_dense);
    s.last_day = day(m_start - 1);
    s.break_day = day(m_start);
    s.confirmed_day = day(std::min(m_stop + m_conse, m_live.size()) - 1);
    s.change_probability = 100;
    s.observations = static_cast<int>(m_start - m_dense);
    s.kind = SegmentKind::start;
    describe(s);
    out.push_back(s);
}

void Cold::refit(int terms) {
    if (m_fresh) {
        m_sums = {};
        m_members.clear();
        m_fitted = m_start;
    }
    for (std::size_t i = m_fitted; i < m_stop; ++i) {
        m_sums.add(m_basis.row(m_live[i]), m_y[m_live[i]]);
        const Member m{season_of(day(i)), m_live[i]};
        m_members.insert(std::upper_bound(m_members.begin(), m_members.end(), m), m);
    }
    m_fitted = m_stop;
    const HarmonicFit before = m_fit;
    m_fit = lasso_fit(m_sums, terms, m_options.lasso, m_fresh ? nullptr : &before);
    m_fresh = false;
    ++m_fit_number;
    m_open.observations = static_cast<int>(m_stop - m_start);
    describe(m_open);
}

// Confronts the model with the next looks. False when the next look turned out to be noise and is gone.
bool Cold::step(std::vector<ColdSegment>& out) {
    const std::size_t span = m_stop - m_start;
    if (m_fitted_span == 0) m_fitted_span = span;
    if (m_fresh) {
        m_open = {};
        m_open.first_day = day(m_start);
    }
    if (m_fresh || span <= enough_for_8) {
        refit(terms_for(span));
        const Lanes scale = scale_of(m_fit.rmse);
        for (std::size_t k = 0; k < m_conse; ++k) look_at(k, m_stop + k, scale);
    } else {
        if (m_stop - m_fitted >
            static_cast<std::size_t>(m_options.refit_share * static_cast<double>(m_fitted_span))) {
            refit(terms_for(span));
            m_fitted_span = span;
        }
        std::shift_left(m_raw.begin(), m_raw.end(), 1);
        std::shift_left(m_z.begin(), m_z.end(), 1);
        std::shift_left(m_distance2.begin(), m_distance2.end(), 1);
        const std::size_t newest = m_stop + m_conse - 1;
        look_at(m_conse - 1, newest, scale_of(seasonal_rmse(day(newest))));
    }
    m_open.last_day = day(m_stop - 1);

    if (*std::min_element(m_distance2.begin(), m_distance2.end()) > m_options.change_threshold &&
        mean_angle(0, m_conse) < m_options.max_angle_deg) {
        m_open.break_day = day(m_stop);
        m_open.confirmed_day = day(m_stop + m_conse - 1);
        m_open.change_probability = 100;
        m_open.magnitude = median_residual(0, m_conse);
        out.push_back(m_open);
        m_start = m_stop;
        m_trained = false;
        m_fitted_span = 0;
    } else if (m_distance2[0] > m_options.outlier_threshold) {
        m_live.erase(m_live.begin() + static_cast<std::ptrdiff_t>(m_stop));
        return false;
    }
    return true;
}

// The series ends while a model holds: the last looks may be the beginning of a change.
void Cold::close_open(std::vector<ColdSegment>& out) {
    std::size_t agreeing = m_conse;
    for (std::size_t k = m_conse; k-- > 0;)
        if (m_distance2[k] <= m_options.change_threshold ||
            mean_angle(k, m_conse) >= m_options.max_angle_deg) {
            agreeing = k + 1;
            break;
        }
    const std::size_t end = m_live.size();
    m_open.change_probability = static_cast<int>((m_conse - agreeing) * 100 / m_conse);
    m_open.last_day = day(end - 1 - m_conse + agreeing);
    if (agreeing < m_conse) {
        m_open.break_day = day(end - m_conse + agreeing);
        m_open.magnitude = median_residual(agreeing, m_conse);
    }
    out.push_back(m_open);
}

// The series ends without a stable model: a simple one through what follows the last break.
void Cold::close_short(std::vector<ColdSegment>& out) {
    const bool first_model = out.size() == m_first_segment;
    m_start = first_model ? 0 : first_at(out.back().break_day);
    if (m_live.size() < m_start + enough_for_simple) return;
    screen(m_start, m_live.size());
    drop_noise(m_start, m_live.size());
    if (m_live.size() < m_start + enough_for_simple) return;
    fit_simple(m_start, m_live.size());
    ColdSegment s;
    s.first_day = first_model ? day(0) : out.back().break_day;
    s.last_day = day(m_live.size() - 1);
    s.observations = static_cast<int>(m_live.size() - m_start);
    s.kind = SegmentKind::end;
    describe(s);
    out.push_back(s);
}

}  // namespace shuibao::algorithms
