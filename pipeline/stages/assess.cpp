// SPDX-License-Identifier: Apache-2.0
#include "assess.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "assess_expected.hpp"
#include "inject.hpp"
#include "risk_input.hpp"
#include <shuibao/algorithms/area_estimate.hpp>
#include <shuibao/algorithms/scores.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/io/raster.hpp>
#include <shuibao/io/tile_archive.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Score;
using io::Geometry;
using nlohmann::ordered_json;

ordered_json json_of(const Score& s) {
    return {{"precision", rounded(s.precision())}, {"recall", rounded(s.recall())}, {"f1", rounded(s.f1())}};
}

ordered_json json_of(const algorithms::Reliability& r) {
    ordered_json j = {{"n", r.size()}, {"brier", rounded(r.brier())}};
    j["bins"] = ordered_json::array();
    for (const auto& b : r.bins())
        if (b.n > 0)
            j["bins"].push_back({{"n", b.n},
                                 {"confidence", rounded(b.sum / static_cast<double>(b.n))},
                                 {"true", rounded(static_cast<double>(b.hits) / static_cast<double>(b.n))}});
    return j;
}

using Object = AssessedObject;

std::vector<Object> objects_of(const io::VectorLayer& layer) {
    std::vector<Object> list;
    for (const auto& f : layer.features) {
        Object o;
        o.shape = f.shape;
        o.bounds = f.shape.bounds();
        o.area = f.shape.area();
        o.row = f.row;
        o.verdict = row_text(f, "verdict");
        o.id = row_text(f, "truth_id");
        if (o.id.empty()) o.id = std::to_string(f.row);
        if (const auto* value = f.values.find("confidence"))
            o.confidence = std::clamp(io::to_number(*value).value_or(1), 0.0, 1.0);
        o.onset = Date::parse(row_text(f, "onset"));
        o.complete = Date::parse(row_text(f, "complete"));
        o.from = Date::parse(row_text(f, "onset_from"));
        o.to = Date::parse(row_text(f, "onset_to"));
        o.first_clear = Date::parse(row_text(f, "first_clear_m"));
        for (std::size_t i = 0; i < f.values.size(); ++i)
            o.fields[f.values.name(i)] = io::to_text(f.values[i]);
        list.push_back(std::move(o));
    }
    return list;
}

class AssessStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {
            .summary = "Score a result against a reference",
            .description =
                "Found polygons × reference polygons or a reference raster (1 changed, 0 not, 255 "
                "unlabelled) → precision, recall and F1 by object, area and pixel, verdicts, onset, "
                "reliability of the confidence, and areas with their 95 % interval (Olofsson 2014). With "
                "--inject, without a reference: sites that never were are laid into the looks of the store, "
                "the configured method runs on them, and what it finds is counted by size and by land.",
            .example = {"shuibao assess truth.gpkg --found output/disturbances.gpkg",
                        "shuibao assess reference.gpkg --verdicts --expected verdicts.csv",
                        "shuibao assess change_gt.tif -c run.yaml --json",
                        "shuibao assess --inject -c run.yaml --sites 500"},
            .positional = "assess.reference",
            .in_run = false,
            .needs_store = false};
    }

    void declare(OptionTable& t) const override {
        t.add({.key = "assess.reference",
               .type = OptionType::path,
               .help = "Reference: polygons (any OGR vector) or a raster of labels"});
        t.add({.key = "assess.found",
               .type = OptionType::path,
               .help = "Polygons to score; default: <output>/disturbances.gpkg"});
        t.add({.key = "assess.expected",
               .type = OptionType::path,
               .help = "CSV with truth_id and verdict, where the reference has no field verdict (or BYD)"});
        t.add({.key = "assess.gsd",
               .type = OptionType::number,
               .fallback = "10",
               .help = "Ground sample by which the reference is grown when found objects are judged",
               .unit = "m",
               .min = 0,
               .max = 1000});
        t.add({.key = "assess.min_area",
               .type = OptionType::number,
               .fallback = "1000",
               .help = "Smaller objects are not counted",
               .unit = "m²",
               .min = 0,
               .max = 1e9,
               .long_name = "min-object"});
        t.add({.key = "assess.verdicts",
               .type = OptionType::flag,
               .fallback = "false",
               .help =
                   "The whole table of verdicts, reference against result, with what was missed and what was "
                   "invented"});
        declare_injection(t);
        declare_details(t);
    }

    void run(RunContext& c) const override {
        if (c.settings.flag("assess.inject")) {
            const ordered_json result = inject(c);
            c.out << (c.json ? result.dump(1) + "\n" : injection_text(result));
            return;
        }
        if (!c.settings.has("assess.reference"))
            throw Error(ErrorCode::usage, "There is no reference to score against.",
                        "Give a vector of true objects or a raster of labels: `shuibao assess FILE`; or let "
                        "--inject lay sites into the images.");
        const auto reference = c.settings.path("assess.reference");
        const std::string found = c.settings.has("assess.found") ? c.settings.path("assess.found")
                                                                 : (c.output / "disturbances.gpkg").string();
        if (!std::filesystem::exists(found))
            throw Error(ErrorCode::usage, fmt::format("{} does not exist.", found),
                        "Run `shuibao run` first, or give --found FILE.");
        require_reference(reference);
        const auto extension = std::filesystem::path(reference).extension().string();
        const bool raster = extension == ".tif" || extension == ".tiff" || extension == ".vrt";
        const ordered_json result = raster ? by_pixel(c, found, reference) : by_object(c, found, reference);
        c.out << (c.json ? result.dump(1) + "\n" : table(result, ""));
        if (!c.json && result.contains("verdicts")) c.out << "\n" << verdict_text(result["verdicts"]);
    }

  private:
    static void require_reference(const std::string& path) {
        std::error_code error;
        if (!path.starts_with("/vsi") && path.find(':') == std::string::npos &&
            !std::filesystem::exists(path, error))
            throw Error(ErrorCode::input, fmt::format("The reference {} does not exist.", path),
                        "Correct the path of the reference.");
    }

    // Zeros against a reference of another place would be read as a bad result. What was looked at is known
    // from the store; without one, a result is taken to speak of 10 km around it.
    static void require_overlap(RunContext& c, const std::string& reference, const Bounds& truth,
                                const Bounds& found, const std::string& crs) {
        Bounds seen = found;
        std::error_code error;
        if (std::filesystem::exists(c.store.acquisitions_file(), error)) {
            const auto archive = open_archive(c.store);
            const Grid& grid = archive.grid();
            for (const auto& a : archive.acquisitions())
                seen.expand(
                    io::transform_bounds(grid.bounds(enclosing_tiles(grid, a.tiles)), grid.crs(), crs));
        } else if (!seen.empty()) {
            const double margin = io::is_geographic(crs) ? 0.1 : 1e4;
            seen = {seen.min_x - margin, seen.min_y - margin, seen.max_x + margin, seen.max_y + margin};
        }
        if (truth.empty() || seen.empty() || truth.intersects(seen)) return;
        throw Error(
            ErrorCode::input,
            fmt::format("The reference {} lies elsewhere: it does not touch what the result speaks of.",
                        reference),
            "Check its CRS, and that it is of this area.");
    }

    static std::string table(const ordered_json& j, const std::string& indent) {
        std::string out;
        for (const auto& [key, value] : j.items()) {
            if (value.is_object() || (value.is_array() && !value.empty() && value.front().is_object())) {
                out += fmt::format("{}{}\n{}", indent, key, table(value, indent + "  "));
            } else {
                out += fmt::format("{}{:<24} {}\n", indent, key, value.dump());
            }
        }
        return out;
    }

    // Rules of the project's evaluation: a true object is found when found polygons cover half of it or one
    // of them has an IoU of 0.3 with it; a found one is right when half of it lies in the truth grown by one
    // ground sample.
    static ordered_json by_object(RunContext& c, const std::string& found_path,
                                  const std::string& reference) {
        const auto truth_layer = io::read_layer(reference);
        const auto found_layer = io::read_layer(found_path, {"", "", truth_layer.crs});
        auto truth = objects_of(truth_layer);
        auto found = objects_of(found_layer);
        Bounds of_truth, of_found;
        for (const auto& t : truth) of_truth.expand(t.bounds);
        for (const auto& f : found) of_found.expand(f.bounds);
        require_overlap(c, reference, of_truth, of_found, truth_layer.crs);
        const double min_area = c.settings.number("assess.min_area"), gsd = c.settings.number("assess.gsd");
        settle_expected(c, reference, truth);

        std::vector<Geometry> shapes;
        for (const auto& t : truth) shapes.push_back(t.shape);
        const Geometry all_truth = io::union_of(shapes);
        shapes.clear();
        for (const auto& f : found) shapes.push_back(f.shape);
        const Geometry all_found = io::union_of(shapes);

        c.executor.parallel_for(truth.size(), [&](std::size_t i) {
            auto& t = truth[i];
            double covered = 0, iou = 0, most = 0;
            for (const auto& f : found) {
                if (!t.bounds.intersects(f.bounds)) continue;
                const double common = t.shape.intersection(f.shape).area();
                covered += common;
                iou = std::max(iou, common / (t.area + f.area - common));
                if (common > most) {
                    most = common;
                    t.match = &f;
                }
            }
            t.hit = covered >= 0.5 * t.area || iou >= 0.3;
        });
        c.executor.parallel_for(found.size(), [&](std::size_t i) {
            double common = 0;
            std::vector<Geometry> near;
            for (const auto& t : truth)
                if (Bounds b = t.bounds;
                    Bounds{b.min_x - gsd, b.min_y - gsd, b.max_x + gsd, b.max_y + gsd}.intersects(
                        found[i].bounds))
                    near.push_back(t.shape.buffered(gsd));
            if (!near.empty()) common = found[i].shape.intersection(io::union_of(near)).area();
            found[i].hit = common >= 0.5 * found[i].area;
        });

        std::size_t n_truth = 0, n_found = 0, hits = 0, good = 0, verdict_right = 0, verdict_wrong = 0;
        std::map<std::string, std::size_t> confusion;
        std::vector<int> late;
        std::size_t held = 0;
        algorithms::Reliability reliability;
        for (const auto& t : truth) {
            if (t.area < min_area) continue;
            ++n_truth;
            if (!t.hit) continue;
            ++hits;
            const Object& best = *t.match;
            const auto& want = t.verdict;
            if (!want.empty()) {
                ++confusion[want + " → " + best.verdict];
                ++(want == best.verdict ? verdict_right : verdict_wrong);
            }
            if (t.onset && best.to) {
                late.push_back(best.to->days() - t.onset->days());
                if (best.from && *best.from <= t.complete.value_or(*t.onset) && *t.onset <= *best.to) ++held;
            }
        }
        for (const auto& f : found) {
            if (f.area < min_area) continue;
            ++n_found;
            good += f.hit ? 1 : 0;
            reliability.add(f.confidence, f.hit);
        }
        const double common = all_truth.intersection(all_found).area();
        const Score area{common, all_found.area() - common, all_truth.area() - common};
        const double p = n_found > 0 ? static_cast<double>(good) / static_cast<double>(n_found) : 0,
                     r = n_truth > 0 ? static_cast<double>(hits) / static_cast<double>(n_truth) : 0;
        ordered_json j;
        j["objects"] = {{"truth", n_truth},
                        {"found", n_found},
                        {"precision", rounded(p)},
                        {"recall", rounded(r)},
                        {"f1", rounded(p + r > 0 ? 2 * p * r / (p + r) : 0)}};
        j["area"] = json_of(area);
        if (verdict_right + verdict_wrong > 0)
            j["verdict"] = {{"right", verdict_right},
                            {"wrong", verdict_wrong},
                            {"accuracy", rounded(static_cast<double>(verdict_right) /
                                                 static_cast<double>(verdict_right + verdict_wrong))},
                            {"confusion", confusion}};
        if (!late.empty()) {
            std::sort(late.begin(), late.end());
            j["onset"] = {
                {"dated", late.size()},
                {"median_days_late", late[late.size() / 2]},
                {"interval_holds", rounded(static_cast<double>(held) / static_cast<double>(late.size()))}};
        }
        j["confidence_of_objects"] = json_of(reliability);
        if (c.settings.flag("assess.verdicts")) j["verdicts"] = verdict_table(truth, found, min_area);
        add_details(c, truth_layer.crs, truth, found, min_area, j);
        return j;
    }

    static ordered_json by_pixel(RunContext& c, const std::string& found_path, const std::string& reference) {
        const auto info = io::describe_raster(reference);
        const auto labels = io::read_whole_band(reference, 1);
        const auto found = io::read_layer(found_path, {"", "", info.crs});
        // A grid of the reference's own: its tiles do not matter here.
        const Grid grid = Grid::aligned_to(info.crs, info.left, info.top, info.gsd_x, 1024);
        const Window window = grid.window(info.bounds());
        std::vector<Geometry> shapes;
        Bounds of_found;
        for (const auto& f : found.features) {
            shapes.push_back(f.shape);
            of_found.expand(f.shape.bounds());
        }
        require_overlap(c, reference, info.bounds(), of_found, info.crs);
        const auto map = io::burn(shapes, grid, window);
        Score score;
        Eigen::MatrixXd counts = Eigen::MatrixXd::Zero(2, 2);
        std::vector<double> mapped(2, 0.0);
        const double pixel = info.gsd_x * info.gsd_y / 1e4;
        for (std::size_t i = 0; i < map.size(); ++i) {
            const int said = map[i] != 0 ? 1 : 0;
            mapped[said == 1 ? 1 : 0] += pixel;
            if (labels[i] != 0 && labels[i] != 1) continue;
            const int is = labels[i] == 1 ? 1 : 0;
            counts(said, is) += 1;
            if (said == 1 && is == 1) ++score.right;
            if (said == 1 && is == 0) ++score.wrong;
            if (said == 0 && is == 1) ++score.missed;
        }
        ordered_json j;
        j["labelled"] = score.right + score.wrong + score.missed + counts(0, 0);
        j["pixels"] = json_of(score);
        try {
            const auto e = algorithms::estimate_areas(counts, mapped);
            const auto& changed = e.classes[1];
            j["area_estimate"] = {{"mapped_hm2", rounded(mapped[1])},
                                  {"estimated_hm2", rounded(changed.area)},
                                  {"ci95_hm2", rounded(1.96 * changed.area_se)},
                                  {"users_accuracy", rounded(changed.users_accuracy)},
                                  {"producers_accuracy", rounded(changed.producers_accuracy)},
                                  {"overall_accuracy", rounded(e.overall_accuracy)}};
        } catch (const Error& e) {
            j["area_estimate"] = e.what();
        }
        if (auto curve = pixel_reliability(c, grid, window, labels)) j["confidence_of_pixels"] = *curve;
        return j;
    }

    // Where the store holds the change maps of the batch on the same lattice.
    static std::optional<ordered_json> pixel_reliability(RunContext& c, const Grid& reference,
                                                         const Window& window,
                                                         const std::vector<float>& labels) {
        if (!std::filesystem::exists(c.store.grid_file())) return std::nullopt;
        const Grid grid = load_grid(c.store);
        if (!io::same_crs(grid.crs(), reference.crs()) || grid.gsd() != reference.gsd()) return std::nullopt;
        const auto folder = c.store.changes(resolve_batch(c));
        if (!std::filesystem::exists(folder)) return std::nullopt;
        const Window here = grid.window(reference.bounds(window));
        if (here.cols != window.cols || here.rows != window.rows) return std::nullopt;
        std::vector<std::uint16_t> confidence(labels.size());
        io::read_change_band(folder, grid, here, 1, confidence);
        algorithms::Reliability curve;
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (confidence[i] > 0 && (labels[i] == 0 || labels[i] == 1))
                curve.add(static_cast<double>(confidence[i]) / Change::confidence_one, labels[i] == 1);
        return json_of(curve);
    }
};

const Registration<Stage, AssessStage> registration{"assess", 210};

}  // namespace
}  // namespace shuibao::pipeline
