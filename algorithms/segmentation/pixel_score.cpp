// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "same_history.hpp"
#include <shuibao/algorithms/pixel_score.hpp>

namespace shuibao::algorithms {
namespace {

// Values of a pixel whose means around it are told too, in their order.
enum Own : std::size_t { evidence, age, gap, magnitude, drop, recent, trait = recent + PixelHistory::lately };
constexpr std::size_t owns = trait + PixelHistory::traits;
constexpr std::array<const char*, owns> own_names = {"evidence",
                                                     "age",
                                                     "gap",
                                                     "magnitude",
                                                     "drop",
                                                     "weeks_green",
                                                     "half_year_green",
                                                     "soil_index",
                                                     "brightness",
                                                     "own_index",
                                                     "own_brightness",
                                                     "index_above_own",
                                                     "brightness_above_own",
                                                     "green_above_own",
                                                     "alarm_looks"};

// Those that are compared with ground of the same history.
constexpr std::array<std::size_t, 8> compared = {evidence,   recent,    recent + 1, recent + 2,
                                                 recent + 3, trait + 2, trait + 3,  trait + 4};
constexpr std::array<std::int64_t, 3> distances = {4, 8, 16};
constexpr std::int64_t around = 1, near_by = 2, far_off = 20, beside = 3;  // half widths of means
constexpr int further = 8;  // steps of 0.005, as for pixels three apart
constexpr std::array<std::array<int, 2>, 8> directions = {
    {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}}};

static_assert(PixelScore::reach >= far_off + around && PixelScore::reach >= 16 + around + 1);

// Sums over boxes of a plane of whole numbers (Crow 1984): the same however the map is cut.
class BoxSums {
  public:
    void reset(std::int64_t rows, std::int64_t cols) {
        m_rows = rows;
        m_cols = cols;
        m_sum.resize(static_cast<std::size_t>((rows + 1) * (cols + 1)));
        m_count.resize(m_sum.size());
        std::fill_n(m_sum.begin(), cols + 1, 0);
        std::fill_n(m_count.begin(), cols + 1, 0);
    }
    // value(i), counted where counts(i); row-major.
    template <class Value, class Counts>
    void fill(const Value& value, const Counts& counts) {
        for (std::int64_t y = 0; y < m_rows; ++y) {
            std::uint32_t sum = 0, n = 0;
            m_sum[at(y + 1, 0)] = 0;
            m_count[at(y + 1, 0)] = 0;
            for (std::int64_t x = 0; x < m_cols; ++x) {
                const auto i = static_cast<std::size_t>(y * m_cols + x);
                if (counts(i)) sum += static_cast<std::uint32_t>(value(i)), ++n;
                m_sum[at(y + 1, x + 1)] = m_sum[at(y, x + 1)] + sum;
                m_count[at(y + 1, x + 1)] = static_cast<std::uint16_t>(m_count[at(y, x + 1)] + n);
            }
        }
    }
    struct Mean {
        std::int64_t sum = 0;
        std::int32_t count = 0;
    };
    [[nodiscard]] Mean mean(std::int64_t y, std::int64_t x, std::int64_t half) const {
        const auto y0 = std::max<std::int64_t>(0, y - half), y1 = std::min(m_rows, y + half + 1);
        const auto x0 = std::max<std::int64_t>(0, x - half), x1 = std::min(m_cols, x + half + 1);
        const auto sum = m_sum[at(y1, x1)] - m_sum[at(y0, x1)] - m_sum[at(y1, x0)] + m_sum[at(y0, x0)];
        const auto count =
            m_count[at(y1, x1)] - m_count[at(y0, x1)] - m_count[at(y1, x0)] + m_count[at(y0, x0)];
        return {static_cast<std::int32_t>(sum), static_cast<std::uint16_t>(count)};
    }

