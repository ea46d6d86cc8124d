// SPDX-License-Identifier: Apache-2.0
#include "inject.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "delineate.hpp"
#include "detect.hpp"
#include "kept_looks.hpp"
#include "rounded.hpp"
#include <shuibao/algorithms/injection.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/core/ndvi.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Detector;
using algorithms::InjectedSite;
using algorithms::LandStratum;
using nlohmann::ordered_json;

constexpr int tries = 60;           // places that a site is offered
constexpr std::int64_t margin = 4;  // pixels around a site, so that objects may be larger than it
constexpr std::array<double, 6> class_edges = {0, 2'000, 5'000, 10'000, 50'000, 1e12};  // m²

// What became of one site.
struct Outcome {
    bool placed = false, found = false;
    std::int64_t col = 0, row = 0;  // of the site's first pixel
    LandStratum land = LandStratum::unseen;
    std::optional<Date> first_clear, first_found;
};

// One site at its place, seen through a window that holds it.
struct Placed {
    const InjectedSite& site;
    std::int64_t col, row;
    Window window;

    [[nodiscard]] std::size_t at(std::size_t pixel) const {
        const auto c = static_cast<std::int64_t>(pixel) % site.cols,
                   r = static_cast<std::int64_t>(pixel) / site.cols;
        return static_cast<std::size_t>((row + r - window.row) * window.cols + col + c - window.col);
    }
    [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(site.cols * site.rows); }
    /// Pixels of the site that are mostly open on a day, as indices of the window.
    [[nodiscard]] std::vector<std::size_t> open(Date day) const {
        std::vector<std::size_t> list;
        for (std::size_t p = 0; p < pixels(); ++p)
            if (site.share(p, day) >= 0.5F) list.push_back(at(p));
        return list;
    }
    /// Half of what is open on the look's day is seen by it.
    [[nodiscard]] bool seen_by(const Image& look) const {
        const auto list = open(look.date);
        const auto n = std::count_if(list.begin(), list.end(),
                                     [&](std::size_t i) { return usable(look.pixels.quality()[i]); });
        return !list.empty() && 2 * static_cast<std::size_t>(n) >= list.size();
    }
    /// Found objects cover half of it, or one has an IoU of 0.3 with it: the rule of `assess`.
    [[nodiscard]] bool hit(const Change& change, const std::vector<std::size_t>& truth,
                           const algorithms::SegmentationOptions& options, Date seen) const {
        const algorithms::RunStrip strip =
            change.history.empty()
                ? algorithms::extract_runs(change, options)
                : algorithms::extract_runs(change, options,
                                           {change.evidence, change.history, nullptr, change.magnitude,
                                            change.onset_from, change.onset_to, seen});
        std::vector<char> in_truth(change.evidence.size(), 0);
        for (const auto i : truth) in_truth[i] = 1;
        std::size_t covered = 0;
        double iou = 0;
        for (const auto& s : algorithms::connect(std::span(&strip, 1), options)) {
            std::size_t common = 0;
            for (const auto& run : s.runs)
                for (std::int64_t c = run.col; c < run.end; ++c)
                    common += static_cast<std::size_t>(in_truth[static_cast<std::size_t>(
                        (run.row - window.row) * window.cols + c - window.col)]);
            covered += common;
            iou = std::max(
                iou, static_cast<double>(common) /
                         static_cast<double>(truth.size() + static_cast<std::size_t>(s.pixels) - common));
        }
        return !truth.empty() && (2 * covered >= truth.size() || iou >= 0.3);
    }
};

std::optional<double> mean_ndvi(const Image& look, const Placed& p) {
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < p.pixels(); ++i) {
        const double v = usable(look.pixels.quality()[p.at(i)]) ? ndvi_of(look, p.at(i)) : NAN;
        if (std::isnan(v)) continue;
        sum += v;
        n += 1;
    }
    if (n == 0) return std::nullopt;
    return sum / n;
}

