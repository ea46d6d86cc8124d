// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "disturbance_file.hpp"
#include <shuibao/core/change.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/geometry.hpp>
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

double rounded(double v) {
    return std::round(v * 1e4) / 1e4;
}

class InspectStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Everything the store knows of one place",
                .description =
                    "All looks at one pixel with their mask and values, and what the batch's change map says "
                    "of it: "
                    "evidence, confidence, onset, kind. Text, or JSON with --json.",
                .example = {"shuibao inspect 112.9821,33.0123 -c run.yaml",
                            "shuibao inspect 684215,3654730 --crs EPSG:32649 -c run.yaml --json"},
                .positional = "inspect.at",
                .in_run = false,
                .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "inspect.at", .help = "The place: x,y or longitude,latitude"});
        t.add({.key = "inspect.crs",
               .fallback = "EPSG:4326",
               .help = "CRS of the place; degrees are given as longitude,latitude"});
    }

    void run(RunContext& c) const override {
        const auto archive = open_archive(c.store);
        const Grid& grid = archive.grid();
        const Point place = place_of(c, grid);
        const Window pixel{static_cast<std::int64_t>(std::floor(grid.col_of_x(place.x))),
                           static_cast<std::int64_t>(std::floor(grid.row_of_y(place.y))), 1, 1};
        ordered_json j = {{"tile", grid.tile_at(pixel.col, pixel.row).str()},
                          {"col", pixel.col},
                          {"row", pixel.row},
                          {"x", rounded(grid.x_of_col(static_cast<double>(pixel.col) + 0.5))},
                          {"y", rounded(grid.y_of_row(static_cast<double>(pixel.row) + 0.5))},
                          {"crs", grid.crs()}};
        j["looks"] = ordered_json::array();
        for (const auto& a : archive.acquisitions()) {
            const Image image = archive.read(a, pixel, a.bands);
            const Quality q = image.pixels.quality()[0];
            if (q == Quality::nodata) continue;
            ordered_json look = {{"date", a.date.iso()}, {"key", a.key}, {"quality", quality_name(q)}};
            for (std::size_t b = 0; b < a.bands.size(); ++b) {
                const auto s = image.scaling[b];
                look["values"][std::string(common_name(a.bands[b]))] =
                    rounded(image.pixels.plane(static_cast<int>(b))[0] * static_cast<double>(s.scale) +
                            static_cast<double>(s.offset));
            }
            j["looks"].push_back(std::move(look));
        }
        if (j["looks"].empty())
            throw Error(ErrorCode::input,
                        fmt::format("No look of the store sees {},{} ({}).", place.x, place.y, grid.crs()),
                        "Check inspect.at and inspect.crs: the area of the store is elsewhere.");
        j["decision"] = decision(c, grid, pixel);
        c.out << (c.json ? j.dump(1) + "\n" : text_of(j));
    }

  private:
    static Point place_of(const RunContext& c, const Grid& grid) {
        const std::string text = c.settings.text("inspect.at");
        Point p;
        char extra = 0;
        if (std::sscanf(text.c_str(), "%lf,%lf%c", &p.x, &p.y, &extra) != 2)
            throw Error(ErrorCode::usage,
                        text.empty() ? std::string("inspect.at is not set.")
                                     : fmt::format("inspect.at cannot be '{}'.", text),
                        "Give x,y or longitude,latitude, e.g. `shuibao inspect 112.98,33.01 -c run.yaml`.");
        return io::Transformation(c.settings.text("inspect.crs"), grid.crs())(p);
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

    static std::string text_of(const ordered_json& j) {
        std::string out = fmt::format("pixel {},{} of tile {}, centre {} {} ({})\n", j["col"].dump(),
                                      j["row"].dump(), j["tile"].get<std::string>(), j["x"].dump(),
                                      j["y"].dump(), j["crs"].get<std::string>());
        for (const auto& look : j["looks"]) {
            out +=
                fmt::format("{}  {:<9}", look["date"].get<std::string>(), look["quality"].get<std::string>());
            for (const auto& [band, v] : look["values"].items())
                out += fmt::format("  {} {:.4f}", band, v.get<double>());
            out += "\n";
        }
        const auto& d = j["decision"];
        out += fmt::format("batch {}: {}", d["batch"].get<std::string>(), d["state"].get<std::string>());
        if (d.contains("log_odds"))
            out += fmt::format(", log-odds {:.2f}, confidence {:.2f}, onset {} to {}, {}",
                               d["log_odds"].get<double>(), d["confidence"].get<double>(),
                               d["onset_from"].get<std::string>(), d["onset_to"].get<std::string>(),
                               d["kind"].get<std::string>());
        return out + "\n";
    }
};

const Registration<Stage, InspectStage> registration{"inspect", 110};

}  // namespace
}  // namespace shuibao::pipeline