  private:
    [[nodiscard]] std::size_t at(std::int64_t y, std::int64_t x) const {
        return static_cast<std::size_t>(y * (m_cols + 1) + x);
    }
    std::int64_t m_rows = 0, m_cols = 0;
    // Modulo 2³² and 2¹⁶: a box of 41 × 41 values of 16 bits holds less.
    std::vector<std::uint32_t> m_sum;
    std::vector<std::uint16_t> m_count;
};

// A block of columns with what lies around it; one after the other in the same memory.
class Block {
  public:
    Block(const MapPart& part, double least, double quiet)
        : m_part(part),
          m_lowest(Change::stored(least)),
          m_quiet(static_cast<std::int32_t>(Change::stored(quiet))) {}

    void reset(const Window& window) {
        m_w = window;
        const auto n = static_cast<std::size_t>(m_w.pixels());
        m_member.resize(n);
        m_known.resize(n);
        each([&](std::size_t i, std::size_t g) {
            const auto e = m_part.evidence[g];
            m_member[i] = e >= m_lowest && e != Change::unobserved && e != Change::no_evidence ? 1 : 0;
            m_known[i] = m_part.history.known(g) ? 1 : 0;
        });
    }
    [[nodiscard]] bool member(std::int64_t row, std::int64_t col) const {
        return m_member[index(row, col)] != 0;
    }

    // Before values_of is asked.
    void prepare() {
        const auto n = m_member.size();
        m_seasons.resize(n);
        for (auto& plane : m_values) plane.resize(n);
        each([&](std::size_t i, std::size_t g) {
            m_seasons[i] = m_part.history.season(g);
            own(i, g);
        });
        for (std::size_t k = 0; k < owns; ++k) {
            const auto& values = m_values[k];
            m_sums[k].reset(m_w.rows, m_w.cols);
            // When and how much it changed is known of what may have changed only.
            const auto& counted =
                k == age || k == gap || k == magnitude || k == owns - 1 ? m_member : m_known;
            m_sums[k].fill([&](std::size_t i) { return values[i]; },
                           [&](std::size_t i) { return counted[i] != 0 && values[i] != nothing; });
        }
        m_members.reset(m_w.rows, m_w.cols);
        m_members.fill([](std::size_t) { return 1; }, [&](std::size_t i) { return m_member[i] != 0; });
        for (std::size_t c = 0; c < compared.size(); ++c) {
            m_smooth[c].resize(n);  // read where there is a mean only
            for (std::int64_t y = 0; y < m_w.rows; ++y)
                for (std::int64_t x = 0; x < m_w.cols; ++x) {
                    const auto m = m_sums[compared[c]].mean(y, x, around);
                    if (m.count > 0)
                        m_smooth[c][static_cast<std::size_t>(y * m_w.cols + x)] = ratio(compared[c], m);
                }
        }
    }

    void values_of(std::int64_t row, std::int64_t col, std::vector<double>& out) const {
        out.clear();
        const auto i = index(row, col);
        const std::int64_t y = row - m_w.row, x = col - m_w.col;
        for (std::size_t k = 0; k < owns; ++k)
            out.push_back(m_values[k][i] == nothing ? PixelScore::unknown : in_unit(k, m_values[k][i]));
        const auto& all = m_part.history.window;
        const auto g = static_cast<std::size_t>((row - all.row) * all.cols + col - all.col);
        const bool known = m_known[i] != 0;
        out.push_back(known ? (m_part.history.tilled(g) ? 1 : 0) : PixelScore::unknown);
        for (const int s : m_seasons[i]) out.push_back(known ? s * PixelHistory::step : PixelScore::unknown);
        for (std::size_t k = 0; k < owns; ++k) {
            const auto m = m_sums[k].mean(y, x, near_by), wide = m_sums[k].mean(y, x, far_off);
            out.push_back(m.count > 0 ? ratio(k, m) - ratio(k, wide) : PixelScore::unknown);
        }
        out.push_back(static_cast<double>(m_members.mean(y, x, beside).count));
        out.push_back(static_cast<double>(m_members.mean(y, x, far_off).count));
        for (const auto d : distances) compare(i, y, x, d, out);
    }

  private:
    static constexpr std::int32_t nothing = INT32_MIN;

