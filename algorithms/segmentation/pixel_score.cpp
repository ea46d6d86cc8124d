// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "box_sums.hpp"
#include "ridges.hpp"
#include "same_history.hpp"
#include "score_context.hpp"
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
    run_looks = trait + PixelHistory::kept_traits - 1,
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
                                                     "run_looks",
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
// Peers are ground in these distances that was like the pixel until it may have been opened. What each counts
// for falls with how far its year, its soil and the green of its months then lie from the pixel's: a normal
// density of these spreads, in the steps in which they are kept.
constexpr std::array<std::int64_t, 5> peer_distances = {4, 8, 12, 16, 19};
constexpr double peer_season = 6, peer_month = 1, peer_index = 10, peer_brightness = 8;
constexpr double peer_nothing = 16;      // distance squared from which a pixel is no peer
constexpr double peer_of_itself = 0.3;   // counts as ground that does not differ: few peers tell little
constexpr std::size_t peer_months = 8;   // the latest are compared one by one
constexpr std::size_t first_before = 2;  // months before the earliest onset that are left out, and
constexpr std::size_t last_before = 9;   // the latest from which they are compared in any case
constexpr double month_days = 30.44;
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

static_assert(PixelScore::reach >=
              around + ScoreContext::reach +
                  std::max({far_off, distances.back() + around, peer_distances.back() + around}));

constexpr std::int64_t block_cols = 256;

// A block of columns with what lies around it; one after the other in the same memory.
class Block {
  public:
    Block(const MapPart& part, double least, double quiet)
        : m_part(part),
          m_lowest(Change::stored(least)),
          m_quiet(static_cast<std::int32_t>(Change::stored(quiet))) {}

    using Smooth = std::array<double, compared.size()>;  // means over squares of what is compared
    // Of a pixel in all that is kept here.
    static constexpr std::size_t bytes = owns * (sizeof(std::int32_t) + BoxSums::bytes) + BoxSums::bytes +
                                         2 * sizeof(std::uint8_t) + sizeof(Season) + sizeof(Smooth) +
                                         sizeof(PixelHistory::Greenest) + 4 * sizeof(std::uint64_t) +
                                         Ridges::bytes + ridged.size() * sizeof(float);

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

    // Whether any pixel of a window is told of.
    [[nodiscard]] bool any(const Window& w) const {
        for (auto r = w.row; r < w.row + w.rows; ++r) {
            const auto* row = m_member.data() + index(r, w.col);
            if (std::any_of(row, row + w.cols, [](std::uint8_t m) { return m != 0; })) return true;
        }
        return false;
    }