// Everything that is the same for all sites.
class Test {
  public:
    Test(RunContext& c, const io::TileArchive& archive, const DetectJob& job)
        : m_context(c),
          m_archive(archive),
          m_job(job),
          m_detector(Registry<Detector>::make(job.method)),
          m_segmentation(segmentation_options(c.settings, archive.grid(), follows_ndvi_alone(c, archive))),
          m_area(supervised_area(c, archive.grid())) {
        m_options.seed = static_cast<std::uint64_t>(c.settings.integer("assess.seed"));
        m_options.gsd = archive.grid().gsd();
        m_options.min_area = c.settings.number("assess.smallest");
        m_options.max_area = std::max(c.settings.number("assess.largest"), m_options.min_area);
        const auto lead = static_cast<std::int32_t>(c.settings.integer("assess.lead_days"));
        if ((m_series = dynamic_cast<const algorithms::SeriesDetector*>(m_detector.get())) != nullptr) {
            m_series_plan = plan_series(job, *m_series);
            m_options.first = m_series_plan.times.monitor_from;
            m_options.last = Date(m_series_plan.looks.back()->date.days() - lead);
            if (m_segmentation.model->pixels) m_margin += algorithms::PixelScore::reach;
        } else {
            m_pair = dynamic_cast<const algorithms::PairwiseDetector*>(m_detector.get());
            m_pair_plan = plan_pair(job, *m_pair);
            m_model = pair_model(job);
            for (const auto* list : {&m_pair_plan.before, &m_pair_plan.after})
                for (const auto* a : *list)
                    if (!a->reflectance)
                        throw Error(
                            ErrorCode::input,
                            fmt::format("{} holds digital numbers, in which no soil's colour is known.",
                                        a->key),
                            "Give raster:bands scale and offset in its Item.");
            // All of it lies between the epochs: a pair has no more than that to tell.
            m_options.longest_growth = 0;
            m_options.first = Date(m_pair_plan.before.back()->date.days() + 1);
            m_options.last = m_pair_plan.after.front()->date;
        }
        if (m_options.last < m_options.first)
            throw Error(ErrorCode::input,
                        fmt::format("No site can begin between {} and {}.", m_options.first.iso(),
                                    m_options.last.iso()),
                        "Set assess.lead_days lower, or add scenes.");
    }

    [[nodiscard]] const algorithms::InjectionOptions& options() const { return m_options; }
    [[nodiscard]] bool is_series() const { return m_series != nullptr; }

    [[nodiscard]] Outcome one(const InjectedSite& site) const {
        Outcome o;
        const std::int64_t cols = m_area.cols - site.cols - 2 * m_margin,
                           rows = m_area.rows - site.rows - 2 * m_margin;
        if (cols <= 0 || rows <= 0) return o;
        for (std::uint64_t k = 0; k < tries && !o.placed; ++k) {
            o.col = m_area.col + m_margin +
                    static_cast<std::int64_t>(site.chance(2 * k) * static_cast<double>(cols));
            o.row = m_area.row + m_margin +
                    static_cast<std::int64_t>(site.chance(2 * k + 1) * static_cast<double>(rows));
            const Placed p = place(site, o);
            o.placed = unchanged(p) && (m_series != nullptr ? follow(p, o) : compare(p, o));
        }
        return o;
    }

  private:
    [[nodiscard]] Placed place(const InjectedSite& site, const Outcome& o) const {
        return {site, o.col, o.row, Window{o.col, o.row, site.cols, site.rows}.grown(m_margin)};
    }

    [[nodiscard]] bool unchanged(const Placed& p) const {
        const auto window = Window{p.col, p.row, p.site.cols, p.site.rows}.grown(margin);
        std::vector<std::uint16_t> evidence(static_cast<std::size_t>(window.pixels()));
        io::read_change_band(m_context.store.changes(m_job.batch), m_archive.grid(), window, 0, evidence);
        const auto grows = Change::stored(m_segmentation.grow);
        return std::all_of(evidence.begin(), evidence.end(),
                           [&](std::uint16_t v) { return v < grows || v == Change::unobserved; });
    }