    [[nodiscard]] std::size_t index(std::int64_t row, std::int64_t col) const {
        return static_cast<std::size_t>((row - m_w.row) * m_w.cols + (col - m_w.col));
    }
    // f(pixel of the block, of the part), row by row.
    template <class F>
    void each(const F& f) const {
        const auto& all = m_part.history.window;
        std::size_t i = 0;
        for (std::int64_t y = 0; y < m_w.rows; ++y) {
            auto g = static_cast<std::size_t>((m_w.row + y - all.row) * all.cols + m_w.col - all.col);
            for (std::int64_t x = 0; x < m_w.cols; ++x) f(i++, g++);
        }
    }

    // In stored steps.
    void own(std::size_t i, std::size_t g) {
        const auto e = m_part.evidence[g];
        const int opened = m_part.onset_to[g];
        m_values[evidence][i] = e == Change::no_evidence || e == Change::unobserved ? m_quiet : int{e};
        m_values[age][i] = opened > 0 ? m_part.seen.days() - opened : nothing;
        m_values[gap][i] = opened > 0 ? opened - int{m_part.onset_from[g]} : nothing;
        m_values[magnitude][i] = m_part.magnitude[g];
        if (m_known[i] == 0) {
            for (std::size_t k = drop; k < owns; ++k) m_values[k][i] = nothing;
            return;
        }
        const auto& h = m_part.history;
        m_values[drop][i] = h.drop(g);
        const auto lately = h.recent(g);
        for (std::size_t k = 0; k < lately.size(); ++k) m_values[recent + k][i] = lately[k];
        const auto traits = h.traits_of(g);
        for (std::size_t k = 0; k < traits.size(); ++k)
            m_values[trait + k][i] = traits[k] == 0 ? nothing : traits[k] - PixelHistory::middle;
    }
    // Steps to what names() says.
    [[nodiscard]] static double in_unit(std::size_t k, double v) {
        if (k == evidence) return (v - Change::evidence_zero) / Change::evidence_per_unit;
        if (k == magnitude) return v / 100;
        if (k == drop) return v * PixelHistory::drop_step;
        if (k >= trait)
            return PixelHistory::trait_middle[k - trait] + v * PixelHistory::trait_step[k - trait];
        if (k >= recent) return v * PixelHistory::recent_step[k - recent];
        return v;  // days
    }
    [[nodiscard]] static double ratio(std::size_t k, const BoxSums::Mean& m) {
        return in_unit(k, static_cast<double>(m.sum) / m.count);
    }

    // By how much the pixel's surroundings are more than those so far away in eight directions, over those of
    // the same history; and what share these are.
    void compare(std::size_t i, std::int64_t y, std::int64_t x, std::int64_t d,
                 std::vector<double>& out) const {
        std::array<double, compared.size()> sum{};
        std::array<int, compared.size()> count{};
        int known = 0, same = 0;
        for (const auto& [down, right] : directions) {
            const auto v = y + down * d, u = x + right * d;
            if (m_known[i] == 0 || v < 0 || v >= m_w.rows || u < 0 || u >= m_w.cols) continue;
            const auto j = static_cast<std::size_t>(v * m_w.cols + u);
            if (m_known[j] == 0) continue;
            ++known;
            if (!same_season(m_seasons[i], m_seasons[j], further)) continue;
            ++same;
            for (std::size_t c = 0; c < compared.size(); ++c) {
                const auto k = compared[c];
                if (m_values[k][i] == nothing || m_values[k][j] == nothing) continue;
                sum[c] += m_smooth[c][i] - m_smooth[c][j];
                ++count[c];
            }
        }
        for (std::size_t c = 0; c < compared.size(); ++c) out.push_back(sum[c] / (count[c] + 1));
        out.push_back(static_cast<double>(same) / std::max(known, 1));
    }

