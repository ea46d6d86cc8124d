// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "rules.hpp"
#include "simulated_files.hpp"
#include "simulated_sensor.hpp"
#include <shuibao/algorithms/simulated_series.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

namespace sim = algorithms::simulated;
using io::FieldType;
using io::Value;

sim::Options options_of(const RunContext& c) {
    sim::Options o;
    o.size = c.settings.integer("simulate.size");
    if (o.size > 4096)
        throw Error(ErrorCode::usage, fmt::format("A simulated series cannot be {} px wide.", o.size),
                    "Give at most 4096 for simulate.size, or simulate a pair.");
    o.seed = static_cast<std::uint64_t>(c.settings.integer("simulate.seed"));
    o.from = c.settings.day("simulate.from").value_or(o.from);
    o.to = c.settings.day("simulate.to").value_or(o.to);
    o.monitor_from = c.settings.has("simulate.monitor_from") ? *c.settings.day("simulate.monitor_from")
                                                             : std::max(o.from, Date(o.to.days() - 364));
    o.revisit = static_cast<int>(c.settings.integer("simulate.revisit"));
    o.sites = static_cast<int>(c.settings.integer("simulate.sites"));
    o.old_sites = static_cast<int>(c.settings.integer("simulate.old_sites"));
    o.bands = c.settings.text("simulate.bands") == "bgrn" ? 4 : 6;
    o.offset_from = c.settings.day("simulate.offset_from").value_or(o.offset_from);
    o.swath_edges = static_cast<int>(c.settings.integer("simulate.swath_edges"));
    o.miscalibrated = c.settings.flag("simulate.miscalibrated");
    return o;
}

// What a site is in law; the truth that screen must find.
enum class Case { unapproved, compliant, exceeds, before_approval, schematic };

struct Verdict {
    Case kind = Case::unapproved;
    bool reliable = true;  ///< large and wide enough to be judged from 10 m pixels (rules §2 and §3.1)
};

const char* code_of(const Verdict& v, const sim::Site& site) {
    if (!v.reliable) return "pending";
    switch (v.kind) {
        case Case::unapproved:
            return site.kind == sim::SiteKind::spoil ? "unapproved_spoil" : "unapproved";
        case Case::compliant:
            return "compliant";
        case Case::exceeds:
            return "exceeds";
        case Case::before_approval:
            return "before_approval";
        case Case::schematic:
            return "pending";
    }
    return "";
}

class Truth {
  public:
    Truth(const RunContext& c, const SimulatedArea& area, const sim::Plan& plan)
        : m_area(area), m_plan(plan) {
        for (const auto& s : plan.sites) {
            if (s.old) break;
            m_shapes.push_back(area.shape_of(s.segment));
        }
        m_verdicts.resize(m_shapes.size());
        const RuleBook book(c);
        const auto& rules = book.of_batch();
        for (std::size_t i = 0; i < m_shapes.size(); ++i) {
            auto& v = m_verdicts[i];
            // In turn by a multiplicative hash (Knuth), so that law does not go with kind or place.
            const auto turn = (i * 2654435761U + m_plan.options.seed * 40503U) % 100;
            v.kind = turn < 36   ? Case::unapproved
                     : turn < 62 ? Case::compliant
                     : turn < 80 ? Case::exceeds
                                 : Case::before_approval;
            if (v.kind == Case::exceeds && plan.sites[i].segment.pixels < 80) v.kind = Case::compliant;
            const double core = m_shapes[i].buffered(-SimulatedArea::gsd / 2).area() / m_shapes[i].area();
            v.reliable = 1 - core <= rules.number("max_core_loss") &&
                         m_shapes[i].area() >= rules.number("min_area_m2");
        }
        place_schematic(rules.number("schematic_distance_m"));
    }

