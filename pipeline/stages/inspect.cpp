// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "disturbance_file.hpp"
#include "history.hpp"
#include "history_figure.hpp"
#include "place.hpp"
#include "rounded.hpp"
#include <shuibao/core/change.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/io/picture.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::ordered_json;

const char* quality_name(Quality q) {
    switch (q) {
        case Quality::nodata:
            return "nodata";
        case Quality::clear:
            return "clear";
        case Quality::water:
            return "water";
        case Quality::shadow:
            return "shadow";
        case Quality::cloud:
            return "cloud";
        case Quality::cirrus:
            return "cirrus";
        case Quality::snow:
            return "snow";
        case Quality::guard:
            return "guard";
        case Quality::saturated:
            return "saturated";
    }
    return "?";
}

ordered_json json_of(const std::vector<double>& values) {
    ordered_json j = ordered_json::array();
    for (const double v : values) j.push_back(rounded(v));
    return j;
}

ordered_json json_of(const std::vector<algorithms::Level>& levels) {
    ordered_json j = ordered_json::object();
    for (const auto& l : levels) j[l.name] = rounded(l.value);
    return j;
}

void add(ordered_json& j, const algorithms::SeriesAccount& a) {
    if (!a.learnt) return;
    j["expected"] = json_of(a.expected);
    j["spread"] = json_of(a.spread);
    j["bare_chance"] = rounded(a.bare_chance);
    j["skipped_season"] = rounded(a.skipped_season);
    j["statistic"] = rounded(a.statistic);
    j["status"] = a.status;
}

ordered_json json_of(const PixelLook& look) {
    const auto& a = *look.acquisition;
    ordered_json j = {{"date", a.date.iso()},
                      {"key", a.key},
                      {"scenes", a.sources},
                      {"quality", quality_name(look.quality)},
                      {"usable", usable(look.quality)}};
    for (std::size_t b = 0; b < a.bands.size(); ++b)
        j["values"][std::string(common_name(a.bands[b]))] = rounded(look.values[b]);
    if (!look.features.empty()) j["features"] = json_of(look.features);
    if (look.account) add(j, *look.account);
    return j;
}

ordered_json json_of(const SeriesHistory& s) {
    ordered_json j = {{"features", s.features},
                      {"watched_from", s.times.monitor_from.iso()},
                      {"levels", json_of(s.levels)},
                      {"learnt", s.last.learnt}};
    if (s.last.learnt) {
        j["ground"] = s.last.ground;
        j["judged"] = s.last.judged;
        j["history_looks"] = s.last.history_looks;
        j["statistic"] = rounded(s.last.statistic);
        j["log_odds"] = rounded(s.last.log_odds);
        j["status"] = s.last.status;
    }
    if (s.last.onset_from && s.last.onset_to) {
        j["onset_from"] = s.last.onset_from->iso();
        j["onset_to"] = s.last.onset_to->iso();
    }
    j["changes"] = ordered_json::array();
    for (const auto& c : s.changes)
        j["changes"].push_back({{"date", c.date.iso()}, {"from", c.from}, {"to", c.to}});
    j["curve"] = ordered_json::array();
    for (const auto& c : s.curve)
        j["curve"].push_back({{"date", c.date.iso()},
                              {"history", c.history},
                              {"expected", json_of(c.expected)},
                              {"spread", json_of(c.spread)}});
    return j;
}

ordered_json json_of(const PairHistory& p) {
    ordered_json j = {{"before", p.before}, {"after", p.after}, {"seen", p.account.seen}};
    if (!p.account.seen) return j;
    j["ground"] = p.account.stratum;
    j["water"] = p.account.water;
    j["ndvi_before"] = rounded(p.account.ndvi_before);
    j["ndvi_after"] = rounded(p.account.ndvi_after);
    j["most_ndvi_after"] = rounded(p.account.most_ndvi_after);
    j["statistic"] = rounded(p.account.statistic);
    j["levels"] = json_of(p.account.levels);
    return j;
}

class InspectStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "Everything the store knows of one place",
            .description =
                "All looks at one pixel with their mask and values, what the method expected of each, how "
                "its statistic went, when the state changed, and what the batch's change map says: "
                "evidence, confidence, onset, kind. The method runs on this pixel alone, with the code that "
                "made the map. Text, JSON with --json, a figure with --plot.",
            .example = {"shuibao inspect 112.9821,33.0123 -c run.yaml --plot pixel.svg",
                        "shuibao inspect 684215,3654730 --crs EPSG:32649 -c run.yaml --json",
                        "shuibao inspect X0003_Y0004/120,45 -c run.yaml",
                        "shuibao inspect 12 -c run.yaml --plot case.png"},
            .positional = "inspect.at",
            .in_run = false,
            .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add(
            {.key = "inspect.at",
             .help =
                 "The place: longitude,latitude (or x,y with --crs), TILE/col,row, or the case_id or number "
                 "of a disturbance, of which the pixel with the most evidence is shown"});
        t.add({.key = "inspect.crs",
               .fallback = "EPSG:4326",
               .help = "CRS of the place; degrees are given as longitude,latitude"});
        t.add({.key = "inspect.plot",
               .type = OptionType::path,
               .help =
                   "Draw the history to this file: .svg with Chinese and English labels, .png with English "
                   "ones",
               .changes_result = false});
    }

    void require(const RunContext& c) const override {
        if (!c.settings.has("inspect.plot")) return;
        const std::filesystem::path plot = c.settings.path("inspect.plot");
        if (plot.extension() != ".svg" && plot.extension() != ".png")
            throw Error(ErrorCode::usage,
                        fmt::format("{}: inspect.plot cannot be '{}': its ending says no kind of figure.",
                                    c.settings.origin("inspect.plot"), plot.string()),
                        "Name a file that ends with .svg or .png.");
    }

    void run(RunContext& c) const override {
        const auto archive = open_archive(c.store);
        const Grid& grid = archive.grid();
        const Window pixel = pixel_of(c, grid, c.settings.text("inspect.at"), c.settings.text("inspect.crs"));
        const auto history = history_of(c, archive, pixel);
        const TileId tile = grid.tile_at(pixel.col, pixel.row);
        ordered_json j = {{"tile", tile.str()},
                          {"tile_col", pixel.col - grid.window(tile).col},
                          {"tile_row", pixel.row - grid.window(tile).row},
                          {"col", pixel.col},
                          {"row", pixel.row},
                          {"x", rounded(grid.x_of_col(static_cast<double>(pixel.col) + 0.5))},
                          {"y", rounded(grid.y_of_row(static_cast<double>(pixel.row) + 0.5))},
                          {"crs", grid.crs()},
                          {"method", history.method}};
        j["looks"] = ordered_json::array();
        for (const auto& look : history.looks) j["looks"].push_back(json_of(look));
        if (history.series) j["series"] = json_of(*history.series);
        if (history.pair) j["pair"] = json_of(*history.pair);
        j["decision"] = decision(c, grid, pixel);
        if (!agrees(j)) {
            const char* note =
                "The change map says something else than the looks and settings of now: it is of an "
                "earlier run.";
            j["decision"]["note"] = note;
            c.log.warn(std::string(note) + " `shuibao detect` brings it up to date.");
        }
        if (c.settings.has("inspect.plot"))
            draw(c.settings.path("inspect.plot"),
                 figure_of(history, {place_text(j), decision_text(j["decision"])}));
        c.out << (c.json ? j.dump(1) + "\n" : text_of(j));
    }

  private:
    // The change map keeps what is worth keeping; it and the account come from the same state.
    static bool agrees(const ordered_json& j) {
        const auto& d = j["decision"];
        if (!j.contains("series") || !j["series"].value("judged", false)) return true;
        const bool marked = d["state"] == "evidence";
        const double log_odds = j["series"]["log_odds"];
        if (marked) return std::abs(d["log_odds"].get<double>() - log_odds) < 0.01;
        // What is not even watched may be left out, whatever the pixel was before.
        return d["state"] == "unobserved" || log_odds < Change::kept_evidence + 0.01 ||
               j["series"]["statistic"] < j["series"]["levels"]["watch"];
    }

    static void draw(const std::filesystem::path& path, const algorithms::Figure& figure) {
        if (path.extension() == ".svg")
            io::write_text(path, algorithms::to_svg(figure));
        else
            io::write_png(path, algorithms::to_pixels(figure), figure.width, figure.height);
    }

    static ordered_json decision(RunContext& c, const Grid& grid, const Window& pixel) {
        const std::string batch = resolve_batch(c);
        const auto value = [&](int band) {
            std::uint16_t v = 0;
            io::read_change_band(c.store.changes(batch), grid, pixel, band, {&v, 1});
            return v;
        };
        const auto evidence = value(0);
        ordered_json d = {{"batch", batch}};
        if (evidence == Change::unobserved) {
            d["state"] = "unobserved";
        } else if (evidence == Change::no_evidence) {
            d["state"] = "no evidence";
        } else {
            d["state"] = "evidence";
            d["log_odds"] =
                rounded((evidence - Change::evidence_zero) / static_cast<double>(Change::evidence_per_unit));
            d["confidence"] = value(1) / static_cast<double>(Change::confidence_one);
            d["deviations"] = value(2) / 100.0;
            d["onset_from"] = Date(value(3)).iso();
            d["onset_to"] = Date(value(4)).iso();
            d["kind"] = kind_name(static_cast<ChangeKind>(value(5)));
        }
        return d;
    }

    static std::string place_text(const ordered_json& j) {
        return fmt::format("pixel {}/{},{} at {} {} ({}), {}", j["tile"].get<std::string>(),
                           j["tile_col"].dump(), j["tile_row"].dump(), j["x"].dump(), j["y"].dump(),
                           j["crs"].get<std::string>(), j["method"].get<std::string>());
    }

    static std::string decision_text(const ordered_json& d) {
        std::string out =
            fmt::format("batch {}: {}", d["batch"].get<std::string>(), d["state"].get<std::string>());
        if (d.contains("log_odds"))
            out += fmt::format(", log-odds {:.2f}, confidence {:.2f}, onset {} to {}, {}",
                               d["log_odds"].get<double>(), d["confidence"].get<double>(),
                               d["onset_from"].get<std::string>(), d["onset_to"].get<std::string>(),
                               d["kind"].get<std::string>());
        return out;
    }

    static std::string look_text(const ordered_json& look) {
        std::string out =
            fmt::format("{}  {:<9}", look["date"].get<std::string>(), look["quality"].get<std::string>());
        for (const auto& [band, v] : look["values"].items())
            out += fmt::format("  {} {:.4f}", band, v.get<double>());
        if (look.contains("features")) {
            out += "  |";
            for (std::size_t f = 0; f < look["features"].size(); ++f) {
                const auto value = look["features"][f].get<double>();
                out += std::isfinite(value) ? fmt::format("  {:.3f}", value) : std::string("  –");
                if (look.contains("expected"))
                    out += fmt::format(" ({:.3f} ± {:.3f})", look["expected"][f].get<double>(),
                                       look["spread"][f].get<double>());
            }
            if (look.contains("statistic"))
                out += fmt::format("  S {:.2f} {}", look["statistic"].get<double>(),
                                   look["status"].get<std::string>());
        }
        return out + "\n";
    }

    static std::string series_text(const ordered_json& s) {
        std::string out = fmt::format("watched from {}", s["watched_from"].get<std::string>());
        if (!s["learnt"].get<bool>()) return out + ": nothing was learnt of it\n";
        out += fmt::format(", learnt from {} looks, ground: {}{}\n", s["history_looks"].dump(),
                           s["ground"].get<std::string>(), s["judged"].get<bool>() ? "" : " (not judged)");
        for (const auto& c : s["changes"])
            out += fmt::format("  {}  {} → {}\n", c["date"].get<std::string>(), c["from"].get<std::string>(),
                               c["to"].get<std::string>());
        out += fmt::format("S is {:.2f} ({}", s["statistic"].get<double>(), s["status"].get<std::string>());
        for (const auto& [name, v] : s["levels"].items())
            out += fmt::format("; {} {:g}", name, v.get<double>());
        out += ")";
        if (s.contains("onset_from"))
            out += fmt::format(", onset {} to {}", s["onset_from"].get<std::string>(),
                               s["onset_to"].get<std::string>());
        return out + "\n";
    }

    static std::string pair_text(const ordered_json& p) {
        std::string out = fmt::format("compared: {} with {}\n",
                                      fmt::join(p["before"].get<std::vector<std::string>>(), " + "),
                                      fmt::join(p["after"].get<std::vector<std::string>>(), " + "));
        if (!p["seen"].get<bool>()) return out + "not usable in both epochs\n";
        out += fmt::format("NDVI {:.3f} → {:.3f}, {}{}; score {:.2f} times the median of unchanged ground (",
                           p["ndvi_before"].get<double>(), p["ndvi_after"].get<double>(),
                           p["ground"].get<std::string>(), p["water"].get<bool>() ? ", water" : "",
                           p["statistic"].get<double>());
        std::string levels;
        for (const auto& [name, v] : p["levels"].items())
            levels += fmt::format("{}{} at {:.2f}", levels.empty() ? "" : ", ", name, v.get<double>());
        return out + levels + ")\n";
    }

    static std::string text_of(const ordered_json& j) {
        std::string out = fmt::format("pixel {},{} of tile {}, centre {} {} ({})\n", j["col"].dump(),
                                      j["row"].dump(), j["tile"].get<std::string>(), j["x"].dump(),
                                      j["y"].dump(), j["crs"].get<std::string>());
        if (j.contains("series"))
            out += fmt::format("features after the bar: {}, expected ± standard deviation\n",
                               fmt::join(j["series"]["features"].get<std::vector<std::string>>(), ", "));
        for (const auto& look : j["looks"]) out += look_text(look);
        if (j.contains("series")) out += series_text(j["series"]);
        if (j.contains("pair")) out += pair_text(j["pair"]);
        out += decision_text(j["decision"]) + "\n";
        if (j["decision"].contains("note")) out += j["decision"]["note"].get<std::string>() + "\n";
        return out;
    }
};

const Registration<Stage, InspectStage> registration{"inspect", 110};

}  // namespace
}  // namespace shuibao::pipeline