    const MapPart& m_part;
    Window m_w;
    int m_lowest;
    std::int32_t m_quiet;
    std::vector<std::uint8_t> m_member, m_known;
    std::array<std::vector<std::int32_t>, owns> m_values;
    std::vector<std::array<int, PixelHistory::terms>> m_seasons;
    std::array<BoxSums, owns> m_sums;
    BoxSums m_members;
    std::array<std::vector<double>, compared.size()> m_smooth;
};

// Calls visit(row, col, values) for the pixels of `window` that are told of; block by block of columns.
template <class Visit>
void visit_blocks(const MapPart& part, const Window& window, double least, double quiet, const Visit& visit) {
    constexpr std::int64_t block_cols = 256;
    const Window& all = part.history.window;
    std::vector<double> values;
    Block block(part, least, quiet);
    for (auto col = window.col; col < window.col + window.cols; col += block_cols) {
        const auto end = std::min(window.col + window.cols, col + block_cols);
        const auto with = Window{col - PixelScore::reach, window.row - PixelScore::reach,
                                 end - col + 2 * PixelScore::reach, window.rows + 2 * PixelScore::reach}
                              .intersection(all);
        block.reset(with);
        bool prepared = false;
        for (auto r = window.row; r < window.row + window.rows; ++r)
            for (auto c = col; c < end; ++c) {
                if (!block.member(r, c)) continue;
                if (!prepared) block.prepare();
                prepared = true;
                block.values_of(r, c, values);
                visit(r, c, values);
            }
    }
}

}  // namespace

const std::vector<std::string>& PixelScore::names() {
    static const auto list = [] {
        std::vector<std::string> n(own_names.begin(), own_names.end());
        n.emplace_back("tilled");
        for (std::size_t k = 0; k < PixelHistory::terms; ++k) n.push_back("season_" + std::to_string(k));
        for (const char* name : own_names) n.push_back(std::string(name) + "_above_region");
        n.emplace_back("changed_around");
        n.emplace_back("changed_region");
        for (const auto d : distances) {
            for (const auto k : compared)
                n.push_back(std::string(own_names[k]) + "_above_" + std::to_string(d));
            n.push_back("same_" + std::to_string(d));
        }
        return n;
    }();
    return list;
}

std::vector<std::uint16_t> PixelScore::scores(const Window& window, const Forest& model) const {
    // One pixel more on each side, for the mean.
    const auto with =
        Window{window.col - around, window.row - around, window.cols + 2 * around, window.rows + 2 * around}
            .intersection(m_part.history.window);
    std::vector<double> own(static_cast<std::size_t>(with.pixels()), unknown);
    visit_blocks(m_part, with, m_least, m_quiet, [&](std::int64_t row, std::int64_t col, const auto& values) {
        own[static_cast<std::size_t>((row - with.row) * with.cols + col - with.col)] = model.log_odds(values);
    });
    std::vector<std::uint16_t> stored(static_cast<std::size_t>(window.pixels()), 0);
    std::size_t i = 0;
    for (auto row = window.row; row < window.row + window.rows; ++row)
        for (auto col = window.col; col < window.col + window.cols; ++col, ++i) {
            const auto at = [&](std::int64_t r, std::int64_t c) {
                return own[static_cast<std::size_t>((r - with.row) * with.cols + c - with.col)];
            };
            if (at(row, col) == unknown) continue;
            double sum = 0;
            int n = 0;
            for (auto r = std::max(row - around, with.row);
                 r < std::min(row + around + 1, with.row + with.rows); ++r)
                for (auto c = std::max(col - around, with.col);
                     c < std::min(col + around + 1, with.col + with.cols); ++c)
                    if (at(r, c) != unknown) sum += at(r, c), ++n;
            stored[i] = static_cast<std::uint16_t>(
                std::clamp(Change::stored((at(row, col) + sum / n) / 2), 1, int{Change::unobserved} - 1));
        }
    return stored;
}

void PixelScore::visit(const Window& window, const Visit& visit) const {
    visit_blocks(m_part, window, m_least, m_quiet,
                 [&](std::int64_t row, std::int64_t col, const std::vector<double>& values) {
                     visit(row, col, values);
                 });
}

}  // namespace shuibao::algorithms