    // Before values_of is asked.
    void prepare() {
        const auto n = m_member.size();
        m_seasons.resize(n);
        m_green.resize(n);
        for (auto& plane : m_values) plane.resize(n);
        each([&](std::size_t i, std::size_t g) {
            m_seasons[i] = m_part.history.season(g);
            m_green[i] = m_known[i] != 0 ? m_part.history.greenest(g) : PixelHistory::Greenest{};
            own(i, g);
        });
        for (std::size_t k = 0; k < owns; ++k) {
            const auto& values = m_values[k];
            m_sums[k].reset(m_w.rows, m_w.cols);
            // When and how much it changed is known of what may have changed only.
            const auto& counted =
                k == age || k == gap || k == magnitude || k == run_looks ? m_member : m_known;
            m_sums[k].fill([&](std::size_t i) { return values[i]; },
                           [&](std::size_t i) { return counted[i] != 0 && values[i] != nothing; });
        }
        m_members.reset(m_w.rows, m_w.cols);
        m_members.fill([](std::size_t) { return 1; }, [&](std::size_t i) { return m_member[i] != 0; });
        m_smooth.resize(n);  // read where there is a mean only
        for (std::size_t c = 0; c < compared.size(); ++c)
            for (std::int64_t y = 0; y < m_w.rows; ++y)
                for (std::int64_t x = 0; x < m_w.cols; ++x) {
                    const auto m = m_sums[compared[c]].mean(y, x, around);
                    if (m.count > 0)
                        m_smooth[static_cast<std::size_t>(y * m_w.cols + x)][c] = ratio(compared[c], m);
                }
        smooth_months();
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
        compare_with_peers(i, g, y, x, out);
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

    // f(place) for those so far from pixel i in eight directions of which a history is known, if its own is.
    template <class F>
    void each_of_eight(std::size_t i, std::int64_t y, std::int64_t x, std::int64_t d, const F& f) const {
        if (m_known[i] == 0) return;
        for (const auto& [down, right] : directions) {
            const auto v = y + down * d, u = x + right * d;
            if (v < 0 || v >= m_w.rows || u < 0 || u >= m_w.cols) continue;
            const auto j = static_cast<std::size_t>(v * m_w.cols + u);
            if (m_known[j] != 0) f(j);
        }
    }
    // By how much the pixel's surroundings are more than those so far away in eight directions, over those of
    // the same history; and what share these are.
    void compare(std::size_t i, std::int64_t y, std::int64_t x, std::int64_t d,
                 std::vector<double>& out) const {
        std::array<double, compared.size()> sum{};
        std::array<int, compared.size()> count{};
        int known = 0, same = 0;
        each_of_eight(i, y, x, d, [&](std::size_t j) {
            ++known;
            if (!same_season(m_seasons[i], m_seasons[j], further)) return;
            ++same;
            for (std::size_t c = 0; c < compared.size(); ++c) {
                const auto k = compared[c];
                if (m_values[k][i] == nothing || m_values[k][j] == nothing) continue;
                sum[c] += m_smooth[i][c] - m_smooth[j][c];
                ++count[c];
            }
        });
        for (std::size_t c = 0; c < compared.size(); ++c) out.push_back(sum[c] / (count[c] + 1));
        out.push_back(static_cast<double>(same) / std::max(known, 1));
    }

    // By how much the pixel's surroundings are more than those of its peers.
    void compare_with_peers(std::size_t i, std::size_t g, std::int64_t y, std::int64_t x,
                            std::vector<double>& out) const {
        std::array<double, compared.size()> sum{}, weights{};
        std::array<double, peer_months> month_sum{}, month_weights{};
        double all = 0, alike = 0, changed = 0, nearest = peer_nothing;
        const int ago = m_part.onset_from[g] > 0 ? m_part.seen.days() - int{m_part.onset_from[g]} : INT16_MAX;
        const auto before =
            std::min(last_before, first_before + static_cast<std::size_t>(std::max(ago, 0) / month_days));
        const auto month = [&](std::size_t at, std::size_t k) {
            const auto count = m_month_count[at] >> 8 * k & 255;
            return count == 0
                       ? 0.0
                       : static_cast<double>(m_month_sum[at] >> 8 * k & 255) / static_cast<double>(count);
        };
        std::array<double, peer_months> own_month{};
        for (std::size_t k = 0; k < peer_months; ++k) own_month[k] = month(i, k);
        for (const auto d : peer_distances)
            each_of_eight(i, y, x, d, [&](std::size_t j) {
                ++all;
                const double apart = history_apart(i, j, before);
                nearest = std::min(nearest, apart);
                if (apart >= peer_nothing) return;
                const double w = std::exp(-apart / 2);
                alike += w;
                if (m_member[j] != 0) changed += w;
                for (std::size_t c = 0; c < compared.size(); ++c) {
                    const auto k = compared[c];
                    if (m_values[k][i] == nothing || m_values[k][j] == nothing) continue;
                    sum[c] += w * (m_smooth[i][c] - m_smooth[j][c]);
                    weights[c] += w;
                }
                for (std::size_t k = 0; k < peer_months; ++k) {
                    const double there = month(j, k);
                    if (own_month[k] == 0 || there == 0) continue;
                    month_sum[k] += w * (own_month[k] - there);
                    month_weights[k] += w;
                }
            });
        out.push_back(alike / std::max(all, 1.0));
        out.push_back(alike > 0 ? changed / alike : 0.0);
        out.push_back(nearest);
        for (std::size_t c = 0; c < sum.size(); ++c) out.push_back(sum[c] / (weights[c] + peer_of_itself));
        for (std::size_t k = 0; k < peer_months; ++k)
            out.push_back(PixelHistory::green_step * month_sum[k] / (month_weights[k] + peer_of_itself));
    }
    // How far two pixels' histories lie apart, squared, in spreads; of months those from `before` on.
    [[nodiscard]] double history_apart(std::size_t i, std::size_t j, std::size_t before) const {
        double apart = season_apart(m_seasons[i], m_seasons[j]) / (2 * peer_season * peer_season);
        if (apart >= peer_nothing) return apart;
        for (const auto& [k, spread] :
             {std::pair(std::size_t{trait}, peer_index), std::pair(std::size_t{trait} + 1, peer_brightness)})
            if (m_values[k][i] != nothing && m_values[k][j] != nothing) {
                const double by = (m_values[k][i] - m_values[k][j]) / spread;
                apart += by * by;
            }
        int months = 0, known = 0;
        for (std::size_t k = before; k < PixelHistory::months; ++k) {
            const int p = m_green[i][k], q = m_green[j][k];
            if (p == 0 || q == 0) continue;
            months += (p - q) * (p - q);
            ++known;
        }
        // Where no month tells of both: one spread apart.
        return apart + (known > 0 ? months / (known * peer_month * peer_month) : 1.0);
    }
    // Means over squares of the classes of the latest months, of eight bits each: sums of nine classes fit.
    void smooth_months() {
        static_assert(peer_months == sizeof(std::uint64_t) && around == 1 &&
                      9 * PixelHistory::green_classes < 256);
        const std::size_t n = m_green.size();
        m_month_sum.resize(n);
        m_month_count.resize(n);
        std::vector<std::uint64_t> sums(n), counts(n);  // of three in a row
        const auto cols = static_cast<std::size_t>(m_w.cols), rows = static_cast<std::size_t>(m_w.rows);
        for (std::size_t i = 0; i < n; ++i) {
            std::uint64_t classes = 0, seen = 0;
            for (std::size_t k = 0; k < peer_months; ++k) {
                classes |= static_cast<std::uint64_t>(m_green[i][k]) << 8 * k;
                seen |= static_cast<std::uint64_t>(m_green[i][k] > 0 ? 1 : 0) << 8 * k;
            }
            const auto x = i % cols;
            for (auto j = x > 0 ? i - 1 : i; j <= (x + 1 < cols ? i + 1 : i); ++j) {
                sums[j] += classes;
                counts[j] += seen;
            }
        }
        for (std::size_t y = 0; y < rows; ++y)
            for (std::size_t x = 0; x < cols; ++x) {
                std::uint64_t sum = 0, count = 0;
                for (auto v = y > 0 ? y - 1 : y; v <= std::min(y + 1, rows - 1); ++v) {
                    sum += sums[v * cols + x];
                    count += counts[v * cols + x];
                }
                m_month_sum[y * cols + x] = sum;
                m_month_count[y * cols + x] = count;
            }
    }

    const MapPart& m_part;
    Window m_w;
    int m_lowest;
    std::int32_t m_quiet;
    std::vector<std::uint8_t> m_member, m_known;
    std::array<std::vector<std::int32_t>, owns> m_values;
    std::vector<Season> m_seasons;
    std::array<BoxSums, owns> m_sums;
    BoxSums m_members;
    std::vector<PixelHistory::Greenest> m_green;
    std::vector<Smooth> m_smooth;
    std::vector<std::uint64_t> m_month_sum, m_month_count;
    Ridges m_ridges;
    std::array<std::vector<float>, ridged.size()> m_ridge;
};

// Asks a forest about pixels, some at once.
class Asker {
  public:
    // take(place, log-odds)
    template <class Take>
    void add(const Forest& model, std::size_t place, std::span<const double> values, const Take& take) {
        m_values.insert(m_values.end(), values.begin(), values.end());
        m_places.push_back(place);
        if (m_places.size() == at_once) ask(model, take);
    }
    template <class Take>
    void ask(const Forest& model, const Take& take) {
        m_odds.resize(m_places.size());
        model.log_odds(m_values, m_odds);
        for (std::size_t i = 0; i < m_places.size(); ++i) take(m_places[i], m_odds[i]);
        m_values.clear();
        m_places.clear();
    }