    void write(const std::filesystem::path& folder,
               const std::vector<std::vector<sim::Picture::SiteView>>& views) const {
        std::array<io::LayerData, 2> layers = {sites(views), look_alikes()};
        io::write_geopackage(folder / "truth.gpkg", layers);
        SimulatedApprovals approvals;
        for (std::size_t i = 0; i < m_shapes.size(); ++i) approve(i, approvals);
        approvals.write(folder);
    }

  private:
    // A schematic range links whatever lies near it: the loneliest site gets it, and who is near is approved.
    void place_schematic(double reach) {
        std::size_t loneliest = m_shapes.size();
        double farthest = -1;
        for (std::size_t i = 0; i < m_shapes.size(); ++i) {
            if (!m_verdicts[i].reliable) continue;
            double nearest = std::numeric_limits<double>::max();
            for (std::size_t j = 0; j < m_shapes.size(); ++j)
                if (j != i) nearest = std::min(nearest, m_shapes[i].distance(m_shapes[j]));
            if (nearest > farthest) {
                farthest = nearest;
                loneliest = i;
            }
        }
        if (loneliest == m_shapes.size()) return;
        m_verdicts[loneliest].kind = Case::schematic;
        const auto range = m_shapes[loneliest].buffered(schematic_margin);
        for (std::size_t j = 0; j < m_shapes.size(); ++j)
            if (m_verdicts[j].kind == Case::unapproved && range.distance(m_shapes[j]) <= reach + 50)
                m_verdicts[j].kind = Case::compliant;
    }

    [[nodiscard]] io::LayerData sites(const std::vector<std::vector<sim::Picture::SiteView>>& views) const {
        static constexpr std::array<const char*, 4> fates = {"open", "built", "reverted", "dormant"};
        io::LayerData layer{"truth",
                            SimulatedArea::crs,
                            {{"truth_id", FieldType::integer},
                             {"kind", FieldType::text},
                             {"fate", FieldType::text},
                             {"onset", FieldType::date},
                             {"complete", FieldType::date},
                             {"reverted", FieldType::date},
                             {"first_clear_m", FieldType::date},
                             {"clear_looks", FieldType::real},
                             {"area_m2", FieldType::real},
                             {"verdict", FieldType::text},
                             {"ground", FieldType::text},
                             {"soil_contrast", FieldType::real}},
                            {}};
        for (std::size_t i = 0; i < m_shapes.size(); ++i) {
            const auto& s = m_plan.sites[i];
            const auto seen = sim::first_clear(m_plan, i, views);
            const auto ground = sim::ground_under(m_plan, i);
            layer.rows.push_back({m_shapes[i],
                                  {static_cast<std::int64_t>(i), std::string(name_of(s.kind)),
                                   std::string(fates[static_cast<std::size_t>(s.fate)]), Date(s.onset),
                                   Date(s.complete), s.reverted ? Value(Date(*s.reverted)) : Value(),
                                   seen ? Value(*seen) : Value(), sim::clear_looks(m_plan, i, views),
                                   m_shapes[i].area(), std::string(code_of(m_verdicts[i], s)),
                                   std::string(name_of(ground.cover)), ground.contrast}});
        }
        return layer;
    }

    [[nodiscard]] io::LayerData look_alikes() const {
        io::LayerData layer{"lookalikes",
                            SimulatedArea::crs,
                            {{"kind", FieldType::text},
                             {"from_date", FieldType::date},
                             {"to_date", FieldType::date},
                             {"area_m2", FieldType::real}},
                            {}};
        for (const auto& l : sim::look_alikes(m_plan)) {
            const auto shape = m_area.shape_of(l.segment);
            layer.rows.push_back({shape, {std::string(l.kind), Date(l.from), Date(l.to), shape.area()}});
        }
        return layer;
    }

