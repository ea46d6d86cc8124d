// SPDX-License-Identifier: Apache-2.0
#include "clues.hpp"

#include <fmt/format.h>

#include "dictionaries.hpp"
#include "disturbance_file.hpp"
#include "layer_files.hpp"
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

// A day as it is where it is one, else the text that stands there.
std::string day_text(const io::Value& value) {
    const auto day = io::to_date(value);
    return day ? day->iso() : io::to_text(value);
}

}  // namespace

std::vector<Clue> read_clues(RunContext& c, const std::string& crs) {
    if (!c.settings.has("screen.clues")) return {};
    const auto path = c.settings.path("screen.clues");
    const auto words = load_dictionary("clues");
    const auto layer = io::read_places(path, crs);
    for (const auto& n : layer.notes)
        tell_row(c, "screen", path, n, "Give the clue a place in its source; until then it raises nothing.");
    std::vector<Clue> clues;
    for (const auto& p : layer.places) {
        auto name = io::to_text(field_value(p.values, words.values("fields", "number")));
        if (name.empty()) name = fmt::format("第 {} 行", p.row);
        if (const auto day = day_text(field_value(p.values, words.values("fields", "date"))); !day.empty())
            name += fmt::format("（{}）", day);
        clues.push_back({p.at, std::move(name)});
    }
    return clues;
}

}  // namespace shuibao::pipeline