  private:
    static constexpr std::size_t at_once = 32;
    std::vector<double> m_values, m_odds;
    std::vector<std::size_t> m_places;
};

// Calls visit(row, col, values) for the pixels of `window` that are told of; block by block of columns.
// With `first`, whose scores are then among the values, only for those that it leaves hope; pass(row, col,
// log-odds) for the others.
template <class Visit, class Pass>
void visit_blocks(const MapPart& part, const Window& window, double least, double quiet, const Forest* first,
                  const Visit& visit, const Pass& pass) {
    const Window& all = part.history.window;
    std::vector<double> values;
    Block block(part, least, quiet);
    ScoreContext context;
    Asker asker;
    std::vector<double> odds;
    for (auto col = window.col; col < window.col + window.cols; col += block_cols) {
        const Window core{col, window.row, std::min(block_cols, window.col + window.cols - col), window.rows};
        const auto with = core.grown(PixelScore::reach).intersection(all);
        block.reset(with);
        if (!block.any(core)) continue;
        block.prepare();
        const auto each_of = [&](const Window& w, const auto& f) {
            for (auto r = w.row; r < w.row + w.rows; ++r)
                for (auto c = w.col; c < w.col + w.cols; ++c)
                    if (block.member(r, c))
                        f(r, c, static_cast<std::size_t>((r - with.row) * with.cols + c - with.col));
        };
        if (first != nullptr) {
            context.reset(with.rows, with.cols);
            odds.assign(static_cast<std::size_t>(with.pixels()), PixelScore::unknown);
            const auto take = [&](std::size_t i, double v) {
                context.put(i, v);
                odds[i] = v;
            };
            each_of(core.grown(ScoreContext::reach).intersection(all), [&](auto r, auto c, std::size_t i) {
                block.values_of(r, c, values);
                asker.add(*first, i, values, take);
            });
            asker.ask(*first, take);
            context.prepare();
        }
        each_of(core, [&](auto r, auto c, std::size_t i) {
            if (first != nullptr && first->hopeless_after > 0 && odds[i] < first->hopeless) {
                pass(r, c, odds[i]);
                return;
            }
            block.values_of(r, c, values);
            if (first != nullptr) context.values_of(r - with.row, c - with.col, values);
            visit(r, c, values);
        });
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
        for (const char* name : {"peers_alike", "peers_changed", "peers_apart"}) n.emplace_back(name);
        for (const auto k : compared) n.push_back(std::string(own_names[k]) + "_above_peers");
        for (std::size_t k = 0; k < peer_months; ++k)
            n.push_back("month_" + std::to_string(k) + "_above_peers");
        for (const auto& r : ridged) n.push_back(std::string(own_names[r.own]) + "_line");
        return n;
    }();
    return list;
}

const std::vector<std::string>& PixelScore::names_again() {
    static const auto list = [] {
        auto n = names();
        ScoreContext::names(n);
        return n;
    }();
    return list;
}

std::vector<std::uint16_t> PixelScore::scores(const Window& window, const Forest& model,
                                              const Forest* again) const {
    // One pixel more on each side, for the mean.
    const auto with = window.grown(around).intersection(m_part.history.window);
    std::vector<double> own(static_cast<std::size_t>(with.pixels()), unknown);
    const auto place = [&](std::int64_t row, std::int64_t col) {
        return static_cast<std::size_t>((row - with.row) * with.cols + col - with.col);
    };
    Asker asker;
    const auto take = [&](std::size_t i, double odds) { own[i] = odds; };
    const Forest& last = again != nullptr ? *again : model;
    visit_blocks(
        m_part, with, m_least, m_quiet, again != nullptr ? &model : nullptr,
        [&](std::int64_t row, std::int64_t col, const auto& values) {
            asker.add(last, place(row, col), values, take);
        },
        [&](std::int64_t row, std::int64_t col, double odds) { own[place(row, col)] = odds; });
    asker.ask(last, take);
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
    return static_cast<std::size_t>((rows + more) * (std::min(cols, block_cols) + more)) *
               (Block::bytes + ScoreContext::bytes + sizeof(double)) +
           static_cast<std::size_t>((rows + 2 * around) * (cols + 2 * around)) *
               (sizeof(double) + sizeof(std::uint16_t));
}

void PixelScore::visit(const Window& window, const Forest* first, const Visit& visit) const {
    visit_blocks(
        m_part, window, m_least, m_quiet, first,
        [&](std::int64_t row, std::int64_t col, const std::vector<double>& values) {
            visit(row, col, values);
        },
        [](std::int64_t, std::int64_t, double) {});
}

}  // namespace shuibao::algorithms