    void approve(std::size_t i, SimulatedApprovals& approvals) const {
        const auto number = static_cast<std::int64_t>(i);
        const int onset = m_plan.sites[i].onset;
        // Within the three years that an approval is valid; or half a year and more too late.
        const Date in_time(onset - 120 - static_cast<int>(i * 37 % 600)),
            late(onset + 200 + static_cast<int>(i * 53 % 200));
        switch (m_verdicts[i].kind) {
            case Case::unapproved:
                return;
            case Case::compliant:
                return approvals.add(number, m_shapes[i].buffered(15), in_time);
            case Case::exceeds:
                return approvals.add(number, part_of_site(m_shapes[i], Side::end), in_time);
            case Case::before_approval:
                return approvals.add(number, m_shapes[i].buffered(15), late);
            case Case::schematic:
                return approvals.add(number, m_shapes[i].buffered(schematic_margin), in_time, true);
        }
    }

    static constexpr double schematic_margin = 120;  // m
    const SimulatedArea& m_area;
    const sim::Plan& m_plan;
    std::vector<io::Geometry> m_shapes;
    std::vector<Verdict> m_verdicts;
};

void write_cover(const std::filesystem::path& folder, const SimulatedArea& area, const sim::Plan& plan) {
    std::vector<std::uint16_t> codes(plan.land.cover.size());
    std::transform(plan.land.cover.begin(), plan.land.cover.end(), codes.begin(),
                   [](sim::Cover c) { return static_cast<std::uint16_t>(c); });
    io::GeoTiffOptions o{.compression = "DEFLATE", .bytes = true};
    for (int code = 1; code <= sim::cover_count; ++code)
        o.metadata[fmt::format("CLASS_{}", code)] = name_of(static_cast<sim::Cover>(code));
    const io::GeoTiffBand band{"cover", codes, {}};
    io::write_geotiff(folder / "cover.tif", area.grid, area.window, std::span(&band, 1), o);
}

// What happened to each look: one line of scenes.csv.
std::string line_of(const sim::Look& l, const sim::Picture& p, float wet, float snow) {
    const double data = static_cast<double>(std::max<std::int64_t>(1, p.data)),
                 clear = static_cast<double>(std::max<std::int64_t>(1, p.clear));
    return fmt::format(
        "{},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.2f},{:.2f},{:.2f},{:.2f},{},{},{}\n", l.date.iso(),
        static_cast<double>(p.clear) / data, static_cast<double>(p.missed_cloud) / clear,
        static_cast<double>(p.missed_shadow) / clear, static_cast<double>(p.false_cloud) / data,
        static_cast<double>(p.snow) / data, wet, snow, l.shift_x, l.shift_y, l.offset ? 1 : 0,
        l.swath_x > 0 ? 1 : 0, l.miscalibrated ? 1 : 0);
}

}  // namespace

void declare_simulated_series(OptionTable& t) {
    t.add({.key = "simulate.from", .fallback = "2021-01-01", .help = "First day of a series"});
    t.add({.key = "simulate.to", .fallback = "2023-12-31", .help = "Last day of a series"});
    t.add({.key = "simulate.monitor_from",
           .help = "Day from which sites open in a series; default: one year before its end"});
    t.add({.key = "simulate.revisit",
           .type = OptionType::integer,
           .fallback = "5",
           .help = "Days between the looks of a series; 5 is Sentinel-2's pair",
           .unit = "d",
           .min = 1,
           .max = 60});
    t.add({.key = "simulate.old_sites",
           .type = OptionType::integer,
           .fallback = "6",
           .help = "Sites of a series that opened before the monitored time and must not alarm",
           .min = 0,
           .max = 10000});
    t.add({.key = "simulate.bands",
           .type = OptionType::choice,
           .fallback = "multispectral",
           .help = "Bands of a series: blue, green, red, nir, swir16, swir22; or bgrn, the first four",
           .choices = {"multispectral", "bgrn"}});
    t.add({.key = "simulate.other_every",
           .type = OptionType::integer,
           .fallback = "0",
           .help = "Every so manieth look of a series is by another satellite, with blue, green, red and nir "
                   "alone and other numbers; 0 = none",
           .min = 0,
           .max = 1000});
    t.add({.key = "simulate.other_gsd",
           .type = OptionType::choice,
           .fallback = "10",
           .help = "Ground sample of that satellite",
           .unit = "m",
           .choices = {"10", "30"}});
    t.add({.key = "simulate.offset_from",
           .fallback = "2022-01-25",
           .help = "Day from which a series is stored with 1000 added, as Sentinel-2 since baseline 04.00"});
    t.add({.key = "simulate.swath_edges",
           .type = OptionType::integer,
           .fallback = "2",
           .help = "Looks of a series that the edge of the swath cuts",
           .min = 0,
           .max = 1000});
    t.add({.key = "simulate.miscalibrated",
           .type = OptionType::flag,
           .fallback = "false",
           .help = "One look of a series is 0.1 too bright in all bands, as when an offset was forgotten"});
}