    // False where the images do not reach.
    [[nodiscard]] bool follow(const Placed& p, Outcome& o) const {
        KeptLooks looks(m_series_plan.bands);
        std::vector<double> ndvi;
        std::size_t reached = 0;
        for (const auto* a : m_series_plan.looks) {
            Image image = m_archive.read(*a, p.window, m_series_plan.bands_of(*a));
            const auto quality = image.pixels.quality();
            reached +=
                std::all_of(quality.begin(), quality.end(), [](Quality q) { return q != Quality::nodata; })
                    ? 1U
                    : 0U;
            if (image.date < p.site.onset) {
                if (const auto v = mean_ndvi(image, p)) ndvi.push_back(*v);
            } else {
                algorithms::lay_into(p.site, p.col, p.row, image);
            }
            looks.add(std::move(image));
        }
        if (2 * reached < looks.images().size()) return false;
        o.land = algorithms::land_stratum(std::move(ndvi));
        const auto& dates = looks.all_dates();
        algorithms::DetectorState state;
        state.reset(p.window, m_series->state_bands().size());
        auto from = static_cast<std::size_t>(std::lower_bound(dates.begin(), dates.end(), p.site.onset) -
                                             dates.begin());
        const auto advance = [&](std::size_t taken, std::size_t count) {
            looks.show(taken, count);
            m_series->advance(looks, m_series_plan.times, m_job.options, state);
        };
        advance(0, from);
        for (std::size_t i = from; i < dates.size(); ++i) {
            advance(i, i + 1);
            if (!p.seen_by(looks.images()[i])) continue;
            if (!o.first_clear) o.first_clear = dates[i];
            if (!o.first_found && found(p, state, dates[i])) o.first_found = dates[i];
        }
        o.found = found(p, state, dates.back());
        return true;
    }

    [[nodiscard]] bool found(const Placed& p, const algorithms::DetectorState& state, Date day) const {
        auto times = m_series_plan.times;
        times.report_from =
            Date(day.days() - (m_series_plan.looks.back()->date.days() - times.report_from.days()));
        times.report_to = day;
        Change change;
        m_series->report(state, times, m_job.options, change);
        return p.hit(change, p.open(day), m_segmentation, day);
    }

    [[nodiscard]] bool compare(const Placed& p, Outcome& o) const {
        const auto halo = m_pair->needs().halo;
        std::vector<double> ndvi;
        bool reached = true;
        for (const auto* a : m_pair_plan.before) {
            const Image image = m_archive.read(*a, p.window, m_pair_plan.bands);
            if (const auto v = mean_ndvi(image, p)) ndvi.push_back(*v);
        }
        for (const auto* a : m_pair_plan.after) {
            const Image image = m_archive.read(*a, p.window, m_pair_plan.bands);
            const auto quality = image.pixels.quality();
            reached = reached && std::all_of(quality.begin(), quality.end(),
                                             [](Quality q) { return q != Quality::nodata; });
            if (!o.first_clear && p.seen_by(image)) o.first_clear = image.date;
        }
        if (!reached) return false;
        o.land = algorithms::land_stratum(std::move(ndvi));
        const auto images =
            read_epochs(m_job, m_pair_plan, p.window.grown(halo), [&](const io::Acquisition& a, Image& look) {
                if (a.date >= p.site.onset) algorithms::lay_into(p.site, p.col, p.row, look);
            });
        Change change;
        m_pair->detect(images, p.window, m_model, m_job.options, change);
        const Date day = m_pair_plan.after.front()->date;
        o.found = p.hit(change, p.open(day), m_segmentation, day);
        if (o.found) o.first_found = m_pair_plan.after.back()->date;
        return true;
    }

    RunContext& m_context;
    const io::TileArchive& m_archive;
    const DetectJob& m_job;
    std::unique_ptr<Detector> m_detector;
    const algorithms::SeriesDetector* m_series = nullptr;
    const algorithms::PairwiseDetector* m_pair = nullptr;
    SeriesPlan m_series_plan;
    PairPlan m_pair_plan;
    algorithms::DetectorModel m_model;
    algorithms::SegmentationOptions m_segmentation;
    std::int64_t m_margin = margin;  // of what is looked at, for what pixels are told by
    algorithms::InjectionOptions m_options;
    Window m_area;
};

