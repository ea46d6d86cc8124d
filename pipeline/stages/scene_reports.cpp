// SPDX-License-Identifier: Apache-2.0
#include "scene_reports.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "scene_choice.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {

using engine::Scene;

std::string scene_key(const Scene& s) {
    std::string text = fmt::format("{} {} {}", s.reflectance, engine::mask_name(s.mask), s.date.iso());
    for (const auto& b : s.bands) {
        text += fmt::format(";{} {} {} {} {}", common_name(b.band), b.index, b.scale, b.offset,
                            b.nodata.value_or(-1));
        if (b.gain != 1 || b.lift != 0) text += fmt::format(" {} {}", b.gain, b.lift);
    }
    return s.fingerprint + engine::hash_bytes(text);
}

std::string letters_and_digits(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += c;
    return out;
}

namespace {

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::filesystem::path report_path(const RunContext& c, const Scene& s, const char* ending) {
    return c.store.scene_reports() /
           (letters_and_digits(s.id).substr(0, 60) + "_" + engine::hash_bytes(s.id).substr(0, 8) + ending);
}

// Removes a file that does not say what it should, so that it is made again. What is not there yet another
// shard may be about to write.
template <class Says>
void drop_damaged(const RunContext& c, const std::filesystem::path& path, const Says& says) {
    std::error_code ignored;
    if (!c.executor.options().dry_run && std::filesystem::exists(path, ignored) && !says(slurp(path)))
        std::filesystem::remove(path, ignored);
}

// Apart from the registration, because a new scene becomes a neighbour of old ones, whose shifts stay.
void hear_neighbours(RunContext& c, const std::vector<Scene>& scenes, const std::vector<Bounds>& frames,
                     const Grid& grid, std::vector<SceneReport>& reports) {
    const auto path_of = [&](const Scene& s) { return report_path(c, s, "_neighbours.json"); };
    std::vector<engine::Unit> units;
    std::vector<std::size_t> heard;
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const auto& s = scenes[i];
        const auto neighbours = neighbours_in_time(scenes, frames, i);
        if (!s.reflectance || neighbours.size() < accusers) continue;
        heard.push_back(i);
        engine::Unit u;
        u.id = s.id;
        u.inputs = {{"scene", scene_key(s)}};
        for (const auto* n : neighbours) u.inputs["neighbour " + n->id] = scene_key(*n);
        u.outputs = {path_of(s)};
        drop_damaged(c, path_of(s), [](const std::string& t) { return accusation_from(t).has_value(); });
        u.memory = 64 << 20;
        u.work = [&s, neighbours, &grid, &executor = c.executor, path = path_of(s)] {
            io::write_text(path, accusation_text(compare_with_neighbours(s, neighbours, grid, executor)));
        };
        units.push_back(std::move(u));
    }
    c.executor.run("radiometry", std::move(units));
    for (const auto i : heard)
        if (const auto a = accusation_from(slurp(path_of(scenes[i]))); a && !a->refused.empty()) {
            reports[i].refused = a->refused;
            reports[i].against = a->against;
        }
}

engine::Problem refusal_of(const SceneReport& r) {
    const auto what = fmt::format("The scene {} is set aside: {}.", r.id, r.refused);
    if (r.decision.ends_with("misplaced"))
        return {"tile", r.id, "misplaced", what,
                "Check the geotransform of its files against the product, or raise tile.max_shift if it is "
                "right."};
    if (r.decision == "one value")
        return {"tile", r.id, "one_value", what,
                "Get the scene again: a band that never changes was not measured."};
    return {"tile", r.id, "radiometry", what,
            "Check raster:bands offset in its Item against the product's metadata."};
}

}  // namespace

std::vector<SceneReport> check_scenes(RunContext& c, const std::vector<Scene>& scenes,
                                      const std::vector<Bounds>& frames, const Scene& first,
                                      const Grid& grid) {
    const SceneCheckOptions options{c.settings.flag("tile.registration"),
                                    c.settings.number("tile.registration_threshold"),
                                    c.settings.number("tile.max_shift")};
    std::vector<engine::Unit> units;
    const auto path_of = [&](const Scene& s) { return report_path(c, s, ".json"); };
    const auto& first_frame = frames[static_cast<std::size_t>(&first - scenes.data())];
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const auto& s = scenes[i];
        // Scenes of another place are compared with the first scene that overlaps them.
        const Scene* reference = &first;
        if (!first_frame.intersects(frames[i]))
            reference = &scenes[static_cast<std::size_t>(
                std::find_if(frames.begin(), frames.end(),
                             [&](const Bounds& other) { return other.intersects(frames[i]); }) -
                frames.begin())];
        engine::Unit u;
        u.id = s.id;
        u.inputs = {{"scene", scene_key(s)}, {"reference", scene_key(*reference)}};
        for (const auto* key : {"tile.registration", "tile.registration_threshold", "tile.max_shift"})
            u.inputs[std::string("option ") + key] = c.settings.text(key);
        u.outputs = {path_of(s)};
        drop_damaged(c, path_of(s), [](const std::string& t) { return report_from(t).has_value(); });
        u.memory = 64 << 20;
        u.work = [&s, reference, &grid, options, &executor = c.executor, path = path_of(s)] {
            io::write_text(path, report_text(check_scene(s, *reference, grid, options, executor)));
        };
        units.push_back(std::move(u));
    }
    c.executor.run("register", std::move(units));
    std::vector<SceneReport> reports;
    for (const auto& s : scenes) {
        SceneReport r;
        if (const auto known = report_from(slurp(path_of(s))))
            r = *known;
        else
            r.refused = c.executor.options().dry_run ? "" : "it could not be read";
        reports.push_back(std::move(r));
    }
    hear_neighbours(c, scenes, frames, grid, reports);
    accuse_misplaced_references(reports);
    forgive_what_a_refused_reference_says(reports);
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        const auto& s = scenes[i];
        const auto& r = reports[i];
        if (!r.refused.empty()) c.problems.add(refusal_of(r));
        c.log.write(engine::LogLevel::info,
                    fmt::format("{}: {}, measured {:+.2f} {:+.2f} px, rmse {:.2f}, {} of {} tie points", s.id,
                                r.refused.empty() ? r.decision : "refused", r.shift.dx, r.shift.dy,
                                r.shift.rmse, r.shift.used, r.shift.measured),
                    "tile");
    }
    return reports;
}

}  // namespace shuibao::pipeline