void simulate_series(RunContext& c, const std::filesystem::path& folder) {
    const auto options = options_of(c);
    const auto plan = sim::make_plan(options);
    if (c.batch.empty()) c.batch = options.to.compact().substr(0, 6);
    const SimulatedArea area(options.size);
    const Truth truth(c, area, plan);
    std::vector<std::vector<sim::Picture::SiteView>> views(plan.looks.size());
    std::vector<std::string> lines(plan.looks.size());
    std::vector<SceneName> scenes(plan.looks.size());
    const auto other_every = static_cast<std::size_t>(c.settings.integer("simulate.other_every"));
    const std::int64_t other_gsd = c.settings.text("simulate.other_gsd") == "30" ? 3 : 1;
    static constexpr std::array<const char*, 6> names = {"blue", "green", "red", "nir", "swir16", "swir22"};
    c.executor.parallel_for(plan.looks.size(), [&](std::size_t i) {
        engine::check_stop();
        auto picture = sim::draw(plan, i);
        const auto& look = plan.looks[i];
        SimulatedScene scene;
        scene.name = scenes[i] = {"series_", look.date};
        Scaling scaling{1e-4F, look.offset ? -0.1F : 0.0F};
        if (other_every > 0 && (i + 1) % other_every == 0) {
            scene.platform = "simulated-other";
            scene.coarser = other_gsd;
            picture = by_other_sensor(std::move(picture), options.size, scene.coarser,
                                      static_cast<double>(scaling.offset));
            scaling = {other_scale, other_offset};
        }
        for (std::size_t b = 0; b < picture.bands.size(); ++b)
            scene.bands.push_back({names[b], picture.bands[b], scaling});
        scene.scl = picture.scl;
        write_scene(folder, area, scene);
        const auto day = plan.weather.at(look.date.days());
        lines[i] = line_of(look, picture, plan.weather.wet[day], plan.weather.snow[day]);
        views[i] = std::move(picture.sites);
    });
    std::string csv =
        "date,clear,missed_cloud,missed_shadow,false_cloud,snow,soil_moisture,snow_cover,shift_x_px,"
        "shift_y_px,offset,swath_edge,miscalibrated\n";
    for (const auto& line : lines) csv += line;
    io::write_text(folder / "scenes.csv", csv);
    write_collection(folder, area, scenes);
    write_cover(folder, area, plan);
    truth.write(folder, views);
    write_run_config(folder);
    const auto fresh =
        std::count_if(plan.sites.begin(), plan.sites.end(), [](const auto& s) { return !s.old; });
    c.log.write(engine::LogLevel::info,
                fmt::format("{} sites and {} old ones, {} looks of {} × {} px → {}", fresh,
                            static_cast<std::ptrdiff_t>(plan.sites.size()) - fresh, plan.looks.size(),
                            options.size, options.size, (folder / "run.yaml").string()),
                "simulate");
}

}  // namespace shuibao::pipeline