struct Tally {
    std::size_t sites = 0, found = 0, seen = 0;
    std::vector<int> delays;

    void add(const Outcome& o) {
        ++sites;
        found += o.found ? 1U : 0U;
        seen += o.first_clear ? 1U : 0U;
        if (o.found && o.first_clear && o.first_found)
            delays.push_back(o.first_found->days() - o.first_clear->days());
    }
    // Wilson's interval (1927), which stays inside 0 … 1 for few sites.
    [[nodiscard]] std::array<double, 2> interval() const {
        const auto n = static_cast<double>(sites), p = static_cast<double>(found) / n;
        constexpr double z = 1.96;
        const double middle = (p + z * z / (2 * n)) / (1 + z * z / n),
                     half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
    }
    [[nodiscard]] ordered_json json() {
        ordered_json j = {{"sites", sites}, {"found", found}, {"clearly_seen", seen}};
        if (sites == 0) return j;
        j["recall"] = rounded(static_cast<double>(found) / static_cast<double>(sites));
        const auto ci = interval();
        j["recall_ci95"] = {rounded(ci[0]), rounded(ci[1])};
        if (!delays.empty()) {
            std::sort(delays.begin(), delays.end());
            j["median_delay_days"] = delays[delays.size() / 2];
            j["p90_delay_days"] = delays[delays.size() * 9 / 10];
        }
        return j;
    }
};

