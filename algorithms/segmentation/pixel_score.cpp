// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "box_sums.hpp"
#include "ridges.hpp"
#include "same_history.hpp"
#include <shuibao/algorithms/pixel_score.hpp>

namespace shuibao::algorithms {
namespace {

// Values of a pixel whose means around it are told too, in their order.
enum Own : std::size_t {
    evidence,
    age,
    gap,
    magnitude,
    drop,
    recent,
    trait = recent + PixelHistory::lately,
    alarm_looks = trait + PixelHistory::kept_traits - 1,
    greenest,
};
// Of the greenest look of how many months; and how many months ago the last was that lay in a class or above.
constexpr std::array<std::size_t, 6> green_months = {1, 2, 4, 6, 9, 12};
constexpr std::array<std::uint8_t, 2> green_from = {PixelHistory::green_class, 8};  // NDVI 0.30, 0.45
constexpr std::size_t since = greenest + green_months.size(), owns = since + green_from.size();
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
                                                     "alarm_looks",
                                                     "greenest_1",
                                                     "greenest_2",
                                                     "greenest_4",
                                                     "greenest_6",
                                                     "greenest_9",
                                                     "greenest_12",
                                                     "months_since_030",
                                                     "months_since_045"};

// Those that are compared with ground of the same history.
constexpr std::array<std::size_t, 12> compared = {evidence,     recent,       recent + 1,   recent + 2,
                                                  recent + 3,   trait + 2,    trait + 3,    trait + 4,
                                                  greenest + 1, greenest + 2, greenest + 3, greenest + 4};
constexpr std::array<std::int64_t, 3> distances = {4, 8, 16};
constexpr std::int64_t around = 1, near_by = 2, far_off = 20, beside = 3;  // half widths of means
constexpr int further = 8;  // steps of 0.005, as for pixels three apart
constexpr std::array<std::array<int, 2>, 8> directions = {
    {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}}};

// Lines are looked for in these. The sign makes ground that was opened high; a difference counts up to `most`
// steps, so that it is the length that tells and not the strongest pixel.
struct Ridged {
    std::size_t own;
    int sign;
    std::int16_t most;
};
constexpr std::array<Ridged, 6> ridged = {{{recent, -1, 26},
                                           {recent + 1, -1, 20},
                                           {recent + 2, 1, 15},
                                           {greenest + 1, -1, 3},
                                           {greenest + 2, -1, 3},
                                           {greenest + 4, -1, 3}}};

static_assert(PixelScore::reach >= far_off + around && PixelScore::reach >= 16 + around + 1);

constexpr std::int64_t block_cols = 256;

// A block of columns with what lies around it; one after the other in the same memory.
class Block {
  public:
    Block(const MapPart& part, double least, double quiet)
        : m_part(part),
          m_lowest(Change::stored(least)),
          m_quiet(static_cast<std::int32_t>(Change::stored(quiet))) {}

    // Of a pixel in all that is kept here.
    static constexpr std::size_t bytes =
        owns * (sizeof(std::int32_t) + BoxSums::bytes) + BoxSums::bytes + 2 * sizeof(std::uint8_t) +
        sizeof(std::array<int, PixelHistory::terms>) + compared.size() * sizeof(double) + Ridges::bytes +
        ridged.size() * sizeof(float);

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
                k == age || k == gap || k == magnitude || k == alarm_looks ? m_member : m_known;
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
        m_ridges.reset(m_w.rows, m_w.cols);
        for (std::size_t r = 0; r < ridged.size(); ++r) {
            const auto& values = m_values[ridged[r].own];
            m_ridge[r].resize(n);
            m_ridges.find(
                [&](std::size_t i) {
                    return values[i] == nothing ? Ridges::unknown
                                                : static_cast<std::int16_t>(ridged[r].sign * values[i]);
                },
                ridged[r].most, m_ridge[r]);
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
        for (std::size_t r = 0; r < ridged.size(); ++r)
            out.push_back(static_cast<double>(m_ridge[r][i]) * unit_of(ridged[r].own));
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
        const auto traits = h.kept_traits_of(g);
        for (std::size_t k = 0; k < traits.size(); ++k)
            m_values[trait + k][i] = traits[k] == 0 ? nothing : traits[k] - PixelHistory::middle;
        const auto green = h.greenest(g);
        for (std::size_t k = 0; k < green_months.size(); ++k) {
            const auto most = PixelHistory::greenest_of(green, green_months[k]);
            m_values[greenest + k][i] = most == 0 ? nothing : most;
        }
        for (std::size_t k = 0; k < green_from.size(); ++k)
            m_values[since + k][i] = PixelHistory::months_since(green, green_from[k]);
    }
    // Steps to what names() says.
    [[nodiscard]] static double in_unit(std::size_t k, double v) {
        if (k == evidence) return (v - Change::evidence_zero) / Change::evidence_per_unit;
        if (k == magnitude) return v / 100;
        if (k == drop) return v * PixelHistory::drop_step;
        if (k >= since) return v;  // months
        if (k >= greenest)         // the middle of a class
            return PixelHistory::green_floor + (v - 0.5) * PixelHistory::green_step;
        if (k >= trait)
            return PixelHistory::trait_middle[k - trait] + v * PixelHistory::trait_step[k - trait];
        if (k >= recent) return v * PixelHistory::recent_step[k - recent];
        return v;  // days
    }
    // Of one step of what lines are looked for in.
    [[nodiscard]] static double unit_of(std::size_t k) {
        return k >= greenest ? PixelHistory::green_step : PixelHistory::recent_step[k - recent];
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
    Ridges m_ridges;
    std::array<std::vector<float>, ridged.size()> m_ridge;
};

// Calls visit(row, col, values) for the pixels of `window` that are told of; block by block of columns.
template <class Visit>
void visit_blocks(const MapPart& part, const Window& window, double least, double quiet, const Visit& visit) {
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
        for (const auto& r : ridged) n.push_back(std::string(own_names[r.own]) + "_line");
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
    constexpr std::size_t at_once = 32;
    std::vector<double> values, odds;
    std::vector<std::size_t> places;
    const auto ask = [&] {
        odds.resize(places.size());
        model.log_odds(values, odds);
        for (std::size_t i = 0; i < places.size(); ++i) own[places[i]] = odds[i];
        values.clear();
        places.clear();
    };
    visit_blocks(m_part, with, m_least, m_quiet, [&](std::int64_t row, std::int64_t col, const auto& of_one) {
        values.insert(values.end(), of_one.begin(), of_one.end());
        places.push_back(static_cast<std::size_t>((row - with.row) * with.cols + col - with.col));
        if (places.size() == at_once) ask();
    });
    ask();
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

std::size_t PixelScore::bytes(std::int64_t rows, std::int64_t cols) {
    const std::int64_t more = 2 * (around + reach);
    return static_cast<std::size_t>((rows + more) * (std::min(cols, block_cols) + more)) * Block::bytes +
           static_cast<std::size_t>((rows + 2 * around) * (cols + 2 * around)) *
               (sizeof(double) + sizeof(std::uint16_t));
}

void PixelScore::visit(const Window& window, const Visit& visit) const {
    visit_blocks(m_part, window, m_least, m_quiet,
                 [&](std::int64_t row, std::int64_t col, const std::vector<double>& values) {
                     visit(row, col, values);
                 });
}

}  // namespace shuibao::algorithms