std::string class_name(std::size_t k) {
    const auto hectares = [](double m2) { return fmt::format("{:g}", m2 / 10'000); };
    if (k == 0) return "below " + hectares(class_edges[1]) + " hm²";
    if (k + 2 == class_edges.size()) return "from " + hectares(class_edges[k]) + " hm²";
    return hectares(class_edges[k]) + " to " + hectares(class_edges[k + 1]) + " hm²";
}

std::size_t class_of(double area) {
    std::size_t k = 0;
    while (k + 2 < class_edges.size() && area >= class_edges[k + 1]) ++k;
    return k;
}

}  // namespace

void declare_injection(OptionTable& t) {
    t.add({.key = "assess.inject",
           .type = OptionType::flag,
           .fallback = "false",
           .help = "Without a reference: lay known sites into the store's looks and count what is found"});
    t.add({.key = "assess.sites",
           .type = OptionType::integer,
           .fallback = "200",
           .help = "Sites that are laid in, one at a time",
           .min = 1,
           .max = 100'000});
    t.add({.key = "assess.seed",
           .type = OptionType::integer,
           .fallback = "1",
           .help = "Another number draws other sites",
           .min = 0,
           .max = 1e9});
    t.add({.key = "assess.smallest",
           .type = OptionType::number,
           .fallback = "1000",
           .help = "Area of the smallest site; sizes are log-uniform, so that each class gets its share",
           .unit = "m²",
           .min = 1,
           .max = 1e7});
    t.add({.key = "assess.largest",
           .type = OptionType::number,
           .fallback = "100000",
           .help = "Area of the largest site",
           .unit = "m²",
           .min = 1,
           .max = 1e7});
    t.add({.key = "assess.lead_days",
           .type = OptionType::integer,
           .fallback = "120",
           .help = "Along a series no site begins in so many days before the newest look",
           .unit = "d",
           .min = 0,
           .max = 3660});
}

ordered_json inject(RunContext& c) {
    const auto archive = open_archive(c.store);
    DetectJob job = detect_job(c, archive);
    job.quiet = true;
    if (!std::filesystem::exists(c.store.changes(job.batch)))
        throw Error(
            ErrorCode::usage,
            fmt::format("Batch {} has no change maps: where nothing changes is not known.", job.batch),
            "Run `shuibao detect` first.");
    const Test test(c, archive, job);
    const auto n = static_cast<std::size_t>(c.settings.integer("assess.sites"));
    std::vector<Outcome> outcomes(n);
    c.executor.parallel_for(n, [&](std::size_t i) {
        engine::check_stop();
        outcomes[i] = test.one(algorithms::draw_site(test.options(), i));
    });

    Tally all;
    std::array<Tally, class_edges.size() - 1> by_size;
    std::map<LandStratum, Tally> by_land;
    ordered_json sites = ordered_json::array();
    std::size_t placed = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto site = algorithms::draw_site(test.options(), i);
        const Outcome& o = outcomes[i];
        ordered_json s = {{"number", i},
                          {"shape", algorithms::site_shape_name(site.shape)},
                          {"area_m2", rounded(site.area)},
                          {"onset", site.onset.iso()},
                          {"growth_days", site.growth},
                          {"placed", o.placed}};
        if (o.placed) {
            ++placed;
            all.add(o);
            by_size[class_of(site.area)].add(o);
            by_land[o.land].add(o);
            s["x"] = archive.grid().x_of_col(static_cast<double>(o.col) + site.cols / 2.0);
            s["y"] = archive.grid().y_of_row(static_cast<double>(o.row) + site.rows / 2.0);
            s["land"] = algorithms::land_stratum_name(o.land);
            if (o.first_clear) s["first_clear"] = o.first_clear->iso();
            if (o.first_found) s["first_found"] = o.first_found->iso();
            s["found"] = o.found;
        }
        sites.push_back(std::move(s));
    }
    ordered_json j = {{"method", job.method},
                      {"batch", job.batch},
                      {"seed", test.options().seed},
                      {"drawn", n},
                      {"not_placed", n - placed},
                      {"onset_from", test.options().first.iso()},
                      {"onset_to", test.options().last.iso()},
                      {"all", all.json()}};
    for (std::size_t k = 0; k < by_size.size(); ++k) j["by_size"][class_name(k)] = by_size[k].json();
    j["by_land"] = ordered_json::object();
    for (auto& [land, tally] : by_land) j["by_land"][algorithms::land_stratum_name(land)] = tally.json();
    j["list"] = std::move(sites);
    return j;
}

std::string injection_text(const ordered_json& j) {
    std::string out = fmt::format(
        "{} of {} sites laid into unchanged places of batch {} ({}, seed {}), begun {} to {}\n",
        j["all"]["sites"].get<std::size_t>(), j["drawn"].get<std::size_t>(), j["batch"].get<std::string>(),
        j["method"].get<std::string>(), j["seed"].get<std::uint64_t>(), j["onset_from"].get<std::string>(),
        j["onset_to"].get<std::string>());
    out += fmt::format("{:<22} {:>6} {:>6} {:>7}  {:<15} {}\n", "", "sites", "found", "recall", "95 %",
                       "days after the first clear look: median, nine of ten");
    const auto line = [&](const std::string& name, const ordered_json& t) {
        // Names hold superscripts, which are longer than they are wide.
        const std::size_t wide = name.size() - (name.ends_with("²") ? 1 : 0);
        out += name + std::string(wide < 22 ? 22 - wide : 1, ' ') +
               fmt::format(" {:>6} {:>6}", t["sites"].get<std::size_t>(), t["found"].get<std::size_t>());
        if (t.contains("recall"))
            out += fmt::format(" {:>7.3f}  {:.3f} to {:.3f}", t["recall"].get<double>(),
                               t["recall_ci95"][0].get<double>(), t["recall_ci95"][1].get<double>());
        if (t.contains("median_delay_days"))
            out += fmt::format("  {}, {}", t["median_delay_days"].get<int>(), t["p90_delay_days"].get<int>());
        if (t["clearly_seen"] != t["sites"])
            out += fmt::format("  ({} never seen clearly)",
                               t["sites"].get<std::size_t>() - t["clearly_seen"].get<std::size_t>());
        out += "\n";
    };
    line("all", j["all"]);
    for (const char* part : {"by_size", "by_land"})
        for (const auto& [name, t] : j[part].items()) line(name, t);
    return out;
}

}  // namespace shuibao::pipeline
